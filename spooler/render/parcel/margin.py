"""Step 2c: what stands around the map: its title and head, neighbours, north arrow, scale, and what the coordinates are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spooler.render.annex.boundary import area_of
from spooler.render.annex.place import Rect
from spooler.render.annex.values import Lot, Neighbours, Parcel
from spooler.render.fit import Marks, Sizes, fit
from spooler.render.fonts import Faces
from spooler.render.parcel.paper import Lettering, Point, Stroke, Taken, centred, corners_of, ink_of, ink_size
from spooler.render.template import MM

TITLE_MM, TITLE_SIZE = 8.0, 13.0
HEAD_MM, HEAD_SIZE, LEAST_SIZE = 5.6, 8.0, 6.0
FOOT_MM, FOOT_SIZE, SCALE_SIZE = 9.0, 6.5, 8.0
NEIGHBOUR_SIZE = 8.0
LINE_MM = 3.0
ARROW_MM, ARROW_HALF_MM, NORTH_SIZE = 8.0, 1.5, 8.0
_EDGE_MM = 2.0
_THIN, _LINE = 0.12, 0.25
_BAR_MM = 10.0
_LABEL_MM, _AREA_MM = 15.0, 29.0
# In a narrower room head and foot take two rows each.
_NARROW_MM = 100.0
_MARKS = Marks(frozenset("，。；：、）"), frozenset("（"))


@dataclass(frozen=True)
class Part:
    """Something drawn, and how high it is."""

    strokes: tuple[Stroke, ...] = ()
    letters: tuple[Lettering, ...] = ()


def title(room: Rect, text: str, faces: Faces) -> Part:
    """Return the title in the middle of the room's head, the units at its right."""
    y = room.y + TITLE_MM / 2 - 0.4
    unit = _ends_at("单位：米、平方米", FOOT_SIZE, (room.x + room.width, room.y + TITLE_MM - 1.7), faces)
    spaced = "\u3000".join(text) if room.width >= 80 else text
    return Part(letters=(centred(spaced, TITLE_SIZE, (room.x + room.width / 2, y), faces), unit))


def head_height(room: Rect) -> float:
    return HEAD_MM * (2 if _is_narrow(room) else 1)


def head(room: Rect, parcel: Parcel, faces: Faces) -> Part:
    """Return the row of cells, two rows in a narrow room: the codes, and the area."""
    code = ("宗地代码", codes_of(parcel) or "—")
    whole = "合计" if len(parcel.lots) > 1 else ""
    area = ("宗地面积", f"{whole}{total_area(parcel):.2f}㎡")
    if _is_narrow(room):
        rows = [Rect(room.x, room.y + i * HEAD_MM, room.width, HEAD_MM) for i in range(2)]
        parts = [
            _row(row, pair, (_LABEL_MM, room.width - _LABEL_MM), faces)
            for row, pair in zip(rows, (code, area), strict=True)
        ]
    else:
        widths = (_LABEL_MM, room.width - 2 * _LABEL_MM - _AREA_MM, _LABEL_MM, _AREA_MM)
        parts = [_row(room, (*code, *area), widths, faces)]
    return Part(tuple(s for part in parts for s in part.strokes), tuple(t for part in parts for t in part.letters))


def _row(row: Rect, texts: Sequence[str], widths: Sequence[float], faces: Faces) -> Part:
    letters, strokes, x = [], [Stroke(corners_of(row), _LINE, is_closed=True)], row.x
    for text, width in zip(texts, widths, strict=True):
        letters.append(_within(text, (x + width / 2, row.y + row.height / 2), width - 1.6, faces))
        x += width
        strokes.append(Stroke(((x, row.y), (x, row.y + row.height)), _THIN))
    return Part(tuple(strokes[:-1]), tuple(letters))


def _is_narrow(room: Rect) -> bool:
    return room.width < _NARROW_MM


def codes_of(parcel: Parcel) -> str:
    """Return the codes of all lots, the first whole, of the others what differs."""
    codes = list(dict.fromkeys(code_of(lot) for lot in parcel.lots if lot.code))
    if len(codes) <= 1:
        return "".join(codes)
    return "、".join([codes[0], *(short_code(code) if code[:12] == codes[0][:12] else code for code in codes[1:])])


