"""Step 2c: 宗地图 drawn by us from coordinates: boundary, names, lengths, area, neighbours, grid, north arrow, a round scale.

room ─▶ title, head, foot ─▶ map ─▶ scale ─▶ boundary ─▶ names and lengths ─▶ arrow, grid
                              ▲                                │
                              └── room for a table ◀── where not all lengths find a place

Lettering is never below 6 points, whose figures are 1.5 mm high; nothing stands on anything else, or outside the room.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from spooler.render.annex.boundary import inner_point, is_inside
from spooler.render.annex.place import Rect
from spooler.render.annex.values import Lot, Parcel, Polygon
from spooler.render.fonts import Faces
from spooler.render.parcel import grid, labels, margin, table
from spooler.render.parcel.margin import Part
from spooler.render.parcel.paper import RED, Lettering, Point, Ring, Stroke, Taken, centred
from spooler.render.parcel.points import Boundary, boundaries_of, count_of
from spooler.render.parcel.scale import Ground, ground, shape_of

__all__ = ["ParcelDrawing", "draw_parcel", "shape_of"]

TITLE = "宗地图"
CLEARANCE_MM = 0.3
# Around the parcel: names and lengths, and beyond them the neighbours.
_LABELS_MM = 7.0
_NEIGHBOURS_MM = 5.0
_LEAST_MAP_MM = 45.0
_LOW_MM = 75.0  # a lower room goes without title
_CENTRE_SIZE = 8.0
_CENTRE_LEADING_MM = 3.6
_TRIES = 9


@dataclass(frozen=True)
class ParcelDrawing:
    """Lines, marks and texts in mm from the top left corner of the paper."""

    strokes: tuple[Stroke, ...]
    marks: tuple[Ring, ...]
    letters: tuple[Lettering, ...]
    scale: int
    has_table: bool
    is_thinned: bool  # there is no table, and not all names and lengths are on the map


@dataclass(frozen=True)
class _Task:
    parcel: Parcel
    boundaries: list[Boundary]
    room: Rect
    faces: Faces
    title: str
    colour: str


@dataclass(frozen=True)
class _Map:
    """The map itself, without what stands around it."""

    ground: Ground
    parts: tuple[Part, ...]
    marks: tuple[Ring, ...]
    missing_names: int
    missing_lengths: int
    has_arrow: bool

    @property
    def is_thinned(self) -> bool:
        return bool(self.missing_names or self.missing_lengths)


class _Way(Enum):
    """What is written on the map."""

    ALL = "names and lengths, the lengths first: they have less choice"
    WITH_TABLE = "names; the lengths stand in the table"
    THINNED = "what finds room, the names first"


def draw_parcel(parcel: Parcel, room: Rect, faces: Faces, *, title: str = TITLE, colour: str = RED) -> ParcelDrawing:
    """Return the parcel in the room, north up, at a round scale; raise NoScale if it is too large for the smallest."""
    task = _Task(parcel, boundaries_of(parcel), room, faces, title, colour)
    plain = _draw(task, None, _Way.ALL)
    if not plain.is_thinned:
        return _finished(task, plain, None)
    tables = [found for found in (_table_below(task), _table_beside(task)) if found is not None]
    drawn = [(_draw(task, found, _Way.WITH_TABLE), found) for found in tables if _leaves_room(task, found)]
    if drawn:
        best, found = min(drawn, key=lambda one: (one[0].ground.scale, one[0].missing_names))
        return _finished(task, best, found)
    return _finished(task, _draw(task, None, _Way.THINNED), None)


@dataclass(frozen=True)
class _PlacedTable:
    table: table.Table
    room: Rect
    left_over: Rect  # for the map


def _table_below(task: _Task) -> _PlacedTable | None:
    inner = _body(task)
    found = table.wide(table.rows_of(task.boundaries), inner.width)
    if found is None:
        return None
    high = found.height + 2
    rest = Rect(inner.x, inner.y, inner.width, inner.height - high)
    return _PlacedTable(found, Rect(inner.x, inner.y + inner.height - found.height, inner.width, found.height), rest)


def _table_beside(task: _Task) -> _PlacedTable | None:
    inner = _body(task)
    found = table.tall(table.rows_of(task.boundaries), inner.height)
    if found is None:
        return None
    rest = Rect(inner.x, inner.y, inner.width - found.width - 2, inner.height)
    return _PlacedTable(found, Rect(inner.x + inner.width - found.width, inner.y, found.width, found.height), rest)


def _leaves_room(task: _Task, placed: _PlacedTable) -> bool:
    rest, whole = placed.left_over, _body(task)
    return (
        min(rest.width, rest.height) >= _LEAST_MAP_MM and rest.width * rest.height >= 0.35 * whole.width * whole.height
    )


def _has_title(task: _Task) -> bool:
    return task.room.height >= _LOW_MM


def _top(task: _Task) -> float:
    return (margin.TITLE_MM if _has_title(task) else 0) + margin.head_height(task.room)


def _foot(task: _Task) -> Rect:
    """Return the strip under the map: sentences first, then scale and remarks."""
    high = margin.foot_height(task.room) + margin.LINE_MM * len(_sentences(task))
    room = task.room
    return Rect(room.x, room.y + room.height - high, room.width, high)


def _body(task: _Task) -> Rect:
    """Return the room between head and foot."""
    room, foot = task.room, _foot(task)
    return Rect(room.x, room.y + _top(task), room.width, foot.y - room.y - _top(task))


def _sentences(task: _Task) -> list[str]:
    """Return the neighbours that are told in words: those of several lots, or with a name too long for its side."""
    lots = [lot for lot in task.parcel.lots if lot.neighbours]
    if len(task.parcel.lots) == 1 and lots and _around(task, task.room.inset(grid.STRIP_MM)) is not None:
        return []
    texts = [margin.neighbours_text(lot, is_named=len(task.parcel.lots) > 1) for lot in lots]
    return margin.in_lines(texts, task.room.width, task.faces)


def _around(task: _Task, inner: Rect) -> Part | None:
    return margin.neighbours(inner, task.parcel.lots[0], task.faces)


def _draw(task: _Task, placed: _PlacedTable | None, way: _Way) -> _Map:
    outer = placed.left_over if placed else _body(task)
    inner = outer.inset(grid.STRIP_MM)
    around = None if _sentences(task) else _around(task, inner)
    place = ground(task.parcel, _inside(inner, around is not None and bool(around.letters)))
    taken = Taken(inner, CLEARANCE_MM)
    labels.block(task.boundaries, place, taken)
    for letter in around.letters if around else ():
        taken.add(letter.corners(task.faces))
    names, lengths = _labels(task, place, taken, way)
    centre = _centre(task, place, taken)
    arrow = margin.arrow(inner, taken, task.faces)
    ticks, figures = grid.ticks(inner, place, task.faces)
    lines, marks = labels.draw_boundary(task.boundaries, place, task.colour)
    strokes = (*grid.frame(outer), *ticks, *grid.crosses(inner, place, taken), *lengths.leaders, *lines)
    letters = (*lengths.letters, *names.letters, *centre, *figures)
    parts = (Part(strokes, letters), *(part for part in (around, arrow) if part))
    return _Map(place, parts, tuple(marks), names.missing, lengths.missing, arrow is not None)


def _labels(task: _Task, place: Ground, taken: Taken, way: _Way) -> tuple[labels.Labels, labels.Labels]:
    """Return names and lengths."""
    corners = labels.corners_of(task.boundaries, place)
    sides = [] if way is _Way.WITH_TABLE else labels.sides_of(task.boundaries, place)
    if way is _Way.ALL:
        lengths = labels.name_sides(sides, taken, task.faces, must_be_all=True)
        return labels.name_corners([] if lengths.missing else corners, taken, task.faces), lengths
    names = labels.name_corners(corners, taken, task.faces)
    return names, labels.name_sides(sides, taken, task.faces, must_be_all=False)


def _inside(inner: Rect, has_neighbours: bool) -> Rect:
    return inner.inset(_LABELS_MM + (_NEIGHBOURS_MM if has_neighbours else 0))


def _centre(task: _Task, place: Ground, taken: Taken) -> list[Lettering]:
    """Return each lot's number and area in the middle of its largest polygon, where there is room for them."""
    found: list[Lettering] = []
    for lot in task.parcel.lots:
        found += next(
            filter(None, (_in_the_middle(lot, polygon, place, taken, task.faces) for polygon in lot.polygons)), []
        )
    return found


