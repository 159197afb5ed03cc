"""From accepted to sent: sealed, wrapped, kept until the broker confirmed; every step may run twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from time import monotonic

import pytest

from spooler.job import JobState, Reason
from spooler.prepare import add_working_days
from spooler.store.values import Alarm, Topic, Work
from spooler.wire.errors import BadEnvelope, NotConfirmed, Unroutable
from spooler.wire.topology import EVENTS, ORDERS
from tests.sealing import HALL, HOME, OTHER_HALL, Office
from tests.spooler.core.conftest import HOLDER, Clock, Home
from tests.spooler.core.hall import FakeHall


def test_an_accepted_job_becomes_a_sealed_order_for_its_hall(home: Home, hall: FakeHall) -> None:
    """What the hall opens is signed, names the job, and points at exactly the document that came with it."""
    job = home.accept()

    home.pipeline.work_off()

    (order,) = home.orders()
    ticket, document = hall.open(order)
    assert (str(ticket.job_id), ticket.registry, ticket.hall, ticket.holder) == (job.job_id, HOME, HALL, HOLDER)
    assert ticket.document_bytes == len(document)
    assert home.store.jobs.document_sha256(job.job_id) == ticket.document_sha256
    assert home.job(job).state is JobState.SEALED


def test_the_outside_of_an_order_tells_only_ids(home: Home) -> None:
    """Promise 5: the broker learns who prints for whom, and nothing of what."""
    home.accept()
    home.pipeline.work_off()

    (order,) = home.orders()

    assert order.headers.keys() == {"v", "registry", "hall", "order_id", "kid"}
    assert HOLDER.encode() not in order.body


def test_another_hall_cannot_open_it(home: Home, office: Office) -> None:
    home.accept()
    home.pipeline.work_off()
    (order,) = home.orders()

    with pytest.raises(BadEnvelope):
        FakeHall(office, OTHER_HALL).open(order)


def test_a_job_is_sent_when_the_broker_has_confirmed(home: Home) -> None:
    job = home.accept()
    home.pipeline.work_off()
    assert home.job(job).state is JobState.SEALED

    home.send()

    assert home.job(job).state is JobState.SENT
    assert home.orders() == []


def test_orders_go_before_events_for_others(home: Home) -> None:
    home.accept()
    home.pipeline.work_off()

    exchanges = [letter.exchange for letter in home.store.outbox.pending(10)]

    assert exchanges[0] == ORDERS
    assert set(exchanges[1:]) == {EVENTS}


def test_working_twice_makes_one_order(home: Home) -> None:
    """A crash after a step repeats it: one order, one letter."""
    job = home.accept()
    work = home.store.jobs.work(job.job_id)
    assert work is not None
    home.pipeline.work_off()

    steps = home.steps()
    steps[JobState.ACCEPTED](work)
    sealed = home.store.jobs.work(job.job_id)
    assert sealed is not None
    steps[JobState.SEALED](sealed)
    home.pipeline.work_off()

    assert len(home.orders()) == 1
    assert len(home.job(job).orders) == 1


@pytest.mark.fault_row("F1")
def test_a_restart_between_the_steps_goes_on_where_it_stood(home: Home) -> None:
    """F1: sealed but not yet in the outbox when the home died."""
    job = home.accept()
    work = home.store.jobs.work(job.job_id)
    assert work is not None
    home.steps()[JobState.ACCEPTED](work)
    home.store.close()

    home.open()
    home.pipeline.work_off()
    home.send()

    assert home.job(job).state is JobState.SENT


def test_an_order_that_no_queue_takes_is_kept_and_says_so(home: Home, clock: Clock) -> None:
    """F5: undeliverable is a reason, not an end; it goes out when the queue is there."""
    job = home.accept()
    home.pipeline.work_off()

    home.send(Unroutable("no queue"))
    assert home.job(job).reasons == (Reason.UNDELIVERABLE,)
    assert [alarm.code for alarm in home.alarms] == ["undeliverable"]
    assert home.orders() == []  # not before its time

    clock.advance(minutes=10)
    home.send()
    assert (home.job(job).state, home.job(job).reasons) == (JobState.SENT, ())


def test_an_order_that_the_broker_refuses_is_sent_again_under_the_same_id(home: Home, clock: Clock) -> None:
    """F4: a nack loses nothing and gives the job no reason."""
    job = home.accept()
    home.pipeline.work_off()
    (before,) = home.orders()

    home.send(NotConfirmed("full"))
    clock.advance(minutes=10)

    assert [letter.id for letter in home.orders()] == [before.id]
    assert home.job(job).reasons == ()


def test_a_step_that_fails_is_tried_again_later(home: Home, clock: Clock) -> None:
    """The job stays where it is, the failure is alarmed once, and other jobs are not held up."""
    failures = iter([OSError("disk"), OSError("disk")])
    good = home.steps()[JobState.ACCEPTED]

    def fail_twice(work: Work) -> None:
        for error in failures:
            raise error
        good(work)

    home.pipeline._steps = home.steps({JobState.ACCEPTED: fail_twice})
    job = home.accept()
    for _ in range(3):
        home.pipeline.work_off()
        clock.advance(minutes=10)

    assert home.job(job).state is JobState.SEALED
    assert home.alarms == [Alarm("step-failed", job_id=job.job_id, detail="OSError")]


def test_a_grant_that_was_withdrawn_ends_the_job_before_it_leaves(home: Home, office: Office) -> None:
    job = home.accept()
    home.store.close()
    home.open(replace(office.trust, grants=frozenset()))

    home.pipeline.work_off()

    refused = home.job(job)
    assert refused.state is JobState.REFUSED
    assert refused.refusal is not None and refused.refusal.code == "grant-withdrawn"
    assert home.orders() == []


def test_an_order_can_be_begun_for_three_working_days() -> None:
    """From Thursday evening in China (still Thursday morning by UTC) over the weekend to Tuesday, the same hour."""
    thursday = datetime(2024, 5, 23, 10, 0, tzinfo=UTC)

    assert add_working_days(thursday, 3) == datetime(2024, 5, 28, 10, 0, tzinfo=UTC)


def test_workers_take_up_what_they_are_woken_for(home: Home) -> None:
    """No polling in the happy path: a job is sealed well before the next sweep."""
    home.pipeline._sweep_seconds = 60
    home.store.transactions.listen(Topic.WORK, home.pipeline.wake)
    posted = _event_when(home, Topic.OUTBOX)
    home.pipeline.start()
    try:
        jobs = [home.accept(number) for number in range(1, 6)]
        assert _until(lambda: len(home.orders()) == len(jobs), posted)
    finally:
        home.pipeline.stop()


def _event_when(home: Home, topic: Topic) -> Event:
    happened = Event()
    home.store.transactions.listen(topic, happened.set)
    return happened


def _until(condition: Callable[[], bool], happened: Event) -> bool:
    give_up = monotonic() + 10
    while not condition() and monotonic() < give_up:
        happened.wait(0.2)
        happened.clear()
    return condition()
