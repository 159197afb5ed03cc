"""What has ended long enough ago is destroyed, key first; what is held, or wanted by another job, stays; the history stays whole."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from spooler.documents import LOCKED_HEAD_BYTES, DocumentDamaged, Documents
from spooler.job import JobState
from spooler.locker import KeyLocker
from spooler.pipeline import Pipeline
from spooler.prepare import Preparer
from spooler.retention import Names, Retention
from spooler.store import NoSuchJob
from spooler.store.values import Accepted, Job, Same, Update, Work
from spooler.wire.messages import Actor, Heartbeat, Ticket
from tests.sealing import Office
from tests.spooler.core.conftest import HOLDER, Clock, Home
from tests.spooler.core.hall import FakeHall
from tests.spooler.store.builders import CLERK, a_new_job

KEY = bytes(range(32))
DAYS = 190
NOBODY_WAITS = timedelta(0)
SOMEBODY = Actor(id="root", role="operate")


@pytest.fixture
def home(office: Office, tmp_path: Path, clock: Clock) -> Iterator[Home]:
    """With a key for its documents."""
    found = Home(office, tmp_path, clock)
    found.documents = Documents(tmp_path / "documents", KeyLocker([KEY]))
    found.pipeline = Pipeline(store=found.store, steps=found.steps(), clock=clock)
    yield found
    found.store.close()


def retention(home: Home, **varied: object) -> Retention:
    settings = {"keep_days": DAYS, "keep_electronic_days": DAYS, "young": NOBODY_WAITS, **varied}
    settings.setdefault("steady", lambda: home.clock().timestamp())
    return Retention(store=home.store, documents=home.documents, clock=home.clock, **settings)  # type: ignore[arg-type]


def issued(home: Home, hall: FakeHall, number: int = 1, **varied: object) -> Ticket:
    """Bring a job to its end, on paper in somebody's hands."""
    ticket = home.sent(hall, number, **varied)
    for report in (hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)
    home.send()
    return ticket


def cancelled(home: Home, number: int = 1, **varied: object) -> Job:
    job = home.accept(number, **varied)
    with home.store.changing() as change:
        change.move(job.job_id, Update(state=JobState.CANCELLED))
    home.send()
    return job


def on_disk(home: Home) -> list[Path]:
    return [path for path in (home.directory / "documents").rglob("*") if path.is_file()]


def readable(home: Home) -> bytes:
    """All that anybody can make of the documents with every key that there is."""
    locker = KeyLocker([KEY])
    return b"".join(locker.unlock(path.read_bytes()) for path in on_disk(home))


def last_event(home: Home, job_id: object) -> str | None:
    return home.store.jobs.events(str(job_id))[-1].detail


def test_after_its_time_nothing_of_a_person_can_be_read_any_more(home: Home, hall: FakeHall, clock: Clock) -> None:
    """Request, print document, ticket: not even with the key that all of them were locked with."""
    ticket = issued(home, hall)
    assert HOLDER.encode() in readable(home)

    clock.advance(days=DAYS + 1)
    retention(home).look()

    assert on_disk(home) == []
    assert home.store.kept.to_destroy() == ()
    assert last_event(home, ticket.job_id) == "documents destroyed"


def test_what_is_not_a_person_stays(home: Home, hall: FakeHall, clock: Clock) -> None:
    """The job, its serial, its history; the audit log is whole, and covers the destruction."""
    ticket = issued(home, hall)
    before = home.job(ticket)
    clock.advance(days=DAYS + 1)
    retention(home).look()

    after = home.job(ticket)
    assert (after.state, after.serial, after.number) == (before.state, before.serial, before.number)
    assert home.history(ticket)[-2:] == ["issued", "issued"]
    verdict = home.store.audit.verify()
    assert verdict.fault is None and home.store.audit.entries() == len(home.store.jobs.events(str(ticket.job_id))) + 1


def test_before_its_time_nothing_is_destroyed(home: Home, hall: FakeHall, clock: Clock) -> None:
    issued(home, hall)
    before = len(on_disk(home))

    clock.advance(days=DAYS - 1)
    retention(home).look()

    assert len(on_disk(home)) == before > 2


def test_a_job_that_has_not_ended_is_kept_however_old_it_is(home: Home, hall: FakeHall, clock: Clock) -> None:
    ticket = home.sent(hall)
    clock.advance(days=10 * DAYS)
    retention(home).look()

    assert home.documents.read_private(_work(home, home.job(ticket)).private_sha256).holder == HOLDER
    assert home.store.kept.is_destroyed(str(ticket.job_id)) is False


def test_forever_is_forever(home: Home, hall: FakeHall, clock: Clock) -> None:
    issued(home, hall)
    clock.advance(days=36_000)
    retention(home, keep_days="forever", keep_electronic_days="forever").look()

    assert HOLDER.encode() in readable(home)