def _in_the_middle(lot: Lot, polygon: Polygon, place: Ground, taken: Taken, faces: Faces) -> list[Lettering]:
    texts = [text for text in (margin.short_code(margin.code_of(lot)), margin.area_text(lot)) if text]
    on_paper = tuple(place.ring(ring) for ring in polygon)
    for x, y in _middles(on_paper):
        top = y - (len(texts) - 1) / 2 * _CENTRE_LEADING_MM
        letters = [
            centred(text, _CENTRE_SIZE, (x, top + i * _CENTRE_LEADING_MM), faces) for i, text in enumerate(texts)
        ]
        shapes = [letter.corners(faces) for letter in letters]
        if all(taken.is_free(shape) and all(is_inside(corner, on_paper) for corner in shape) for shape in shapes):
            for shape in shapes:
                taken.add(shape)
            return letters
    return []


def _middles(polygon: Polygon) -> list[Point]:
    """Return places for a text, the middle of the extent first, then the widest stretch, then a net of others."""
    xs, ys = zip(*polygon[0], strict=True)
    left, top, width, height = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    net = [(left + width * i / _TRIES, top + height * j / _TRIES) for i in range(1, _TRIES) for j in range(1, _TRIES)]
    middle = (left + width / 2, top + height / 2)
    net.sort(key=lambda at: (at[0] - middle[0]) ** 2 + (at[1] - middle[1]) ** 2)
    return [middle, inner_point(polygon), *net]


