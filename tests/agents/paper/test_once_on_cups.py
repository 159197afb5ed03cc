"""The backend under a real cupsd that is killed, stopped, asked to send again, and lied to. The device alone counts the sheets."""

import hashlib
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from agents.permit import Claim
from agents.printers import JobState
from spooler.sandbox.cups import Queue
from tests.agents.paper.hall import SIZES, a_document, a_title, until


def test_a_permitted_pass_is_marked_once_on_the_next_blank(hall):
    uuid, job = hall.begin()
    hall.wait_until_ended(job)

    assert [(s["job_uuid"], s["serial"], s["complete"]) for s in hall.sheets()] == [(str(uuid), "23100000001", True)]
    done = hall.permits.fate(uuid).done
    assert (done["exit"], done["signal"], done["terminated"]) == (0, None, False)
    assert done["bytes"] == done["length"] == hall.sheets()[0]["bytes"]
    assert hall.connection.job(job).state is JobState.COMPLETED


def test_the_passes_of_one_attempt_go_on_one_blank_and_the_next_attempt_on_another(hall):
    order = a_title().split("/")[0]
    for number, attempt in ((1, 1), (2, 1), (1, 2)):
        uuid, job = hall.spool(f"{order}/{number}/{attempt}/1")
        hall.permit(uuid, job)
        hall.connection.release(job)
        hall.wait_until_ended(job)

    assert [s["serial"][-1] for s in hall.sheets()] == ["1", "1", "2"]


# ---- CUPS sends again -------------------------------------------------------------------------------------------------


def test_disabling_and_enabling_the_queue_in_mid_sheet_marks_no_second_one(hall):
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    hall.command("cupsdisable", "booklet-1")
    hall.booklet.set_fault("clear")
    hall.command("cupsenable", "booklet-1")
    hall.wait_until_sent(uuid)
    hall.wait_until_ended(job)

    assert len(hall.sheets()) == 1
    assert hall.permits.fate(uuid).done["exit"] == 0


def test_holding_and_resuming_the_job_in_mid_sheet_marks_no_second_one(hall):
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    hall.command("lp", "-i", str(job), "-H", "hold")
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)
    hall.command("lp", "-i", str(job), "-H", "resume")
    hall.wait_until_ended(job)

    assert len(hall.sheets()) == 1


@pytest.mark.parametrize("how", ["restart", "resume", "immediate"])
def test_asking_cups_for_a_finished_job_again_marks_nothing(hall, how):
    _, job = hall.begin()
    hall.wait_until_ended(job)
    hall.command("lp", "-i", str(job), "-H", how)
    hall.wait_until_ended(job)

    assert len(hall.sheets()) == 1


def test_a_job_moved_to_another_queue_of_the_same_device_marks_nothing_more(hall):
    hall.cups.add_queue(_queue("booklet-2", hall.booklet.device))
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    hall.command("lpmove", f"booklet-1-{job}", "booklet-2")
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)
    hall.wait_until_ended(job)

    assert len(hall.sheets()) == 1


def test_without_once_cups_does_mark_a_second_one(hall):
    """The control: on a queue without `once` the same happening prints twice, so these tests can see it."""
    hall.command("/usr/sbin/lpadmin", "-p", "bare-1", "-E", "-v", hall.booklet.device, "-m", "raw")
    page = hall.directory / "page.pdf"
    page.write_bytes(a_document())
    hall.booklet.set_fault("stall")
    hall.command("lp", "-d", "bare-1", str(page))
    until(lambda: hall.processes("virtual"))
    time.sleep(0.3)
    hall.kill_cups()
    hall.start_cups()
    hall.booklet.set_fault("clear")
    until(lambda: not hall.connection.waiting_jobs())

    assert len(hall.sheets()) == 2


# ---- Killed ------------------------------------------------------------------------------------------------------------


def test_cupsd_killed_in_mid_sheet_and_started_again_marks_no_second_one(hall):
    """Stock CUPS makes two whole prints of this."""
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    hall.kill_cups()
    hall.start_cups()
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)
    hall.wait_until_ended(job)

    assert len(hall.sheets()) == 1
    assert hall.permits.fate(uuid).done["exit"] == 0


