"""Step 2c: what a drawing is made of, in mm from the top left corner of the paper, and where there is still room on it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import cos, hypot, inf, radians, sin

from spooler.render.annex.place import Rect
from spooler.render.fonts import Faces
from spooler.render.template import MM

Point = tuple[float, float]
# A convex shape by its corners; two of them are a line.
Shape = Sequence[Point]
BLACK, RED, GREY = "#000000", "#E10000", "#8C8C8C"
_CELL_MM = 5.0


@dataclass(frozen=True)
class Stroke:
    """A line, closed or not; `fill` if it is filled in its own colour."""

    points: tuple[Point, ...]
    width: float
    colour: str = BLACK
    is_closed: bool = False
    is_filled: bool = False


@dataclass(frozen=True)
class Ring:
    """The mark of a boundary point: a small circle, white inside."""

    middle: Point
    radius: float
    width: float
    colour: str


@dataclass(frozen=True)
class Lettering:
    """A text by the left end of its baseline, turned against the clock by degrees. Its size is in points."""

    text: str
    size: float
    x: float
    y: float
    angle: float = 0.0
    colour: str = BLACK

    def corners(self, faces: Faces) -> tuple[Point, ...]:
        """Return the rectangle that its ink fills."""
        left, top, right, bottom = ink_of(self.text, self.size, faces)
        return tuple(self._at(x, y) for x, y in ((left, top), (right, top), (right, bottom), (left, bottom)))

    def _at(self, x: float, y: float) -> Point:
        across, down = cos(radians(self.angle)), -sin(radians(self.angle))
        return self.x + x * across - y * down, self.y + x * down + y * across


def centred(
    text: str, size: float, middle: Point, faces: Faces, *, angle: float = 0.0, colour: str = BLACK
) -> Lettering:
    """Return the text with the middle of its ink there."""
    left, top, right, bottom = ink_of(text, size, faces)
    x, y = (left + right) / 2, (top + bottom) / 2
    across, down = cos(radians(angle)), -sin(radians(angle))
    return Lettering(text, size, middle[0] - x * across + y * down, middle[1] - x * down - y * across, angle, colour)


@lru_cache(maxsize=1024)
def ink_of(text: str, size: float, faces: Faces) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a text's ink around the left end of its baseline, y down."""
    em = size / MM
    left, top, right, bottom, x = inf, inf, -inf, -inf, 0.0
    for character in text:
        ink = faces.ink(character)
        if ink.right > ink.left:
            left, right = min(left, x + ink.left), max(right, x + ink.right)
            top, bottom = min(top, -ink.top), max(bottom, -ink.bottom)
        x += faces.width(character)
    return left * em, top * em, right * em, bottom * em


def ink_size(text: str, size: float, faces: Faces) -> tuple[float, float]:
    left, top, right, bottom = ink_of(text, size, faces)
    return right - left, bottom - top


def corners_of(rect: Rect) -> tuple[Point, ...]:
    right, bottom = rect.x + rect.width, rect.y + rect.height
    return (rect.x, rect.y), (right, rect.y), (right, bottom), (rect.x, bottom)


def edges(ring: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(ring, (*ring[1:], ring[0]), strict=True)


class Taken:
    """What stands on a part of the paper already. Asked by what might come beside it."""

    def __init__(self, room: Rect, clearance: float) -> None:
        self._room = room
        self._clearance = clearance
        self._cells: dict[tuple[int, int], list[_Bounded]] = defaultdict(list)

    def add(self, shape: Shape) -> None:
        bounds = _bounds(shape)
        for cell in _cells(bounds):
            self._cells[cell].append((*bounds, shape))

    def is_free(self, shape: Shape) -> bool:
        """Say whether the shape lies in the room and keeps its distance from everything."""
        left, top, right, bottom = _bounds(shape)
        if not self._holds(left, top, right, bottom):
            return False
        gap = self._clearance
        left, top, right, bottom = left - gap, top - gap, right + gap, bottom + gap
        for cell in _cells((left, top, right, bottom)):
            for from_x, from_y, to_x, to_y, other in self._cells.get(cell, ()):
                meets = left < to_x and from_x < right and top < to_y and from_y < bottom
                if meets and not _apart(shape, other, gap):
                    return False
        return True

    def _holds(self, left: float, top: float, right: float, bottom: float) -> bool:
        room, gap = self._room, self._clearance
        return (
            left >= room.x + gap
            and top >= room.y + gap
            and right <= room.x + room.width - gap
            and bottom <= room.y + room.height - gap
        )


# Left, top, right, bottom, and the shape itself.
_Bounded = tuple[float, float, float, float, Shape]


def _bounds(shape: Shape) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in shape], [y for _, y in shape]
    return min(xs), min(ys), max(xs), max(ys)


def _cells(bounds: tuple[float, float, float, float]) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = (int(value // _CELL_MM) for value in bounds)
    return ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1))


def _apart(one: Shape, other: Shape, gap: float) -> bool:
    """Say whether some line separates two convex shapes by the gap."""
    return any(_gap_along(axis, one, other) >= gap for axis in _axes(one, other))


def _axes(*shapes: Shape) -> Iterator[Point]:
    for shape in shapes:
        for (x1, y1), (x2, y2) in edges(shape):
            length = hypot(x2 - x1, y2 - y1)
            if length:
                yield (y2 - y1) / length, (x1 - x2) / length
                if len(shape) == 2:
                    yield (x2 - x1) / length, (y2 - y1) / length


def _gap_along(axis: Point, one: Shape, other: Shape) -> float:
    a = [x * axis[0] + y * axis[1] for x, y in one]
    b = [x * axis[0] + y * axis[1] for x, y in other]
    return max(min(a) - max(b), min(b) - max(a))


def long_line_cells(start: Point, end: Point) -> Iterable[Shape]:
    """Cut a long line into pieces, so that its bounds are not half the paper."""
    length = hypot(end[0] - start[0], end[1] - start[1])
    pieces = max(1, int(length // (2 * _CELL_MM)))
    dx, dy = (end[0] - start[0]) / pieces, (end[1] - start[1]) / pieces
    steps = [(start[0] + dx * i, start[1] + dy * i) for i in range(pieces + 1)]
    return pairwise(steps)
