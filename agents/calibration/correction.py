"""The correction of one printer for one side: an affine map in millimetres from the top left corner of the sheet. No input or output."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import atan2, degrees, hypot

Point = tuple[float, float]  # mm from the top left corner of the sheet

NOTHING_MM = 0.005  # a correction that moves no corner by more moves nothing
SAME_SIZE_MM = 0.5


@dataclass(frozen=True)
class Side:
    """One side of a stock, as its sheets lie in the printer; a booklet has three spreads."""

    spread: str  # the name of its pass
    width_mm: float
    height_mm: float

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        return ((0, 0), (self.width_mm, 0), (self.width_mm, self.height_mm), (0, self.height_mm))

    def is_like(self, other: "Side") -> bool:
        """Whether what was measured on one holds for the other: the same spread on paper of the same size."""
        sizes = ((self.width_mm, other.width_mm), (self.height_mm, other.height_mm))
        return self.spread == other.spread and all(abs(a - b) <= SAME_SIZE_MM for a, b in sizes)


@dataclass(frozen=True)
class Correction:
    """x' = a·x + c·y + e and y' = b·x + d·y + f, in mm from the top left corner, y downwards."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    e: float = 0.0
    f: float = 0.0

    def __call__(self, point: Point) -> Point:
        x, y = point
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    @property
    def numbers(self) -> tuple[float, float, float, float, float, float]:
        return self.a, self.b, self.c, self.d, self.e, self.f

    @property
    def scale(self) -> Point:
        """How much wider and taller it makes things: 1 is true."""
        wide = hypot(self.a, self.b)
        return wide, self._area / wide

    @property
    def rotation_degrees(self) -> float:
        """How far it turns rows, clockwise."""
        return degrees(atan2(self.b, self.a))

    @property
    def skew_degrees(self) -> float:
        """How far it leans columns away from the perpendicular of rows."""
        return degrees(atan2(self.a * self.c + self.b * self.d, self._area))

    @property
    def _area(self) -> float:
        return self.a * self.d - self.b * self.c

    def offset_at(self, point: Point) -> Point:
        """How far right and down it moves this point."""
        x, y = self(point)
        return x - point[0], y - point[1]

    def inverse(self) -> "Correction":
        determinant = self._area
        a, b, c, d = self.d / determinant, -self.b / determinant, -self.c / determinant, self.a / determinant
        return Correction(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))

    def after(self, first: "Correction") -> "Correction":
        """Return the map that does `first` and then this one."""
        a, b = self.a * first.a + self.c * first.b, self.b * first.a + self.d * first.b
        c, d = self.a * first.c + self.c * first.d, self.b * first.c + self.d * first.d
        return Correction(a, b, c, d, *self((first.e, first.f)))

    def largest_move_mm(self, points: Iterable[Point]) -> float:
        return max(abs(after - before) for p in points for before, after in zip(p, self(p), strict=True))

    def moves_nothing(self, side: Side) -> bool:
        return self.largest_move_mm(side.corners) <= NOTHING_MM

    def in_points(self, height: float) -> tuple[float, float, float, float, float, float]:
        """Return the operands of PDF's `cm`: points from the bottom left corner of a page so high, y upwards."""
        k = 72 / 25.4
        return (
            self.a,
            -self.b,
            -self.c,
            self.d,
            self.c * height + k * self.e,
            height * (1 - self.d) - k * self.f,
        )


IDENTITY = Correction()


@dataclass(frozen=True)
class Calibrated:
    """What is in force at a printer for one side. `correction` None: the paper is moved nowhere."""

    side: Side
    version: int
    correction: Correction = field(default=IDENTITY)
