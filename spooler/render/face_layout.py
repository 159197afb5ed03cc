"""Step 2a for the electronic face: the table of fields over as many pages as it needs, and the texts around it.

One size of type serves the whole table, as large as the first page allows. What even the smallest does not get onto it goes on upon
further pages, at a size that is easy to read: an electronic certificate has no edge of the blank to refuse a text for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spooler.render.annex.place import Rect
from spooler.render.content import Content
from spooler.render.face import Face, Row
from spooler.render.fit import DoesNotFit, Marks, Sizes, fit, fit_line
from spooler.render.fonts import Faces
from spooler.render.layout import ASCENT, MM, Placed, PlacedLine
from spooler.render.leaf import Leaf

ENDLESS = float("inf")
_LABEL_PADDING_MM = 1.0
_MOST_NAME_LINES = 4
_FACE = "1"  # a face has pages, not passes; texts say where they stand by the page that holds them


@dataclass(frozen=True)
class Setting:
    """How texts are set: the faces to measure with, the line rules, the sizes."""

    face: Face
    faces: Faces
    marks: Marks


@dataclass(frozen=True)
class _Set:
    """A field's lines at the table's size; `rest` says that they begin on an earlier page."""

    row: Row
    lines: tuple[str, ...]
    is_rest: bool = False


def lay_out_face(content: Content, setting: Setting, *, identifier: str, note: str = "") -> list[Leaf]:
    """Return the pages that hold the table; the first has all else too."""
    tables = _tables(content, setting)
    first, *further = (Leaf(tuple(texts), tuple(cells)) for texts, cells in tables)
    around = _around(content, setting, identifier, note, pages=len(tables))
    heads = _heading(content, setting, setting.face.heading.continued)
    return [replace(first, texts=(*around, *first.texts)), *(replace(x, texts=(heads, *x.texts)) for x in further)]


def annex_heading(content: Content, setting: Setting) -> Placed:
    """Return what stands over the page of maps and plans."""
    return _heading(content, setting, setting.face.heading.annex)


# The table


def _tables(content: Content, setting: Setting) -> list[tuple[list[Placed], list[Rect]]]:
    table = setting.face.table
    for size in setting.face.type.sizes(table.size).steps():
        rows = _broken(content, setting, size)
        if rows is not None and sum(_height(row, size, setting) for row in rows) <= table.height:
            return [_one_page(rows, size, setting, table.y, table.height)]
    return _several_pages(content, setting)


def _broken(content: Content, setting: Setting, size: float) -> list[_Set] | None:
    """Return every field in lines, or None where one cannot be broken by the rules at this size."""
    table = setting.face.table
    width = (table.value_width - 2 * table.padding) * MM
    only = Sizes(size, size, setting.face.type.step, setting.face.type.leading)
    try:
        return [
            _Set(row, fit(text, width, ENDLESS, only, setting.faces.width, setting.marks).lines if text else ())
            for row in setting.face.rows
            for text in [content.fields.get(row.field, "")]
        ]
    except DoesNotFit:
        return None


def _several_pages(content: Content, setting: Setting) -> list[tuple[list[Placed], list[Rect]]]:
    table, kind = setting.face.table, setting.face.type
    sizes = Sizes(table.continued.size, kind.floor, kind.step, kind.leading).steps()
    size, rows = next((size, rows) for size in sizes if (rows := _broken(content, setting, size)) is not None)
    pages, waiting, room = [], rows, (table.y, table.height)
    while waiting:
        here, waiting = _cut(waiting, size, setting, room[1])
        pages.append(_one_page(here, size, setting, *room))
        room = (table.continued.y, table.continued.height)
    return pages


def _cut(rows: Sequence[_Set], size: float, setting: Setting, room: float) -> tuple[list[_Set], list[_Set]]:
    """Return what stands on this page and what is left for the next; a row is cut between two lines."""
    here: list[_Set] = []
    for i, row in enumerate(rows):
        height = _height(row, size, setting)
        if height > room:
            kept = int((room - 2 * setting.face.table.padding) * MM / _line_height(size, setting))
            if kept > 0:
                here.append(replace(row, lines=row.lines[:kept]))
                row = replace(row, lines=row.lines[kept:], is_rest=True)
            return here, [row, *rows[i + 1 :]]
        here.append(row)
        room -= height
    return here, []


def _one_page(
    rows: Sequence[_Set], size: float, setting: Setting, y: float, height: float
) -> tuple[list[Placed], list[Rect]]:
    """Place the rows one under the other; the last takes what is left of the height."""
    table = setting.face.table
    heights = [_height(row, size, setting) for row in rows]
    heights[-1] += max(height - sum(heights), 0)
    texts, cells = [], []
    for row, high in zip(rows, heights, strict=True):
        label = Rect(table.x, y, table.label, high)
        value = Rect(table.value_x, y, table.value_width, high)
        texts += [_label(row, label, setting), *_value(row, value, size, setting)]
        cells += [label, value]
        y += high
    return texts, cells


def _height(row: _Set, size: float, setting: Setting) -> float:
    needed = len(row.lines) * _line_height(size, setting) / MM + 2 * setting.face.table.padding
    return max(needed, row.row.height)


def _line_height(size: float, setting: Setting) -> float:
    return size * setting.face.type.leading


def _value(row: _Set, cell: Rect, size: float, setting: Setting) -> list[Placed]:
    if not any(line.strip() for line in row.lines):
        return []
    padding = setting.face.table.padding
    free = cell.height * MM - len(row.lines) * _line_height(size, setting)
    top = cell.y * MM + (free / 2 if row.row.vertical == "middle" else padding * MM)
    x = (cell.x + padding) * MM
    return [_block(f"fields.{row.row.field}", row.lines, x, top, size, setting)]


def _label(row: _Set, cell: Rect, setting: Setting) -> Placed:
    table, leading = setting.face.table, setting.face.type.leading
    text = row.row.label + (table.continued.label if row.is_rest else "")
    sizes = Sizes(table.label_size, setting.face.type.floor, setting.face.type.step, leading)
    room = (cell.width - 2 * _LABEL_PADDING_MM) * MM
    fitted = fit(text, room, cell.height * MM, sizes, setting.faces.width, setting.marks)
    top = cell.y * MM + (cell.height * MM - len(fitted.lines) * fitted.size * leading) / 2
    first = top + fitted.size * ((leading - 1) / 2 + ASCENT)
    middle = (cell.x + cell.width / 2) * MM
    lines = tuple(
        PlacedLine(line, middle - _width(line, fitted.size, setting) / 2, first + i * fitted.size * leading)
        for i, line in enumerate(fitted.lines)
    )
    return Placed("face", _FACE, fitted.size, lines)


def _block(field: str, lines: Sequence[str], x: float, top: float, size: float, setting: Setting) -> Placed:
    high = _line_height(size, setting)
    first = top + size * ((setting.face.type.leading - 1) / 2 + ASCENT)
    placed = tuple(PlacedLine(line, x, first + i * high) for i, line in enumerate(lines) if line.strip())
    return Placed(field, _FACE, size, placed)


# Around the table


def _around(content: Content, setting: Setting, identifier: str, note: str, *, pages: int) -> list[Placed]:
    face = setting.face
    title, above, booked, day = face.title, face.registry.above, face.booked, content.booked_on
    texts = [
        _centred(title.text, title.x, title.baseline, title.size, setting),
        _number(content, setting),
        _statement(setting),
        _centred(above.text, face.registry.x, above.baseline, above.size, setting),
        _registry(content, setting),
        _centred(f"{day:%Y}年{day:%m}月{day:%d}日", booked.x, booked.baseline, booked.size, setting),
    ]
    if content.qr:
        caption, middle = face.qr.caption, face.qr.x + face.qr.width / 2
        texts.append(_centred(caption.text, middle, caption.baseline, caption.size, setting))
    return [*texts, *_foot(identifier, note, pages, setting)]


def _foot(identifier: str, note: str, pages: int, setting: Setting) -> list[Placed]:
    """Write what identifies the file, and what there is to know about it, on one line."""
    line = setting.face.identifier
    more = f"表格续后附{setting.face.heading.continued}" if pages > 1 else ""
    said = "　".join(part for part in (line.label + identifier if identifier else "", note, more) if part)
    return [_centred(said, line.x, line.baseline, line.size, setting)] if said else []


def _number(content: Content, setting: Setting) -> Placed:
    line, text = setting.face.number, content.number.text(content.kind)
    size = _size_within(text, line.width, line.size, setting)
    return _centred(text, line.x + line.width / 2, line.baseline, size, setting)


def _heading(content: Content, setting: Setting, word: str) -> Placed:
    line, text = setting.face.heading, f"{content.number.text(content.kind)}　{word}"
    return _centred(text, line.x, line.baseline, _size_within(text, line.width, line.size, setting), setting)


def _registry(content: Content, setting: Setting) -> Placed:
    """Write the registry's name on its line; a very long one grows upwards."""
    line, leading = setting.face.registry, setting.face.type.leading
    sizes = setting.face.type.sizes(line.size)
    room = _MOST_NAME_LINES * sizes.floor * leading
    try:
        fitted = fit_line(content.registry_name, line.width * MM, sizes, setting.faces.width)
    except DoesNotFit:
        fitted = fit(content.registry_name, line.width * MM, room, sizes, setting.faces.width, setting.marks)
    last = len(fitted.lines) - 1
    lines = tuple(
        PlacedLine(
            text,
            line.x * MM - _width(text, fitted.size, setting) / 2,
            line.baseline * MM - (last - i) * fitted.size * leading,
        )
        for i, text in enumerate(fitted.lines)
    )
    return Placed("registry_name", _FACE, fitted.size, lines)


def _statement(setting: Setting) -> Placed:
    said = setting.face.statement
    lines = tuple(
        PlacedLine(line, said.x * MM, (said.baseline + i * said.leading) * MM) for i, line in enumerate(said.lines)
    )
    return Placed("face", _FACE, said.size, lines)


def _size_within(text: str, width: float, size: float, setting: Setting) -> float:
    return fit_line(text, width * MM, setting.face.type.sizes(size), setting.faces.width).size


def _centred(text: str, x: float, baseline: float, size: float, setting: Setting) -> Placed:
    left = x * MM - _width(text, size, setting) / 2
    return Placed("face", _FACE, size, (PlacedLine(text, left, baseline * MM),))


def _width(text: str, size: float, setting: Setting) -> float:
    return sum(map(setting.faces.width, text)) * size
