"""A printer that nobody measured prints no certificate: the order waits with the reason, nothing is lost, and all who look are told."""

from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from agents.calibration.kept import KeptCalibrations
from agents.errors import DoesNotFit
from agents.metrics import make_registry
from agents.settings import PrinterSection
from spooler.wire.messages import Stock
from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import PRINTERS

from .errors import PROOF, SPREADS, an_error, readings
from .measuring import body_of, calibrate


def test_an_order_waits_for_a_printer_to_be_calibrated(bare):
    """It is kept, says why, cannot be released, and what the clerk reads names printer and sides."""
    order_id = bare.arrives(bare.booklet())

    view = bare.order(order_id)
    assert (view.state, view.reasons) == ("waiting", ("printer-not-calibrated", "waiting-release"))
    assert view.next == ("return",)
    with pytest.raises(DoesNotFit, match=r"打印机未校准.*booklet-1 A, B.*not calibrated yet") as refused:
        bare.releases(order_id)
    assert refused.value.code == "printer-not-calibrated"
    assert bare.has_to_print("booklet-1") is None


def test_home_is_told_why_it_waits(bare):
    bare.arrives(bare.booklet())
    bare.hall.pipeline.look()

    assert any("printer-not-calibrated" in getattr(r, "reasons", ()) for r in bare.reports())


def test_once_its_sides_are_calibrated_it_goes_on(bare, desk):
    """A booklet without an annex needs A and B; C is asked only of one that prints it."""
    order_id = bare.arrives(bare.booklet())
    calibrate(desk, "booklet-1", "A")
    bare.hall.pipeline.look()
    assert "printer-not-calibrated" in bare.order(order_id).reasons
    calibrate(desk, "booklet-1", "B")

    bare.hall.pipeline.look()
    assert bare.order(order_id).reasons == ("waiting-release",)
    bare.releases(order_id)
    bare.prints("booklet-1")


def test_policy_releases_nothing_to_a_printer_that_is_not_calibrated(make_counter):
    counter = make_counter(is_calibrated=False, release="auto")
    order_id = counter.arrives(counter.booklet())
    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "waiting"


def test_plain_paper_needs_no_calibration(bare, desk):
    """A list on plain paper meets no frame: the proof's printer is calibrated, the plain one is not, and the list is printed."""
    calibrate(desk, "proof-1", "P")
    order_id = bare.arrives(bare.proof(lists=1))
    bare.releases(order_id)
    bare.prints("proof-1")
    bare.hall.pipeline.look()

    assert bare.prints("plain-1").released.number == 2
    answer = desk.post("/v1/printers/plain-1/calibration", act="sheet", spread="L1", paper="plain")
    assert (answer.status_code, answer.json()["code"]) == (409, "needs-none")


def test_all_who_look_are_told(bare, desk):
    """Printers over the API, the heartbeat, the metrics."""
    printers = {p["name"]: p for p in desk.get("/v1/printers").json()["printers"]}
    assert printers["booklet-1"]["calibrated"] == {"A": None, "B": None, "C": None}
    assert "not-calibrated" in printers["booklet-1"]["reasons"]
    assert (printers["plain-1"]["calibrated"], printers["plain-1"]["reasons"]) == ({}, [])
    calibrate(desk, "proof-1", "P")
    bare.hall.pipeline._heart.beat()

    standing = {p.name: p.reasons for p in bare.reports("heartbeat")[0].printers}
    assert standing == {"booklet-1": ("not-calibrated",), "proof-1": (), "plain-1": ()}
    text = generate_latest(registry_of(bare)).decode()
    for printer, stock, value in (("proof-1", "proof", "1.0"), ("booklet-1", "certificate", "0.0")):
        labels = f'hall="231282-01",printer="{printer}",stock="{stock}"'
        assert f"certspool_hall_printer_calibrated{{{labels}}} {value}" in text


def registry_of(counter):
    hall = counter.hall
    return make_registry(
        hall=hall.settings.hall.id,
        ledger=counter.ledger,
        board=hall.board,
        is_connected=lambda: True,
        clock=counter.clock,
    )


def test_a_pass_of_another_size_is_not_covered(make_counter):
    """A new template for another make of booklet: what was measured on the old one does not hold."""
    board = make_counter().hall.board

    assert board.calibrated("booklet-1", SPREADS[0]) is not None
    assert board.calibrated("booklet-1", replace(SPREADS[0], width_mm=340.0, height_mm=240.0)) is None


