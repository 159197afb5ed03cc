"""The spool on a real cupsd and a virtual printer: every released pass ends on paper once, or is asked about, or is tried again."""

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pypdf import PdfReader

from agents.order import PassState
from agents.printers import Cups, CupsUnreachable, SizeMissing
from agents.spool import PrinterLine, Spool, SpoolSettings, slice_pages
from tests.agents.paper.book import Killed, PaperBook
from tests.agents.paper.hall import SPREAD, a_document, until

DONE, UNKNOWN, READY = PassState.DONE, PassState.UNKNOWN, PassState.READY


class Desk:
    """A book and the spools, one after the other, that work on it."""

    def __init__(self, hall) -> None:
        self.hall = hall
        self.book = PaperBook()
        self.told: list[tuple[str, ...]] = []
        self.spool: Spool | None = None
        self.settings = SpoolSettings(hall.cups.socket, hall.cups.probes, quiet_seconds=0.5, look_seconds=0.1)

    def start(self, connect=Cups, **varied) -> None:
        self.spool = Spool(
            printers=[PrinterLine("booklet-1", self.hall.booklet.device)],
            book=self.book,
            permits=self.hall.permits,
            settings=replace(self.settings, **varied),
            told=lambda _, standing: self.told.append(standing.order_reasons),
            connect=connect,
        )
        self.spool.start()

    def stop(self) -> None:
        if self.spool is not None:
            self.spool.stop()
        self.spool = None

    def release(self, **which):
        entry = self.book.release(**which)
        if self.spool is not None:
            self.spool.wake("booklet-1")
        return entry

    def wait_for(self, entry, *states) -> None:
        until(lambda: entry.state in states, why=f"for {states}, it is {entry.state} {entry.whys}")


@pytest.fixture
def desk(hall) -> Iterator[Desk]:
    desk = Desk(hall)
    yield desk
    desk.stop()


@pytest.fixture
def kills_are_meant(monkeypatch) -> None:
    """A thread that dies of `Killed` is the test's doing and says nothing."""
    monkeypatch.setattr(
        threading, "excepthook", lambda args: None if args.exc_type is Killed else threading.__excepthook__
    )


def test_released_passes_come_out_once_each_in_their_turn(desk):
    desk.start()
    entries = [desk.release() for _ in range(3)]
    for entry in entries:
        desk.wait_for(entry, DONE)

    assert [s["title"] for s in desk.hall.sheets()] == [e.tries[0].title for e in entries]
    assert [len(e.tries) for e in entries] == [1, 1, 1]
    assert entries[0].evidence["permit"]["done"]["exit"] == 0


@pytest.mark.fault_row("F15")
@pytest.mark.parametrize("step", ["intent", "created", "spooled", "releasing"])
@pytest.mark.usefixtures("kills_are_meant")
def test_an_agent_killed_at_any_step_prints_the_pass_once(desk, step):
    """The try that was open is proven unprinted; a new one with a fresh uuid takes its place."""
    desk.book.dies_after = step
    entry = desk.release()
    desk.start()
    until(lambda: desk.book.dies_after is None)
    desk.start()
    desk.wait_for(entry, DONE)

    assert [s["job_uuid"] for s in desk.hall.sheets()] == [str(entry.tries[-1].id)]
    assert len({t.id for t in entry.tries}) == len(entry.tries) == 2
    until(lambda: not desk.hall.connection.waiting_jobs(), why="for the orphan to be swept")


@pytest.mark.usefixtures("kills_are_meant")
def test_a_job_that_an_operator_lets_go_once_the_agent_has_died_with_its_permit_out_is_found_done(desk, monkeypatch):
    """The journal says `spooled`, the permit says sent: that counts, and nothing stands still. Found by the simulation."""

    def dies(try_id) -> bool:
        raise Killed

    monkeypatch.setattr(desk.book, "releasing", dies)
    entry = desk.release()
    desk.start()
    until(
        lambda: (
            entry.state is PassState.SPOOLED and (desk.hall.permits.path / "issued" / str(entry.tries[0].id)).exists()
        )
    )
    desk.hall.connection.release(entry.tries[0].cups_job)
    until(lambda: len(desk.hall.sheets()) == 1)
    monkeypatch.undo()
    desk.start()
    desk.wait_for(entry, DONE)

    assert len(desk.hall.sheets()) == len(entry.tries) == 1


@pytest.mark.fault_row("F15")
@pytest.mark.usefixtures("kills_are_meant")
def test_an_agent_killed_while_the_device_prints_finds_the_sheet_done(desk):
    desk.hall.booklet.set_fault("stall")
    entry = desk.release()
    desk.start()
    until(lambda: entry.state is PassState.RELEASING)
    desk.hall.wait_until_stalled(entry.tries[0].id)
    desk.stop()
    desk.hall.booklet.set_fault("clear")
    desk.hall.wait_until_sent(entry.tries[0].id)
    desk.start()
    desk.wait_for(entry, DONE)

    assert len(desk.hall.sheets()) == len(entry.tries) == 1


