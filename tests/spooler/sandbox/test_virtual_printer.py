"""The virtual printer: what it marks, on which blank, how it misbehaves. The ground truth of other tests is tested alone."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from spooler.sandbox import virtual_printer
from spooler.sandbox.virtual_printer import Printer, take_blank

ORDER = "6f0e5a52-4a0e-4a36-8a06-2a3a2a0b4a11"


def a_document(pages: int = 1) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    for number in range(pages):
        writer.add_blank_page(600 + number, 400)
    writer.write(out)
    return out.getvalue()


@pytest.fixture
def printer(tmp_path) -> Printer:
    printer = Printer(tmp_path / "booklet-1")
    printer.create(["A", "B", "C", "D"])
    return printer


def send(printer: Printer, title: str, document: bytes = b"") -> int:
    """Run it as cupsd would."""
    return subprocess.run(
        command(title), input=document or a_document(), env=environment(printer), timeout=60
    ).returncode


def command(title: str) -> list[str]:
    options = f"copies=1 job-uuid=urn:uuid:{uuid4()}"
    return [sys.executable, virtual_printer.__file__, "7", "agent", title, "1", options]


def environment(printer: Printer) -> dict[str, str]:
    return {**os.environ, "DEVICE_URI": printer.device}


def probe(printer: Printer) -> dict:
    done = subprocess.run(
        [sys.executable, virtual_printer.__file__, printer.device], capture_output=True, check=True, timeout=60
    )
    return json.loads(done.stdout)


def sheets(printer: Printer) -> list[dict]:
    return [json.loads(path.read_bytes()) for path in sorted(printer.sheets.glob("*.json"))]


def test_each_order_and_attempt_takes_the_next_blank_and_its_passes_share_it(printer):
    for title in (f"{ORDER}/1/1/1", f"{ORDER}/2/1/1", f"{ORDER}/2/1/2", f"{ORDER}/1/2/1", f"{uuid4()}/1/1/1"):
        assert send(printer, title) == 0

    assert [s["serial"] for s in sheets(printer)] == ["A", "A", "A", "B", "C"]


def test_a_sheet_says_what_came(printer):
    send(printer, f"{ORDER}/1/1/1", document := a_document())

    (sheet,) = sheets(printer)
    assert sheet.keys() == {"title", "job_uuid", "bytes", "sha256", "complete", "serial", "at"}
    assert (sheet["title"], sheet["bytes"], sheet["complete"]) == (f"{ORDER}/1/1/1", len(document), True)
    assert (printer.sheets / "000001.pdf").read_bytes() == document


def test_every_side_is_a_sheet_of_its_own(printer):
    send(printer, f"{ORDER}/1/1/1", a_document(3))

    widths = [PdfReader(path).pages[0].mediabox.width for path in sorted(printer.sheets.glob("*.pdf"))]
    assert widths == [600, 601, 602]
    assert len(sheets(printer)) == 3


def test_plain_paper_has_no_serial(tmp_path):
    plain = Printer(tmp_path / "plain-1")
    plain.create(None)
    send(plain, f"{ORDER}/4/1/1")

    assert [s["serial"] for s in sheets(plain)] == [None]


@pytest.mark.parametrize(
    ("fault", "reason"), [("jam", "media-jam-error"), ("out-of-stock", "media-empty-error"), ("offline", "offline")]
)
def test_a_stopped_printer_says_why_and_marks_nothing_until_cleared(printer, fault, reason):
    printer.set_fault(fault)
    assert probe(printer) == {"state": "stopped", "reasons": [reason]}
    assert send(printer, f"{ORDER}/1/1/1") == 1
    assert sheets(printer) == []

    printer.set_fault("clear")
    assert probe(printer) == {"state": "idle", "reasons": []}
    assert send(printer, f"{ORDER}/1/1/1") == 0


def test_an_empty_tray_is_out_of_stock_once_the_last_booklet_is_taken_out(tmp_path):
    printer = Printer(tmp_path / "booklet-1")
    printer.create(["A"])
    assert send(printer, f"{ORDER}/1/1/1") == 0
    assert send(printer, f"{ORDER}/2/1/1") == 0, "the open booklet takes its next pass"
    assert send(printer, f"{ORDER}/1/2/1") == 1
    assert probe(printer)["reasons"] == ["media-empty-error"]

    printer.load(["B"])
    assert send(printer, f"{ORDER}/1/2/1") == 0
    assert [s["serial"] for s in sheets(printer)] == ["A", "A", "B"]


@pytest.mark.parametrize("length", [1, 100, 300])
def test_cut_off_it_marks_a_torso_and_fails(printer, length):
    printer.set_fault(f"cut:{length}")

    assert send(printer, f"{ORDER}/1/1/1") == 1
    assert [(s["bytes"], s["complete"], s["serial"]) for s in sheets(printer)] == [(length, False, "A")]


def test_cut_off_before_the_first_byte_it_feeds_no_blank(printer):
    printer.set_fault("cut:0")

    assert send(printer, f"{ORDER}/1/1/1") == 1
    assert sheets(printer) == []
    assert printer.tray()["blanks"] == ["A", "B", "C", "D"]


def test_a_stream_that_ends_too_early_is_an_incomplete_sheet(printer):
    assert send(printer, f"{ORDER}/1/1/1", a_document()[:200]) == 0
    assert [s["complete"] for s in sheets(printer)] == [False]


@pytest.mark.parametrize("sender_dies", [False, True])
def test_a_device_that_drains_slowly_marks_its_sheet_whoever_has_died_by_then(printer, sender_dies, tmp_path):
    (tmp_path / "whole.pdf").write_bytes(a_document())
    printer.set_fault("drain")
    with (tmp_path / "whole.pdf").open("rb") as document:
        backend = subprocess.Popen(command(f"{ORDER}/1/1/1"), stdin=document, env=environment(printer))
        until(lambda: os.lseek(document.fileno(), 0, os.SEEK_CUR) == len(a_document()))
        with pytest.raises(subprocess.TimeoutExpired):
            backend.wait(0.2)
        if sender_dies:
            backend.kill()
            assert backend.wait(10) == -9
    assert (probe(printer)["state"], sheets(printer)) == ("processing", [])

    printer.set_fault("clear")
    until(lambda: sheets(printer))
    assert [(s["complete"], s["serial"]) for s in sheets(printer)] == [(True, "A")]
    until(lambda: probe(printer)["state"] == "idle")
    assert sender_dies or backend.wait(10) == 0


def test_a_sheet_that_came_out_whole_may_be_called_a_failure(printer):
    printer.set_fault("answer-lost")

    assert send(printer, f"{ORDER}/1/1/1") == 1
    assert [s["complete"] for s in sheets(printer)] == [True]


def until(true, seconds=20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("fault", "serial", "left"),
    [(None, "A", ["B", "C"]), ("double-feed", "A", ["C"]), ("wrong-blank", "B", ["A", "C"])],
)
def test_how_many_blanks_a_feed_takes_is_the_trays_truth(fault, serial, left):
    fed = take_blank({"blanks": ["A", "B", "C"], "job": None, "serial": None}, fault)
    assert (fed["serial"], fed["blanks"]) == (serial, left)


@pytest.mark.parametrize("word", ["fire", "cut", "cut:x", "jam:3", ""])
def test_a_fault_that_does_not_exist_is_refused(printer, word):
    with pytest.raises(ValueError, match="no such fault"):
        printer.set_fault(word)


def test_a_printer_that_errs_marks_every_side_elsewhere(printer):
    """By the middle of the sheet: turned clockwise, scaled, moved right and down; what it was sent is noted as it came."""
    document = marked_document()
    printer.set_fault("misplace:10,5,0,0,90")
    send(printer, f"{ORDER}/1/1/1", document)

    assert [where_marked(path) for path in sides_of(printer)] == [
        pytest.approx((300 + 100 + 28.35, 200 + 200 - 14.17), abs=0.1)
    ] * 2
    assert json.loads((printer.sheets / "000001.json").read_text())["bytes"] == len(document)
    printer.set_fault("clear")
    send(printer, f"{ORDER}/2/1/1", document)
    assert [where_marked(path) for path in sides_of(printer)[2:]] == [pytest.approx((100, 300), abs=0.1)] * 2


def marked_document() -> bytes:
    """Two sides of 600 × 400 points with a letter at (100, 300): up and left of the middle."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(600, 400))
    for _ in range(2):
        canvas.drawString(100, 300, "x")
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def sides_of(printer: Printer) -> list[Path]:
    return sorted(printer.sheets.glob("*.pdf"))


def where_marked(path: Path) -> tuple[float, float]:
    """Where the letter begins, in points from the bottom left."""
    found = []

    def visit(text, matrix, text_matrix, *_):
        if text.strip():
            a, b, c, d, e, f = matrix
            x, y = text_matrix[4:6]
            found.append((a * x + c * y + e, b * x + d * y + f))

    PdfReader(path).pages[0].extract_text(visitor_text=visit)
    return found[0]


@pytest.mark.parametrize(
    "word", ["misplace", "misplace:", "misplace:1", "misplace:1,2,3", "misplace:1,nan", "misplace:a,b"]
)
def test_an_error_that_is_none_is_refused(printer, word):
    with pytest.raises(ValueError, match="no such fault"):
        printer.set_fault(word)


def test_what_has_no_attempt_is_marked_on_plain_paper(printer):
    """A calibration sheet: the clerk put white paper in, as he was told; the next certificate gets the next blank."""
    send(printer, f"{ORDER}/1/1/1")
    send(printer, f"{uuid4()}/0/0/1")
    send(printer, f"{ORDER}/2/1/1")

    notes = [json.loads(path.read_text()) for path in sorted(printer.sheets.glob("*.json"))]
    assert [note["serial"] for note in notes] == ["A", None, "A"]
