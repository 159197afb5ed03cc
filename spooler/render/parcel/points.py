"""Step 2c: boundary points named as surveyors name them.

J1 is the point nearest to the north-western corner of its ring's extent; from there the names go round with the parcel on the right
hand: an outer ring clockwise, a hole against the clock, ring after ring. A point that two lots share has one name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import dist

from spooler.render.annex.boundary import doubled_area
from spooler.render.annex.values import Parcel, Point, Ring

_NEAR_M = 0.005


@dataclass(frozen=True)
class Boundary:
    """One ring in its order, and the names of its points."""

    points: Ring
    names: tuple[str, ...]

    def sides(self) -> Iterator[tuple[Point, Point]]:
        return zip(self.points, (*self.points[1:], self.points[0]), strict=True)

    def lengths(self) -> list[float]:
        return [dist(start, end) for start, end in self.sides()]


def boundaries_of(parcel: Parcel) -> list[Boundary]:
    """Return all rings, named."""
    names: dict[tuple[int, int], str] = {}
    found = []
    for ring, is_hole in _rings(parcel):
        points = _in_order(ring, is_hole)
        named = tuple(names.setdefault(_place(point), f"J{len(names) + 1}") for point in points)
        found.append(Boundary(points, named))
    return found


def count_of(boundaries: list[Boundary]) -> int:
    return len({name for boundary in boundaries for name in boundary.names})


def _rings(parcel: Parcel) -> Iterator[tuple[Ring, bool]]:
    for lot in parcel.lots:
        for polygon in lot.polygons:
            for i, ring in enumerate(polygon):
                yield ring, i > 0


def _in_order(ring: Ring, is_hole: bool) -> Ring:
    runs_clockwise = doubled_area(ring) < 0
    turned = ring if runs_clockwise != is_hole else tuple(reversed(ring))
    west, north = min(x for x, _ in ring), max(y for _, y in ring)

    def off_north_west(i: int) -> tuple[float, float]:
        x, y = turned[i]
        return round((x - west) ** 2 + (north - y) ** 2, 6), -y

    first = min(range(len(turned)), key=off_north_west)
    return turned[first:] + turned[:first]


def _place(point: Point) -> tuple[int, int]:
    return round(point[0] / _NEAR_M), round(point[1] / _NEAR_M)
