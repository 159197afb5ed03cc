"""Step 2a: refuse characters that would print as nothing, as a box, or as something else than the registry meant."""

import unicodedata

from spooler.render.codes import RenderCode
from spooler.render.content import Finding
from spooler.render.fonts import Faces

_VISIBLE_SPACES = frozenset(" \u00a0\u3000")
# Category Co is asked before coverage: BabelStone Han draws 4,637 private-use code points, each font its own thing.
_REFUSED: dict[str, tuple[RenderCode, str, str]] = {
    "Co": (RenderCode.PRIVATE_USE_CHARACTER, "是私用区字符，各处字形不同", "is a private-use character"),
    "Cc": (RenderCode.CONTROL_CHARACTER, "是控制字符", "is a control character"),
    "Cs": (RenderCode.NOT_UNICODE, "不是有效字符", "is not a character"),
    "Cf": (RenderCode.INVISIBLE_CHARACTER, "是不可见或改变方向的控制符", "is invisible or turns the writing direction"),
    "Zl": (RenderCode.INVISIBLE_CHARACTER, "是不可见字符", "is invisible"),
    "Zp": (RenderCode.INVISIBLE_CHARACTER, "是不可见字符", "is invisible"),
    "Mn": (
        RenderCode.COMBINING_CHARACTER,
        "是组合用字符，无法准确排印",
        "is a combining mark, which cannot be set exactly",
    ),
    "Mc": (
        RenderCode.COMBINING_CHARACTER,
        "是组合用字符，无法准确排印",
        "is a combining mark, which cannot be set exactly",
    ),
    "Me": (
        RenderCode.COMBINING_CHARACTER,
        "是组合用字符，无法准确排印",
        "is a combining mark, which cannot be set exactly",
    ),
}
# The Braille pattern without dots: some faces draw the places of the dots.
_BLANK = "\u2800"
# What stands for a character that got lost on the way (U+FFFD), or for a picture that is not there.
_STAND_INS = frozenset("\ufffc\ufffd")
# Hangul letters that join with their neighbours into one syllable.
_JOINING = (range(0x1100, 0x1200), range(0xA960, 0xA980), range(0xD7B0, 0xD800))
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_NOT_COVERED = (RenderCode.NO_GLYPH, "没有可用字形", "has no glyph in any face")
_LOST = (RenderCode.NOT_UNICODE, "只表示原字符已丢失", "only says that a character was lost")
_TURNED = (RenderCode.RIGHT_TO_LEFT_CHARACTER, "属于从右向左书写的文字，无法排印", "belongs to a right-to-left script")


def check_characters(field: str, text: str, faces: Faces) -> tuple[list[Finding], list[Finding]]:
    """Return what forbids printing the text, and what a person should look at."""
    refused, noted = [], []
    for character in dict.fromkeys(text.replace("\n", "")):
        fault = _fault(character, faces)
        if fault:
            refused.append(_finding(field, character, *fault))
        elif faces.runs(character)[0].face != faces.first:
            noted.append(_fallback(field, character, faces.runs(character)[0].face))
    return refused, noted


def _fault(character: str, faces: Faces) -> tuple[RenderCode, str, str] | None:
    category = unicodedata.category(character)
    if category in _REFUSED:
        return _REFUSED[category]
    if character in _STAND_INS:
        return _LOST
    if any(ord(character) in joining for joining in _JOINING):
        return _REFUSED["Mn"]
    if unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return _TURNED
    if character == _BLANK or (category == "Zs" and character not in _VISIBLE_SPACES):
        return _REFUSED["Zl"]
    return None if faces.face_of(character) else _NOT_COVERED


def _finding(field: str, character: str, code: RenderCode, chinese: str, english: str) -> Finding:
    point = f"U+{ord(character):04X}"
    shown = f"“{character}”（{point}）" if character.isprintable() else point
    return Finding(field, code, f"{shown}{chinese}。{point} {english}.")


def _fallback(field: str, character: str, face: str) -> Finding:
    point = f"U+{ord(character):04X}"
    message = f"“{character}”（{point}）用备用字体 {face} 排印，请核对字形。{point} is set in the fallback face {face}."
    return Finding(field, RenderCode.FALLBACK_FACE, message)
