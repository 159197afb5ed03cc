"""A template as a frozen value: the tables of template.toml, each with its shape. What they must be together: `checks`."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from spooler.render.fit import Marks, Sizes
from spooler.render.template.issuance import Issuance
from spooler.wire.messages import Pass, Stock, Turn

MM = 72 / 25.4  # points
Millimetres = Annotated[float, Field(ge=0, le=2000)]
Length = Annotated[float, Field(gt=0, le=2000)]
Points = Annotated[float, Field(ge=5, le=72)]
Align = Literal["left", "center", "right"]


class Part(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Shrinking(Part):
    """How type shrinks to fit: step by step down to the floor."""

    leading: float = Field(ge=1, le=2)
    step: float = Field(gt=0, le=2)
    floor: Points

    def sizes(self, largest: float) -> Sizes:
        return Sizes(largest=largest, floor=self.floor, step=self.step, leading=self.leading)


class Type(Shrinking):
    """In which faces values are printed, and how they shrink."""

    fonts: tuple[str, ...] = Field(min_length=1)


class LineRules(Part):
    """避头尾: the marks that may not begin a line, and those that may not end one."""

    never_first: str = Field(min_length=1)
    never_last: str = Field(min_length=1)

    @cached_property
    def marks(self) -> Marks:
        return Marks(frozenset(self.never_first), frozenset(self.never_last))


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


class Frame(Place):
    """The room of parcel map and unit plan. `grey` where the stock, or the printers that take it, should not be given colour."""

    colour: Literal["colour", "grey"] = "colour"

    @property
    def is_grey(self) -> bool:
        return self.colour == "grey"


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
    """A fixed text, by the left end, the middle or the right end of its baseline."""

    on: str
    text: str
    x: Millimetres
    baseline: Millimetres
    size: Points
    align: Align = "left"


class Rule(Place):
    """A frame; one that ends where a box begins holds that box's label."""


class Serial(Part):
    """Where 编号№ already stands on the blank."""

    on: str
    x: Millimetres
    y: Millimetres


class Form(Part):
    """Labels and cells. Of a kind on plain paper they are printed, since nothing is on that paper before."""

    labels: tuple[Label, ...] = ()
    rules: tuple[Rule, ...] = ()


class Blank(Form):
    """The neutral drawing of a numbered blank, for previews and contact sheets; never printed on paper."""

    serial: Serial


class Template(Part):
    """One kind of document in one version."""

    kind: str = Field(pattern=r"^[a-z_]{1,32}$")
    version: int = Field(ge=1, le=9999)
    title: str
    type: Type
    line_rules: LineRules
    passes: tuple[Sheet, ...] = Field(min_length=1, max_length=9)
    lines: dict[str, Line]
    boxes: dict[str, Box] = Field(min_length=1)
    qr: Place
    seal: RedSeal
    frame: Frame | None = None
    blank: Blank | None = None  # what is already on numbered stock
    form: Form | None = None  # what plain paper lacks
    issuance: Issuance | None = None  # 换发, 补发, 更正; see `issuance_of`
    directory: Path

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.version}"

    @cached_property
    def sheets(self) -> dict[str, Sheet]:
        return {sheet.name: sheet for sheet in self.passes}