def test_an_answer_lost_on_release_prints_the_pass_once(desk):
    class DeafToRelease(Cups):
        def release(self, job):
            super().release(job)
            raise CupsUnreachable("the answer was lost")

    desk.start(connect=DeafToRelease)
    entry = desk.release()
    desk.wait_for(entry, DONE)

    assert len(desk.hall.sheets()) == len(entry.tries) == 1


def test_an_upload_that_cups_only_claims_to_have_is_not_released(desk):
    """pycups says OK when the server got nothing, so the job is read back."""

    class Forgetful(Cups):
        forgets = True

        def send(self, queue, job, document):
            if not Forgetful.forgets:
                super().send(queue, job, document)
            Forgetful.forgets = False

    desk.start(connect=Forgetful)
    entry = desk.release()
    desk.wait_for(entry, DONE)

    assert entry.whys == ["not-released"]
    assert len(desk.hall.sheets()) == 1


@pytest.mark.fault_row("F22")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [("jam", "printer-jam"), ("out-of-stock", "printer-out-of-stock"), ("offline", "printer-offline")],
)
def test_a_device_that_needs_a_hand_is_told_and_waited_for(desk, fault, reason):
    desk.hall.booklet.set_fault(fault)
    desk.start()
    entry = desk.release()
    until(lambda: (reason,) in desk.told, why=f"for {reason}")
    time.sleep(0.3)
    assert entry.tries == []  # no try is begun in vain
    desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, DONE)

    assert desk.told[-1] == ()
    assert len(desk.hall.sheets()) == len(entry.tries) == 1


@pytest.mark.fault_row("F20")
def test_a_device_that_jams_between_the_agents_look_and_the_claim_costs_a_try_and_no_blank(desk):
    desk.start()
    until(lambda: desk.told)  # it was seen idle, and is not asked again for a while
    desk.hall.booklet.set_fault("jam")
    entry = desk.release()
    until(lambda: entry.whys and ("printer-jam",) in desk.told)
    desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, DONE)

    assert entry.whys == ["revoked"]
    assert [s["serial"] for s in desk.hall.sheets()] == ["23100000001"]


def test_a_device_cut_off_in_mid_sheet_is_asked_about_and_nothing_is_sent_again(desk):
    desk.hall.booklet.set_fault("cut:300")
    desk.start()
    entry = desk.release()
    desk.wait_for(entry, UNKNOWN)
    desk.hall.booklet.set_fault("clear")
    time.sleep(0.5)

    assert [s["complete"] for s in desk.hall.sheets()] == [False]
    assert entry.evidence["why"] == "not-proven"
    assert entry.evidence["permit"]["done"]["bytes"] == 300


def test_a_device_that_took_no_byte_is_tried_again_without_asking(desk):
    desk.hall.booklet.set_fault("cut:0")
    desk.start()
    entry = desk.release()
    until(lambda: entry.whys)
    desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, DONE)

    assert set(entry.whys) == {"no-bytes"}
    assert len(desk.hall.sheets()) == 1


def test_nobody_is_asked_while_the_device_may_still_go_on(desk):
    """The sender is gone without a result, but the real backend still feeds the device."""
    desk.hall.booklet.set_fault("stall")
    desk.start()
    entry = desk.release()
    until(lambda: entry.tries)
    desk.hall.wait_until_stalled(entry.tries[0].id)
    _kill(desk.hall.sender())
    time.sleep(0.6)
    assert entry.state is PassState.RELEASING

    desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, UNKNOWN)
    assert len(desk.hall.sheets()) == 1


@pytest.mark.fault_row("F21")
def test_a_jammed_device_is_asked_about_only_when_the_jam_is_cleared(desk):
    """Some devices print the jammed page again by themselves once they can."""
    desk.hall.booklet.set_fault("stall")
    desk.start()
    entry = desk.release()
    until(lambda: entry.tries)
    desk.hall.wait_until_stalled(entry.tries[0].id)
    desk.hall.booklet.set_fault("jam")
    until(lambda: ("printer-jam",) in desk.told)
    time.sleep(0.3)
    assert entry.state is PassState.RELEASING

    desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, UNKNOWN)
    assert [s["complete"] for s in desk.hall.sheets()] == [False]
    assert entry.evidence["device"]["seen"] == ["media-jam-error"]  # it is gone by now, and is told all the same


def test_a_device_that_cannot_be_asked_is_given_time_first(desk):
    """Without a probe, only a set time without data says that nothing more comes."""
    desk.hall.booklet.set_fault("cut:300")
    (desk.hall.cups.probes / "virtual").unlink()
    desk.start(quiet_seconds=1.0)
    entry = desk.release()
    until(lambda: entry.tries)
    desk.hall.wait_until_sent(entry.tries[0].id)
    time.sleep(0.4)
    assert entry.state is PassState.RELEASING
    desk.wait_for(entry, UNKNOWN)


