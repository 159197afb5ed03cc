"""Step 2c: the neat line of a map, its ticks at round coordinates, and what they are."""

from collections.abc import Iterator
from math import ceil

from spooler.render.annex.place import Rect
from spooler.render.fonts import Faces
from spooler.render.parcel.paper import GREY, Lettering, Stroke, Taken, centred, corners_of
from spooler.render.parcel.scale import Ground

# Between the neat line and the outer one stand the coordinates.
STRIP_MM = 3.4
LETTERS = 6.0
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_LEAST_STEP_MM = 22.0
_TICK_MM = 1.6
_CROSS_MM = 1.5
_THIN, _THICK = 0.12, 0.5
_CLEAR_MM = 6.5  # half a label


def frame(outer: Rect) -> list[Stroke]:
    """Return the two lines around the map."""
    return [
        Stroke(corners_of(outer), _THICK, is_closed=True),
        Stroke(corners_of(outer.inset(STRIP_MM)), _THIN, is_closed=True),
    ]


def ticks(inner: Rect, ground: Ground, faces: Faces) -> tuple[list[Stroke], list[Lettering]]:
    """Return ticks on the neat line and their coordinates outside it."""
    strokes: list[Stroke] = []
    letters: list[Lettering] = []
    right, bottom = inner.x + inner.width, inner.y + inner.height
    for x, east in _eastings(inner, ground):
        for y, away in ((inner.y, 1), (bottom, -1)):
            strokes.append(Stroke(((x, y), (x, y + away * _TICK_MM)), _THIN))
            letters.append(centred(f"{east}", LETTERS, (x, y - away * STRIP_MM / 2), faces))
    for y, north in _northings(inner, ground):
        for x, away in ((inner.x, 1), (right, -1)):
            strokes.append(Stroke(((x, y), (x + away * _TICK_MM, y)), _THIN))
            letters.append(centred(f"{north}", LETTERS, (x - away * STRIP_MM / 2, y), faces, angle=90))
    return strokes, letters


def crosses(inner: Rect, ground: Ground, taken: Taken) -> list[Stroke]:
    """Return the grid's crosses, but for those that would stand on something."""
    arms = []
    for x, _ in _eastings(inner, ground):
        for y, _ in _northings(inner, ground):
            c = _CROSS_MM
            if taken.is_free(((x - c, y - c), (x + c, y - c), (x + c, y + c), (x - c, y + c))):
                arms.append(Stroke(((x - c, y), (x + c, y)), _THIN, GREY))
                arms.append(Stroke(((x, y - c), (x, y + c)), _THIN, GREY))
    return arms


def _step(ground: Ground) -> int:
    return next((step for step in _STEPS if step * 1000 / ground.scale >= _LEAST_STEP_MM), _STEPS[-1])


def _eastings(inner: Rect, ground: Ground) -> Iterator[tuple[float, int]]:
    """Yield where on paper a round easting lies, not too near the corners for its label."""
    step = _step(ground)
    east = ceil(ground.easting(inner.x + _CLEAR_MM) / step) * step
    while (x := ground.point((east, 0))[0]) <= inner.x + inner.width - _CLEAR_MM:
        yield x, east
        east += step


def _northings(inner: Rect, ground: Ground) -> Iterator[tuple[float, int]]:
    step = _step(ground)
    north = ceil(ground.northing(inner.y + inner.height - _CLEAR_MM) / step) * step
    while (y := ground.point((0, north))[1]) >= inner.y + _CLEAR_MM:
        yield y, north
        north += step