def test_another_device_behind_the_same_name_is_not_calibrated(make_counter):
    """hall.toml leads the queue to another printer: that one was never measured."""
    counter = make_counter()
    assert counter.hall.board.facts_of("booklet-1").calibration == {"A": 1, "B": 1, "C": 1}
    counter.printers = (
        PrinterSection(name="booklet-1", stock=Stock.CERTIFICATE, device="file:/another"),
        *PRINTERS[1:],
    )
    counter.restart()

    assert counter.hall.board.facts_of("booklet-1").calibration == {"A": None, "B": None, "C": None}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("socket://10.0.0.5:9100", "socket://10.0.0.5:9100?contimeout=60", True),
        ("ipp://p/ipp?contimeout=60", "ipp://p/ipp?contimeout=30&waitjob=false", True),
        ("ipp://p/ipp", "ipp://q/ipp", False),
        ("usb://HP/LaserJet?serial=A1", "usb://HP/LaserJet?serial=A2", False),
        ("usb://HP/LaserJet", "usb://HP/LaserJet?serial=A2", False),
    ],
)
def test_how_a_device_is_spoken_to_makes_it_no_other(make_counter, before, after, same):
    """The doctor asks for a contimeout in hall.toml: nobody has to measure again for that."""
    counter = make_counter(printers=(PrinterSection(name="proof-1", stock=Stock.PROOF, device=before),))
    counter.printers = (PrinterSection(name="proof-1", stock=Stock.PROOF, device=after),)
    counter.restart()

    assert (counter.hall.board.calibrated("proof-1", PROOF) is not None) == same


def test_what_lies_released_from_before_is_not_begun(bare, desk):
    """A hall is brought up to date with a pass in its queue: it stays there until the printer is measured."""
    calibrate(desk, "booklet-1", "A")
    calibrate(desk, "booklet-1", "B")
    order_id = bare.arrives(bare.booklet())
    bare.releases(order_id)
    bare.printers = (PrinterSection(name="booklet-1", stock=Stock.CERTIFICATE, device="file:/another"), *PRINTERS[1:])
    bare.restart()

    assert bare.has_to_print("booklet-1") is None
    assert bare.ledger.orders.queued("booklet-1")
    bare.hall.journal.ledger.orders.get(order_id)
    with bare.hall.journal.act():
        bare.hall.journal.settle_reasons(order_id)
    assert "printer-not-calibrated" in bare.order(order_id).reasons


EDGE = """
[[passes]]
name = "P"
stock = "proof"
width = 297
height = 210

[boxes]
holder = { on = "P", x = 3, y = 60, width = 75, height = 12 }
"""


def test_a_correction_that_pushes_a_field_off_the_sheet_is_refused(make_counter, tmp_path):
    """A site's own template begins 3 mm from the edge; a printer 5 mm to the right cannot reach that, and the field is named."""
    own = tmp_path / "own" / "proof" / "7"
    own.mkdir(parents=True)
    (own / "template.toml").write_text(EDGE)
    desk = Desk(make_counter(is_calibrated=False, templates=tmp_path / "own"))

    points = readings(PROOF, an_error(PROOF, right=5))
    answer = desk.post("/v1/printers/proof-1/calibration", spread="P", **body_of(points))

    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("points", "off-the-sheet")]
    assert "holder" in answer.json()["detail"]


def test_a_template_that_reaches_farther_ends_a_calibration(make_counter, tmp_path):
    """What was in force does not count once a field would fall off under it."""
    counter = make_counter(is_calibrated=False)
    calibrate(Desk(counter), "proof-1", "P", an_error(PROOF, right=5))
    assert counter.hall.board.calibrated("proof-1", PROOF) is not None
    own = tmp_path / "own" / "proof" / "7"
    own.mkdir(parents=True)
    (own / "template.toml").write_text(EDGE)
    counter.templates = tmp_path / "own"
    counter.restart()

    assert counter.hall.board.calibrated("proof-1", PROOF) is None


def test_a_lost_journal_keeps_what_was_measured(bare, desk):
    """The file beside it brings it back, with who and when."""
    calibrate(desk, "booklet-1", "B", an_error(SPREADS[1], 2, -3, 0.5, 0.2, 0.3))
    before = bare.ledger.calibrations.get("booklet-1", Stock.CERTIFICATE, "B", 1)
    bare.ledger.close()
    for file in bare.directory.glob("ledger.sqlite*"):
        file.unlink()
    bare.start()

    assert bare.ledger.calibrations.get("booklet-1", Stock.CERTIFICATE, "B", 1) == before
    assert bare.hall.board.calibrated("booklet-1", SPREADS[1]).version == 1


def test_a_lost_file_is_written_again(bare, desk):
    calibrate(desk, "proof-1", "P")
    kept = bare.directory / "calibrations.jsonl"
    before = KeptCalibrations(kept).all()
    kept.unlink()
    bare.restart()

    assert KeptCalibrations(kept).all() == before


def test_a_line_that_cannot_be_read_counts_as_not_written(bare, desk):
    """Cut short by a crash: the printer is not calibrated by it, and the hall starts."""
    calibrate(desk, "proof-1", "P")
    kept = bare.directory / "calibrations.jsonl"
    whole = KeptCalibrations(kept).all()
    with kept.open("a") as file:
        file.write('{"printer": "booklet-1", "sto')

    assert KeptCalibrations(kept).all() == whole
    calibrate(desk, "booklet-1", "A")
    assert [one.printer for one, _ in KeptCalibrations(kept).all()] == ["proof-1", "booklet-1"]
