"""Step 2c: is this a boundary that can be drawn? Pure geometry in metres; what is wrong names the point it is wrong at.

Nothing here repairs: a ring that crosses itself, or comes back over a point, means something that only the surveyor knows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import dist, hypot

from spooler.render.annex.values import BadAnnex, Point, Polygon, Ring
from spooler.render.codes import RenderCode

SAME_POINT_M = 0.005
TOUCHING_M = 0.001
# Lots that share a boundary may cross by what rounding does to it.
ROUNDING_M = 0.02
LEAST_AREA = 0.01


@dataclass(frozen=True)
class Named:
    """A ring and where in the file it stands: `features[0].geometry.coordinates[0]`."""

    points: Ring
    path: str

    def point(self, i: int) -> str:
        i %= len(self.points)
        x, y = self.points[i]
        return f"{self.path}[{i}] ({x:.3f}, {y:.3f})"


NamedPolygon = tuple[Named, ...]


@dataclass(frozen=True)
class _Side:
    ring: Named
    at: int
    polygon: int
    start: Point
    end: Point

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        (x1, y1), (x2, y2) = self.start, self.end
        return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def check_boundary(polygons: Sequence[NamedPolygon]) -> None:
    """Return if every ring is simple, every hole in its polygon, and no polygon over another; else raise BadAnnex."""
    rings = [ring for polygon in polygons for ring in polygon]
    for ring in rings:
        _check_points(ring)
    _check_sides([side for n, polygon in enumerate(polygons) for ring in polygon for side in _sides(ring, n)])
    for ring in rings:
        _check_area(ring)
    for polygon in polygons:
        _check_holes(polygon)
    for one, other in combinations(polygons, 2):
        _check_apart(one, other)


def doubled_area(ring: Ring) -> float:
    """Return twice the area; positive where the ring runs against the clock."""
    (x0, y0), total = ring[0], 0.0
    for (x1, y1), (x2, y2) in _pairs(ring):
        total += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    return total


def area_of(polygon: Polygon) -> float:
    outer, *holes = (abs(doubled_area(ring)) / 2 for ring in polygon)
    return outer - sum(holes)


def is_inside(point: Point, polygon: Polygon) -> bool:
    """Say whether the point is in the polygon and in none of its holes."""
    x, y = point
    inside = False
    for ring in polygon:
        for (x1, y1), (x2, y2) in _pairs(ring):
            if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
                inside = not inside
    return inside


def inner_point(polygon: Polygon) -> Point:
    """Return a point well inside: the middle of the widest stretch on one of a few lines across."""
    ys = sorted({y for _, y in polygon[0]})
    gaps = sorted(pairwise(ys), key=lambda gap: gap[0] - gap[1])[:12]
    lines = [(low + high) / 2 for low, high in gaps]
    _, x, y = max((right - left, (left + right) / 2, y) for y in lines for left, right in _stretches(polygon, y))
    return x, y


def _stretches(polygon: Polygon, y: float) -> Iterator[tuple[float, float]]:
    """Yield where the line of this height is inside."""
    crossings = sorted(
        (x2 - x1) * (y - y1) / (y2 - y1) + x1
        for ring in polygon
        for (x1, y1), (x2, y2) in _pairs(ring)
        if (y1 > y) != (y2 > y)
    )
    return zip(crossings[::2], crossings[1::2], strict=True)


def _pairs(ring: Ring) -> Iterator[tuple[Point, Point]]:
    return zip(ring, (*ring[1:], ring[0]), strict=True)


def _sides(ring: Named, polygon: int) -> Iterator[_Side]:
    for i, (start, end) in enumerate(_pairs(ring.points)):
        yield _Side(ring, i, polygon, start, end)


def _check_points(ring: Named) -> None:
    """No point twice in a row, and no side that goes back over the one before."""
    points = ring.points
    for i, (a, b) in enumerate(_pairs(points)):
        c = points[(i + 2) % len(points)]
        if dist(a, b) < SAME_POINT_M:
            raise _refused("界址点重合", "two points are the same", ring.point(i), ring.point(i + 1))
        back = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) < 0
        if back and min(_distance(c, a, b), _distance(a, b, c)) < TOUCHING_M:
            raise _refused("界址线原路折回", "the boundary goes back over itself", ring.point(i + 1))


def _check_area(ring: Named) -> None:
    if abs(doubled_area(ring.points)) / 2 < LEAST_AREA:
        raise _refused("界址线围成的面积为零", "the ring encloses no area", ring.point(0))


def _check_sides(sides: list[_Side]) -> None:
    """Sweep from west to east: only sides whose spans overlap are compared."""
    bounds = {id(side): side.bounds for side in sides}
    open_sides: list[_Side] = []
    for side in sorted(sides, key=lambda one: bounds[id(one)][0]):
        west, south, _, north = bounds[id(side)]
        open_sides = [other for other in open_sides if bounds[id(other)][2] >= west - TOUCHING_M]
        for other in open_sides:
            box = bounds[id(other)]
            if box[1] <= north + TOUCHING_M and box[3] >= south - TOUCHING_M:
                _check_pair(side, other)
        open_sides.append(side)


def _check_pair(one: _Side, other: _Side) -> None:
    if one.polygon != other.polygon:
        if _cross(one, other, ROUNDING_M):
            raise _refused("宗地互相重叠", "two polygons overlap", one.ring.point(one.at), other.ring.point(other.at))
        return
    if one.ring is other.ring and (one.at - other.at) % len(one.ring.points) in (1, len(one.ring.points) - 1):
        return
    touching = _touching(one, other) or _touching(other, one)
    if touching:
        raise _refused("界址线自相交", "the boundary touches itself", touching)
    if _cross(one, other, 0.0):
        after = (one.ring.point(one.at), other.ring.point(other.at))
        raise _refused("界址线自相交，在以下两点之后", "the boundary crosses itself after", *after)


def _cross(one: _Side, other: _Side, margin: float) -> bool:
    """Say whether each side's ends lie on both sides of the other, farther off than the margin."""
    return _parts(one, other, margin) and _parts(other, one, margin)


