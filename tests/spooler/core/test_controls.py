"""Cancel with a true answer: at once while nothing has left, else by the hall's signed word."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from spooler.controls import Decided, Ended, Pending, TooLate
from spooler.job import JobState, Reason
from spooler.store import NoSuchJob
from spooler.wire import signed
from spooler.wire.letters import Delivery, Letter
from spooler.wire.messages import (
    CONTROL_TYPE,
    Actor,
    Answer,
    ApprovalReport,
    Approve,
    Cancel,
    Control,
    Ticket,
    read_control,
)
from spooler.wire.topology import CONTROLS
from tests.sealing import HOME, NOW, Office
from tests.spooler.core.conftest import Home
from tests.spooler.core.hall import SERIAL, FakeHall

OPERATOR = Actor(id="operator-1", role="operate")
APPROVER = Actor(id="approver-1", role="approve")


def test_a_job_that_has_not_left_is_cancelled_at_once(home: Home) -> None:
    job = home.accept()

    assert home.controls.cancel(job.job_id, "twice", OPERATOR) == Ended(JobState.CANCELLED)

    home.pipeline.work_off()
    assert home.job(job).state is JobState.CANCELLED
    assert home.orders() == []
    assert home.store.jobs.events(job.job_id)[-1].actor == OPERATOR


def test_an_order_in_the_outbox_may_have_left(home: Home) -> None:
    """The courier may be sending it this very moment: only the hall can tell."""
    job = home.accept()
    home.pipeline.work_off()

    assert isinstance(home.controls.cancel(job.job_id, "twice", OPERATOR), Pending)

    assert home.job(job).state is JobState.SEALED
    assert home.job(job).reasons == (Reason.CANCEL_REQUESTED,)


def test_a_hall_is_asked_by_a_signed_control(home: Home, hall: FakeHall, office: Office) -> None:
    ticket = home.sent(hall)

    asked = home.controls.cancel(str(ticket.job_id), "张三要求", OPERATOR)

    letter, control = _control(home, office)
    assert isinstance(control, Cancel) and isinstance(asked, Pending)
    assert (str(control.control_id), control.order_id) == (asked.control_id, ticket.order_id)
    assert letter.routing_key == f"{ticket.registry}.{ticket.hall}"
    assert "张三".encode() not in letter.body


def test_asking_twice_asks_once(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda _: home.controls.cancel(str(ticket.job_id), "twice", OPERATOR), range(8)))

    assert len(set(asked)) == 1
    assert len(_controls(home)) == 1


@pytest.mark.parametrize("outcome", ["cancelled", "stopped"])
def test_the_halls_answer_ends_the_job(home: Home, hall: FakeHall, outcome: str) -> None:
    ticket, asked = _asked(home, hall)

    home.collector.handle(_answer(hall, ticket, asked, outcome))

    job = home.job(ticket)
    assert (job.state, job.reasons) == (JobState.CANCELLED, ())
    assert [order.state for order in job.orders] == ["cancelled"]
    assert home.store.orders.controls(job.job_id)[0].outcome == outcome


def test_the_order_may_be_told_cancelled_before_the_answer(home: Home, hall: FakeHall) -> None:
    ticket, asked = _asked(home, hall)

    home.collector.handle(hall.stands(ticket, "cancelled"))
    home.collector.handle(_answer(hall, ticket, asked, "cancelled"))

    assert home.job(ticket).state is JobState.CANCELLED
    assert home.alarms == []


def test_a_pass_under_way_leaves_the_question_open(home: Home, hall: FakeHall) -> None:
    ticket, asked = _asked(home, hall)

    home.collector.handle(_answer(hall, ticket, asked, "pending"))
    assert Reason.CANCEL_REQUESTED in home.job(ticket).reasons

    home.collector.handle(_answer(hall, ticket, asked, "stopped"))
    assert home.job(ticket).state is JobState.CANCELLED


def test_too_late_is_told_and_changes_nothing(home: Home, hall: FakeHall) -> None:
    ticket, asked = _asked(home, hall)
    for report in (hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)

    home.collector.handle(_answer(hall, ticket, asked, "too-late"))

    job = home.job(ticket)
    assert (job.state, job.serial) == (JobState.ISSUED, SERIAL)
    assert home.callbacks(ticket)[-1] == "job.cancel-refused"
    assert home.alarms == []


def test_what_has_ended_otherwise_cannot_be_cancelled(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    for report in (hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)

    assert home.controls.cancel(str(ticket.job_id), "late", OPERATOR) == TooLate(JobState.ISSUED)


def test_cancelling_what_is_cancelled_says_so(home: Home) -> None:
    job = home.accept()
    home.controls.cancel(job.job_id, "twice", OPERATOR)

    assert home.controls.cancel(job.job_id, "twice", OPERATOR) == Ended(JobState.CANCELLED)


def test_a_job_whose_order_has_expired_is_cancelled_at_once(home: Home, hall: FakeHall) -> None:
    """The hall's signed word ended the order with nothing printed: nobody is left to ask."""
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.stands(ticket, "expired"))

    assert home.controls.cancel(str(ticket.job_id), "expired", OPERATOR) == Ended(JobState.CANCELLED)


