"""The private cupsd: as root and as an ordinary user, deep in the tree, started again, and never a queue that is not safe."""

import io
import os
import pwd
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path

import cups
import pytest
from pypdf import PageObject, PdfReader, Transformation
from reportlab.pdfgen.canvas import Canvas

from agents import once
from spooler.sandbox import virtual_printer
from spooler.sandbox.cups import LONGEST_SOCKET_PATH, PrivateCups, Queue, description
from tests.agents.paper.hall import SPREAD, PaperHall, a_hall

POINTS_PER_MM = 72 / 25.4


@pytest.fixture
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="certspool-test-", dir="/var/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def print_one(hall: PaperHall, **which) -> None:
    uuid, job = hall.spool(**which)
    hall.permit(uuid, job)
    hall.connection.release(job)
    hall.wait_until_ended(job)


def test_its_queue_is_safe(open_directory):
    """abort-job, not shared, no banner: a banner would eat a numbered blank."""
    with a_hall(open_directory) as hall:
        cups.setServer(str(hall.cups.socket))
        queue = cups.Connection(host=str(hall.cups.socket)).getPrinters()["booklet-1"]
        told = cups.Connection(host=str(hall.cups.socket)).getPrinterAttributes("booklet-1")

    assert queue["device-uri"] == f"once:{hall.booklet.device}"
    assert queue["printer-is-shared"] is False
    assert told["job-sheets-default"] == ("none", "none")
    assert (told["printer-error-policy"], told["printer-op-policy"]) == ("abort-job", "certspool")


def test_killed_and_started_again_it_has_its_queue_and_its_jobs(open_directory):
    with a_hall(open_directory) as hall:
        uuid, job = hall.spool()
        hall.kill_cups()
        hall.cups.prepare()
        hall.start_cups()

        assert [(j.uuid, j.number, j.documents) for j in hall.connection.waiting_jobs()] == [(uuid, job, 1)]


def test_a_sandbox_deep_in_the_tree_has_its_socket_elsewhere(open_directory):
    deep = open_directory / ("d" * 60) / ("e" * 60)
    cups = PrivateCups(deep, deep / "permits")

    assert len(os.fsencode(cups.socket)) <= LONGEST_SOCKET_PATH
    assert cups.socket == PrivateCups(deep, deep / "permits").socket


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user is tested by every other test")
def test_an_ordinary_user_runs_it_as_well(open_directory, monkeypatch):
    """All is that user's then; cupsd signals `once` alone when it stops."""
    for module in (once, virtual_printer):
        copy = open_directory / Path(module.__file__).name
        shutil.copyfile(module.__file__, copy)
        monkeypatch.setattr(module, "__file__", str(copy))
    report = open_directory / "report"
    report.touch()
    os.chmod(report, 0o666)
    home = open_directory / "home"
    home.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    _as_user(nobody, report, lambda: _print_as_ordinary_user(home))

    assert report.read_text() == ""


def _as_user(user: pwd.struct_passwd, report: Path, work) -> None:
    """Do it in a child that is this user; what goes wrong is written into `report`. (The checkout may be closed to others.)"""
    if (child := os.fork()) == 0:
        try:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
            work()
        except BaseException:
            report.write_text(traceback.format_exc())
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def _print_as_ordinary_user(directory: Path) -> None:
    with a_hall(directory) as hall:
        print_one(hall)
        assert len(hall.sheets()) == 1
        hall.booklet.set_fault("stall")
        uuid, _ = hall.begin()
        hall.wait_until_stalled(uuid)
        hall.kill_cups()
        hall.start_cups()
        hall.booklet.set_fault("clear")
        hall.wait_until_sent(uuid)
        assert [sheet["complete"] for sheet in hall.sheets()] == [True, True]
        assert hall.permits.fate(uuid).done["exit"] == 0


def test_what_is_drawn_lands_where_it_was_drawn(open_directory):
    """Behind the queue runs the real pdftopdf: neither scaled nor turned nor moved."""
    with a_hall(open_directory) as hall:
        print_one(hall, document=_a_page_with_a_cross_at(100, 50))
        page = PdfReader(hall.booklet.sheets / "000001.pdf").pages[0]

    assert [round(float(v), 1) for v in page.mediabox[2:]] == [941.1, 677.5]
    x, y = _where_the_text_is(page)
    assert (x / POINTS_PER_MM, y / POINTS_PER_MM) == pytest.approx((100, 50), abs=0.05)


def _a_page_with_a_cross_at(x: float, y: float) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(SPREAD[0] * POINTS_PER_MM, SPREAD[1] * POINTS_PER_MM))
    canvas.drawString(x * POINTS_PER_MM, y * POINTS_PER_MM, "+")
    canvas.save()
    return out.getvalue()


def _where_the_text_is(page: PageObject) -> tuple[float, float]:
    places: list[tuple[float, float]] = []

    def visit(text, matrix, text_matrix, *_):
        if text.strip():
            whole = Transformation(tuple(text_matrix)).transform(Transformation(tuple(matrix)))
            places.append(whole.apply_on((0, 0)))

    page.extract_text(visitor_text=visit)
    return places[0]


def test_its_description_has_the_stocks_size_and_one_filter():
    text = description(Queue("proof-1", "virtual:/p", {"Proof": (297, 210)}))

    assert '*PaperDimension Proof: "841.9 595.3"' in text
    assert text.count("cupsFilter") == 1
    assert "*DefaultPageSize: Proof" in text
