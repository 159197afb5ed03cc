"""Step 2c for the electronic face: is a font of a foreign PDF embedded, and do its widths say what its program says?"""

from io import BytesIO
from typing import Any

import pikepdf
from fontTools.ttLib import TTFont, TTLibError

_TOLERANCE = 1.0  # thousandths of an em, as ISO 19005 allows


def is_sound(font: pikepdf.Object) -> bool:
    """Say whether an archive takes the font as it is. Only kinds that are fully looked into are called sound."""
    match str(font.get("/Subtype", "")):
        case "/Type0":
            return (
                font.get("/Encoding") in ("/Identity-H", "/Identity-V") and len(font.get("/DescendantFonts", [])) == 1
            )
        case "/CIDFontType2":
            return _cid_widths_agree(font)
        case "/TrueType":
            return _simple_widths_agree(font)
    return False


def _cid_widths_agree(font: pikepdf.Object) -> bool:
    program = _program(font)
    if program is None or font.get("/CIDToGIDMap") != "/Identity":
        return False
    stated = dict(_cid_widths(font.get("/W", [])))
    return all(_agrees(program, glyph, width) for glyph, width in stated.items())


def _cid_widths(entries: Any) -> list[tuple[int, float]]:
    """Read a /W array: `c [w w …]` or `first last w`."""
    widths: list[tuple[int, float]] = []
    items = list(entries)
    while items:
        first, second = int(items.pop(0)), items.pop(0)
        if isinstance(second, pikepdf.Array):
            widths += [(first + i, float(width)) for i, width in enumerate(second)]
        else:
            width = float(items.pop(0))
            widths += [(code, width) for code in range(first, int(second) + 1)]
    return widths


def _simple_widths_agree(font: pikepdf.Object) -> bool:
    """A subset with codes of its own (symbolic), as most writers embed them: the code finds the glyph through the (1,0) map."""
    program = _program(font)
    if program is None:
        return False
    flags = int(font.FontDescriptor.get("/Flags", 0))
    table = program["cmap"].getcmap(1, 0) if "cmap" in program else None
    if not flags & 4 or table is None or "/Encoding" in font:
        return False
    first = int(font.get("/FirstChar", 0))
    glyphs = program.getReverseGlyphMap()
    stated = {first + i: float(width) for i, width in enumerate(font.get("/Widths", []))}
    return all(
        _agrees(program, glyphs[table.cmap[code]], width) for code, width in stated.items() if code in table.cmap
    )


def _program(font: pikepdf.Object) -> TTFont | None:
    file = font.get("/FontDescriptor", pikepdf.Dictionary()).get("/FontFile2")
    if file is None:
        return None
    try:
        program = TTFont(BytesIO(file.read_bytes()), lazy=True)
        return program if {"hmtx", "head", "maxp"} <= set(program.keys()) else None
    except (TTLibError, pikepdf.PdfError, ValueError):
        return None


def _agrees(program: TTFont, glyph: int, width: float) -> bool:
    names = program.getGlyphOrder()
    if glyph >= len(names):
        return False
    advance = program["hmtx"][names[glyph]][0] * 1000 / program["head"].unitsPerEm
    return bool(abs(advance - width) <= _TOLERANCE)