def test_the_documents_of_earlier_orders_go_too(home: Home, clock: Clock) -> None:
    """A job remembers its newest document only; the tickets name the others."""
    job = home.accept()
    prepare = home.steps()[JobState.ACCEPTED]
    assert isinstance(prepare, Preparer)
    prepare(_work(home, job))
    first = home.store.orders.open_order(job.job_id)
    assert first is not None
    prepare.again(_work(home, job), first.order_id)
    assert len(on_disk(home)) == 6
    with home.store.changing() as change:
        change.move(job.job_id, Update(state=JobState.CANCELLED))
    home.send()

    clock.advance(days=DAYS + 1)
    retention(home).look()
    assert on_disk(home) == []


def _work(home: Home, job: Job) -> Work:
    work = home.store.jobs.work(job.job_id)
    assert work is not None
    return work


@pytest.mark.attack_row("S40")
def test_the_key_is_destroyed_before_the_file(home: Home, clock: Clock) -> None:
    """Whoever keeps the file open, or digs it out of the disk, has a document without its key."""
    cancelled(home)
    files = [path.open("rb") for path in on_disk(home)]
    clock.advance(days=DAYS + 1)

    retention(home).look()

    assert len(files) == 2 and on_disk(home) == []
    for file in files:
        left = file.read()
        assert left.startswith(bytes(LOCKED_HEAD_BYTES)) and left.strip(b"\0")
        file.close()


def test_what_lies_open_is_overwritten_whole(tmp_path: Path) -> None:
    documents = Documents(tmp_path / "documents")
    name = documents.keep(b"open " * 1000)
    file = (tmp_path / "documents" / name[:2] / name).open("rb")

    assert documents.destroy([name], unless_used_within=NOBODY_WAITS) == (name,)
    assert file.read().strip(b"\0") == b""
    file.close()


def test_a_plan_that_another_certificate_has_too_stays_until_that_one_goes(
    home: Home, hall: FakeHall, clock: Clock
) -> None:
    plan = home.documents.keep(b"a plan of both")
    cancelled(home, 1, annexes=(plan,))
    clock.advance(days=DAYS)
    cancelled(home, 2, annexes=(plan,))
    clock.advance(days=1)

    retention(home).look()
    assert home.documents.read(plan) == b"a plan of both"

    clock.advance(days=DAYS)
    retention(home).look()
    with pytest.raises(DocumentDamaged):
        home.documents.read(plan)


def test_a_plan_that_comes_again_meanwhile_stays(home: Home, clock: Clock) -> None:
    """A request that is being kept uses the file that is there: its job is not in the store yet."""
    plan = home.documents.keep(b"a plan of both")
    cancelled(home, 1, annexes=(plan,))
    clock.advance(days=DAYS + 1)

    with home.documents.batch() as batch:
        batch.keep(b"a plan of both")
        retention(home).look()
        outcome = home.store.jobs.accept(a_new_job(2, annexes=(plan,)), CLERK)

    assert isinstance(outcome, Accepted)
    retention(home).look()
    assert home.documents.read(plan) == b"a plan of both"
    assert home.store.kept.to_destroy() == ()


def test_a_file_that_was_used_within_the_hour_waits_for_the_next_look(home: Home, clock: Clock) -> None:
    """By a home beside this one, whose batch nobody here sees."""
    cancelled(home)
    clock.advance(days=DAYS + 1)

    retention(home, young=timedelta(hours=1)).look()
    assert len(on_disk(home)) == len(home.store.kept.to_destroy()) == 2

    retention(home).look()
    assert on_disk(home) == [] and home.store.kept.to_destroy() == ()


def test_a_legal_hold_keeps_all_of_a_job(home: Home, clock: Clock) -> None:
    job, other = cancelled(home, 1), cancelled(home, 2)
    assert home.store.kept.hold(job.job_id, "(2026)黑12民初34号", SOMEBODY) is not None
    clock.advance(days=DAYS + 1)

    retention(home).look()

    assert HOLDER.encode() in readable(home)
    assert home.store.kept.is_destroyed(other.job_id) and not home.store.kept.is_destroyed(job.job_id)
    assert [one.reason for one in home.store.kept.holds()] == ["(2026)黑12民初34号"]

    assert home.store.kept.release(job.job_id, SOMEBODY)
    assert last_event(home, job.job_id) == "legal hold released"
    clock.advance(days=1)
    retention(home).look()
    assert HOLDER.encode() not in readable(home)


