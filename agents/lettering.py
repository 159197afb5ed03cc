"""Letters as filled outlines, for what a hall draws itself: calibration sheets, and the mark on previews.

A hall has neither a PDF writer that embeds fonts nor the fonts. Its few words were drawn once from the home's first font and are kept
as data, `lettering.json`: character → [advance, path operators] in an em of 1000, baseline at 0 (`python -m spooler.sandbox.lettering`).
"""

import json
from functools import cache
from importlib.resources import files


class NotLettered(ValueError):
    """A word was changed and the data was not drawn anew."""


def advance(character: str) -> float:
    return _letter(character)[0]


def outline(character: str) -> str:
    return _letter(character)[1]


def width(text: str, size: float) -> float:
    """Return how long a text of this size is, in the unit of the size."""
    return sum(map(advance, text)) * size / 1000


def _letter(character: str) -> tuple[float, str]:
    letters = _letters()
    if character not in letters:
        raise NotLettered(f"no outline of {character!r}: run python -m spooler.sandbox.lettering")
    return letters[character]


@cache
def _letters() -> dict[str, tuple[float, str]]:
    data = json.loads((files("agents") / "lettering.json").read_text("utf-8"))
    return {character: (drawn[0], drawn[1]) for character, drawn in data.items()}
