"""The figure of calibration: a printer ±6 mm, ±1.5 % and ±1° off prints every field within 0.3 mm of the template after one round.

One round is what a clerk does: the sheet is printed as the printer prints, its crosses are measured on the paper, entered, solved,
accepted. Then every field of every spread is printed and measured at 600 dpi by the measure of tests/spooler/render/test_measured.py.
"""

from random import Random

import pytest

from agents.calibration.sheet import draw_sheet
from spooler.sandbox.virtual_printer import Misplacement
from spooler.wire.messages import Stock
from tests.agents.api.conftest import Desk
from tests.spooler.render import test_measured as figures

from .errors import PROOF, SPREADS
from .measuring import body_of
from .paper import Hall, Printer, measured_crosses

TOLERANCE_MM = 0.3
SIDES = {"certificate": SPREADS, "proof": [PROOF]}
QUEUES = {"certificate": "booklet-1", "proof": "proof-1"}


def an_odd_printer(chance: Random) -> Misplacement:
    """Every part of its error at its worst, either way, or anything between."""

    def up_to(most: float) -> float:
        return chance.choice((-most, most, chance.uniform(-most, most)))

    return Misplacement(up_to(6), up_to(6), up_to(1.5), up_to(1.5), up_to(1))


def one_round(desk: Desk, kind: str, printer: Printer, read=lambda mm: mm) -> Printer:
    """Print the sheet, measure it, enter, accept; return the printer as it prints from then on."""
    stock, name, spread = Stock(kind), QUEUES[kind], printer.side.spread
    sheet = printer.prints(draw_sheet(printer.side, stock, name, "test"))
    points = measured_crosses(sheet, printer.side, read)
    entered = desk.post(f"/v1/printers/{name}/calibration", spread=spread, **body_of(points))
    assert entered.status_code == 200, entered.text
    accept = {"act": "accept", "spread": spread, "version": entered.json()["version"], "reason": "measured by the test"}
    assert desk.post(f"/v1/printers/{name}/calibration", **accept).status_code == 200
    calibrated = desk.counter.hall.board.calibrated(name, printer.side)
    return Printer(printer.side, printer.errs, calibrated.correction)


def fields_of(hall: Hall, kind: str):
    """Every field of a kind, measured as it lies on the paper."""
    found = figures.measured(hall, kind, 8)
    found += [figures.the_seal(hall, kind), figures.the_qr_code(hall, kind)]
    return found + ([figures.the_annex(hall)] if kind == "certificate" else [])


def calibrated_hall(renderer, desk, kind, seed, read=lambda mm: mm) -> Hall:
    """Each spread errs in a way of its own."""
    chance = Random(f"{kind} {seed}")
    odd = [Printer(side, an_odd_printer(chance)) for side in SIDES[kind]]
    return Hall(renderer, {one.side.spread: one_round(desk, kind, one, read) for one in odd})


def too_far(found, tolerance=TOLERANCE_MM):
    return [(one.field, round(one.deviation, 3)) for one in found if one.deviation > tolerance]


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_after_one_round_every_field_is_in_its_place(renderer, desk, kind):
    hall = calibrated_hall(renderer, desk, kind, 1)

    assert too_far(fields_of(hall, kind)) == []


def test_without_calibration_nothing_is(renderer):
    """The error is there, and the measure sees it."""
    errs = Misplacement(6, -6, 1.5, -1.5, 1)
    hall = Hall(renderer, {PROOF.spread: Printer(PROOF, errs)})

    assert min(one.deviation for one in [figures.the_seal(hall, "proof"), figures.the_qr_code(hall, "proof")]) > 2


def by_a_ruler(mm: float) -> float:
    return round(mm * 5) / 5


@pytest.mark.bench
@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_many_printers_that_err(renderer, desk, kind, seed, capsys):
    found = fields_of(calibrated_hall(renderer, desk, kind, seed), kind)

    figures.tell(capsys, f"{kind}, printer {seed}, after one round", found)
    assert too_far(found) == []


@pytest.mark.bench
@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_with_a_ruler_read_to_a_fifth_of_a_millimetre(renderer, desk, kind, capsys):
    found = fields_of(calibrated_hall(renderer, desk, kind, 1, by_a_ruler), kind)

    figures.tell(capsys, f"{kind}, a ruler read to 0.2 mm", found)
    assert too_far(found) == []
