"""Step 2a: put the lines of a text in their places. No line is wider than its room, and no glyph's ink leaves its box."""

from dataclasses import dataclass
from math import inf

from spooler.render.fit import Fitted, Marks, Sizes, fit, fit_line
from spooler.render.fonts import NO_INK, Faces
from spooler.render.template import MM, Align, Box, Line

# Where the baseline of an ideographic em box lies, from its top.
ASCENT = 0.88
_SLACK = 1e-6


@dataclass(frozen=True)
class PlacedLine:
    """A line of text by the left end of its baseline, in points from the top left corner of the paper."""

    text: str
    x: float
    baseline: float


@dataclass(frozen=True)
class Placed:
    """One field as it is printed."""

    field: str
    on: str
    size: float
    lines: tuple[PlacedLine, ...]


def set_line(field: str, text: str, line: Line, sizes: Sizes, faces: Faces) -> Placed:
    """Return the text on its line, or raise DoesNotFit."""

    def placed(fitted: Fitted) -> Placed:
        x = _aligned(text, line.x * MM, line.width * MM, line.align, fitted.size, faces)
        return Placed(field, line.on, fitted.size, (PlacedLine(text, x, line.baseline * MM),))

    def suits(fitted: Fitted) -> bool:
        left, _, right, _ = ink_of(placed(fitted), faces)
        return left >= line.x * MM - _SLACK and right <= (line.x + line.width) * MM + _SLACK

    return placed(fit_line(text, line.width * MM, sizes, faces.width, suits))


def set_box(field: str, text: str, box: Box, sizes: Sizes, marks: Marks, faces: Faces) -> Placed:
    """Return the text in its box, or raise DoesNotFit."""

    def suits(fitted: Fitted) -> bool:
        left, top, right, bottom = ink_of(_in_box(field, box, fitted, sizes, faces), faces)
        return (
            min(left - box.x * MM, top - box.y * MM) >= -_SLACK
            and max(right - (box.x + box.width) * MM, bottom - (box.y + box.height) * MM) <= _SLACK
        )

    width, height = (box.width - 2 * box.padding) * MM, (box.height - 2 * inset(box)) * MM
    return _in_box(field, box, fit(text, width, height, sizes, faces.width, marks, suits), sizes, faces)


def inset(box: Box) -> float:
    """Return how far the text keeps off the upper and lower edge, in mm; in the middle of a row it need not."""
    return box.padding if box.vertical == "top" else 0.0


def ink_of(placed: Placed, faces: Faces) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all glyphs' outlines, in points from the top left corner of the paper."""
    left, top, right, bottom = inf, inf, -inf, -inf
    for line in placed.lines:
        x = line.x
        for character in line.text:
            ink = faces.ink(character)
            if ink is not NO_INK:
                left, right = min(left, x + ink.left * placed.size), max(right, x + ink.right * placed.size)
                top, bottom = (
                    min(top, line.baseline - ink.top * placed.size),
                    max(bottom, line.baseline - ink.bottom * placed.size),
                )
            x += faces.width(character) * placed.size
    return left, top, right, bottom


def _in_box(field: str, box: Box, fitted: Fitted, sizes: Sizes, faces: Faces) -> Placed:
    """Return the lines in their places, without those that have nothing to print."""
    x, width = (box.x + box.padding) * MM, (box.width - 2 * box.padding) * MM
    first, leading = _first_baseline(box, fitted, sizes), fitted.size * sizes.leading
    lines = tuple(
        PlacedLine(line, _aligned(line, x, width, box.align, fitted.size, faces), first + i * leading)
        for i, line in enumerate(fitted.lines)
        if line.strip()
    )
    return Placed(field, box.on, fitted.size, lines)


def _first_baseline(box: Box, fitted: Fitted, sizes: Sizes) -> float:
    free = box.height * MM - len(fitted.lines) * fitted.size * sizes.leading
    top = box.y * MM + (free / 2 if box.vertical == "middle" else inset(box) * MM)
    return top + fitted.size * ((sizes.leading - 1) / 2 + ASCENT)


def _aligned(text: str, x: float, width: float, align: Align, size: float, faces: Faces) -> float:
    free = width - sum(map(faces.width, text)) * size
    return x + {"left": 0.0, "center": free / 2, "right": free}[align]
