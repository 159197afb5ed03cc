"""From measured points to the correction: least squares, in plain arithmetic. No input or output.

A printer puts what stands at n on the page to m = M·n + t on the paper. Fitted first is what printers do, offset, a scale in each
direction and a rotation (five numbers); the skew, a sixth, only where the measured residuals ask for it. The correction is the inverse:
what is moved by it before it is printed comes out where it belongs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan2, cos, hypot, sin
from typing import Literal

from agents.calibration.correction import Correction, Point

Model = Literal["offset, scale, rotation", "offset, scale, rotation, skew"]
PLAIN: Model = "offset, scale, rotation"
SKEWED: Model = "offset, scale, rotation, skew"

SKEW_ASKED_MM = 0.15  # a largest residual up to this is a ruler's, not a skew's
SKEW_HELPS = 0.5  # and the skew has to bring it down to this part
TURNS = 60  # of the fit without skew; it stands still after a few
FLAT = 1e-3  # crosses that lie so nearly on one line tell nothing across it


class Unsolvable(ValueError):
    """These crosses do not tell a correction: too few, or on one line."""


@dataclass(frozen=True)
class Solution:
    """How the printer errs, and what sets it right. `residuals` in mm, by cross."""

    model: Model
    error: Correction  # from the page to the paper
    residuals: Mapping[int, float]

    @property
    def correction(self) -> Correction:
        return self.error.inverse()

    @property
    def largest_residual_mm(self) -> float:
        return max(self.residuals.values())


def solve(drawn: Mapping[int, Point], measured: Mapping[int, Point]) -> Solution:
    """Return how the printer errs, by the crosses that were measured; Unsolvable where they do not tell."""
    crosses = [cross for cross in sorted(measured) if cross in drawn]
    if len(crosses) < 3:
        raise Unsolvable("at least three crosses are needed")
    page, paper = [drawn[c] for c in crosses], [measured[c] for c in crosses]
    plain = _solution(PLAIN, crosses, page, paper, _fit_plain(page, paper))
    if plain.largest_residual_mm <= SKEW_ASKED_MM or len(crosses) < 4:
        return plain
    skewed = _solution(SKEWED, crosses, page, paper, _fit_skewed(page, paper))
    return skewed if skewed.largest_residual_mm <= SKEW_HELPS * plain.largest_residual_mm else plain


def odd_one(drawn: Mapping[int, Point], measured: Mapping[int, Point]) -> int:
    """Return the cross that agrees least with the others: left out, it leaves the smallest residual."""

    def without(cross: int) -> float:
        return solve(drawn, {c: p for c, p in measured.items() if c != cross}).largest_residual_mm

    return min(sorted(measured), key=without)


def _solution(
    model: Model, crosses: Sequence[int], page: Sequence[Point], paper: Sequence[Point], error: Correction
) -> Solution:
    fitted = [error(p) for p in page]
    residuals = {cross: hypot(m[0] - x, m[1] - y) for cross, m, (x, y) in zip(crosses, paper, fitted, strict=True)}
    return Solution(model, error, residuals)


def _fit_skewed(page: Sequence[Point], paper: Sequence[Point]) -> Correction:
    """All six numbers: M = Σ m nᵀ · (Σ n nᵀ)⁻¹, about the middles, where the arithmetic is well conditioned."""
    from_page, from_paper, n, m = _about_middles(page, paper)
    xx, yy, xy = _sum(n, n, 0, 0), _sum(n, n, 1, 1), _sum(n, n, 0, 1)
    determinant = xx * yy - xy * xy
    a = (_sum(m, n, 0, 0) * yy - _sum(m, n, 0, 1) * xy) / determinant
    c = (_sum(m, n, 0, 1) * xx - _sum(m, n, 0, 0) * xy) / determinant
    b = (_sum(m, n, 1, 0) * yy - _sum(m, n, 1, 1) * xy) / determinant
    d = (_sum(m, n, 1, 1) * xx - _sum(m, n, 1, 0) * xy) / determinant
    return _between(from_page, from_paper, a, b, c, d)


def _fit_plain(page: Sequence[Point], paper: Sequence[Point]) -> Correction:
    """A scale in each direction, then a rotation: the best scales for an angle and the best angle for scales, in turn."""
    from_page, from_paper, n, m = _about_middles(page, paper)
    wide, tall = 1.0, 1.0
    for _ in range(TURNS):
        angle = atan2(
            wide * _sum(m, n, 1, 0) - tall * _sum(m, n, 0, 1), wide * _sum(m, n, 0, 0) + tall * _sum(m, n, 1, 1)
        )
        wide = (cos(angle) * _sum(m, n, 0, 0) + sin(angle) * _sum(m, n, 1, 0)) / _sum(n, n, 0, 0)
        tall = (cos(angle) * _sum(m, n, 1, 1) - sin(angle) * _sum(m, n, 0, 1)) / _sum(n, n, 1, 1)
    return _between(from_page, from_paper, wide * cos(angle), wide * sin(angle), -tall * sin(angle), tall * cos(angle))


def _about_middles(
    page: Sequence[Point], paper: Sequence[Point]
) -> tuple[Point, Point, Sequence[Point], Sequence[Point]]:
    """Return both middles, and the points as seen from them; Unsolvable when the page's lie on a line."""
    from_page, from_paper = _middle(page), _middle(paper)
    n = [(x - from_page[0], y - from_page[1]) for x, y in page]
    m = [(x - from_paper[0], y - from_paper[1]) for x, y in paper]
    spread = _sum(n, n, 0, 0) + _sum(n, n, 1, 1)
    determinant = _sum(n, n, 0, 0) * _sum(n, n, 1, 1) - _sum(n, n, 0, 1) ** 2
    if determinant <= FLAT * spread * spread:
        raise Unsolvable("the crosses lie on one line")
    return from_page, from_paper, n, m


def _between(from_page: Point, from_paper: Point, a: float, b: float, c: float, d: float) -> Correction:
    turned = Correction(a, b, c, d)(from_page)
    return Correction(a, b, c, d, from_paper[0] - turned[0], from_paper[1] - turned[1])


def _middle(points: Sequence[Point]) -> Point:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _sum(ones: Sequence[Point], others: Sequence[Point], i: int, j: int) -> float:
    return sum(one[i] * other[j] for one, other in zip(ones, others, strict=True))
