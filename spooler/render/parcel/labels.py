"""Step 2c: names beside points and lengths along sides, each only where it stands on nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import atan2, cos, degrees, dist, hypot, radians, sin

from spooler.render.fonts import Faces
from spooler.render.parcel.paper import (
    GREY,
    RED,
    Lettering,
    Point,
    Ring,
    Stroke,
    Taken,
    centred,
    edges,
    ink_size,
    long_line_cells,
)
from spooler.render.parcel.points import Boundary
from spooler.render.parcel.scale import Ground

# GB/T cadastral symbols: a line of 0.3 mm, points as circles of 0.8 mm.
LINE_MM = 0.3
MARK_MM = 0.4
NAME_SIZE = 7.0
LENGTH_SIZE = 6.5  # its figures are 1.5 mm high
_GAP_MM = 0.75
# A length may be that much longer than its side, and is still seen to belong to it.
_OVERHANG_MM = 1.5
_TURNS = (0, 30, -30, 60, -60, 90, -90, 120, -120, 150, -150, 180)
_STEPS = (0.0, 1.2, 2.6)
_ALONG = (0.5, 0.36, 0.64, 0.24, 0.76)
MOST_NAMES = 200
MOST_LEADERS = 6
_LED_MM = (3.6, 5.5, 8.0)
_LED_TURNS = (0, 25, -25, 50, -50)
_OFF_LINE_MM, _LEADER_MM = 0.5, 0.1


@dataclass(frozen=True)
class Corner:
    """A point on paper: its name, which way leads away from the parcel, and how much of a corner it is."""

    name: str
    at: Point
    outward: Point
    weight: float


@dataclass(frozen=True)
class Side:
    """A side on paper, and its true length in m."""

    start: Point
    end: Point
    length: float

    @property
    def outward(self) -> Point:
        """The parcel is on the right hand."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        return dy / hypot(dx, dy), -dx / hypot(dx, dy)

    @property
    def angle(self) -> float:
        """Return how the text along it is turned, so that it is read from below or from the right."""
        turned = degrees(atan2(self.start[1] - self.end[1], self.end[0] - self.start[0]))
        return turned - 180 if turned > 90 + 1e-6 else turned + 180 if turned <= -90 + 1e-6 else turned


def draw_boundary(boundaries: list[Boundary], ground: Ground, colour: str = RED) -> tuple[list[Stroke], list[Ring]]:
    """Return lines and marks."""
    rings = [ground.ring(boundary.points) for boundary in boundaries]
    lines = [Stroke(ring, LINE_MM, colour, is_closed=True) for ring in rings]
    marks = {point: Ring(point, MARK_MM, 0.15, colour) for ring in rings for point in ring}
    return lines, list(marks.values())


def block(boundaries: list[Boundary], ground: Ground, taken: Taken) -> None:
    """Take the room of lines and marks."""
    for boundary in boundaries:
        ring = ground.ring(boundary.points)
        for start, end in edges(ring):
            for piece in long_line_cells(start, end):
                taken.add(piece)
        for x, y in ring:
            r = MARK_MM
            taken.add(((x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)))


def corners_of(boundaries: list[Boundary], ground: Ground) -> list[Corner]:
    """Return every named point once, the most telling corners first."""
    found: dict[str, Corner] = {}
    for boundary in boundaries:
        ring = ground.ring(boundary.points)
        for i, name in enumerate(boundary.names):
            corner = _corner(name, ring[i - 1], ring[i], ring[(i + 1) % len(ring)], is_first=i == 0)
            found.setdefault(name, corner)
    return sorted(found.values(), key=lambda corner: -corner.weight)


def _corner(name: str, before: Point, at: Point, after: Point, *, is_first: bool) -> Corner:
    one, two = Side(before, at, 0).outward, Side(at, after, 0).outward
    x, y = one[0] + two[0], one[1] + two[1]
    if hypot(x, y) < 1e-6:  # the point of a needle
        x, y = (at[0] - before[0]), (at[1] - before[1])
    area = abs((at[0] - before[0]) * (after[1] - before[1]) - (after[0] - before[0]) * (at[1] - before[1]))
    return Corner(name, at, (x / hypot(x, y), y / hypot(x, y)), float("inf") if is_first else area)


