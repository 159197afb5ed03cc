"""Where the crosses of a calibration sheet stand, and what is refused of what was measured on them. No input or output.

1 ── 2 ── 3      eight, clockwise from the top left corner, INSET_MM from the edges: a printer that is 6 mm, 1.5 % and 1° off
8         4      still prints each of them whole
7 ── 6 ── 5
"""

from collections.abc import Mapping
from math import hypot

from agents.calibration.correction import Point, Side
from agents.calibration.solver import Solution, Unsolvable, odd_one, solve
from agents.errors import Invalid

INSET_MM = 20.0
FEWEST = 6
FARTHEST_MM = 15.0  # beyond it the reading is wrong, or the paper lay askew
LARGEST_RESIDUAL_MM = 0.5  # a reading to half a millimetre is up to 0.35 mm off
LARGEST_SCALE_ERROR = 0.03
LARGEST_ROTATION_DEGREES = 2.0
LARGEST_SKEW_DEGREES = 1.0


def crosses_of(side: Side) -> dict[int, Point]:
    """Return where each cross is drawn."""
    left, middle, right = INSET_MM, side.width_mm / 2, side.width_mm - INSET_MM
    top, half, bottom = INSET_MM, side.height_mm / 2, side.height_mm - INSET_MM
    around = ((left, top), (middle, top), (right, top), (right, half))
    back = ((right, bottom), (middle, bottom), (left, bottom), (left, half))
    return dict(enumerate(around + back, start=1))


def solved(side: Side, measured: Mapping[int, Point], fields: Mapping[int, str]) -> Solution:
    """Return how the printer errs, or raise Invalid naming what to measure again. `fields` names each cross as the caller wrote it."""
    drawn = crosses_of(side)
    for cross, point in measured.items():
        _check_reading(cross, point, drawn, fields[cross])
    if len(measured) < FEWEST:
        raise Invalid(
            "points", "too-few", f"至少量 {FEWEST} 个十字 · measure at least {FEWEST} of the {len(drawn)} crosses"
        )
    try:
        solution = solve(drawn, measured)
    except Unsolvable as e:
        raise Invalid("points", "on-one-line", f"所量十字几乎在一条线上 · {e}") from e
    _check_agreement(solution, drawn, measured, fields)
    _check_plausible(solution)
    return solution


def _check_reading(cross: int, point: Point, drawn: Mapping[int, Point], field: str) -> None:
    if cross not in drawn:
        raise Invalid(f"{field}.cross", "not-a-choice", f"没有第 {cross} 号十字 · there is no cross {cross}")
    for name, found, expected in zip("xy", point, drawn[cross], strict=True):
        if abs(found - expected) > FARTHEST_MM:
            raise Invalid(
                f"{field}.{name}",
                "too-far",
                f"第 {cross} 号十字的 {name} 应在 {expected:g} mm 附近，量得 {found:g}{_swapped(cross, point, drawn)[0]} · "
                f"{name} of cross {cross} is near {expected:g} mm, not {found:g}{_swapped(cross, point, drawn)[1]}",
            )


def _swapped(cross: int, point: Point, drawn: Mapping[int, Point]) -> tuple[str, str]:
    """Say what was probably meant, where that is plain."""
    if all(abs(a - b) <= FARTHEST_MM for a, b in zip(point[::-1], drawn[cross], strict=True)):
        return "（x 与 y 写反了？）", " (x and y swapped?)"
    for other, place in drawn.items():
        if other != cross and all(abs(a - b) <= FARTHEST_MM for a, b in zip(point, place, strict=True)):
            return f"（与第 {other} 号写反了？）", f" (swapped with cross {other}?)"
    return "", ""


def _check_agreement(
    solution: Solution, drawn: Mapping[int, Point], measured: Mapping[int, Point], fields: Mapping[int, str]
) -> None:
    if solution.largest_residual_mm <= LARGEST_RESIDUAL_MM:
        return
    odd = odd_one(drawn, measured)
    off = hypot(*_off(odd, drawn, measured))
    raise Invalid(
        fields[odd],
        "residual",
        f"请重新量第 {odd} 号十字：与其余十字相差 {off:.1f} mm · "
        f"measure cross {odd} again: it is {off:.1f} mm from where the others say",
    )


def _off(cross: int, drawn: Mapping[int, Point], measured: Mapping[int, Point]) -> Point:
    x, y = solve(drawn, {c: p for c, p in measured.items() if c != cross}).error(drawn[cross])
    return measured[cross][0] - x, measured[cross][1] - y


def _check_plausible(solution: Solution) -> None:
    wide, tall = solution.error.scale
    limits = {
        "缩放 scale": max(abs(wide - 1), abs(tall - 1)) / LARGEST_SCALE_ERROR,
        "旋转 rotation": abs(solution.error.rotation_degrees) / LARGEST_ROTATION_DEGREES,
        "歪斜 skew": abs(solution.error.skew_degrees) / LARGEST_SKEW_DEGREES,
    }
    for what, part in limits.items():
        if part > 1:
            raise Invalid(
                "points",
                "not-plausible",
                f"{what} 过大，纸可能放歪了，请重新打印校准页 · {what.split()[1]} beyond what a printer does: "
                "the sheet may have lain askew, print it again",
            )
