"""Until when documents are kept, on either database: what is due, what a hold keeps, which files are still wanted."""

from datetime import timedelta

import pytest

from spooler.electronic.identifier import NewElectronic
from spooler.electronic.validity import Validity
from spooler.job import JobState
from spooler.store import Store
from spooler.store.electronic import MadeFile
from spooler.store.electronic_changes import set_validity
from spooler.store.values import Accepted, Job, Update
from spooler.wire.messages import Actor
from tests.spooler.store.builders import CLERK, a_hash, a_new_job
from tests.spooler.store.conftest import Clock

SOMEBODY = Actor(id="root", role="operate")
DAY = timedelta(days=1)


def ended(store: Store, number: int, **varied: object) -> Job:
    names = {"unsigned_sha256": a_hash(f"pdf {number}"), "private_sha256": a_hash(f"private {number}")}
    outcome = store.jobs.accept(a_new_job(number, **{**names, **varied}), CLERK)
    assert isinstance(outcome, Accepted)
    with store.changing() as change:
        change.move(outcome.job.job_id, Update(state=JobState.CANCELLED))
    for letter in store.outbox.pending(100):
        store.outbox.sent(letter.id)
    return outcome.job


def due(store: Store, clock: Clock) -> list[str]:
    return [one.job_id for one in store.kept.due(clock() - DAY, 100)]


def test_the_oldest_is_due_first_and_what_is_held_or_destroyed_is_not(store: Store, clock: Clock) -> None:
    first = ended(store, 1)
    clock.advance(hours=1)
    second, third = ended(store, 2), ended(store, 3)
    clock.advance(days=2)
    assert due(store, clock) == [first.job_id, second.job_id, third.job_id]

    store.kept.hold(first.job_id, "(2026)黑12民初34号", SOMEBODY)
    assert store.kept.destroy(second.job_id, ())

    assert due(store, clock) == [third.job_id]
    assert not store.kept.destroy(first.job_id, ()) and not store.kept.destroy(second.job_id, ())
    assert store.kept.is_destroyed(second.job_id) and not store.kept.is_destroyed(third.job_id)
    assert store.audit.verify().fault is None


def test_what_is_noted_is_forgotten_when_it_is_gone(store: Store) -> None:
    job = ended(store, 1, annexes=(a_hash("plan"),))
    store.kept.destroy(job.job_id, {a_hash("sealed before")})

    noted = store.kept.to_destroy()
    assert set(noted) == {a_hash(word) for word in ("pdf 1", "private 1", "plan", "sealed before")}
    store.kept.destroyed(noted)
    assert store.kept.to_destroy() == ()


def test_a_document_is_wanted_as_long_as_one_job_wants_it(store: Store) -> None:
    plan = a_hash("plan")
    first, second = ended(store, 1, annexes=(plan,)), ended(store, 2, annexes=(plan,))

    store.kept.destroy(first.job_id, ())
    assert plan in set(store.kept.wanted()) and a_hash("pdf 1") not in set(store.kept.wanted())
    store.kept.destroy(second.job_id, ())
    assert set(store.kept.wanted()) == set()


def test_a_certificate_keeps_what_it_is_drawn_from_until_its_own_end(store: Store, clock: Clock) -> None:
    new = NewElectronic(code="A" * 26, registry_name="望奎县自然资源局", issuer="11231221MB00000012", first_serial=1)
    job = ended(store, 1, electronic=new)
    store.kept.destroy(job.job_id, ())
    assert set(store.kept.wanted()) == {a_hash("private 1")}
    assert set(store.kept.to_destroy()) == {a_hash("pdf 1")}

    with store.changing() as change:
        assert set_validity(change.connection, job.job_id, Validity.WITHDRAWN, change.now)
    clock.advance(days=2)
    assert store.kept.electronic_due(clock() - DAY, 10) == ()  # the file that says so is still to be made
    (one,) = store.electronics.due(clock())
    store.electronics.made(one, MadeFile(1, Validity.WITHDRAWN, "1.2.156", a_hash("file"), 4))

    assert [one.job_id for one in store.kept.electronic_due(clock() - DAY, 10)] == [job.job_id]
    assert store.kept.destroy_electronic(job.job_id) and not store.kept.destroy_electronic(job.job_id)
    assert set(store.kept.to_destroy()) == {a_hash("pdf 1"), a_hash("private 1"), a_hash("file")}
    assert set(store.kept.wanted()) == set()


@pytest.mark.parametrize("state", [JobState.ACCEPTED])
def test_a_job_that_goes_on_is_never_destroyed(store: Store, state: JobState) -> None:
    outcome = store.jobs.accept(a_new_job(1), CLERK)
    assert isinstance(outcome, Accepted) and outcome.job.state is state

    assert not store.kept.destroy(outcome.job.job_id, ())