def sides_of(boundaries: list[Boundary], ground: Ground) -> list[Side]:
    """Return every side once, the shortest first: they have the least choice."""
    found: dict[frozenset[str], Side] = {}
    for boundary in boundaries:
        ring = ground.ring(boundary.points)
        ends = zip(boundary.names, (*boundary.names[1:], boundary.names[0]), strict=True)
        for names, (start, end), length in zip(ends, edges(ring), boundary.lengths(), strict=True):
            found.setdefault(frozenset(names), Side(start, end, length))
    return sorted(found.values(), key=lambda side: side.length)


@dataclass
class Labels:
    """Labels that found their places, the thin lines that lead to some, and how many found none."""

    letters: list[Lettering]
    leaders: list[Stroke]
    missing: int = 0


def name_corners(corners: list[Corner], taken: Taken, faces: Faces) -> Labels:
    """Name each point beside it; of very many only the most telling are tried."""
    found = Labels([], [], max(0, len(corners) - MOST_NAMES))
    for corner in corners[:MOST_NAMES]:
        lettering = _first_free(_beside(corner, faces), taken, faces)
        if lettering:
            found.letters.append(lettering)
        else:
            found.missing += 1
    return found


def name_sides(sides: list[Side], taken: Taken, faces: Faces, *, must_be_all: bool) -> Labels:
    """Write each length along its side; of a few that are too short for it, at the end of a thin line."""
    found = Labels([], [], max(0, len(sides) - MOST_NAMES))
    for side in sides[: 0 if found.missing and must_be_all else MOST_NAMES]:
        lettering = _first_free(_along(side, faces), taken, faces)
        if lettering:
            found.letters.append(lettering)
        elif not _lead(side, taken, faces, found):
            found.missing += 1
            if must_be_all:
                break  # one alone calls for the table
    return found


def _first_free(candidates: Iterator[Lettering], taken: Taken, faces: Faces) -> Lettering | None:
    for lettering in candidates:
        corners = lettering.corners(faces)
        if taken.is_free(corners):
            taken.add(corners)
            return lettering
    return None


def _lead(side: Side, taken: Taken, faces: Faces, found: Labels) -> bool:
    """Try the length a little off its side, with a line from the middle of the side to it."""
    if len(found.leaders) >= MOST_LEADERS:
        return False
    text = f"{side.length:.2f}"
    width, height = ink_size(text, LENGTH_SIZE, faces)
    middle = ((side.start[0] + side.end[0]) / 2, (side.start[1] + side.end[1]) / 2)
    for away in _LED_MM:
        for turn in _LED_TURNS:
            x, y = _turned(side.outward, turn)
            foot = (middle[0] + x * _OFF_LINE_MM, middle[1] + y * _OFF_LINE_MM)
            head = (middle[0] + x * away, middle[1] + y * away)
            reach = _OFF_LINE_MM + min(width / 2 / max(abs(x), 1e-6), height / 2 / max(abs(y), 1e-6))
            lettering = centred(text, LENGTH_SIZE, (head[0] + x * reach, head[1] + y * reach), faces)
            corners = lettering.corners(faces)
            if taken.is_free(corners) and taken.is_free((foot, head)):
                taken.add(corners)
                taken.add((foot, head))
                found.letters.append(lettering)
                found.leaders.append(Stroke((middle, head), _LEADER_MM, GREY))
                return True
    return False


def _beside(corner: Corner, faces: Faces) -> Iterator[Lettering]:
    width, height = ink_size(corner.name, NAME_SIZE, faces)
    for step in _STEPS:
        for turn in _TURNS:
            x, y = _turned(corner.outward, turn)
            away = MARK_MM + _GAP_MM + step + abs(x) * width / 2 + abs(y) * height / 2
            yield centred(corner.name, NAME_SIZE, (corner.at[0] + x * away, corner.at[1] + y * away), faces)


def _turned(direction: Point, turn: float) -> Point:
    across, down = cos(radians(turn)), sin(radians(turn))
    return direction[0] * across - direction[1] * down, direction[0] * down + direction[1] * across


def _along(side: Side, faces: Faces) -> Iterator[Lettering]:
    text = f"{side.length:.2f}"
    width, height = ink_size(text, LENGTH_SIZE, faces)
    if width > dist(side.start, side.end) + 2 * _OVERHANG_MM:
        return
    for hand in (1, -1):
        away = hand * (height / 2 + _GAP_MM)
        for along in _ALONG:
            x = side.start[0] + (side.end[0] - side.start[0]) * along + side.outward[0] * away
            y = side.start[1] + (side.end[1] - side.start[1]) * along + side.outward[1] * away
            yield centred(text, LENGTH_SIZE, (x, y), faces, angle=side.angle)