def test_nobody_cancels_what_is_not_there(home: Home) -> None:
    with pytest.raises(NoSuchJob):
        home.controls.cancel(str(uuid4()), "?", OPERATOR)


def test_a_cancel_and_the_pipeline_at_once_agree(home: Home) -> None:
    """Whoever comes first: either the job is cancelled and nothing leaves, or the hall is asked about what did."""
    for number in range(1, 21):
        job = home.accept(number)
        with ThreadPoolExecutor(2) as pool:
            working = pool.submit(home.pipeline.work_off)
            cancelling = pool.submit(home.controls.cancel, job.job_id, "race", OPERATOR)
            working.result()
            outcome = cancelling.result()
        letters = [letter for letter in home.orders() if letter.headers["order_id"] in _orders(home, job.job_id)]
        assert (len(letters) == 0) == isinstance(outcome, Ended)


def test_an_approval_given_at_home_goes_to_the_hall(home: Home, hall: FakeHall, office: Office) -> None:
    _, approval_id = _waiting(home, hall)

    decided = home.controls.decide(approval_id, True, "张三在场", APPROVER)

    letter, control = _control(home, office)
    assert isinstance(decided, Pending) and isinstance(control, Approve)
    assert (str(control.approval_id), control.accept, control.actor) == (approval_id, True, APPROVER)
    assert "张三".encode() not in letter.body
    assert home.store.approvals.open()[0].state == "sent"


def test_an_approval_is_closed_by_the_halls_answer(home: Home, hall: FakeHall) -> None:
    ticket, approval_id = _waiting(home, hall)
    decided = home.controls.decide(approval_id, True, "", APPROVER)
    assert isinstance(decided, Pending)

    home.collector.handle(_answer(hall, ticket, decided.control_id, "accepted"))

    assert home.store.approvals.open() == ()


@pytest.mark.fault_row("F33")
def test_two_who_decide_at_once_decide_once(home: Home, hall: FakeHall) -> None:
    """F33: one wins."""
    _, approval_id = _waiting(home, hall)
    with ThreadPoolExecutor(4) as pool:
        decided = list(pool.map(lambda n: home.controls.decide(approval_id, n % 2 == 0, "", APPROVER), range(4)))

    assert [type(one) for one in decided].count(Pending) == 1
    assert decided.count(Decided("sent")) == 3


def test_nobody_decides_about_what_does_not_wait(home: Home) -> None:
    assert home.controls.decide(str(uuid4()), True, "", APPROVER) is None


def _asked(home: Home, hall: FakeHall) -> tuple[Ticket, str]:
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    asked = home.controls.cancel(str(ticket.job_id), "twice", OPERATOR)
    assert isinstance(asked, Pending)
    return ticket, asked.control_id


def _waiting(home: Home, hall: FakeHall) -> tuple[Ticket, str]:
    ticket = home.sent(hall)
    approval_id = uuid4()
    home.collector.handle(hall.received(ticket))
    home.collector.handle(hall.released(ticket))
    home.collector.handle(hall.about(ticket, ApprovalReport, "printing", approval_id=approval_id, act="spoil"))
    return ticket, str(approval_id)


def _answer(hall: FakeHall, ticket: Ticket, control_id: str, outcome: str) -> Delivery:
    return hall.says(Answer, control_id=UUID(control_id), order_id=ticket.order_id, outcome=outcome)


def _controls(home: Home) -> list[Letter]:
    return [letter for letter in home.store.outbox.pending(100) if letter.exchange == CONTROLS]


def _control(home: Home, office: Office) -> tuple[Letter, Control]:
    (letter,) = _controls(home)
    keys = office.trust.registries[HOME].ticket_keys
    return letter, read_control(signed.open_signed(letter.body, CONTROL_TYPE, keys=keys, use="ticket", at=NOW))


def _orders(home: Home, job_id: str) -> list[str]:
    job = home.store.jobs.job(job_id)
    assert job is not None
    return [order.order_id for order in job.orders]
