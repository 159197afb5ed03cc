"""F35: a question that nobody answers is not forgotten: home knows its age, reminds, and lists it when the day ends."""

from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from spooler.job import Reason
from spooler.metrics import StoreFigures
from spooler.reminders import Reminders
from spooler.wire.messages import Ask, Ticket
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall


@pytest.fixture
def asked(home: Home, hall: FakeHall) -> Ticket:
    """A job whose pass is unknown, and the hall's operator has gone for lunch."""
    ticket = home.sent(hall)
    for report in (hall.received(ticket), hall.released(ticket)):
        home.collector.handle(report)
    about = {"number": 1, "try_id": uuid4(), "reasons": ("outcome-unknown",)}
    home.collector.handle(hall.about(ticket, Ask, "printing", **about))
    return ticket


def unanswered(home: Home) -> list[str | None]:
    return [alarm.job_id for alarm in home.alarms if alarm.code == "unanswered"]


@pytest.mark.fault_row("F35")
def test_who_does_not_answer_is_reminded_every_hour(home: Home, asked: Ticket, clock: Clock) -> None:
    reminders = Reminders(store=home.store, clock=clock)
    said = []
    for _ in range(10):
        reminders.look()
        said.append(len(unanswered(home)))
        clock.advance(minutes=15)

    assert said == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert set(unanswered(home)) == {str(asked.job_id)}
    assert home.job(asked).reasons == (Reason.OUTCOME_UNKNOWN,)


@pytest.mark.fault_row("F35")
def test_home_sees_how_old_the_question_is(home: Home, asked: Ticket, clock: Clock) -> None:
    clock.advance(minutes=40)

    (age,) = [
        sample.value
        for metric in StoreFigures(store=home.store, clock=clock).collect()
        if metric.name == "certspool_wait_age_seconds"
        for sample in metric.samples
        if sample.labels["reason"] == "outcome-unknown"
    ]

    assert age == timedelta(minutes=40).total_seconds()


@pytest.mark.fault_row("F35")
def test_when_the_day_ends_what_is_open_is_listed_once(home: Home, asked: Ticket, clock: Clock) -> None:
    reminders = Reminders(store=home.store, clock=clock)
    with capture_logs() as logs:
        for _ in range(48):
            reminders.look()
            clock.advance(minutes=30)

    (listed,) = [line for line in logs if line["event"] == "end of day"]
    assert [one["job_id"] for one in listed["jobs"]] == [str(asked.job_id)]


def test_what_was_answered_is_not_reminded_of(home: Home, hall: FakeHall, asked: Ticket, clock: Clock) -> None:
    clock.advance(minutes=40)
    home.collector.handle(hall.about(asked, Ask, "printing", number=1, try_id=uuid4(), answer="printed"))

    Reminders(store=home.store, clock=clock).look()

    assert unanswered(home) == []
