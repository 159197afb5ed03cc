"""The templates: what is printed where, read from templates/<kind>/<version>/template.toml and checked at start.

Geometry is data, never code: boxes are in mm from the top left corner of the true paper. A released version never changes.
"""

import re
import sysconfig
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spooler.render.fit import Sizes
from spooler.wire.messages import Pass, Stock, Turn

Millimetres = Annotated[float, Field(ge=0, le=2000)]
Length = Annotated[float, Field(gt=0, le=2000)]
Points = Annotated[float, Field(ge=5, le=72)]
Align = Literal["left", "center", "right"]

# The strings that every document has beside its fields.
HEADER_LINES = frozenset({"province", "year", "place", "sequence", "booked_year", "booked_month", "booked_day"})


class BadTemplate(Exception):
    """A template is not what it must be; the message names file, line and key."""


class Part(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Type(Part):
    """How type shrinks to fit: half points down to the floor."""

    leading: float = Field(ge=1, le=2)
    step: float = Field(gt=0, le=2)
    floor: Points

    def sizes(self, largest: float) -> Sizes:
        return Sizes(largest=largest, floor=self.floor, step=self.step, leading=self.leading)


class Sheet(Part):
    """One pass: a side of the stock at its true size."""

    name: str = Field(pattern=r"^[A-Z]$")
    stock: Stock
    width: Length
    height: Length
    turn: Turn = Turn.NONE

    def as_pass(self, number: int, pages: tuple[int, ...]) -> Pass:
        return Pass(
            number=number,
            name=self.name,
            pages=pages,
            stock=self.stock,
            width_mm=self.width,
            height_mm=self.height,
            turn=self.turn,
        )


class Place(Part):
    """A rectangle on one pass."""

    on: str
    x: Millimetres
    y: Millimetres
    width: Length
    height: Length


class Box(Place):
    """Where a field is printed."""

    label: str
    size: Points
    padding: Millimetres = 0
    align: Align = "left"
    vertical: Literal["top", "middle"] = "middle"


class Line(Part):
    """Where a short string is printed, on one line."""

    on: str
    label: str
    x: Millimetres
    baseline: Millimetres
    width: Length
    size: Points
    align: Align


class RedSeal(Part):
    """Where the seal goes, by its centre."""

    on: str
    x: Millimetres
    y: Millimetres
    diameter: Length


class Label(Part):
    """A text of the neutral drawing of the blank; never printed on paper."""

    on: str
    text: str
    x: Millimetres
    baseline: Millimetres
    size: Points


class Rule(Place):
    """A frame of the neutral drawing of the blank; never printed on paper."""


class Serial(Part):
    """Where 编号№ already stands on the blank."""

    on: str
    x: Millimetres
    y: Millimetres


class Blank(Part):
    """The neutral drawing of the blank, for previews and contact sheets."""

    serial: Serial
    labels: tuple[Label, ...] = ()
    rules: tuple[Rule, ...] = ()


class Template(Part):
    """One kind of document in one version."""

    kind: str = Field(pattern=r"^[a-z_]{1,32}$")
    version: int = Field(ge=1, le=9999)
    title: str
    type: Type
    passes: tuple[Sheet, ...] = Field(min_length=1, max_length=9)
    lines: dict[str, Line]
    boxes: dict[str, Box] = Field(min_length=1)
    qr: Place
    seal: RedSeal
    frame: Place | None = None
    blank: Blank
    directory: Path

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.version}"

    @cached_property
    def sheets(self) -> dict[str, Sheet]:
        return {sheet.name: sheet for sheet in self.passes}

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if len(self.sheets) != len(self.passes):
            raise ValueError("passes: two have the same name")
        if self.lines.keys() != HEADER_LINES:
            raise ValueError(f"lines: must be exactly {', '.join(sorted(HEADER_LINES))}")
        for key, box in self.boxes.items():
            if box.size < self.type.floor:
                raise ValueError(f"boxes.{key}: size is below type.floor")
            if 2 * box.padding >= box.width:
                raise ValueError(f"boxes.{key}: padding leaves no width")
        return self

    @model_validator(mode="after")
    def _lies_on_paper(self) -> Self:
        places = {"qr": self.qr, **{f"boxes.{key}": box for key, box in self.boxes.items()}}
        places |= {"frame": self.frame} if self.frame else {}
        places |= {f"blank.rules.{i}": rule for i, rule in enumerate(self.blank.rules)}
        for key, place in places.items():
            self._check_on_paper(key, place.on, place.x + place.width, place.y + place.height)
        for key, line in self.lines.items():
            self._check_on_paper(f"lines.{key}", line.on, line.x + line.width, line.baseline)
        radius = self.seal.diameter / 2
        self._check_on_paper("seal", self.seal.on, self.seal.x + radius, self.seal.y + radius)
        return self

    def _check_on_paper(self, key: str, on: str, right: float, bottom: float) -> None:
        if on not in self.sheets:
            raise ValueError(f"{key}: there is no pass {on}")
        if right > self.sheets[on].width or bottom > self.sheets[on].height:
            raise ValueError(f"{key}: reaches beyond the paper of pass {on}")


def find_templates() -> Path:
    """Return the checkout's own templates, else the installed ones."""
    checkout = Path(__file__).resolve().parents[2] / "templates"
    installed = Path(sysconfig.get_path("data")) / "share" / "certspool" / "templates"
    return checkout if checkout.is_dir() else installed


def load_templates(directory: Path) -> dict[str, Template]:
    """Return every template below the directory by its name (`certificate/1`), or raise BadTemplate."""
    templates = [load_template(path) for path in sorted(directory.glob("*/*/template.toml"))]
    if not templates:
        raise BadTemplate(f"{directory}: holds no <kind>/<version>/template.toml")
    return {template.name: template for template in templates}


def load_template(path: Path) -> Template:
    """Return the checked template of one file, or raise BadTemplate."""
    source = path.read_text(encoding="utf-8")
    try:
        template = Template.model_validate({**tomllib.loads(source), "directory": path.parent})
    except tomllib.TOMLDecodeError as e:
        raise BadTemplate(f"{path}: {e}") from None
    except ValidationError as e:
        raise BadTemplate(
            "\n".join(_describe(path, source, error["loc"], error["msg"]) for error in e.errors())
        ) from None
    if path.parts[-3:-1] != (template.kind, str(template.version)):
        raise BadTemplate(f"{path}: kind and version say {template.name}")
    return template


def _describe(path: Path, source: str, where: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not where:
        key, _, message = message.partition(": ")
        where = tuple(key.split("."))
    return f"{path}:{_line_of(source, where)}: {'.'.join(map(str, where))}: {message}"


def _line_of(source: str, where: tuple[int | str, ...]) -> int:
    """Return the line of the last part of the key path that can be found, looking inside its table."""
    line, lines = 0, source.split("\n")
    for i, key in enumerate(where):
        table = re.escape(".".join(str(part) for part in where[: i + 1] if isinstance(part, str)))
        heads = rf"\s*\[\[?{table}\]\]?\s*(#.*)?|\s*{re.escape(str(key))}\s*=.*"
        matches = [n for n, text in enumerate(lines) if n >= line and re.fullmatch(heads, text)]
        nth = where[i + 1] if i + 1 < len(where) and isinstance(where[i + 1], int) else 0
        line = matches[min(int(nth), len(matches) - 1)] if matches else line
    return line + 1
