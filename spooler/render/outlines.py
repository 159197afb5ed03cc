"""Characters as filled outlines, for drawings that are no text: the seal, and the watermark of previews."""

from functools import lru_cache
from typing import Any

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

from spooler.render.fonts import Face, shared_faces


@lru_cache(maxsize=512)
def outline(character: str) -> str:
    """Return PDF path operators for one character in an em of 1000, baseline at 0; empty where no face has it."""
    faces = shared_faces()
    face = faces.face_of(character)
    if face is None:
        return ""
    with faces.lock:
        return _draw(_open(face), character)


@lru_cache(maxsize=4)
def _open(face: Face) -> TTFont:
    return TTFont(str(face.path), lazy=True)


def _draw(font: TTFont, character: str) -> str:
    glyphs = font.getGlyphSet()
    pen = _PathPen(glyphs, 1000 / font["head"].unitsPerEm)
    glyphs[font.getBestCmap()[ord(character)]].draw(pen)
    return " ".join(pen.operators)


class _PathPen(BasePen):  # type: ignore[misc]  # fontTools is untyped
    """Writes PDF path operators; BasePen turns the quadratic curves of TrueType into cubic ones."""

    def __init__(self, glyphs: Any, scale: float) -> None:
        super().__init__(glyphs)
        self.operators: list[str] = []
        self._scale = scale

    def _write(self, operator: str, *points: tuple[float, float]) -> None:
        numbers = [f"{value * self._scale:.1f}" for point in points for value in point]
        self.operators.append(" ".join([*numbers, operator]))

    def _moveTo(self, pt: tuple[float, float]) -> None:
        self._write("m", pt)

    def _lineTo(self, pt: tuple[float, float]) -> None:
        self._write("l", pt)

    def _curveToOne(self, pt1: tuple[float, float], pt2: tuple[float, float], pt3: tuple[float, float]) -> None:
        self._write("c", pt1, pt2, pt3)

    def _closePath(self) -> None:
        self.operators.append("h")