def _parts(line: _Side, side: _Side, margin: float) -> bool:
    a, b = _offset(side.start, line.start, line.end), _offset(side.end, line.start, line.end)
    return min(a, b) < -margin and max(a, b) > margin


def _touching(side: _Side, other: _Side) -> str | None:
    """Return the end of the other side that lies on this one."""
    for i, point in enumerate((other.start, other.end)):
        if _distance(point, side.start, side.end) < TOUCHING_M:
            return other.ring.point(other.at + i)
    return None


def _offset(point: Point, start: Point, end: Point) -> float:
    """Return how far the point is to the left of the line."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    return ((point[1] - start[1]) * dx - (point[0] - start[0]) * dy) / hypot(dx, dy)


def _distance(point: Point, start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    along = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / (dx * dx + dy * dy)
    along = min(1.0, max(0.0, along))
    return dist(point, (start[0] + along * dx, start[1] + along * dy))


def _check_holes(polygon: NamedPolygon) -> None:
    outer, *holes = polygon
    for hole in holes:
        if not is_inside(hole.points[0], (outer.points,)):
            raise _refused("内环不在外环之内", "a hole lies outside its polygon", hole.point(0))
    for one, other in combinations(holes, 2):
        if is_inside(one.points[0], (other.points,)) or is_inside(other.points[0], (one.points,)):
            raise _refused("内环互相包含", "a hole lies in another hole", one.point(0), other.point(0))


def _check_apart(one: NamedPolygon, other: NamedPolygon) -> None:
    shapes = [tuple(ring.points for ring in polygon) for polygon in (one, other)]
    if is_inside(inner_point(shapes[0]), shapes[1]) or is_inside(inner_point(shapes[1]), shapes[0]):
        raise _refused("宗地互相重叠", "two polygons overlap", one[0].point(0), other[0].point(0))


def _refused(chinese: str, english: str, *points: str) -> BadAnnex:
    where = "、".join(points)
    return BadAnnex(RenderCode.ANNEX_GEOMETRY, f"{chinese}：{where}。{english.capitalize()}: {', '.join(points)}.")
