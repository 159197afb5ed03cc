"""Step 2c: 界址点坐标表, where the lengths of the sides find no room on the map: each point with its coordinates and the side after it."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil

from spooler.render.annex.place import Rect
from spooler.render.fonts import Faces
from spooler.render.parcel.paper import Lettering, Stroke, centred
from spooler.render.parcel.points import Boundary

SIZE = 6.0  # its figures are 1.55 mm high
ROW_MM = 2.75
_HEAD = ("点号", "X（北）", "Y（东）", "边长")
_COLUMNS = (6.2, 13.2, 14.4, 7.8)
GROUP_MM = sum(_COLUMNS)
_THIN, _LINE = 0.1, 0.2


@dataclass(frozen=True)
class Table:
    """Its rows, and in how many groups they stand side by side."""

    rows: tuple[tuple[str, ...], ...]
    groups: int

    @property
    def height(self) -> float:
        return ROW_MM * (1 + self.deep)

    @property
    def width(self) -> float:
        return GROUP_MM * self.groups

    @property
    def deep(self) -> int:
        return ceil(len(self.rows) / self.groups)


def rows_of(boundaries: list[Boundary]) -> tuple[tuple[str, ...], ...]:
    """Return name, northing, easting and the length of the side that begins there."""
    return tuple(
        (name, f"{point[1]:.2f}", f"{point[0]:.2f}", f"{length:.2f}")
        for boundary in boundaries
        for name, point, length in zip(boundary.names, boundary.points, boundary.lengths(), strict=True)
    )


def wide(rows: tuple[tuple[str, ...], ...], width: float) -> Table | None:
    """Return the table over the whole of a width."""
    groups = min(int(width // GROUP_MM), len(rows))
    return Table(rows, groups) if groups else None


def tall(rows: tuple[tuple[str, ...], ...], height: float) -> Table | None:
    """Return the table over the whole of a height."""
    deep = int(height // ROW_MM) - 1
    return Table(rows, ceil(len(rows) / deep)) if deep > 0 else None


def draw(table: Table, room: Rect, faces: Faces) -> tuple[list[Stroke], list[Lettering]]:
    """Return the table at the top of its room, its groups sharing the width."""
    strokes: list[Stroke] = []
    letters: list[Lettering] = []
    width = room.width / table.groups
    for group in range(table.groups):
        left = room.x + group * width
        part = table.rows[group * table.deep : (group + 1) * table.deep]
        for n, row in enumerate((_HEAD, *part)):
            middle = room.y + (n + 0.5) * ROW_MM
            letters += [
                centred(text, SIZE, (x, middle), faces) for text, x in zip(row, _middles(left, width), strict=True)
            ]
            strokes.append(_across(left, width, room.y + n * ROW_MM, _LINE if n < 2 else _THIN))
        strokes.append(_across(left, width, room.y + (len(part) + 1) * ROW_MM, _LINE))
        strokes += [_down(x, room.y, len(part) + 1) for x in _rules(left, width)]
    return strokes, letters


def _middles(left: float, width: float) -> list[float]:
    rules = _rules(left, width)
    return [(a + b) / 2 for a, b in pairwise(rules)]


def _rules(left: float, width: float) -> list[float]:
    share = width / GROUP_MM
    return [left + share * sum(_COLUMNS[:i]) for i in range(len(_COLUMNS) + 1)]


def _across(left: float, width: float, y: float, line: float) -> Stroke:
    return Stroke(((left, y), (left + width, y)), line)


def _down(x: float, top: float, rows: int) -> Stroke:
    return Stroke(((x, top), (x, top + rows * ROW_MM)), _THIN)
