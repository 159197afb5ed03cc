"""Step 2c: how small is the smallest lettering of a PDF page? Measured from its content: font size under all matrices.

What is measured is the em, as cartographers give the size of lettering. Text that is not shown (mode 3, white space alone) does not
count; letters drawn as outlines or kept as pixels cannot be known. Where the content is too much to follow, nothing is said.
"""

from dataclasses import dataclass, field, replace
from math import hypot, inf
from typing import Any

import pikepdf

Matrix = tuple[float, float, float, float, float, float]

MM = 72 / 25.4
MOST_INSTRUCTIONS = 100_000
DEEPEST = 8
_OPERATORS = "q Q cm BT ET Tf Tm Tr Tz Tj TJ ' \" Do"
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_SHOWS = frozenset({"Tj", "TJ", "'", '"'})
_UNSEEN = 3


@dataclass(frozen=True)
class _State:
    """What a text's size depends on."""

    matrix: Matrix
    size: float = 0.0
    mode: int = 0


@dataclass
class _Look:
    """One walk through a page and its forms."""

    left: int = MOST_INSTRUCTIONS
    smallest: float = inf
    seen: set[tuple[Any, ...]] = field(default_factory=set)


class _TooMuch(Exception):
    pass


def smallest_lettering(form: pikepdf.Object) -> float | None:
    """Return the smallest em of a page's form in mm of its own matrix, or None where there is no text or it cannot be told."""
    look = _Look()
    try:
        _walk(form, _State(_matrix(form.get("/Matrix"))), look, 0)
    except (_TooMuch, pikepdf.PdfError, TypeError, ValueError):
        return None
    return look.smallest / MM if 0 < look.smallest < inf else None


def _walk(form: pikepdf.Object, state: _State, look: _Look, depth: int) -> None:
    stack: list[_State] = []
    text = _IDENTITY
    told: tuple[_State, Matrix] | None = None
    for instruction in pikepdf.parse_content_stream(form, _OPERATORS):
        look.left -= 1
        if look.left < 0:
            raise _TooMuch
        operands, operator = instruction.operands, str(instruction.operator)
        if operator == "q":
            stack.append(state)
        elif operator == "Q":
            state = stack.pop() if stack else state
        elif operator == "BT":
            text = _IDENTITY
        elif operator == "Tm":
            text = _matrix(operands)
        elif operator in _SHOWS:
            if told != (state, text) and _has_ink(operands[-1]):
                told = (state, text)
                _see(state, text, look)
        elif operator == "Do":
            _enter(form, str(operands[0]), state, look, depth)
        else:
            state = _changed(state, operator, operands)


def _changed(state: _State, operator: str, operands: Any) -> _State:
    if operator == "cm":
        return replace(state, matrix=_times(_matrix(operands), state.matrix))
    if operator == "Tf":
        return replace(state, size=abs(float(operands[1])))
    if operator == "Tr":
        return replace(state, mode=int(operands[0]))
    return state


def _see(state: _State, text: Matrix, look: _Look) -> None:
    if state.mode == _UNSEEN:
        return
    _, _, c, d, _, _ = _times(text, state.matrix)
    size = state.size * hypot(c, d)  # upright of the letters, whatever way the line runs
    if size > 0:
        look.smallest = min(look.smallest, size)


def _has_ink(shown: Any) -> bool:
    """Say whether a string has anything but spaces, as far as its bytes tell."""
    parts = shown if isinstance(shown, pikepdf.Array) else [shown]
    return any(bytes(part).strip(b" \0") for part in parts if isinstance(part, pikepdf.String))


def _enter(form: pikepdf.Object, name: str, state: _State, look: _Look, depth: int) -> None:
    """Follow a form at each scale once."""
    inner = form.get("/Resources", pikepdf.Dictionary()).get("/XObject", pikepdf.Dictionary()).get(name)
    if inner is None or inner.get("/Subtype") != "/Form":
        return
    matrix = _times(_matrix(inner.get("/Matrix")), state.matrix)
    key = (inner.objgen, *(round(value, 3) for value in matrix[:4]), state.size)
    if key in look.seen:
        return
    if depth >= DEEPEST:
        raise _TooMuch
    look.seen.add(key)
    _walk(inner, replace(state, matrix=matrix), look, depth + 1)


def _matrix(values: Any) -> Matrix:
    if values is None:
        return _IDENTITY
    a, b, c, d, e, f = (float(value) for value in values)
    return a, b, c, d, e, f


def _times(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
