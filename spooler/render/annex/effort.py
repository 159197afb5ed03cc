"""Step 2c: how much is there to do for whoever draws a PDF page? Three kilobytes of forms within forms can ask for 10^12 rectangles.

Nothing is drawn here. Each form, pattern, soft mask and letter of a Type 3 font is read once, and counts as often as it is drawn, in
bytes of content. What leads back to itself has no end and is refused.
"""

from typing import Any

import pikepdf

from spooler.render.annex.values import BadAnnex
from spooler.render.codes import RenderCode

# As much as printers work through in some ten seconds; a county's whole sheet of contours has five.
MOST_BYTES = 64 << 20
DEEPEST = 30
_PIXELS_A_BYTE = 8  # a picture is drawn so much sooner than lines are
_SHOWS = frozenset({"Tj", "TJ", "'", '"'})
_DRAWS = {"/XObject": "Do", "/Pattern": "scn SCN", "/ExtGState": "gs Tf Tj TJ ' \""}
_WRITES = "Tf Tj TJ ' \""
_DEEPEST_ARRAYS = 400
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]<>"))
_INLINE = "BI ID EI"
_Key = tuple[tuple[int, int], ...]


def check_effort(form: pikepdf.Object) -> None:
    """Return if drawing the form comes to an end soon, or raise BadAnnex."""
    _Drawn().cost(form, pikepdf.Dictionary(), ())


class _Drawn:
    """What drawing each part costs, found out once."""

    def __init__(self) -> None:
        self._known: dict[_Key, int] = {}
        self._open: set[_Key] = set()

    def cost(self, content: pikepdf.Object, outer: pikepdf.Object, outer_key: _Key) -> int:
        """Return the bytes worked through where this is drawn once; without resources of its own it uses those outside."""
        inherits = "/Resources" not in content
        key = (content.objgen, *outer_key) if inherits else (content.objgen,)
        if key in self._known:
            return self._known[key]
        if content.objgen in {each[0] for each in self._open} or len(self._open) >= DEEPEST:
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, _ENDLESS)
        self._open.add(key)
        resources = outer if inherits else content.Resources
        self._known[key] = self._sum(content, resources, key[-1:])
        self._open.discard(key)
        return self._known[key]

    def _sum(self, content: pikepdf.Object, resources: pikepdf.Object, key: _Key) -> int:
        parts = _Parts(self, resources, key)
        written = content.read_bytes()
        total = _within(len(written))
        _refuse_deep(written)
        operators = parts.operators() + (_INLINE if b"ID" in written else "")
        if operators.strip():
            for instruction in pikepdf.parse_content_stream(content, operators):
                total = _within(total + parts.cost_of(instruction))
        return total


class _Parts:
    """What one content draws by name. Only what it does draw is followed: a form may stand among its own resources."""

    def __init__(self, drawn: _Drawn, resources: pikepdf.Object, key: _Key) -> None:
        self._drawn, self._resources, self._key = drawn, resources, key
        self._letter = 0

    def operators(self) -> str:
        """Return those that may draw something by name here; where none does, content need not be read."""
        words = [word for kind, word in _DRAWS.items() if kind in self._resources]
        if any(
            font.get("/Subtype") == "/Type3" for font in self._resources.get("/Font", pikepdf.Dictionary()).values()
        ):
            words.append(_WRITES)
        return " ".join(words) + " "

    def cost_of(self, instruction: Any) -> int:
        operator, operands = str(instruction.operator), instruction.operands
        if operator == "INLINE IMAGE":
            return _pixels(instruction.iimage.width, instruction.iimage.height)
        if operator in _SHOWS:
            return self._letter * _letters(operands[-1])
        if operator == "Tf":
            self._letter = self._dearest_letter(self._named("/Font", operands[0]))
            return 0
        if operator == "gs":
            return self._state(self._named("/ExtGState", operands[0]))
        return self._once(
            self._named("/XObject" if operator == "Do" else "/Pattern", operands[-1] if operands else None)
        )

    def _named(self, kind: str, name: Any) -> Any:
        return (
            self._resources.get(kind, pikepdf.Dictionary()).get(str(name)) if isinstance(name, pikepdf.Name) else None
        )

    def _once(self, part: Any) -> int:
        """Return what a picture, form or pattern of tiles costs; a pattern of shades costs nothing worth counting."""
        if not isinstance(part, pikepdf.Stream):
            return 0
        if part.get("/Subtype") == "/Image":
            return _pixels(part.get("/Width", 0), part.get("/Height", 0))
        return self._drawn.cost(part, self._resources, self._key)

    def _state(self, state: Any) -> int:
        if not isinstance(state, pikepdf.Dictionary):
            return 0
        if "/Font" in state:
            self._letter = self._dearest_letter(state.Font[0])
        mask = state.get("/SMask")
        return self._once(mask.get("/G")) if isinstance(mask, pikepdf.Dictionary) else 0

    def _dearest_letter(self, font: Any) -> int:
        """Return what the dearest letter of a font costs that is drawn by content: Type 3."""
        if not isinstance(font, pikepdf.Dictionary) or font.get("/Subtype") != "/Type3":
            return 0
        own = font.get("/Resources", self._resources)
        letters = (
            each for each in font.get("/CharProcs", pikepdf.Dictionary()).values() if isinstance(each, pikepdf.Stream)
        )
        return max((self._drawn.cost(each, own, (font.objgen, *self._key[-1:])) for each in letters), default=0)


def _pixels(width: Any, height: Any) -> int:
    return int(width) * int(height) // _PIXELS_A_BYTE


def _refuse_deep(written: bytes) -> None:
    """Arrays in arrays are taken off from within, a level at a time; a printer that follows them runs out of stack."""
    brackets = written.translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST_ARRAYS):
        less = brackets.replace(b"[]", b"").replace(b"<>", b"")
        if len(less) == len(brackets):
            return
        brackets = less
    raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, _ENDLESS)


def _letters(shown: Any) -> int:
    parts = shown if isinstance(shown, pikepdf.Array) else [shown]
    return sum(len(bytes(part)) for part in parts if isinstance(part, pikepdf.String))


def _within(total: int) -> int:
    if total > MOST_BYTES:
        raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, _TOO_MUCH)
    return total


_ENDLESS = "PDF 的内容互相嵌套没有尽头。What the PDF draws leads back to itself, or is nested too deep."
_TOO_MUCH = "PDF 要绘制的内容过多。There is too much to draw in the PDF."
