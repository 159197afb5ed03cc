"""The few letters that a hall has: all that it writes is among them, and they are the home's own."""

import pytest

from agents import lettering
from agents.calibration.sheet import draw_proof, draw_sheet, words
from agents.preview import WATERMARK
from agents.templates import Templates
from spooler.render.outlines import outline
from spooler.sandbox.lettering import draw
from spooler.wire.messages import Stock

from .errors import SIDES, an_error, readings


def test_the_data_is_what_would_be_drawn_now():
    """A word changed without `python -m spooler.sandbox.lettering` is noticed here."""
    assert draw() == (lettering.files("agents") / "lettering.json").read_text("utf-8")


def test_the_mark_is_drawn_as_home_draws_it():
    assert [lettering.outline(c) for c in WATERMARK] == [outline(c) for c in WATERMARK]


def test_every_character_leaves_ink_but_the_space():
    assert [c for c in sorted(set(words())) if not lettering.outline(c)] == [" "]


def test_what_is_not_lettered_is_refused():
    with pytest.raises(lettering.NotLettered, match=r"sandbox\.lettering"):
        lettering.width("龘", 3)


@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.spread)
@pytest.mark.parametrize("stock", [Stock.CERTIFICATE, Stock.PROOF])
def test_any_sheet_and_proof_can_be_drawn(side, stock):
    fields = Templates().fields(stock, side)
    points = readings(side, an_error(side, 6, 6, 1.5, 1.5, 1))

    assert draw_sheet(side, stock, "Printer_9.x", "8c1f03d2").startswith(b"%PDF")
    assert draw_proof(side, stock, "Printer_9.x", 12, points, fields, "8c1f03d2").startswith(b"%PDF")
