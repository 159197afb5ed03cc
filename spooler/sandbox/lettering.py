"""Draws agents/lettering.json, the few letters that a hall has as outlines: `python -m spooler.sandbox.lettering`.

Run when a word of the calibration sheet changes. A hall has no font and no library that embeds one; the home's are used here, once.
"""

import json
from importlib.resources import files
from pathlib import Path

from agents.calibration.sheet import words
from agents.preview import WATERMARK
from spooler.render.fonts import shared_faces
from spooler.render.outlines import outline


def draw() -> str:
    """Return the data: each character's advance and outline, a line each."""
    faces = shared_faces()
    characters = sorted(set(words() + WATERMARK))
    with faces.lock:
        advances = {character: round(faces.width(character) * 1000, 1) for character in characters}
    lines = [f"{json.dumps(c, ensure_ascii=False)}: {json.dumps([advances[c], outline(c)])}" for c in characters]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    Path(str(files("agents") / "lettering.json")).write_text(draw(), "utf-8")


if __name__ == "__main__":
    main()
