"""Step 2a: break a text into lines that fit a box, at the largest size that does. Values in, values out.

Lines are filled greedily, character by character. A break never leaves a closing mark at the start of a line nor an opening
one at its end (避头尾), and never cuts a Latin or digit run that a line could hold; a unit number that is longer than a line
is cut between its groups. A text that fits at no size is refused.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

_STRIPPED = " \u3000"
# Where a line may be broken and the space be left out at its end; a no-break space is neither.
SPACES = frozenset(_STRIPPED)
NO_BREAK_SPACE = "\u00a0"

# A unit number in its four groups (GB/T 37346), or a run of letters and digits, also full-width ones, with the marks that join them.
_LETTER = r"(?:[^\W_\u1100-\uffff\U00010000-\U0010ffff]|[０-９Ａ-Ｚａ-ｚ])"
_UNIT_NUMBER = rf"(?<!{_LETTER})\d{{6}} \d{{6}} [A-Z]{{2}}\d{{5}} [A-Z]\d{{8}}(?!{_LETTER})"
_RUN = rf"{_LETTER}(?:[.,:/+#&@'_-]*{_LETTER})*"
_WHOLE = re.compile(f"(?P<unit>{_UNIT_NUMBER})|{_RUN}")
_SLACK = 1e-6

Measure = Callable[[str], float]


@dataclass(frozen=True)
class Marks:
    """The line rules: what may not begin a line, and what may not end one."""

    never_first: frozenset[str]
    never_last: frozenset[str]


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


Suits = Callable[[Fitted], bool]


class DoesNotFit(Exception):
    """Even at the floor the text needs more room. `height` is what it needs, or None where height is not what is missing."""

    def __init__(self, height: float | None) -> None:
        super().__init__("the text does not fit its box")
        self.height = height


def fit(
    text: str,
    width: float,
    height: float,
    sizes: Sizes,
    measure: Measure,
    marks: Marks,
    suits: Suits = lambda fitted: True,
) -> Fitted:
    """Return the text in lines for a box (in points), or raise DoesNotFit.

    `measure` gives a character's advance in em; `suits` has the last word on a size, as it alone knows the ink.
    """
    paragraphs = [_Paragraph(part, measure, marks) for part in text.split("\n")]
    needed: float | None = None
    for size in sizes.steps():
        lines = _break_all(paragraphs, width / size)
        needed = None if lines is None else len(lines) * size * sizes.leading
        if lines is None or needed is None or needed > height + _SLACK:
            continue
        fitted = Fitted(size, tuple(lines))
        if suits(fitted):
            return fitted
    raise DoesNotFit(needed if needed is None or needed > height + _SLACK else None)


def fit_line(text: str, width: float, sizes: Sizes, measure: Measure, suits: Suits = lambda fitted: True) -> Fitted:
    """Return the text on one line, or raise DoesNotFit."""
    ems = sum(map(measure, text))
    for size in sizes.steps():
        fitted = Fitted(size, (text,))
        if ems * size <= width + _SLACK and suits(fitted):
            return fitted
    raise DoesNotFit(None)


class _Paragraph:
    """A text without line feeds, measured once, with the places where it may be broken."""

    def __init__(self, text: str, measure: Measure, marks: Marks) -> None:
        self.text = text
        self.offsets = [0.0, *accumulate(map(measure, text))]
        self.wholes = [_Whole(run.start(), run.end(), run["unit"] is not None) for run in _WHOLE.finditer(text)]
        self._allowed = _breaks_by_marks(text, marks)
        inside = (i for whole in self.wholes for i in range(whole.start + 1, whole.end))
        self._outside = self._allowed.difference(inside)

    def width(self, start: int, end: int) -> float:
        """Return the width in em of a line, without the spaces that hang at its end."""
        while end > start and self.text[end - 1] in SPACES:
            end -= 1
        return self.offsets[end] - self.offsets[start]

    def breaks(self, width: float) -> tuple[frozenset[int], frozenset[int]]:
        """Return where lines of this width may be broken, the better places first: inside a run only if no line could hold it."""
        too_long = (whole for whole in self.wholes if self.width(whole.start, whole.end) > width + _SLACK)
        return self._outside, frozenset(i for whole in too_long for i in self._inside(whole))

    def _inside(self, whole: "_Whole") -> Iterable[int]:
        places = self._allowed.intersection(range(whole.start + 1, whole.end))
        return (i for i in places if self.text[i - 1] in SPACES) if whole.is_grouped else places


@dataclass(frozen=True)
class _Whole:
    """What should stand on one line; a grouped one is cut between its groups only."""

    start: int
    end: int
    is_grouped: bool


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
    breaks = paragraph.breaks(width)
    lines, start, end = [], 0, len(paragraph.text)
    while paragraph.width(start, end) > width + _SLACK:
        reach = _reach(paragraph, start, width)
        stop = next((stop for places in breaks for stop in range(reach, start, -1) if stop in places), None)
        if stop is None:
            return None
        lines.append(paragraph.text[start:stop].rstrip(_STRIPPED))
        start = stop
    return [*lines, paragraph.text[start:].rstrip(_STRIPPED)]


def _reach(paragraph: _Paragraph, start: int, width: float) -> int:
    """Return how far a line of this width goes, with the spaces that may hang at its end."""
    reach = bisect_right(paragraph.offsets, paragraph.offsets[start] + width + _SLACK) - 1
    while reach < len(paragraph.text) and paragraph.text[reach] in SPACES:
        reach += 1
    return reach


def _breaks_by_marks(text: str, marks: Marks) -> frozenset[int]:
    """Return the places where the marks on both sides allow a break; spaces stay with the line they end."""
    breaks = set()
    last_mark = ""
    for i in range(1, len(text)):
        if text[i - 1] not in SPACES:
            last_mark = text[i - 1]
        if text[i] in SPACES or not last_mark or NO_BREAK_SPACE in (last_mark, text[i]):
            continue
        if text[i] not in marks.never_first and last_mark not in marks.never_last:
            breaks.add(i)
    return frozenset(breaks)
