"""Step 2c: the round scales of cadastral maps, and how ground becomes paper."""

from dataclasses import dataclass

from spooler.render.annex.place import Rect
from spooler.render.annex.values import Parcel, Ring, Side
from spooler.render.parcel.paper import Point

SCALES = (
    *(50, 100, 150, 200, 250, 300, 400, 500, 600, 750, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 7500, 8000),
    *(10_000, 12_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000, 75_000, 100_000),
)  # fmt: skip
# What does not fit its frame on paper at this scale is refused; the electronic face, which has another shape, may go further.
SMALLEST_ON_PAPER = 50_000


@dataclass(frozen=True)
class Ground:
    """Where a piece of ground stands on paper: its middle, and mm for a metre. North is up."""

    scale: int
    middle: Point
    on_paper: Point

    def point(self, point: Point) -> Point:
        east, north = point[0] - self.middle[0], point[1] - self.middle[1]
        return self.on_paper[0] + east * 1000 / self.scale, self.on_paper[1] - north * 1000 / self.scale

    def ring(self, ring: Ring) -> tuple[Point, ...]:
        return tuple(map(self.point, ring))

    def easting(self, x: float) -> float:
        return self.middle[0] + (x - self.on_paper[0]) * self.scale / 1000

    def northing(self, y: float) -> float:
        return self.middle[1] - (y - self.on_paper[1]) * self.scale / 1000


class NoScale(Exception):
    """The parcel is larger than its room at the smallest scale."""


def ground(parcel: Parcel, room: Rect) -> Ground:
    """Return the parcel in the middle of the room, at the largest round scale that it fits."""
    west, south, east, north = bounds_of(parcel)
    for scale in SCALES:
        if (east - west) * 1000 / scale <= room.width and (north - south) * 1000 / scale <= room.height:
            middle = ((west + east) / 2, (south + north) / 2)
            return Ground(scale, middle, (room.x + room.width / 2, room.y + room.height / 2))
    raise NoScale


def bounds_of(parcel: Parcel) -> tuple[float, float, float, float]:
    xs, ys = zip(*(point for ring in parcel.rings for point in ring), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def extent_of(parcel: Parcel) -> tuple[float, float]:
    """Return from west to east and from south to north, in m."""
    west, south, east, north = bounds_of(parcel)
    return east - west, north - south


def shape_of(parcel: Parcel) -> Side:
    """Return the parcel's extent in mm; what is much longer than wide leaves room beside itself all the same."""
    width, height = (1000 * metres for metres in extent_of(parcel))
    return Side(max(width, height / 2), max(height, width / 2))