def _finished(task: _Task, drawn: _Map, placed: _PlacedTable | None) -> ParcelDrawing:
    """Return the whole drawing."""
    parts = [*drawn.parts, *_margins(task, drawn, placed)]
    if placed is not None:
        strokes, letters = table.draw(placed.table, placed.room, task.faces)
        parts.append(Part(tuple(strokes), tuple(letters)))
    return ParcelDrawing(
        strokes=tuple(chain.from_iterable(part.strokes for part in parts)),
        marks=drawn.marks,
        letters=tuple(chain.from_iterable(part.letters for part in parts)),
        scale=drawn.ground.scale,
        has_table=placed is not None,
        is_thinned=placed is None and drawn.is_thinned,
    )


def _margins(task: _Task, drawn: _Map, placed: _PlacedTable | None) -> Sequence[Part]:
    room, foot, faces = task.room, _foot(task), task.faces
    found = []
    if _has_title(task):
        found.append(margin.title(Rect(room.x, room.y, room.width, margin.TITLE_MM), task.title, faces))
    high = margin.head_height(room)
    head = Rect(room.x, room.y + _top(task) - high, room.width, high)
    found.append(margin.head(head, task.parcel, faces))
    sentences = _sentences(task)
    found.append(Part(letters=tuple(margin.written(sentences, room.x, foot.y + 0.6, faces))))
    last = Rect(foot.x, foot.y + margin.LINE_MM * len(sentences), foot.width, margin.FOOT_MM)
    found.append(margin.scale_note(last, drawn.ground.scale, faces))
    found.append(margin.remarks(last, task.parcel, count_of(task.boundaries), faces))
    if not drawn.has_arrow:
        found.append(margin.arrow_at((room.x + 4, room.y - 0.2), faces, margin.TITLE_MM - 4))
    return found
