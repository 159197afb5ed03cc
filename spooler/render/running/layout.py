"""Step 2a for running sheets: rows over as many pages as they need, none of them on two, the heading and the table's head on each.

A cell is set as large as its column and the highest row allow; its row is as high as its highest cell. What fits at no size is refused
under the field that it came from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from spooler.render.annex.place import Rect
from spooler.render.characters import check_characters
from spooler.render.content import Finding
from spooler.render.fit import DoesNotFit, fit
from spooler.render.fonts import Faces
from spooler.render.layout import overflow
from spooler.render.leaf import Leaf
from spooler.render.running.model import Column, Heading, SheetTemplate, Words
from spooler.render.template import MM, Align, Box
from spooler.render.typeset import Placed, PlacedLine, set_box

_ON = "L"  # texts of a running sheet stand where their page is, not on a pass
PAGE = "page"


@dataclass(frozen=True)
class Said:
    """A text, and the field that it came from."""

    field: str
    text: str


@dataclass(frozen=True)
class Row:
    """The cells of a row by column. `keeps`: it stands on the page of the row before it."""

    cells: Mapping[str, Said]
    keeps: bool = False


@dataclass(frozen=True)
class Running:
    """What a sheet says: its headings, and its rows in order."""

    headings: Mapping[str, Said]
    rows: Sequence[Row]


@dataclass(frozen=True)
class Laid:
    """All pages; they may be printed only if nothing is refused."""

    template: SheetTemplate
    faces: Faces
    leaves: tuple[Leaf, ...]
    refused: tuple[Finding, ...]
    noted: tuple[Finding, ...]


@dataclass(frozen=True)
class _High:
    """A row and how high it is, in mm."""

    row: Row
    height: float


def lay_out_sheet(running: Running, template: SheetTemplate, faces: Faces) -> Laid:
    """Return the pages of the sheet."""
    refused, noted = _check(running, faces)
    if refused:
        return Laid(template, faces, (), tuple(refused), tuple(noted))
    setter = _Setter(template, faces)
    pages = _pages([_High(row, setter.height(row)) for row in running.rows], template)
    leaves = tuple(setter.leaf(running, rows, n, len(pages)) for n, rows in enumerate(pages, 1))
    return Laid(template, faces, leaves, tuple(setter.refused), tuple(noted))


def _check(running: Running, faces: Faces) -> tuple[list[Finding], list[Finding]]:
    refused: list[Finding] = []
    noted: list[Finding] = []
    for said in (*running.headings.values(), *(cell for row in running.rows for cell in row.cells.values())):
        faults, notes = check_characters(said.field, said.text, faces)
        refused += faults
        noted += notes
    return refused, noted


def _pages(rows: Sequence[_High], template: SheetTemplate) -> list[list[_High]]:
    """Return the rows page by page. What keeps to the row before takes that row along; so does what closes the table."""
    room = template.table.bottom - template.table.y - template.table.head
    pages: list[list[_High]] = [[]]
    for row in rows:
        if sum(one.height for one in pages[-1]) + row.height > room and pages[-1]:
            taken = [pages[-1].pop()] if row.row.keeps and len(pages[-1]) > 1 else []
            pages.append(taken)
        pages[-1].append(row)
    if template.closing is not None and sum(one.height for one in pages[-1]) + template.closing.height > room:
        pages.append([pages[-1].pop()] if len(pages[-1]) > 1 else [])
        if sum(one.height for one in pages[-1]) + template.closing.height > room:
            pages.append([])
    return pages


class _Setter:
    """Sets texts by one template, and gathers what fits nowhere."""

    def __init__(self, template: SheetTemplate, faces: Faces) -> None:
        self._template = template
        self._faces = faces
        self._marks = template.line_rules.marks
        self.refused: list[Finding] = []

    def height(self, row: Row) -> float:
        """Return how high the row has to be, in mm."""
        table = self._template.table
        needed = [
            self._needed(column, row.cells[column.field]) for column in table.columns if column.field in row.cells
        ]
        return min(max([table.least, *needed]), table.most)

    def _needed(self, column: Column, said: Said) -> float:
        table = self._template.table
        sizes = self._template.type.sizes(table.size)
        width, most = (column.width - 2 * table.padding) * MM, (table.most - 2 * table.padding) * MM
        try:
            fitted = fit(said.text, width, most, sizes, self._faces.width, self._marks)
        except DoesNotFit:
            return table.most  # told when it is set
        return len(fitted.lines) * fitted.size * sizes.leading / MM + 2 * table.padding

    def leaf(self, running: Running, rows: Sequence[_High], number: int, count: int) -> Leaf:
        """Return one page: what stands on each, then its rows, and under the last of all what closes them."""
        template, table = self._template, self._template.table
        texts = [self._words(words, 0.0) for words in template.labels]
        texts += self._headings({**running.headings, PAGE: Said(PAGE, f"第 {number} 页 共 {count} 页")})
        foot, cells = table.y, list[Rect]()
        if rows:
            texts += self._labels(foot)
            cells += self._cells(foot, table.head)
            foot += table.head
        for high in rows:
            texts += self._row(high, foot)
            cells += self._cells(foot, high.height)
            foot += high.height
        if template.closing is not None and number == count:
            texts += [self._words(words, foot) for words in template.closing.labels]
            cells += [Rect(cell.x, foot + cell.y, cell.width, cell.height) for cell in template.closing.cells]
        return Leaf(tuple(texts), tuple(cells))

    def _words(self, words: Words, below: float) -> Placed:
        width = sum(map(self._faces.width, words.text)) * words.size
        x = words.x * MM - {"left": 0.0, "center": width / 2, "right": width}[words.align]
        return Placed("sheet", _ON, words.size, (PlacedLine(words.text, x, (below + words.baseline) * MM),))

    def _headings(self, said: Mapping[str, Said]) -> list[Placed]:
        """Set what the document has of the headings: a proof has an obligor, a certificate none."""
        places = [(heading, said[name]) for name, heading in self._template.headings.items() if name in said]
        return [
            placed
            for heading, one in places
            if one.text
            for placed in self._set(Said(one.field, heading.label + one.text), _box_of(heading))
        ]

    def _labels(self, top: float) -> list[Placed]:
        table, placed = self._template.table, list[Placed]()
        for column, x in self._columns():
            box = _cell(column.label, x, top, column.width, table.head, table.padding, table.label_size, "center")
            placed += self._set(Said(f"table.{column.field}", column.label), box)
        return placed

    def _row(self, high: _High, top: float) -> list[Placed]:
        table, placed = self._template.table, list[Placed]()
        for column, x in self._columns():
            said = high.row.cells.get(column.field)
            if said is not None and said.text:
                place = (x, top, column.width, high.height, table.padding, table.size, column.align)
                placed += self._set(said, _cell(column.label, *place))
        return placed

    def _set(self, said: Said, box: Box) -> list[Placed]:
        sizes = self._template.type.sizes(box.size)
        try:
            return [set_box(said.field, said.text, box, sizes, self._marks, self._faces)]
        except DoesNotFit as e:
            self.refused.append(overflow(said.field, box, sizes, e))
            return []

    def _columns(self) -> Iterator[tuple[Column, float]]:
        """Yield each column with its left edge, in mm."""
        x = self._template.table.x
        for column in self._template.table.columns:
            yield column, x
            x += column.width

    def _cells(self, top: float, height: float) -> list[Rect]:
        return [Rect(x, top, column.width, height) for column, x in self._columns()]


def _box_of(heading: Heading) -> Box:
    place = (heading.x, heading.y, heading.width, heading.height, 0.0, heading.size, heading.align)
    return _cell(heading.label, *place)


def _cell(
    label: str, x: float, y: float, width: float, height: float, padding: float, size: float, align: Align
) -> Box:
    return Box(on=_ON, label=label, x=x, y=y, width=width, height=height, padding=padding, size=size, align=align)