def test_cupsd_stopped_in_mid_sheet_does_not_stop_the_sheet(hall):
    """cupsd stopping kills the backend's process group at once; the sender is not in it."""
    hall.booklet.set_fault("stall")
    uuid, _ = hall.begin()
    hall.wait_until_stalled(uuid)
    hall.kill_cups(signal.SIGTERM)
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)

    assert [s["complete"] for s in hall.sheets()] == [True]
    assert hall.permits.fate(uuid).done["exit"] == 0


def test_the_wrapper_killed_leaves_the_sender_to_its_work(hall):
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    os.kill(hall.wrapper(), signal.SIGKILL)
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)
    hall.wait_until_ended(job)

    assert len(hall.sheets()) == 1
    assert hall.permits.fate(uuid).done["exit"] == 0


def test_a_cancel_in_mid_sheet_is_not_passed_on(hall):
    """A claimed pass goes on to its end: stopped half-way it would be a spoiled blank."""
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    hall.connection.cancel_job(job)
    time.sleep(0.3)
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)

    assert [s["complete"] for s in hall.sheets()] == [True]
    assert hall.permits.fate(uuid).done["terminated"] is False


def test_the_sender_killed_leaves_the_lock_with_the_real_backend(hall):
    """Nobody may be asked while the real backend still feeds the device; and nothing proves how it ended."""
    hall.booklet.set_fault("stall")
    uuid, job = hall.begin()
    hall.wait_until_stalled(uuid)
    os.kill(hall.sender(), signal.SIGKILL)
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).claim is Claim.HELD
    assert not hall.permits.device_is_free(hall.booklet.device)
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(uuid)
    fate = hall.permits.fate(uuid)
    assert (fate.is_first, fate.done) == (True, None)
    assert len(hall.sheets()) == 1


def test_a_backend_that_hangs_is_ended_at_the_time_limit(hall):
    hall.booklet.set_fault("stall")
    uuid, _ = hall.begin(limit_seconds=0.5)
    hall.wait_until_claimed(uuid)
    hall.wait_until_sent(uuid)

    done = hall.permits.fate(uuid).done
    assert (done["exit"], done["terminated"]) == (1, True)
    assert [s["complete"] for s in hall.sheets()] == [False]


def test_a_device_cut_off_after_some_bytes_is_not_called_done(hall):
    hall.booklet.set_fault("cut:100")
    uuid, job = hall.begin()
    hall.wait_until_ended(job)

    done = hall.permits.fate(uuid).done
    assert (done["exit"], done["bytes"]) == (1, 100)
    assert [(s["complete"], s["bytes"]) for s in hall.sheets()] == [(False, 100)]


def test_a_device_that_took_nothing_is_known_to_have_taken_nothing(hall):
    hall.booklet.set_fault("cut:0")
    uuid, job = hall.begin()
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).done["bytes"] == 0
    assert hall.sheets() == []


# ---- Refused before the claim ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["jam", "out-of-stock", "offline"])
def test_a_device_that_is_not_ready_gets_nothing_and_the_permit_stays_unclaimed(hall, fault):
    hall.booklet.set_fault(fault)
    uuid, job = hall.begin()
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert hall.sheets() == []
    assert hall.permits.revoke(uuid)


@pytest.mark.attack_row("S28")
def test_a_job_without_a_permit_prints_nothing(hall):
    """A queue that carries certificates prints nothing else: `lp` of a forged page comes to nothing."""
    page = hall.directory / "forged.pdf"
    page.write_bytes(a_document())
    hall.command("lp", "-d", "booklet-1", str(page))
    until(lambda: not hall.connection.waiting_jobs())

    assert hall.sheets() == []


def test_a_stolen_uuid_prints_nothing(hall):
    """The uuid is no secret: the permit is for one CUPS job."""
    uuid, job = hall.spool()
    hall.permit(uuid, job)
    thief = hall.connection.create("booklet-1", uuid, a_title(), "Spread")
    hall.connection.send("booklet-1", thief, a_document())
    hall.connection.release(thief)
    hall.wait_until_ended(thief)

    assert hall.sheets() == []
    assert hall.permits.fate(uuid).claim is Claim.NONE


@pytest.mark.parametrize(
    "varied",
    [
        {"pages": 2},
        {"device": "virtual:/elsewhere"},
        {"until": datetime.now(UTC) - timedelta(seconds=1)},
        {"sha256": "0" * 64, "length": 1},
    ],
    ids=["pages", "device", "expired", "content"],
)
@pytest.mark.attack_row("S29")
def test_what_the_permit_is_not_for_is_refused(hall, varied):
    uuid, job = hall.begin(**varied)
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert hall.sheets() == []