def code_of(lot: Lot) -> str:
    """Return the 19 characters of 宗地代码 that a unit number begins with, or what else is given."""
    plain = lot.code.replace(" ", "")
    return plain[:19] if len(plain) == 28 else plain


def short_code(code: str) -> str:
    return code[12:] if len(code) == 19 else code


def area_text(lot: Lot) -> str:
    return f"{_area(lot):.2f}㎡"


def total_area(parcel: Parcel) -> float:
    return sum(map(_area, parcel.lots))


def _area(lot: Lot) -> float:
    return lot.stated_area if lot.stated_area is not None else sum(map(area_of, lot.polygons))


def scale_note(room: Rect, scale: int, faces: Faces) -> Part:
    """Return 比例尺 1:500 and a bar of that length: what is copied smaller is still measured right."""
    middle = room.x + room.width / 2
    words = centred(f"比例尺\u30001:{scale}", SCALE_SIZE, (middle, room.y + 2.2), faces)
    metres = _BAR_MM * scale / 1000
    left, top, high = middle - 1.5 * _BAR_MM, room.y + 4.3, 0.9
    boxes = [Rect(left + i * _BAR_MM, top, _BAR_MM, high) for i in range(3)]
    strokes = [Stroke(corners_of(box), _THIN, is_closed=True, is_filled=i % 2 == 0) for i, box in enumerate(boxes)]
    marks = [(left + i * _BAR_MM, f"{metres * i:g}{'米' if i == 3 else ''}") for i in range(4)]
    return Part(tuple(strokes), (words, *(centred(text, LEAST_SIZE, (x, top + 2.6), faces) for x, text in marks)))


def foot_height(room: Rect) -> float:
    return FOOT_MM + (2 * LINE_MM if _is_narrow(room) else 0)


def remarks(room: Rect, parcel: Parcel, points: int, faces: Faces) -> Part:
    """Return beside the scale, or below it, what the coordinates are and how many points there are."""
    lines = parcel.system.split(" ", 1) if parcel.system else ["坐标系未注明"]
    if _is_narrow(room):
        room = Rect(room.x, room.y + FOOT_MM - 0.6, room.width, room.height)
    letters = [_starts_at(line, FOOT_SIZE, (room.x, room.y + 2.2 + i * LINE_MM), faces) for i, line in enumerate(lines)]
    letters.append(_ends_at(f"界址点 {points} 个", FOOT_SIZE, (room.x + room.width, room.y + 2.2), faces))
    return Part(letters=tuple(letters))


def arrow(inner: Rect, taken: Taken, faces: Faces) -> Part | None:
    """Return the north arrow in the first corner of the map that is free."""
    across, down = ARROW_HALF_MM + _EDGE_MM + 1, _EDGE_MM + 0.5
    high = ARROW_MM + 4.2
    lefts, tops = (
        (inner.x + across, inner.x + inner.width - across),
        (inner.y + down, inner.y + inner.height - down - high),
    )
    for x, y in ((lefts[1], tops[0]), (lefts[0], tops[0]), (lefts[1], tops[1]), (lefts[0], tops[1])):
        shape = ((x - 2.2, y - 0.4), (x + 2.2, y - 0.4), (x + 2.2, y + high + 0.4), (x - 2.2, y + high + 0.4))
        if taken.is_free(shape):
            taken.add(shape)
            return arrow_at((x, y), faces)
    return None


def arrow_at(top: Point, faces: Faces, length: float = ARROW_MM) -> Part:
    """Return the arrow below its 北, one half of it filled."""
    x, y = top[0], top[1] + 3.6
    foot, waist, half = y + length, y + length * 0.74, ARROW_HALF_MM * length / ARROW_MM
    left = Stroke(((x, y), (x - half, foot), (x, waist)), _THIN, is_closed=True)
    right = Stroke(((x, y), (x + half, foot), (x, waist)), _THIN, is_closed=True, is_filled=True)
    return Part((left, right), (centred("北", NORTH_SIZE, (x, top[1] + 1.4), faces),))


