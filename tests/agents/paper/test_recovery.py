"""Recovery step by step, by hand: a worker that is asked to step, a CUPS that says what it is told to, real permits, no time but ours.

What a real cupsd and a real device make of it is in test_spool; here every branch is taken, one by one.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import pytest

from agents import once
from agents.device import DeviceState, Standing
from agents.order import PassState
from agents.permit import Claim, Permit, PermitDirectory
from agents.printers import CupsRefused, CupsUnreachable, Job, JobState, QueueFacts
from agents.spool import PrinterLine, PrinterWorker, Spool, SpoolSettings
from agents.surroundings import Surroundings
from agents.tries import Try
from tests.agents.paper.book import PaperBook

DEVICE = "virtual:/booklet"
READY, DONE, UNKNOWN = PassState.READY, PassState.DONE, PassState.UNKNOWN
INTENT, CREATED, SPOOLED, RELEASING = PassState.INTENT, PassState.CREATED, PassState.SPOOLED, PassState.RELEASING


class ToldCups:
    """A CUPS that says what the test lets it say, and remembers what it was asked."""

    def __init__(self) -> None:
        self.jobs: dict[int, Job] = {}
        self.asked: list[str] = []
        self.fails: dict[str, Exception] = {}

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self.fails:
            raise self.fails[what]

    def queue_facts(self, queue: str) -> QueueFacts:
        return QueueFacts(is_raw=True, sizes={})

    def queue_is_stopped(self, queue: str) -> bool:
        return False

    def create(self, queue: str, uuid: UUID, title: str, page_size: str | None) -> int:
        self._note("create")
        number = len(self.jobs) + 1
        self.jobs[number] = Job(number, uuid, title, JobState.HELD, queue, 0, 0)
        return number

    def send(self, queue: str, job: int, document: bytes) -> None:
        self._note("send")

    def check_spooled(self, queue: str, job: int, uuid: UUID, length: int) -> None:
        self._note("check")

    def release(self, job: int) -> None:
        self._note("release")
        self.jobs[job] = replace(self.jobs[job], state=JobState.PENDING)

    def job(self, number: int) -> Job:
        self._note("job")
        return self.jobs[number]

    def cancel(self, uuid: UUID) -> None:
        self._note("cancel")

    def cancel_job(self, number: int) -> None:
        self._note(f"cancel {number}")

    def waiting_jobs(self) -> list[Job]:
        self._note("waiting")
        return list(self.jobs.values())


class Bench:
    """A worker on the bench."""

    def __init__(self, directory: Path, device: str = DEVICE) -> None:
        self.now = 1_000.0
        self.cups = ToldCups()
        self.book = PaperBook()
        self.permits = PermitDirectory.open(directory / "permits", in_memory=True)
        self.standing = Standing(DeviceState.IDLE)
        self.may_begin = True
        self.settings = SpoolSettings(Path("/nowhere"), quiet_seconds=30.0)
        self.device = device
        self.look = lambda device, probes: self.standing
        self.worker = self.new_worker()

    def new_worker(self) -> PrinterWorker:
        return PrinterWorker(
            PrinterLine("booklet-1", self.device),
            book=self.book,
            permits=self.permits,
            settings=self.settings,
            told=lambda printer, standing: None,
            may_begin=lambda printer: self.may_begin,
            connect=lambda socket: self.cups,
            surroundings=Surroundings(
                monotonic=lambda: self.now,
                uniform=self._drawn,
                look=lambda device, probes: self.look(device, probes),
                slice_pages=lambda document, pages: document,
            ),
        )

    def _drawn(self, least: float, most: float) -> float:
        assert least == most / 2, "between half and whole"
        return most

    def steps(self, count: int = 1) -> float:
        for _ in range(count):
            pause = self.worker.step()
        return pause

    def left_in(self, state: PassState, *, with_permit: bool = False):
        """A try that an earlier life left in this state, and a worker that has just begun."""
        entry = self.book.release()
        attempt = self.book.intent(entry.released)
        number = self.cups.create("booklet-1", attempt.id, attempt.title, None)
        if state is not INTENT:
            self.book.created(attempt.id, number)
        if state in (SPOOLED, RELEASING):
            self.book.spooled(attempt.id)
        if with_permit:
            self.permit(attempt.id, number)
        if state is RELEASING:
            self.book.releasing(attempt.id)
            self.cups.release(number)
        self.worker = self.new_worker()
        self.worker.recover()
        return entry

    def permit(self, uuid: UUID, number: int) -> None:
        self.permits.issue(Permit(uuid=uuid, job=number, queue="booklet-1", device=self.device, pages=1))

    def sender(self, entry, *marks: str, **done: object) -> Callable[[], None]:
        """Claim the permit as `once` does, and leave these marks; return what lets go of it."""
        name = str(entry.tries[-1].id)
        held = once.claim_permit(self.permits.path, name)
        for mark in marks:
            content = {"exit": 0, "signal": None, "terminated": False, "bytes": 10, "length": 10, **done}
            (self.permits.path / mark / name).write_text(json.dumps(content if mark == "done" else {"at": "x"}))
        return lambda: os.close(held)


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path)


# ── a try that an earlier life left open ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [INTENT, CREATED])
def test_a_try_whose_permit_was_never_issued_is_made_anew_without_asking(bench, state):
    entry = bench.left_in(state)

    bench.steps()

    assert (entry.state, entry.whys) == (READY, ["not-released"])
    assert "cancel" in bench.cups.asked
    assert "job" not in bench.cups.asked


@pytest.mark.parametrize("with_permit", [True, False])
def test_a_try_that_was_spooled_is_won_back_before_it_is_made_anew(bench, with_permit):
    """Its permit may or may not have been issued: first nobody can claim it any more, then a new one is thought of."""
    entry = bench.left_in(SPOOLED, with_permit=with_permit)

    assert bench.steps() == 0.0
    assert bench.permits.fate(entry.tries[-1].id).claim is Claim.REVOKED
    assert entry.state is SPOOLED
    bench.steps()
    assert (entry.state, entry.whys) == (READY, ["revoked"])


def test_a_released_try_that_cups_may_still_start_is_waited_for_and_won_back_after_a_while(bench):
    entry = bench.left_in(RELEASING, with_permit=True)

    assert bench.steps() == bench.settings.watch_seconds
    bench.now += 10
    assert bench.steps() == bench.settings.watch_seconds * 5
    bench.now += bench.settings.claim_seconds
    assert entry.state is RELEASING
    bench.steps()
    assert bench.permits.fate(entry.tries[-1].id).claim is Claim.REVOKED
    bench.steps()
    assert (entry.state, entry.whys) == (READY, ["revoked"])


@pytest.mark.parametrize(("waited", "times"), [(0.0, 1), (4.9, 1), (5.0, 5), (5.9, 5)])
def test_a_try_in_flight_is_looked_at_often_in_its_first_seconds(bench, waited, times):
    bench.left_in(RELEASING, with_permit=True)
    bench.now += waited

    assert bench.steps() == bench.settings.watch_seconds * times


def test_cups_is_asked_about_an_unclaimed_job_once_a_second_and_not_with_every_look(bench):
    bench.left_in(RELEASING, with_permit=True)
    bench.steps(5)
    assert bench.cups.asked.count("job") == 1

    bench.now += bench.settings.look_seconds
    bench.steps(2)
    assert bench.cups.asked.count("job") == 2


def test_while_cups_does_not_answer_it_may_start_the_job_at_any_moment(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.cups.fails["job"] = CupsUnreachable("no answer")
    bench.now += 20

    bench.steps(3)

    assert (entry.state, entry.whys) == (RELEASING, [])
    assert bench.permits.fate(entry.tries[-1].id).claim is Claim.NONE


@pytest.mark.parametrize(
    "state", [JobState.HELD, JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED, JobState.MISSING]
)
def test_a_job_that_cups_will_not_start_is_won_back_right_away(bench, state):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.cups.jobs[1] = replace(bench.cups.jobs[1], state=state)

    bench.steps(2)

    assert (entry.state, entry.whys) == (READY, ["revoked"])


def test_a_job_number_that_was_given_out_anew_is_anothers(bench):
    """After a crash of cupsd the same number may be somebody's who starts at any moment: it is none of ours."""
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.cups.jobs[1] = replace(bench.cups.jobs[1], uuid=uuid4())

    bench.steps(2)

    assert (entry.state, entry.whys) == (READY, ["revoked"])