def test_a_revoked_permit_prints_nothing(hall):
    uuid, job = hall.spool()
    hall.permit(uuid, job)
    assert hall.permits.revoke(uuid)
    hall.connection.release(job)
    hall.wait_until_ended(job)

    assert hall.sheets() == []


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_filter_that_dies_half_way_prints_nothing(hall, share):
    """It leaves the backend a short stream and a clean end of file; without `once`, half a page would be called done."""
    _add_queue_with_filter(hall, "torn", f'head -c {int(len(a_document()) * share)} "${{6:-/dev/stdin}}"; kill -9 $$')
    uuid, job = hall.spool(queue="torn")
    hall.permit(uuid, job, queue="torn", device=hall.booklet.device)
    hall.connection.release(job)
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert hall.sheets() == []


def test_two_queues_never_feed_one_device_at_once(hall):
    hall.cups.add_queue(_queue("booklet-2", hall.booklet.device))
    hall.booklet.set_fault("stall")
    first, _ = hall.begin()
    hall.wait_until_stalled(first)
    second, job = hall.spool(queue="booklet-2")
    hall.permit(second, job, queue="booklet-2", device=hall.booklet.device)
    hall.connection.release(job)
    hall.wait_until_ended(job)
    hall.booklet.set_fault("clear")
    hall.wait_until_sent(first)

    assert hall.permits.fate(second).claim is Claim.NONE
    assert [s["job_uuid"] for s in hall.sheets()] == [str(first)]


def test_a_queue_without_filters_prints_the_very_bytes_of_the_permit(hall):
    content = a_document()
    hall.command("/usr/sbin/lpadmin", "-p", "raw-1", "-E", "-v", f"once:{hall.booklet.device}", "-m", "raw")
    facts = hall.connection.queue_facts("raw-1")
    uuid, job = hall.spool(queue="raw-1", document=content)
    sha256 = hashlib.sha256(content).hexdigest()
    hall.permit(uuid, job, queue="raw-1", device=hall.booklet.device, sha256=sha256, length=len(content))
    hall.connection.release(job)
    hall.wait_until_ended(job)

    assert facts.is_raw
    assert [s["sha256"] for s in hall.sheets()] == [sha256]


def _queue(name, device):
    return Queue(name, device, SIZES)


def _add_queue_with_filter(hall, name, script):
    """A queue whose only filter is this shell script."""
    program = hall.directory / f"{name}-filter"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    hall.cups.add_queue(_queue(name, hall.booklet.device))
    description = (hall.cups.directory / f"{name}.ppd").read_text()
    line = f'*cupsFilter2: "application/pdf application/pdf 0 {program}"'
    torn = hall.directory / f"{name}.ppd"
    torn.write_text("\n".join(line if "cupsFilter2" in old else old for old in description.splitlines()) + "\n")
    hall.command("/usr/sbin/lpadmin", "-p", name, "-P", str(torn))


@pytest.mark.attack_row("S29")
def test_a_spool_file_that_was_rewritten_between_send_and_print_prints_nothing(hall):
    """On a raw queue the permit names the bytes; the file in CUPS' spool is another page of the same length."""
    content = a_document()
    forged = content.replace(b"startxref", b"startxreF")
    hall.command("/usr/sbin/lpadmin", "-p", "raw-2", "-E", "-v", f"once:{hall.booklet.device}", "-m", "raw")
    uuid, job = hall.spool(queue="raw-2", document=content)
    sha256 = hashlib.sha256(content).hexdigest()
    hall.permit(uuid, job, queue="raw-2", device=hall.booklet.device, sha256=sha256, length=len(content))
    (spooled,) = (hall.cups.directory / "spool").glob(f"d{job:05d}-*")
    spooled.write_bytes(forged)
    hall.connection.release(job)
    hall.wait_until_ended(job)

    assert len(forged) == len(content) and forged != content
    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert hall.sheets() == []


@pytest.mark.attack_row("S29")
def test_a_spool_file_that_was_cut_short_prints_nothing_behind_filters(hall):
    """What the filters make of it is no whole document with the permit's pages."""
    uuid, job = hall.spool()
    hall.permit(uuid, job)
    (spooled,) = (hall.cups.directory / "spool").glob(f"d{job:05d}-*")
    spooled.write_bytes(spooled.read_bytes()[:200])
    hall.connection.release(job)
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert hall.sheets() == []
