"""From readings to a correction: exact where readings are, good where a ruler's are, and a sentence where they cannot be."""

from math import hypot, isfinite
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.calibration.correction import Correction
from agents.calibration.crosses import crosses_of, solved
from agents.calibration.solver import PLAIN, SKEWED, Unsolvable, solve
from agents.errors import Invalid

from .errors import PROOF, SIDES, SPREADS, an_error, readings

BOOKLET = SPREADS[1]

sides = st.sampled_from(SIDES)
offsets = st.floats(-6, 6)
percents = st.floats(-1.5, 1.5)
degrees = st.floats(-1, 1)


def enter(side, points):
    return solved(side, points, {cross: f"points.{i}" for i, cross in enumerate(points)})


def farthest(side, error, correction):
    """The largest distance between where a point of the sheet belongs and where it comes out."""
    grid = [(side.width_mm * i / 8, side.height_mm * j / 8) for i in range(9) for j in range(9)]
    return max(hypot(x - at[0], y - at[1]) for at in grid for x, y in [error(correction(at))])


@given(sides, offsets, offsets, percents, percents, degrees)
def test_what_was_measured_exactly_is_set_right_exactly(side, right, down, wider, taller, turn):
    """Offset, scales and rotation are found again, at every point of the sheet, to a thousandth of a millimetre."""
    error = an_error(side, right, down, wider, taller, turn)
    solution = enter(side, readings(side, error))

    assert solution.model == PLAIN
    assert solution.largest_residual_mm < 1e-3
    assert farthest(side, error, solution.correction) < 1e-3
    assert solution.error.scale == pytest.approx((1 + wider / 100, 1 + taller / 100), abs=1e-6)
    assert solution.error.rotation_degrees == pytest.approx(turn, abs=1e-4)


@given(sides, offsets, offsets, percents, percents, degrees, st.integers(0, 2**32))
def test_a_ruler_read_to_half_a_millimetre_is_good_enough(side, right, down, wider, taller, turn, seed):
    """Each reading up to 0.25 mm off in each direction: no field of the sheet's inside is more than 0.3 mm off."""
    error, chance = an_error(side, right, down, wider, taller, turn), Random(seed)
    solution = enter(side, readings(side, error, lambda: chance.uniform(-0.25, 0.25)))
    inside = [(x, y) for x in (25, side.width_mm / 2, side.width_mm - 25) for y in (25, side.height_mm - 25)]

    off = [abs(a - b) for at in inside for a, b in zip(error(solution.correction(at)), at, strict=True)]

    assert max(off) <= 0.3


@given(sides, offsets, offsets, percents, percents, degrees, st.floats(0.25, 0.8))
def test_a_skew_is_fitted_where_the_residuals_ask_for_it(side, right, down, wider, taller, turn, lean):
    """Five numbers cannot follow a lean of a quarter degree; the sixth can, and is used. (Less leaves 0.15 mm at most.)"""
    error = an_error(side, right, down, wider, taller, turn, lean)
    solution = enter(side, readings(side, error))

    assert solution.model == SKEWED
    assert farthest(side, error, solution.correction) < 1e-3


def test_a_skew_is_not_invented_from_a_rulers_noise():
    """Readings that are a tenth off stay with five numbers: a sixth would only follow the noise."""
    chance = Random(3)
    error = an_error(PROOF, 2, -3, 0.5, 0.2, 0.4)

    assert enter(PROOF, readings(PROOF, error, lambda: chance.uniform(-0.1, 0.1))).model == PLAIN


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=3, max_size=8))
def test_any_numbers_have_an_answer_or_a_refusal(points):
    """No reading, however wild, ends in anything but a finite solution or `Unsolvable`."""
    drawn = crosses_of(BOOKLET)
    try:
        solution = solve(drawn, dict(enumerate(points, start=1)))
    except Unsolvable:
        return

    assert all(map(isfinite, solution.error.numbers))
    assert all(map(isfinite, solution.residuals.values()))


def test_crosses_on_one_line_tell_nothing():
    drawn = crosses_of(BOOKLET)

    with pytest.raises(Unsolvable, match="line"):
        solve(drawn, {cross: drawn[cross] for cross in (1, 2, 3)})


@pytest.mark.parametrize("cross", range(1, 9))
def test_the_cross_that_was_misread_is_named(cross):
    """One reading 2 mm off among seven good ones: the sentence says which to measure again, by its place in what was sent."""
    points = readings(BOOKLET, an_error(BOOKLET, 3, -2, 0.8, -0.4, 0.5))
    points[cross] = (points[cross][0] + 2, points[cross][1])

    with pytest.raises(Invalid, match=f"measure cross {cross} again") as refused:
        enter(BOOKLET, points)

    assert (refused.value.field, refused.value.code) == (f"points.{cross - 1}", "residual")


def test_swapped_points_are_refused_and_said_to_be_swapped():
    points = readings(BOOKLET, an_error(BOOKLET, 1, 1))
    points[2], points[5] = points[5], points[2]

    with pytest.raises(Invalid, match="swapped with cross 5") as refused:
        enter(BOOKLET, points)

    assert (refused.value.field, refused.value.code) == ("points.1.x", "too-far")


def test_swapped_x_and_y_are_refused_and_said_to_be_swapped():
    points = readings(BOOKLET, an_error(BOOKLET))
    points[3] = points[3][::-1]

    with pytest.raises(Invalid, match="x and y swapped") as refused:
        enter(BOOKLET, points)

    assert refused.value.field == "points.2.x"


def test_more_than_fifteen_millimetres_off_is_no_printers_error():
    points = readings(BOOKLET, an_error(BOOKLET))
    points[4] = (points[4][0], points[4][1] + 15.1)

    with pytest.raises(Invalid) as refused:
        enter(BOOKLET, points)

    assert (refused.value.field, refused.value.code) == ("points.3.y", "too-far")


def test_too_few_crosses_are_refused():
    points = readings(BOOKLET, an_error(BOOKLET))

    with pytest.raises(Invalid) as refused:
        enter(BOOKLET, {cross: points[cross] for cross in range(1, 6)})

    assert (refused.value.field, refused.value.code) == ("points", "too-few")


@pytest.mark.parametrize(
    ("what", "error"), [("scale", {"wider": 4}), ("rotation", {"turn": 2.5}), ("skew", {"lean": 1.5})]
)
def test_what_no_printer_does_is_refused(what, error):
    """The sheet lay askew, or the paper was of another size."""
    with pytest.raises(Invalid, match=what) as refused:
        enter(BOOKLET, readings(BOOKLET, an_error(BOOKLET, **error)))

    assert (refused.value.field, refused.value.code) == ("points", "not-plausible")


@given(sides, offsets, offsets, percents, percents, degrees)
def test_a_correction_undone_and_done_moves_nothing(side, right, down, wider, taller, turn):
    error = an_error(side, right, down, wider, taller, turn)

    assert error.after(error.inverse()).moves_nothing(side)
    assert error.inverse().after(error).moves_nothing(side)
    assert Correction().moves_nothing(side)
