"""The electronic face as data: templates/<kind>-electronic/<version>/face.toml, checked when the home starts.

Fonts and line rules are those of the print template of the same kind, so that whatever prints on paper stands on the face too.
"""

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from spooler.daemon.positions import told
from spooler.render.template import BadTemplate, Part
from spooler.render.template.model import Length, Millimetres, Points, Shrinking

FACE = "face.toml"
SUFFIX = "-electronic"
LargePoints = Annotated[float, Field(ge=5, le=200)]
Colour = Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]


class Page(Part):
    width: Length
    height: Length


class Centred(Part):
    """A text of the face itself, centred on x."""

    text: str
    x: Millimetres
    baseline: Millimetres
    size: Points


class NumberLine(Part):
    """黑（2024）…第0001234号, centred in a width."""

    x: Millimetres
    baseline: Millimetres
    width: Length
    size: Points


class Heading(Part):
    """The number and a word, centred over the pages that follow the first."""

    x: Millimetres
    baseline: Millimetres
    width: Length
    size: Points
    annex: str = ""
    continued: str


class Continued(Part):
    """The table on a further page."""

    y: Millimetres
    height: Length
    size: Points
    label: str


class Table(Part):
    """Where the fields stand, labels left, values right."""

    x: Millimetres
    y: Millimetres
    width: Length
    height: Length
    label: Length
    padding: Millimetres
    size: Points
    label_size: Points
    continued: Continued

    @property
    def value_x(self) -> float:
        return self.x + self.label

    @property
    def value_width(self) -> float:
        return self.width - self.label


class Row(Part):
    """One field; its row is at least so high."""

    field: str
    label: str
    height: Length
    vertical: Literal["top", "middle"] = "middle"


class Statement(Part):
    """What the certificate says of itself."""

    x: Millimetres
    baseline: Millimetres
    size: Points
    leading: Length
    lines: tuple[str, ...]


class Above(Part):
    text: str
    baseline: Millimetres
    size: Points


class RegistryLine(Part):
    """The registry's name, centred on x."""

    x: Millimetres
    baseline: Millimetres
    width: Length
    size: Points
    above: Above


class BookedLine(Part):
    """The booking date, centred on x."""

    x: Millimetres
    baseline: Millimetres
    size: Points


class SealPlace(Part):
    x: Millimetres
    y: Millimetres
    diameter: Length


class QrPlace(Part):
    x: Millimetres
    y: Millimetres
    width: Length
    height: Length
    caption: Above


class IdentifierLine(Part):
    x: Millimetres
    baseline: Millimetres
    size: Points
    label: str


class FramePlace(Part):
    x: Millimetres
    y: Millimetres
    width: Length
    height: Length


class BorderOrnament(Part):
    x: Millimetres
    y: Millimetres
    width: Length
    height: Length
    depth: Length
    strands: int = Field(ge=1, le=24)
    wave: Length


class RosetteOrnament(Part):
    x: Millimetres
    y: Millimetres
    radius: Length
    petals: int = Field(ge=3, le=60)
    rings: int = Field(ge=1, le=40)


class Ornament(Part):
    """The neutral drawing behind everything."""

    border: BorderOrnament
    rosette: RosetteOrnament
    ink: Colour
    pale: Colour
    line: float = Field(gt=0, le=2)


class Mark(Part):
    """已注销 across every page; 样张 on what is no certificate."""

    size: LargePoints


class Face(Part):
    """The electronic certificate of one kind in one version."""

    kind: str = Field(pattern=r"^[a-z_]{1,32}$")
    version: int = Field(ge=1, le=9999)
    title: Centred
    number: NumberLine
    heading: Heading
    page: Page
    type: Shrinking
    table: Table
    rows: tuple[Row, ...] = Field(min_length=1)
    statement: Statement
    registry: RegistryLine
    booked: BookedLine
    seal: SealPlace
    qr: QrPlace
    identifier: IdentifierLine
    frame: FramePlace | None = None
    ornament: Ornament
    mark: Mark

    @property
    def name(self) -> str:
        return f"{self.kind}{SUFFIX}/{self.version}"

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset(row.field for row in self.rows)

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if len(self.fields) != len(self.rows):
            raise ValueError("rows: two rows have the same field")
        if sum(row.height for row in self.rows) > self.table.height:
            raise ValueError("table.height: the rows are higher together")
        if self.table.value_width <= 2 * self.table.padding:
            raise ValueError("table.label: leaves no width for values")
        return self

    @model_validator(mode="after")
    def _lies_on_paper(self) -> Self:
        places: dict[str, Any] = {"table": self.table, "qr": self.qr, "ornament.border": self.ornament.border}
        places |= {"frame": self.frame} if self.frame else {}
        for key, place in places.items():
            if place.x + place.width > self.page.width or place.y + place.height > self.page.height:
                raise ValueError(f"{key}: reaches beyond the page")
        return self


def load_faces(directory: Path, own: Path | None = None) -> dict[str, Face]:
    """Return the newest face of each kind, or raise BadTemplate. A kind that has a face below `own` is taken from there alone."""
    found = [
        {path.parents[1].name: path.parents[1] for path in source.glob(f"*{SUFFIX}/*/{FACE}")}
        for source in (directory, own)
        if source is not None
    ]
    faces = [load_face(path) for folder in _folders(found) for path in folder.glob(f"*/{FACE}")]
    return {face.kind: face for face in sorted(faces, key=lambda face: face.version)}


def _folders(found: list[dict[str, Path]]) -> list[Path]:
    return list({name: folder for folders in found for name, folder in folders.items()}.values())


def load_face(path: Path) -> Face:
    """Return the checked face of one file, or raise BadTemplate that names file, line and key of every fault."""
    try:
        source = path.read_text(encoding="utf-8")
        face = Face.model_validate(tomllib.loads(source))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise BadTemplate(f"{path}: {e}") from None
    except ValidationError as e:
        raise BadTemplate("\n".join(_told(path, source, error["loc"], error["msg"]) for error in e.errors())) from None
    if path.parts[-3:-1] != (face.kind + SUFFIX, str(face.version)):
        raise BadTemplate(f"{path}: kind and version say {face.name}")
    return face


def _told(path: Path, source: str, where: tuple[str | int, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not where:
        key, _, message = message.partition(": ")
        where = tuple(key.split("."))
    return told(path, source, where, message)