def neighbours(inner: Rect, lot: Lot, faces: Faces) -> Part | None:
    """Return the neighbours inside the neat line, on the sides where they lie; None if one is too long for its side."""
    n, e, s, w = lot.neighbours.north, lot.neighbours.east, lot.neighbours.south, lot.neighbours.west
    middle = (inner.x + inner.width / 2, inner.y + inner.height / 2)
    if any(ink_size(text, NEIGHBOUR_SIZE, faces)[0] > 0.6 * inner.width for text in (n, s) if text):
        return None
    if any(not _stacks(text, 0.6 * inner.height) for text in (e, w) if text):
        return None
    edge = _EDGE_MM + 1.4
    letters = [
        centred(text, NEIGHBOUR_SIZE, (middle[0], y), faces)
        for text, y in ((n, inner.y + edge), (s, inner.y + inner.height - edge))
        if text
    ]
    for text, x in ((e, inner.x + inner.width - edge), (w, inner.x + edge)):
        letters += _stacked(text, (x, middle[1]), faces)
    return Part(letters=tuple(letters))


def _stacks(text: str, height: float) -> bool:
    """Say whether a text may stand upright, character under character."""
    return len(text) * NEIGHBOUR_SIZE / MM * 1.12 <= height and all(
        "\u3400" <= c <= "\u9fff" or c > "\uffff" for c in text
    )


def _stacked(text: str, middle: Point, faces: Faces) -> Iterator[Lettering]:
    step = NEIGHBOUR_SIZE / MM * 1.12
    for i, character in enumerate(text):
        yield centred(character, NEIGHBOUR_SIZE, (middle[0], middle[1] + (i - (len(text) - 1) / 2) * step), faces)


def in_lines(texts: Sequence[str], width: float, faces: Faces) -> list[str]:
    """Break texts into lines of that width at the foot's size."""
    sizes = Sizes(largest=FOOT_SIZE, floor=FOOT_SIZE, step=0.5, leading=1.0)
    return [
        line
        for text in texts
        for line in fit(text, width * MM, 400 * MM, sizes, faces.width, _MARKS, lambda _: True).lines
    ]


def neighbours_text(lot: Lot, *, is_named: bool) -> str:
    """Return 四至 as a sentence."""
    said: Neighbours = lot.neighbours
    sides = (("东", said.east), ("南", said.south), ("西", said.west), ("北", said.north))
    whose = f"（{short_code(code_of(lot))}）" if is_named and lot.code else ""
    return f"四至{whose}：" + "；".join(f"{side}至{text}" for side, text in sides if text) + "。"


def written(lines: Sequence[str], left: float, top: float, faces: Faces) -> list[Lettering]:
    return [
        _starts_at(line, FOOT_SIZE, (left, top + (i + 0.5) * LINE_MM), faces)
        for i, line in enumerate(lines)
        if line.strip()
    ]


def _within(text: str, middle: Point, width: float, faces: Faces) -> Lettering:
    """Return a cell's text as large as its width lets it be, cut by 等 where even the smallest is too wide."""
    size = HEAD_SIZE
    while size > LEAST_SIZE and ink_size(text, size, faces)[0] > width:
        size -= 0.5
    while len(text) > 2 and ink_size(text, size, faces)[0] > width:
        text = text.rstrip("等")[:-1].rstrip("、") + "等"
    return centred(text, size, middle, faces)


def _starts_at(text: str, size: float, at: Point, faces: Faces) -> Lettering:
    left = ink_of(text, size, faces)[0]
    return _on_line(text, size, (at[0] - left, at[1]))


def _ends_at(text: str, size: float, at: Point, faces: Faces) -> Lettering:
    right = ink_of(text, size, faces)[2]
    return _on_line(text, size, (at[0] - right, at[1]))


def _on_line(text: str, size: float, at: Point) -> Lettering:
    """Return the text with its line's middle there, so that neighbours on a line share a baseline."""
    return Lettering(text, size, at[0], at[1] + 0.34 * size / MM)