def test_a_hold_comes_too_late_for_what_is_destroyed(home: Home, clock: Clock) -> None:
    job = cancelled(home)
    clock.advance(days=DAYS + 1)
    retention(home).look()

    assert home.store.kept.hold(job.job_id, "too late", SOMEBODY) is None
    with pytest.raises(NoSuchJob):
        home.store.kept.hold("00000000-0000-4000-8000-000000000000", "nobody's", SOMEBODY)


def test_the_same_request_is_still_known(home: Home, clock: Clock) -> None:
    """By the hash of its content, without the content."""
    job = cancelled(home)
    clock.advance(days=DAYS + 1)
    retention(home).look()

    again = home.store.jobs.accept(a_new_job(1), CLERK)
    assert isinstance(again, Same) and again.job.job_id == job.job_id


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_whatever_dies_in_the_middle_is_gone_on_with(
    home: Home, hall: FakeHall, clock: Clock, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the note, after a key, after some files: the next look destroys the rest."""
    ticket = issued(home, hall)
    clock.advance(days=DAYS + 1)
    passed = iter(range(1, 100))

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if next(passed) == dies_at:
            raise KeyboardInterrupt
        real_unlink(path, missing_ok)

    real_unlink = Path.unlink
    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(KeyboardInterrupt):
        retention(home).look()
    monkeypatch.undo()

    assert home.store.kept.is_destroyed(str(ticket.job_id))
    home.open()
    retention(home).look()
    assert on_disk(home) == [] and home.store.kept.to_destroy() == ()


def test_what_no_row_names_goes_when_it_is_as_old(home: Home, clock: Clock) -> None:
    """A crash left it behind: a document without its job, a file that was never whole."""
    name = home.documents.keep(b"left behind")
    (home.directory / "documents" / name[:2] / ".torn").write_bytes(b"torn")
    kept = home.accept()
    for path in on_disk(home):
        os.utime(path, (clock().timestamp(), clock().timestamp()))

    retention(home).look()
    assert len(on_disk(home)) == 4

    clock.advance(days=DAYS + 1)
    retention(home).look()
    assert len(on_disk(home)) == 2
    assert home.documents.read_private(_work(home, kept).private_sha256).holder == HOLDER


def test_what_people_typed_as_reasons_goes_too(home: Home, hall: FakeHall, clock: Clock) -> None:
    ticket = issued(home, hall)
    home.controls.withdraw(str(ticket.job_id), f"asked for by {HOLDER}", SOMEBODY)
    home.send()
    clock.advance(days=DAYS + 1)

    retention(home).look()

    (control,) = home.store.orders.controls(str(ticket.job_id))
    assert control.reason == ""
    assert home.store.audit.verify().fault is None


def test_an_older_home_is_given_time_to_say_otherwise(home: Home, clock: Clock) -> None:
    """After an upgrade nothing is destroyed for thirty days."""
    cancelled(home)
    clock.advance(days=DAYS + 1)
    with home.store.changing() as change:
        change.connection.exec_driver_sql(
            "INSERT INTO retention VALUES (?)", ((clock() + timedelta(days=30)).replace(tzinfo=None).isoformat(" "),)
        )

    retention(home).look()
    assert len(on_disk(home)) == 2

    clock.advance(days=30)
    retention(home).look()
    assert on_disk(home) == []


def test_a_clock_that_jumped_destroys_nothing(home: Home, clock: Clock) -> None:
    """Half a year in a second: somebody set it, and it may be wrong."""
    cancelled(home)
    steady = retention(home, steady=lambda: 0.0)
    clock.advance(days=DAYS + 1)

    steady.look()

    assert len(on_disk(home)) == 2


@pytest.mark.parametrize(("hall_is_off", "left"), [(timedelta(0), 0), (-timedelta(days=200), 2)])
def test_a_hall_that_speaks_says_whether_the_clock_is_right(
    home: Home, hall: FakeHall, clock: Clock, hall_is_off: timedelta, left: int
) -> None:
    """One that was set right is believed, one that is half a year ahead of everybody is not."""
    cancelled(home)
    found = retention(home, steady=lambda: 0.0)
    clock.advance(days=DAYS + 1)
    beat = {"agent_version": "0", "printers": (), "blanks": (), "open_asks": 0}
    home.collector.handle(hall.says(Heartbeat, at=clock() + hall_is_off, **beat))

    found.look()

    assert len(on_disk(home)) == left


def test_a_home_that_starts_hears_the_halls_first(home: Home, clock: Clock) -> None:
    cancelled(home)
    clock.advance(days=DAYS + 1)
    found = retention(home)

    found.turn()
    assert len(on_disk(home)) == 2
    found.turn()
    assert on_disk(home) == []


def test_names_are_known_by_their_beginnings() -> None:
    names = Names(["ff" * 32, "00" * 32, "7f" * 32])

    assert "ff" * 32 in names and "00" * 32 in names
    assert "01" * 32 not in names and "" not in names
