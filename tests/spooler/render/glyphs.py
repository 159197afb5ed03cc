"""What the font files themselves say of a character: measured by fontTools, not by the code under test."""

import unicodedata
from functools import cache

from fontTools.ttLib import TTFont

from spooler.render.fonts import CHAIN, FONT_DIRECTORY

Bounds = tuple[float, float, float, float]


@cache
def font(place: int) -> TTFont:
    return TTFont(FONT_DIRECTORY / CHAIN[place].path, lazy=True)


@cache
def cmap(place: int) -> dict[int, str]:
    return font(place).getBestCmap()


@cache
def face_of(character: str) -> int | None:
    """Return the first font of the chain with a glyph for it that leaves ink, or is a space."""
    for place in range(len(CHAIN)):
        name = cmap(place).get(ord(character))
        if name is not None and (font(place)["glyf"][name].numberOfContours or unicodedata.category(character) == "Zs"):
            return place
    return None


@cache
def advance(character: str) -> float:
    """Return the advance in em."""
    place = face_of(character)
    return font(place)["hmtx"][cmap(place)[ord(character)]][0] / font(place)["head"].unitsPerEm


@cache
def ink(character: str) -> Bounds | None:
    """Return left, top, right, bottom in em around the origin, y down; None where there is none."""
    place = face_of(character)
    glyph = font(place)["glyf"][cmap(place)[ord(character)]]
    if not glyph.numberOfContours:
        return None
    unit = font(place)["head"].unitsPerEm
    return (glyph.xMin / unit, -glyph.yMax / unit, glyph.xMax / unit, -glyph.yMin / unit)


def ink_of(text: str, x: float, baseline: float, size: float) -> list[Bounds]:
    """Return where each character's ink falls when the text is set at x on the baseline; all in one unit."""
    found = []
    for character in text:
        bounds = ink(character)
        if bounds is not None:
            left, top, right, bottom = (value * size for value in bounds)
            found.append((x + left, baseline + top, x + right, baseline + bottom))
        x += advance(character) * size
    return found
