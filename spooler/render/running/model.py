"""A running sheet's template as a frozen value: the tables of sheet.toml, and what they must be together."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from spooler.render.fonts import KNOWN
from spooler.render.template import MM, Align, Part
from spooler.render.template.checks import Fault
from spooler.render.template.model import Length, LineRules, Millimetres, Points, Type

SheetKind = Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,31}$")]


class Paper(Part):
    width: Length
    height: Length


class Words(Part):
    """A fixed text. Under [closing] its baseline counts from the foot of the last row."""

    text: str
    x: Millimetres
    baseline: Millimetres
    size: Points
    align: Align = "left"


class Cell(Part):
    """An empty cell. Under [closing] its place counts from the foot of the last row."""

    x: Millimetres
    y: Millimetres
    width: Length
    height: Length


class Heading(Part):
    """A text of the document on every page, behind its label."""

    label: str = ""
    x: Millimetres
    y: Millimetres
    width: Length
    height: Length
    size: Points
    align: Align = "left"


class Column(Part):
    """One column of the table."""

    field: str
    label: str
    width: Length
    align: Align = "left"


class Table(Part):
    """The rows: from `y` to `bottom` on every page, the columns' labels above them."""

    x: Millimetres
    y: Millimetres
    bottom: Length
    head: Length  # the height of the row with the labels
    label_size: Points
    size: Points
    padding: Millimetres
    least: Length  # a row is at least so high
    most: Length  # and at most; what needs more is set smaller
    columns: tuple[Column, ...] = Field(min_length=1, max_length=12)

    @property
    def width(self) -> float:
        return sum(column.width for column in self.columns)


class Closing(Part):
    """What stands under the last row, on one page with it where it can be."""

    height: Length
    labels: tuple[Words, ...] = ()
    cells: tuple[Cell, ...] = ()


class SheetTemplate(Part):
    """One kind of running sheet in one version."""

    kind: SheetKind
    version: int = Field(ge=1, le=9999)
    title: str
    type: Type
    line_rules: LineRules
    page: Paper
    labels: tuple[Words, ...]
    headings: dict[str, Heading]
    table: Table
    closing: Closing | None = None
    directory: Path

    @property
    def name(self) -> str:
        return f"{self.kind}/{self.version}"

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(column.field for column in self.table.columns)


def faults(template: SheetTemplate, *, columns: tuple[str, ...], headings: frozenset[str]) -> Iterator[Fault]:
    """Yield everything that is wrong with a template whose shape is right."""
    yield from _names(template, columns, headings)
    yield from _type(template)
    yield from _places(template)
    yield from _room(template)


def _names(template: SheetTemplate, columns: tuple[str, ...], headings: frozenset[str]) -> Iterator[Fault]:
    for i, field in enumerate(template.fields):
        if field not in columns:
            yield Fault(("table", "columns", i, "field"), f"a {template.kind} has the columns {', '.join(columns)}")
        elif field in template.fields[:i]:
            yield Fault(("table", "columns", i, "field"), f"{field} stands twice")
    for field in columns:
        if field not in template.fields:
            yield Fault(("table", "columns"), f"{field} is missing")
    for name in sorted(headings ^ set(template.headings)):
        strange = f"a {template.kind} has the headings {', '.join(sorted(headings))}"
        yield Fault(("headings", name), strange if name in template.headings else "is missing")


def _type(template: SheetTemplate) -> Iterator[Fault]:
    floor = template.type.floor
    for i, name in enumerate(template.type.fonts):
        if name not in KNOWN:
            yield Fault(("type", "fonts", i), f"there is no font {name!r}; known are {', '.join(KNOWN)}")
    if template.table.size < floor:
        yield Fault(("table", "size"), f"{template.table.size:g} pt is below type.floor, {floor:g} pt")
    for name, heading in template.headings.items():
        if heading.size < floor:
            yield Fault(("headings", name, "size"), f"{heading.size:g} pt is below type.floor, {floor:g} pt")
    for i, column in enumerate(template.table.columns):
        if (column.width - 2 * template.table.padding) * MM < floor:
            yield Fault(("table", "columns", i, "width"), f"leaves no width for a character of {floor:g} pt")


def _places(template: SheetTemplate) -> Iterator[Fault]:
    paper, table = template.page, template.table
    size = f"the paper, {paper.width:g} × {paper.height:g} mm"
    for name, box in template.headings.items():
        if box.x + box.width > paper.width or box.y + box.height > paper.height:
            yield Fault(("headings", name), f"reaches beyond {size}")
        if box.y < table.bottom and box.y + box.height > table.y:
            yield Fault(("headings", name), f"stands in the table's room, {table.y:g} to {table.bottom:g} mm")
    for i, words in enumerate(template.labels):
        if words.x > paper.width or words.baseline > paper.height:
            yield Fault(("labels", i), f"reaches beyond {size}")
    if table.x + table.width > paper.width or table.bottom > paper.height:
        yield Fault(("table",), f"reaches beyond {size}")


def _room(template: SheetTemplate) -> Iterator[Fault]:
    table, closing = template.table, template.closing
    room = table.bottom - table.y - table.head
    if table.least > table.most:
        yield Fault(("table", "least"), "is more than table.most")
    if table.most > room:
        yield Fault(("table", "most"), f"a page has {room:g} mm for rows")
    if closing is not None and closing.height > room:
        yield Fault(("closing", "height"), f"a page has {room:g} mm for rows and what closes them")
    if (table.most - 2 * table.padding) * MM < template.type.floor * template.type.leading:
        yield Fault(("table", "most"), f"leaves no height for a line of {template.type.floor:g} pt")
