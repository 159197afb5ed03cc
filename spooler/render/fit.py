"""Step 2a: break a text into lines that fit a box, at the largest size that does. Values in, values out.

Lines are filled greedily, character by character. A break never leaves a closing mark at the start of a line nor an opening
one at its end (避头尾), and never cuts a Latin or digit run that a line could hold. A text that fits at no size is refused.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

NEVER_FIRST = frozenset("，。、；：？！）》〉」』】〕〗〙〛”’…—–·•・％‰℃°′″㎡㎥㎜㎝㎞～々ー,.;:?!)]}>%/")
NEVER_LAST = frozenset("（《〈「『【〔〖〘〚“‘([{<￥¥$№")
_STRIPPED = " \u00a0\u3000"
SPACES = frozenset(_STRIPPED)

# A unit number in its four groups, or a run of Latin letters and digits with the marks that join them.
_UNIT_NUMBER = r"\d{6} \d{6} [A-Z]{2}\d{5} [A-Z]\d{8}"
_RUN = r"[^\W_\u1100-\uffff\U00010000-\U0010ffff](?:[.,:/+#&@'_-]*[^\W_\u1100-\uffff\U00010000-\U0010ffff])*"
_WHOLE = re.compile(f"{_UNIT_NUMBER}|{_RUN}")
_SLACK = 1e-6

Measure = Callable[[str], float]


@dataclass(frozen=True)
class Sizes:
    """The type sizes to try, in points, and the leading as a multiple of them."""

    largest: float
    floor: float
    step: float
    leading: float

    def steps(self) -> list[float]:
        """Return the sizes from the largest down to the floor."""
        count = int((self.largest - self.floor) / self.step + _SLACK)
        steps = [self.largest - self.step * i for i in range(count + 1)]
        return steps if steps[-1] - self.floor < _SLACK else [*steps, self.floor]


@dataclass(frozen=True)
class Fitted:
    """The lines of a text at the size that fits."""

    size: float
    lines: tuple[str, ...]


class DoesNotFit(Exception):
    """Even at the floor the text needs more room. `height` is what it needs, or None where no legal break exists."""

    def __init__(self, height: float | None) -> None:
        super().__init__("the text does not fit its box")
        self.height = height


def fit(text: str, width: float, height: float, sizes: Sizes, measure: Measure) -> Fitted:
    """Return the text in lines for a box (in points), or raise DoesNotFit. `measure` gives a character's width in em."""
    paragraphs = [_Paragraph(part, measure) for part in text.split("\n")]
    needed: float | None = None
    for size in sizes.steps():
        lines = _break_all(paragraphs, width / size)
        needed = None if lines is None else len(lines) * size * sizes.leading
        if lines is not None and needed is not None and needed <= height + _SLACK:
            return Fitted(size, tuple(lines))
    raise DoesNotFit(needed)


def fit_line(text: str, width: float, sizes: Sizes, measure: Measure) -> Fitted:
    """Return the text on one line, or raise DoesNotFit."""
    ems = sum(map(measure, text))
    for size in sizes.steps():
        if ems * size <= width + _SLACK:
            return Fitted(size, (text,))
    raise DoesNotFit(None)


class _Paragraph:
    """A text without line feeds, measured once, with the places where it may be broken."""

    def __init__(self, text: str, measure: Measure) -> None:
        self.text = text
        self.offsets = [0.0, *accumulate(map(measure, text))]
        self.inside_marks = _breaks_by_marks(text)
        self.breaks = self.inside_marks - _inside_runs(text)

    def width(self, start: int, end: int) -> float:
        """Return the width in em of a line, without the spaces that hang at its end."""
        while end > start and self.text[end - 1] in SPACES:
            end -= 1
        return self.offsets[end] - self.offsets[start]


def _break_all(paragraphs: Sequence[_Paragraph], width: float) -> list[str] | None:
    lines: list[str] = []
    for paragraph in paragraphs:
        broken = _break(paragraph, width)
        if broken is None:
            return None
        lines += broken
    return lines


def _break(paragraph: _Paragraph, width: float) -> list[str] | None:
    """Return the paragraph's lines, or None where no legal break is early enough."""
    lines, start, end = [], 0, len(paragraph.text)
    while paragraph.width(start, end) > width + _SLACK:
        stop = _last_break(paragraph, start, width)
        if stop is None:
            return None
        lines.append(paragraph.text[start:stop].rstrip(_STRIPPED))
        start = stop
    return [*lines, paragraph.text[start:].rstrip(_STRIPPED)]


def _last_break(paragraph: _Paragraph, start: int, width: float) -> int | None:
    """Return the last legal break that the width allows; inside a run only if the run is longer than a line."""
    reach = bisect_right(paragraph.offsets, paragraph.offsets[start] + width + _SLACK) - 1
    while reach < len(paragraph.text) and paragraph.text[reach] in SPACES:
        reach += 1
    for breaks in (paragraph.breaks, paragraph.inside_marks):
        for stop in range(reach, start, -1):
            if stop in breaks:
                return stop
    return None


def _breaks_by_marks(text: str) -> set[int]:
    """Return the places where the marks on both sides allow a break; spaces stay with the line they end."""
    breaks = set()
    last_mark = ""
    for i in range(1, len(text)):
        if text[i - 1] not in SPACES:
            last_mark = text[i - 1]
        if text[i] in SPACES or not last_mark:
            continue
        if text[i] not in NEVER_FIRST and last_mark not in NEVER_LAST:
            breaks.add(i)
    return breaks


def _inside_runs(text: str) -> set[int]:
    return {i for run in _WHOLE.finditer(text) for i in range(run.start() + 1, run.end())}
