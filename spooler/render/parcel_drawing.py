"""Step 2c: a parcel's boundary drawn by us from its coordinates: the outline, the names of its points, the north arrow."""

from dataclasses import dataclass
from math import hypot

from spooler.render.annex.place import Rect
from spooler.render.annex.values import Parcel, Side
from spooler.render.fonts import Faces
from spooler.render.layout import ASCENT, MM, Placed, PlacedLine

LABEL_SIZE = 8.0
# Room around the outline for the names of its points, and a strip above it for the north arrow, in mm.
MARGIN_MM = 9.0
NORTH_MM = 10.0
_CLEARANCE_MM = 1.2
_ARROW_MM = 7.0

Point = tuple[float, float]


@dataclass(frozen=True)
class ParcelDrawing:
    """Lines and texts in points from the top left corner of the paper."""

    rings: tuple[tuple[Point, ...], ...]
    arrow: tuple[Point, ...]
    texts: tuple[Placed, ...]


def draw_parcel(parcel: Parcel, room: Rect, on: str, faces: Faces) -> ParcelDrawing:
    """Return the parcel as large as the room allows, north up, both axes in one scale."""
    area = room.inset(MARGIN_MM)
    area = Rect(area.x, area.y + NORTH_MM, area.width, area.height - NORTH_MM)
    scale = _scale(parcel, area)
    middle = ((area.x + area.width / 2) * MM, (area.y + area.height / 2) * MM)
    rings = tuple(tuple((middle[0] + x * scale, middle[1] - y * scale) for x, y in ring) for ring in parcel.rings)
    corners = [(ring, i) for ring in rings for i in range(len(ring))]
    labels = [_label_beside(ring, i, f"J{n}", on, faces) for n, (ring, i) in enumerate(corners, 1)]
    arrow, north = _north(room, on, faces)
    return ParcelDrawing(rings, arrow, (*labels, north))


def shape_of(parcel: Parcel) -> Side:
    """Return the parcel's extent in mm, as a side of its true size."""
    width, height = _extent(parcel)
    return Side(width * 1000, height * 1000)


def _extent(parcel: Parcel) -> tuple[float, float]:
    xs, ys = zip(*(point for ring in parcel.rings for point in ring), strict=True)
    return max(xs) - min(xs), max(ys) - min(ys)


def _scale(parcel: Parcel, room: Rect) -> float:
    """Return points of paper for a metre of ground."""
    width, height = _extent(parcel)
    return min(room.width / width, room.height / height) * MM


def _label_beside(ring: tuple[Point, ...], i: int, text: str, on: str, faces: Faces) -> Placed:
    """Write the name beside its point, on the outer side of the corner, as far off as its own size asks."""
    x, y = _outward(ring, i)
    half_width, half_height = sum(map(faces.width, text)) * LABEL_SIZE / 2, LABEL_SIZE / 2
    distance = _CLEARANCE_MM * MM + abs(x) * half_width + abs(y) * half_height
    return _label(text, (ring[i][0] + x * distance, ring[i][1] + y * distance), on, faces)


def _outward(ring: tuple[Point, ...], i: int) -> Point:
    """Return the direction that leads away from the corner."""
    before, at, after = ring[i - 1], ring[i], ring[(i + 1) % len(ring)]
    hand = 1 if _doubled_area(ring) > 0 else -1
    dx, dy = _direction(before, at), _direction(at, after)
    x, y = hand * (dx[1] + dy[1]), -hand * (dx[0] + dy[0])
    length = hypot(x, y) or 1.0
    return x / length, y / length


def _direction(start: Point, end: Point) -> Point:
    length = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    return (end[0] - start[0]) / length, (end[1] - start[1]) / length


def _doubled_area(ring: tuple[Point, ...]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True))


def _label(text: str, middle: Point, on: str, faces: Faces) -> Placed:
    x = middle[0] - sum(map(faces.width, text)) * LABEL_SIZE / 2
    baseline = middle[1] + (ASCENT - 0.5) * LABEL_SIZE
    return Placed("annexes", on, LABEL_SIZE, (PlacedLine(text, x, baseline),))


def _north(room: Rect, on: str, faces: Faces) -> tuple[tuple[Point, ...], Placed]:
    """Return the arrow in the room's upper right corner, and its 北."""
    x, top = (room.x + room.width - 5) * MM, (room.y + 6) * MM
    length, half = _ARROW_MM * MM, 1.4 * MM
    arrow = ((x, top), (x + half, top + length), (x, top + length * 0.75), (x - half, top + length))
    return arrow, _label("北", (x, (room.y + 3.5) * MM), on, faces)