def test_cupsd_killed_before_the_start_and_back_again_prints_once(desk):
    desk.hall.command("cupsdisable", "booklet-1")
    desk.hall.command("cupsenable", "booklet-1")
    desk.hall.kill_cups()
    desk.start()
    entry = desk.release()
    until(lambda: ("printer-offline",) in desk.told)
    desk.hall.start_cups()
    desk.wait_for(entry, DONE)

    assert len(desk.hall.sheets()) == 1


def test_cupsd_killed_in_mid_sheet_is_no_reason_to_ask(desk):
    desk.hall.booklet.set_fault("stall")
    desk.start()
    entry = desk.release()
    until(lambda: entry.tries)
    desk.hall.wait_until_stalled(entry.tries[0].id)
    desk.hall.kill_cups(signal.SIGKILL)
    desk.hall.booklet.set_fault("clear")
    desk.hall.start_cups()
    desk.wait_for(entry, DONE)

    assert len(desk.hall.sheets()) == 1


def test_a_queue_that_somebody_stopped_is_told_and_waited_for(desk):
    desk.hall.command("cupsdisable", "booklet-1")
    desk.start()
    entry = desk.release()
    until(lambda: ("printer-offline",) in desk.told)
    assert entry.tries == []
    desk.hall.command("cupsenable", "booklet-1")
    desk.wait_for(entry, DONE)


def test_a_released_job_that_cups_never_starts_is_won_back(desk):
    """Between the agent's look and the release somebody stops the queue: the permit is taken back, a new try waits."""

    class StoppedInBetween(Cups):
        def release(self, job):
            desk.hall.command("cupsdisable", "booklet-1")
            super().release(job)

    desk.start(connect=StoppedInBetween, claim_seconds=0.3)
    entry = desk.release()
    until(lambda: entry.whys)
    assert entry.whys[0] == "revoked"
    assert desk.hall.sheets() == []


def test_an_order_held_before_the_release_is_not_released(desk):
    class HeldMeanwhile(Cups):
        def check_spooled(self, *arguments):
            super().check_spooled(*arguments)
            desk.book.is_stopped = True

    desk.start(connect=HeldMeanwhile)
    entry = desk.release()
    until(lambda: entry.whys)

    assert (entry.state, entry.whys) == (READY, ["revoked"])
    assert desk.hall.sheets() == []


def test_a_recalled_try_that_was_not_claimed_prints_nothing(desk):
    class Slow(Cups):
        def release(self, job):
            assert desk.spool.recall(entry.tries[0].id)
            desk.book.is_stopped = True
            super().release(job)

    desk.start(connect=Slow)
    entry = desk.release()
    until(lambda: entry.whys)

    assert entry.whys == ["revoked"]
    assert desk.hall.sheets() == []


def test_a_recall_after_the_claim_comes_too_late_and_says_so(desk):
    desk.hall.booklet.set_fault("stall")
    desk.start()
    entry = desk.release()
    until(lambda: entry.tries)
    desk.hall.wait_until_stalled(entry.tries[0].id)

    assert not desk.spool.recall(entry.tries[0].id)
    desk.hall.booklet.set_fault("clear")
    desk.wait_for(entry, DONE)


def test_a_permit_directory_put_in_place_of_the_own_one_stops_the_printer(desk):
    """Restored or exchanged, it proves nothing about what was printed."""
    identity = desk.hall.permits.path / "id"
    kept = identity.read_text()
    identity.write_text('{"id": "00000000-0000-0000-0000-000000000000"}')
    desk.start()
    entry = desk.release()
    until(lambda: ("printer-offline",) in desk.told)

    assert entry.tries == []
    identity.write_text(kept)
    desk.wait_for(entry, DONE)


@pytest.mark.usefixtures("kills_are_meant")
def test_a_permit_that_vanished_is_asked_about_even_if_nothing_was_printed(desk):
    desk.book.dies_after = "releasing"
    entry = desk.release()
    desk.start()
    until(lambda: desk.book.dies_after is None)
    (desk.hall.permits.path / "issued" / str(entry.tries[0].id)).unlink()
    desk.start()
    desk.wait_for(entry, UNKNOWN)

    assert entry.evidence["why"] == "permit-lost"


@pytest.mark.fault_row("F23")
def test_a_page_of_another_size_than_the_queues_is_never_released(hall):
    with pytest.raises(SizeMissing):
        hall.connection.queue_facts("booklet-1").page_size(SPREAD[0] + 1, SPREAD[1])


def test_a_pass_is_the_pages_of_the_document_that_it_names():
    document = a_document(SPREAD, (210.0, 297.0), SPREAD)
    sizes = [page.mediabox.width for page in PdfReader(io.BytesIO(slice_pages(document, (1,)))).pages]
    assert [round(float(width)) for width in sizes] == [595]


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
