"""One round on real parts: cupsd, its filter, `once`, a virtual printer that errs; the hall's own ledger, spool and API.

A sheet and a proof come out on plain paper under permits of their own, no blank is fed, nobody is taken for a stranger; then a real
proof is printed on that printer, and its fields lie where the template says.
"""

import json
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.doctor.rounds import by_journal
from agents.settings import PrinterSection
from agents.spool import PrinterLine, Spool, SpoolSettings
from spooler.wire.messages import Stock
from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import Clock, Counter
from tests.agents.paper.hall import a_hall, until
from tests.spooler.render import test_measured as figures
from tests.spooler.render.builders import ink_box, raster

from .errors import PROOF
from .measuring import body_of
from .paper import DPI, measured_crosses

AT = "/v1/printers/proof-1/calibration"
BLANKS = [f"23000000{n:03}" for n in range(101, 111)]
ERROR = "misplace:5.5,-4.2,1.3,-1.1,0.9"


@pytest.fixture
def paper():
    """A real disk, and folders that lp can enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="certspool-") as folder:
        os.chmod(folder, 0o711)
        with a_hall(Path(folder)) as hall:
            hall.add_printer("proof-1", BLANKS, sizes={"proof": (297.0, 210.0)})
            yield hall


@pytest.fixture
def counter(office, tmp_path, paper):
    device = paper.printers["proof-1"].device
    printers = (PrinterSection(name="proof-1", stock=Stock.PROOF, device=device),)
    counter = Counter(office, tmp_path / "hall", printers=printers, is_calibrated=False, clock=Clock(datetime.now(UTC)))
    spool = Spool(
        printers=[PrinterLine("proof-1", device)],
        book=counter.book,
        permits=paper.permits,
        settings=SpoolSettings(paper.cups.socket, paper.cups.probes, look_seconds=0.1, idle_seconds=0.5),
        told=counter.hall.board.told,
    )
    counter.hall.wakes.printer = spool.wake
    spool.start()
    yield counter
    spool.stop()


def comes_out(paper, count: int) -> Path:
    until(lambda: len(paper.sheets("proof-1")) == count, why=f"for sheet {count}")
    return paper.printers["proof-1"].sheets / f"{count:06}.pdf"


def is_done(desk, what: str) -> bool:
    newest = desk.get(AT).json()["sheets"][0]
    return (newest["what"], newest["state"]) == (what, "done")


def calibrate(desk, paper) -> bytes:
    """One round; return the proof, as it lies over the sheet."""
    asked = desk.post(AT, act="sheet", spread="P", paper="plain")
    assert asked.status_code == 200, asked.text
    sheet = comes_out(paper, 1)
    until(lambda: is_done(desk, "sheet"))
    points = measured_crosses(sheet.read_bytes(), PROOF)
    assert desk.post(AT, spread="P", **body_of(points)).json()["version"] == 1
    desk.post(AT, act="proof", spread="P", paper="plain")
    proof = comes_out(paper, 2).read_bytes()
    until(lambda: is_done(desk, "proof"))
    assert desk.post(AT, act="accept", spread="P").status_code == 200
    assert rings_are_round(proof, points)
    return proof


def rings_are_round(proof: bytes, points) -> bool:
    """The rings of the proof lie round where the crosses of the sheet lie on the paper; those in the corners stand alone."""
    return all(
        max(abs(found - at) for found, at in zip(middle_of_ink(proof, point), point, strict=True)) <= 0.15
        for point in (points[cross] for cross in (1, 3, 5, 7))
    )


def middle_of_ink(proof: bytes, point):
    corner = tuple(round((mm - 3.2) / 25.4 * DPI) * 25.4 / DPI for mm in point)
    left, top, right, bottom = ink_box(raster(proof, 1, DPI, box=(*corner, 6.4, 6.4)), DPI)
    return corner[0] + (left + right) / 2, corner[1] + (top + bottom) / 2


def test_a_printer_that_errs_is_set_right_through_cups(counter, paper, renderer):
    """±mm, per cent and degrees at once: sheet, ruler, proof over it, and the paper after it within 0.3 mm."""
    desk, printer = Desk(counter), paper.printers["proof-1"]
    printer.set_fault(ERROR)
    assert desk.post("/v1/printers/proof-1/pause").status_code == 200
    calibrate(desk, paper)

    notes = paper.sheets("proof-1")
    assert [note["serial"] for note in notes] == [None] * 2
    assert all(note["title"].split("/")[1:] == ["0", "0", "1"] and note["complete"] for note in notes)
    assert printer.tray()["blanks"] == BLANKS
    assert counter.ledger.past.unknown_tries(paper.permits.tries()) == []
    ours = by_journal(lambda uuid: (counter.ledger.calibration_prints.get_try(uuid) is not None, None))
    assert [ours(job).is_ours for job in paper.connection.ended_jobs(0)] == [True] * 2
    permits = [json.loads((paper.permits.path / "issued" / str(one)).read_bytes()) for one in paper.permits.tries()]
    assert [(permit["pages"], permit["attempt"]) for permit in permits] == [(1, 0)] * 2

    assert desk.post("/v1/printers/proof-1/resume").status_code == 200
    found = figures.measured(Printed(counter, paper, renderer), "proof", 8)
    assert [(one.field, round(one.deviation, 3)) for one in found if one.deviation > 0.3] == []
    assert [note["serial"] for note in paper.sheets("proof-1")[2:]] == [BLANKS[0]]


class Printed:
    """A renderer whose document is what came out of the printer, printed as a clerk has it printed."""

    def __init__(self, counter, paper, renderer) -> None:
        self._counter, self._paper, self._renderer = counter, paper, renderer

    def print_document(self, content):
        rendered = self._renderer.print_document(content)
        counter, before = self._counter, len(self._paper.sheets("proof-1"))
        order = counter.booklet(kind="proof", template="proof/1", pdf=rendered.pdf, passes=rendered.passes)
        counter.releases(counter.arrives(order))
        return replace(rendered, pdf=comes_out(self._paper, before + 1).read_bytes())
