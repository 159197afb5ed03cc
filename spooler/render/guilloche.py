"""Step 2b: the neutral ornament behind an electronic certificate, a drawing of our own: waves along the frame, a rosette in the middle.

It protects nothing (the signature does that) and imitates no state paper; it tells a certificate from a plain print at a glance.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import cos, pi, sin

Point = tuple[float, float]
_STEP = 3.0  # points of paper between two corners of a curve
_ROSETTE_CORNERS = 360
_CORNER = 0.75  # of the border's depth: how far a corner's rosette reaches
_WAVES_A_BEAD = 3
_FULLNESS = 0.6  # below 1: beads are full and their ends short


def border(sides: tuple[float, float, float, float], *, depth: float, strands: int, wave: float) -> str:
    """Return PDF path operators for interlaced waves along a rectangle (x, y, width, height, in points), a rosette at each corner."""
    corners = [rosette(x, y, radius=depth * _CORNER, petals=8, rings=4) for x, y in _corners(*sides)]
    lines = [
        _path(_wave(*side, depth, wave, 2 * pi * i / strands))
        for side in _sides(*sides, gap=depth * _CORNER)
        for i in range(strands)
    ]
    return "\n".join([*corners, *lines])


def rosette(x: float, y: float, *, radius: float, petals: int, rings: int) -> str:
    """Return PDF path operators for a rosette around a point: rings of one curve, each turned and smaller than the last."""
    rings_drawn = []
    for i in range(rings):
        size = radius * (1 - 0.55 * i / rings)
        rings_drawn.append(_path(_petals(x, y, size, petals, i * pi / (petals * rings) * 2), close=True))
    return "\n".join(rings_drawn)


def _corners(left: float, top: float, width: float, height: float) -> list[Point]:
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _sides(left: float, top: float, width: float, height: float, *, gap: float) -> list[tuple[Point, Point]]:
    """Return the four sides, each without what the corners take."""
    corners = _corners(left, top, width, height)
    return [_shortened(*side, gap) for side in pairwise([*corners, corners[0]])]


def _shortened(start: Point, end: Point, gap: float) -> tuple[Point, Point]:
    along = ((end[0] > start[0]) - (end[0] < start[0]), (end[1] > start[1]) - (end[1] < start[1]))
    return (start[0] + gap * along[0], start[1] + gap * along[1]), (end[0] - gap * along[0], end[1] - gap * along[1])


def _wave(start: Point, end: Point, depth: float, wave: float, phase: float) -> Iterator[Point]:
    """A sine along the side that swells and ebbs; whole beads only, so that all strands meet where a side ends."""
    length = abs(end[0] - start[0]) + abs(end[1] - start[1])
    along = ((end[0] - start[0]) / length, (end[1] - start[1]) / length)
    beads, count = max(round(length / (_WAVES_A_BEAD * wave)), 1), max(int(length / _STEP), 2)
    for i in range(count + 1):
        part = i / count
        swell = abs(sin(pi * beads * part)) ** _FULLNESS
        off = depth / 2 * sin(2 * pi * beads * _WAVES_A_BEAD * part + phase) * swell
        at = (start[0] + along[0] * length * part, start[1] + along[1] * length * part)
        yield at[0] - along[1] * off, at[1] + along[0] * off


def _petals(x: float, y: float, radius: float, petals: int, turn: float) -> Iterator[Point]:
    for i in range(_ROSETTE_CORNERS):
        angle = 2 * pi * i / _ROSETTE_CORNERS
        reach = radius * (0.72 + 0.28 * cos(petals * (angle + turn)))
        yield x + reach * cos(angle), y + reach * sin(angle)


def _path(points: Iterable[Point], *, close: bool = False) -> str:
    steps = [f"{x:.1f} {y:.1f} {'l' if i else 'm'}" for i, (x, y) in enumerate(points)]
    return " ".join([*steps, "s" if close else "S"])