def test_a_claim_made_while_cups_was_asked_counts(bench):
    """Between the look at the permit and CUPS' answer the sender began: it is not won back, nor asked about."""
    entry = bench.left_in(RELEASING, with_permit=True)
    answer = bench.cups.job

    def claimed_meanwhile(number: int) -> Job:
        bench.cups.jobs[1] = replace(bench.cups.jobs[1], state=JobState.COMPLETED)
        bench.let_go = bench.sender(entry, "first")
        return answer(number)

    bench.cups.job = claimed_meanwhile

    assert bench.steps() == bench.settings.watch_seconds
    assert entry.state is RELEASING
    bench.let_go()


# ── a try that a sender has, or had ──────────────────────────────────────────────────────────────────────────────────


def test_while_a_sender_lives_nobody_is_asked_and_nothing_is_won_back(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    let_go = bench.sender(entry, "first")
    bench.now += 10 * bench.settings.claim_seconds

    bench.steps(3)
    assert entry.state is RELEASING
    let_go()
    bench.steps()
    assert entry.state is UNKNOWN


def test_while_a_sender_is_at_it_the_device_is_looked_at_every_second(bench):
    """A jam is told while it lasts, and remembered for whoever is asked later."""
    entry = bench.left_in(RELEASING, with_permit=True)
    let_go, looks = bench.sender(entry, "first"), []
    bench.look = lambda device, probes: looks.append(bench.now) or Standing(DeviceState.STOPPED, ("media-jam-error",))

    bench.now += bench.settings.look_seconds
    bench.steps(3)
    assert looks == []
    bench.now += 0.1
    bench.steps(3)
    assert len(looks) == 1
    bench.now += bench.settings.look_seconds
    bench.steps(3)
    assert len(looks) == 2
    assert bench.worker.standing.reasons == ("media-jam-error",)
    let_go()


def test_the_quiet_time_begins_when_the_sender_has_gone_and_not_before(bench):
    """The permits were away for a moment, and silence was already counted; then they show that somebody is sending."""
    entry = bench.left_in(RELEASING, with_permit=True)
    let_go, mark = bench.sender(entry, "first"), bench.permits.path / "id"
    bench.standing = Standing(DeviceState.UNKNOWN)
    ours = mark.read_text()
    mark.write_text("{}")
    bench.steps()
    mark.write_text(ours)
    bench.now += bench.settings.quiet_seconds
    bench.steps()
    let_go()
    bench.now += 1
    bench.steps()

    assert entry.state is RELEASING
    bench.now += bench.settings.quiet_seconds + 1
    bench.steps()
    assert entry.state is UNKNOWN


def test_a_claim_without_a_first_byte_is_proven_unprinted(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.sender(entry)()

    bench.steps()

    assert (entry.state, entry.whys) == (READY, ["never-started"])


def test_what_was_sent_whole_is_done_and_its_job_left_alone(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.sender(entry, "first", "done")()
    bench.cups.asked.clear()

    assert bench.steps() == 0.0

    assert entry.state is DONE
    assert entry.evidence["why"] == "sent-whole"
    assert entry.evidence["permit"]["claim"] == "free"
    assert entry.evidence["permit"]["done"]["bytes"] == 10
    assert entry.evidence["cups_job"] == 1
    assert entry.evidence["device"] == {"state": "unknown", "reasons": [], "seen": []}
    assert bench.cups.asked == []


@pytest.mark.parametrize(
    ("device", "remote", "state"),
    [
        ("ipp://printer/ipp", "completed", DONE),
        ("ipp://printer/ipp", None, UNKNOWN),
        ("ipps://printer/ipp", "aborted", UNKNOWN),
        ("http://printer/ipp", None, UNKNOWN),
        ("https://printer/ipp", None, UNKNOWN),
        ("socket://printer", None, DONE),
    ],
)
def test_over_ipp_the_printers_own_word_is_needed_too(tmp_path, device, remote, state):
    bench = Bench(tmp_path, device)
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.sender(entry, "first", "done", remote_state=remote)()

    bench.steps()

    assert entry.state is state


def test_a_device_that_took_nothing_is_tried_again(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.sender(entry, "first", "done", exit=1, bytes=0)()

    bench.steps()

    assert (entry.state, entry.whys) == (READY, ["no-bytes"])


def test_a_person_is_asked_only_when_the_device_is_quiet(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.sender(entry, "first")()
    bench.standing = Standing(DeviceState.PROCESSING, ("media-jam-warning",))

    assert bench.steps() == bench.settings.look_seconds
    assert entry.state is RELEASING
    bench.standing = Standing(DeviceState.IDLE)
    bench.steps()
    assert entry.state is UNKNOWN
    assert entry.evidence["why"] == "no-result"
    assert entry.evidence["device"]["seen"] == ["media-jam-warning"]
    assert entry.evidence["device"]["state"] == "idle"
    assert "cancel" in bench.cups.asked


def test_what_the_device_said_before_is_not_about_the_next_pass(bench):
    bench.standing = Standing(DeviceState.IDLE, ("toner-low",))
    bench.steps()
    bench.standing = Standing(DeviceState.IDLE)
    entry = bench.book.release()
    bench.now += 100
    bench.steps()
    bench.sender(entry, "first")()
    bench.steps()

    assert entry.state is UNKNOWN
    assert entry.evidence["device"]["seen"] == []


def test_a_device_that_cannot_be_asked_is_given_its_quiet_time(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    bench.sender(entry, "first")()
    bench.standing = Standing(DeviceState.UNKNOWN)

    bench.steps()
    bench.now += bench.settings.quiet_seconds
    bench.steps()
    assert entry.state is RELEASING
    bench.now += 1
    bench.steps()
    assert entry.state is UNKNOWN


def test_without_the_permits_everything_is_asked_about(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    (bench.permits.path / "id").write_text(json.dumps({"id": str(uuid4())}))

    bench.steps()
    bench.now += bench.settings.quiet_seconds + 1
    bench.steps()

    assert entry.state is UNKNOWN
    assert entry.evidence["why"] == "permits-lost"


def test_several_open_tries_of_a_restored_journal_are_judged_one_after_the_other(bench):
    first = bench.left_in(RELEASING, with_permit=True)
    second = bench.left_in(RELEASING)
    bench.sender(first, "first", "done")()

    bench.steps()
    assert (first.state, second.state) == (DONE, RELEASING)
    bench.steps()
    assert second.state is UNKNOWN
    assert second.evidence["why"] == "permit-lost"


# ── after a try that failed ──────────────────────────────────────────────────────────────────────────────────────────


def test_after_tries_that_failed_the_next_waits_longer_and_longer_but_not_for_ever(bench):
    bench.cups.fails["send"] = CupsRefused("no")
    bench.book.release()
    pauses = []
    for _ in range(10):
        bench.steps(2)  # begun and failed · judged `again`
        pauses.append(bench.steps())
        assert bench.cups.asked[-1] == "cancel"
        bench.now += pauses[-1]

    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert len(bench.book.entries[0].tries) == 10


def test_a_try_that_goes_well_makes_the_pauses_short_again(bench):
    bench.cups.fails["send"] = CupsRefused("no")
    entry = bench.book.release()
    bench.steps(2)
    del bench.cups.fails["send"]
    bench.now += 1
    bench.steps()
    bench.sender(entry, "first", "done")()
    bench.steps()
    assert entry.state is DONE

    bench.cups.fails["send"] = CupsRefused("no")
    bench.book.release()
    bench.steps(2)
    assert bench.steps() == 0.5


def test_what_cups_does_not_cancel_costs_nothing(bench):
    """Started later, it finds its permit spent."""
    bench.cups.fails["cancel"] = CupsUnreachable("no answer")
    entry = bench.left_in(CREATED)

    bench.steps()

    assert (entry.state, entry.whys) == (READY, ["not-released"])


def test_an_order_held_between_the_look_and_the_intent_gets_no_try(bench):
    entry = bench.book.release()
    bench.book.intent = lambda released: None

    assert bench.steps() == 0.0
    assert (entry.state, entry.tries) == (READY, [])


def test_an_order_held_before_the_release_is_won_back(bench):
    entry = bench.book.release()
    bench.book.releasing = lambda try_id: False

    bench.steps(3)

    assert "release" not in bench.cups.asked
    assert (entry.state, entry.whys) == (READY, ["revoked"])


def test_a_device_that_was_just_seen_ready_is_not_asked_again_but_after_a_try_that_failed_it_is(bench):
    """A look takes time, and a reason to fail may still be there."""
    looks = []
    bench.look = lambda device, probes: looks.append(bench.now) or Standing(DeviceState.IDLE)
    bench.worker = bench.new_worker()
    bench.steps()
    assert len(looks) == 1
    bench.cups.fails["send"] = CupsRefused("no")
    bench.book.release()
    bench.now += bench.settings.idle_seconds - 1
    bench.steps()
    assert len(looks) == 1

    bench.steps()
    bench.now += 0.5
    bench.steps()
    assert len(looks) == 2


def test_where_the_doctor_says_no_nothing_is_begun(bench):
    entry = bench.book.release()
    bench.may_begin = False

    assert bench.steps() == bench.settings.look_seconds
    assert entry.tries == []


def test_a_device_that_is_not_ready_gets_no_try(bench):
    entry = bench.book.release()
    bench.standing = Standing(DeviceState.STOPPED, ("media-empty",))

    assert bench.steps() == bench.settings.look_seconds
    assert entry.tries == []


def test_a_printer_with_nothing_to_do_is_looked_at_now_and_then(bench):
    assert bench.steps() == bench.settings.idle_seconds
    assert bench.worker.standing == Standing(DeviceState.IDLE)


# ── at the start ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_jobs_of_ours_that_no_open_try_knows_are_cancelled_and_nobody_elses(bench):
    """A Create-Job whose answer was lost leaves a held job; others' jobs and those of other queues are theirs."""
    known = bench.left_in(RELEASING, with_permit=True)
    title = known.tries[0].title
    others = {
        5: Job(5, uuid4(), title, JobState.HELD, "booklet-1", 0, 0),
        6: Job(6, uuid4(), title, JobState.HELD, "proof-1", 0, 0),
        7: Job(7, uuid4(), "report.pdf", JobState.HELD, "booklet-1", 1, 9),
        8: Job(8, uuid4(), f"{title} and more", JobState.HELD, "booklet-1", 1, 9),
    }
    bench.cups.jobs |= others
    bench.cups.asked.clear()

    bench.worker.recover()

    assert bench.cups.asked == ["waiting", "cancel 5"]


def test_a_cups_that_is_away_keeps_nothing_from_being_taken_up(bench):
    bench.cups.fails["waiting"] = CupsUnreachable("no answer")

    entry = bench.left_in(CREATED)

    bench.steps()
    assert entry.state is READY


def test_a_worker_that_stumbles_begins_with_recovery_again(bench):
    """The journal was full for a moment: what was open is taken up from it, and nothing is remembered."""
    entry = bench.book.release()
    known, stumbled, recovered = bench.book.open_tries, Event(), []

    def next_pass(printer: str):
        if not stumbled.is_set():
            stumbled.set()
            raise OSError("no space left on device")
        return PaperBook.next_pass(bench.book, printer)

    def open_tries(printer: str) -> list[Try]:
        recovered.append(printer)
        return list(known(printer))

    bench.book.next_pass, bench.book.open_tries = next_pass, open_tries
    bench.settings = replace(bench.settings, look_seconds=0.01)
    worker = bench.new_worker()
    worker.start()
    worker.wake()
    _until(lambda: entry.state is RELEASING)
    worker.ask_to_stop()
    worker.join()

    assert len(recovered) == 2


def test_a_spool_wakes_the_printer_that_is_named_and_says_how_each_stands(bench):
    spool = Spool(
        printers=[PrinterLine("booklet-1", DEVICE), PrinterLine("proof-1", "virtual:/proof")],
        book=bench.book,
        permits=bench.permits,
        settings=bench.settings,
        connect=lambda socket: bench.cups,
    )
    spool.wake("proof-1")

    assert [worker._wake.is_set() for worker in spool._workers.values()] == [False, True]
    spool.wake()
    assert [worker._wake.is_set() for worker in spool._workers.values()] == [True, True]
    assert spool.standings() == {"booklet-1": Standing(DeviceState.UNKNOWN), "proof-1": Standing(DeviceState.UNKNOWN)}


def test_a_start_forgets_no_permit_of_an_open_try(bench):
    """However old it is."""
    entry = bench.left_in(RELEASING, with_permit=True)
    uuid, old = entry.tries[-1].id, uuid4()
    bench.permit(old, 2)
    for name in (uuid, old):
        os.utime(bench.permits.path / "issued" / str(name), (1, 1))
    spool = Spool(
        printers=[PrinterLine("booklet-1", DEVICE)],
        book=bench.book,
        permits=bench.permits,
        settings=bench.settings,
        connect=lambda socket: bench.cups,
    )
    spool.start()
    spool.stop()

    assert bench.permits.fate(uuid).is_issued
    assert not bench.permits.fate(old).is_issued


def test_a_recalled_try_is_won_back_once_and_a_claimed_one_is_not(bench):
    entry = bench.left_in(RELEASING, with_permit=True)
    spool = Spool(
        printers=[PrinterLine("booklet-1", DEVICE)],
        book=bench.book,
        permits=bench.permits,
        settings=bench.settings,
        connect=lambda socket: bench.cups,
    )

    assert spool.recall(entry.tries[-1].id)
    assert spool._workers["booklet-1"]._wake.is_set()
    other = bench.left_in(RELEASING, with_permit=True)
    let_go = bench.sender(other)
    assert not spool.recall(other.tries[-1].id)
    let_go()


def _until(is_so: Callable[[], bool]) -> None:
    waited = Event()
    for _ in range(1_000):
        if is_so():
            return
        waited.wait(0.01)
    raise AssertionError("waited in vain")
