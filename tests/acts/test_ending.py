"""Cancel and withdraw, put at each state of an order: the answer is true, the paper is accounted for, nothing more is printed."""

import pytest

from spooler.controls import Ended, Pending, TooLate
from spooler.job import JobState, Reason
from tests.acts.county import BLANK, OPERATOR, County
from tests.agents.counter.hall import CLERK
from tests.sealing import HALL

# Where the act meets the order, what home can say at once, how the order ends at the hall, what becomes of the blank.
CANCELS = [
    ("accepted", Ended, None, "loaded"),
    ("in the outbox", Pending, "cancelled", "loaded"),
    ("in the broker", Pending, "cancelled", "loaded"),
    ("waiting", Pending, "cancelled", "loaded"),
    ("released", Pending, "cancelled", "loaded"),
    ("between passes", Pending, "cancelled", "void"),
    ("on paper", Pending, "cancelled", "void"),
    ("confirmed", Pending, "cancelled", "void"),
]
ENDS = {"cancel": JobState.CANCELLED, "withdraw": JobState.WITHDRAWN}


@pytest.mark.parametrize("act", ENDS)
@pytest.mark.parametrize(("state", "at_once", "order", "blank"), CANCELS, ids=[case[0] for case in CANCELS])
def test_an_end_asked_before_hand_over_is_an_end(
    county: County, act: str, state: str, at_once: type, order: str | None, blank: str
) -> None:
    job = county.brought_to(state)

    outcome = getattr(county.home.controls, act)(job.job_id, "sold twice", OPERATOR)
    county.carry()

    assert isinstance(outcome, at_once)
    assert (county.job(job).state, county.job(job).reasons) == (ENDS[act], ())
    assert county.blank() == blank
    assert county.counter.has_to_print("booklet-1") is None
    if order is None:
        assert county.job(job).orders == ()
    else:
        assert county.counter.order(county.order_id(job)).state == order
    if blank == "void":
        assert [b.status for b in county.home.store.halls.blanks(BLANK)] == ["void"]
    assert county.home.alarms == []


@pytest.mark.parametrize("act", ENDS)
def test_a_pass_that_was_claimed_is_let_end_and_the_next_one_is_not_begun(county: County, act: str) -> None:
    """In mid pass nothing is broken off; home is told nothing but the truth until the pass has ended."""
    job = county.brought_to("released")
    begun = county.counter.begins("booklet-1")

    getattr(county.home.controls, act)(job.job_id, "sold twice", OPERATOR)
    county.carry()
    assert county.job(job).state is JobState.PRINTING
    assert Reason.CANCEL_REQUESTED in county.job(job).reasons
    assert county.counter.recalled == [begun.id]

    county.counter.book.done(begun.id, {})
    county.carry()
    assert county.job(job).state is ENDS[act]
    assert county.blank() == "void"
    assert county.counter.has_to_print("booklet-1") is None


@pytest.mark.parametrize("act", ENDS)
def test_a_pass_whose_permit_was_won_back_leaves_a_clean_blank(county: County, act: str) -> None:
    job = county.brought_to("released")
    begun = county.counter.begins("booklet-1")
    getattr(county.home.controls, act)(job.job_id, "sold twice", OPERATOR)
    county.carry()

    county.counter.book.again(begun.id, "revoked", {})
    county.carry()

    assert county.job(job).state is ENDS[act]
    assert county.blank() == "loaded"
    assert f"{act}: cancelled" in county.details(job)


@pytest.mark.parametrize(
    ("answer", "outcome", "blank"), [("printed", "stopped", "void"), ("nothing_printed", "cancelled", "loaded")]
)
def test_while_a_pass_is_unknown_it_stays_requested_until_a_person_has_looked(
    county: County, answer: str, outcome: str, blank: str
) -> None:
    job = county.brought_to("released")
    asked = county.counter.goes_unknown("booklet-1")
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    county.carry()
    assert set(county.job(job).reasons) == {Reason.CANCEL_REQUESTED, Reason.OUTCOME_UNKNOWN}

    order_id = county.order_id(job)
    county.counter.acts.resolve(CLERK, order_id, attempt=1, number=1, try_id=asked.id, outcome=answer)
    if answer != "printed":
        county.counter.accepts(order_id)
    county.carry()

    assert county.job(job).state is JobState.CANCELLED
    assert any((detail or "").startswith(f"cancel: {outcome}") for detail in county.details(job))
    assert county.blank() == blank


def test_a_cancel_that_meets_the_hand_over_is_too_late_and_told_so(county: County) -> None:
    """The hall's word that it was handed over is on its way while home asks."""
    job = county.brought_to("issued, not told")

    assert isinstance(county.home.controls.cancel(job.job_id, "sold twice", OPERATOR), Pending)
    county.carry()

    assert (county.job(job).state, county.job(job).reasons) == (JobState.ISSUED, ())
    assert county.home.callbacks(job)[-1] == "job.cancel-refused"


def test_what_is_known_to_be_handed_over_cannot_be_cancelled(county: County) -> None:
    job = county.brought_to("issued")

    assert county.home.controls.cancel(job.job_id, "sold twice", OPERATOR) == TooLate(JobState.ISSUED)


@pytest.mark.parametrize(("state", "at_once"), [("issued", Ended(JobState.WITHDRAWN)), ("issued, not told", None)])
def test_a_withdrawn_certificate_that_was_handed_over_is_listed_for_recovery(
    county: County, state: str, at_once: Ended | None
) -> None:
    job = county.brought_to(state)

    outcome = county.home.controls.withdraw(job.job_id, "revoked", OPERATOR)
    county.carry()

    assert outcome == at_once if at_once else isinstance(outcome, Pending)
    withdrawn = county.job(job)
    assert (withdrawn.state, withdrawn.serial, withdrawn.reasons) == (JobState.WITHDRAWN, BLANK, (Reason.TO_RECOVER,))
    assert [(b.serial, b.hall) for b in county.home.store.halls.blanks(status="to-recover")] == [(BLANK, HALL)]
    assert f"withdraw: recover, to recover: {BLANK}" in county.details(job)
    assert county.counter.order(county.order_id(job)).state == "issued"
    assert county.home.alarms == []


def test_a_withdrawn_number_may_be_requested_again(county: County) -> None:
    """One right, one paper: the number is free once its paper is void or wanted back."""
    job = county.brought_to("issued")
    county.home.controls.withdraw(job.job_id, "revoked", OPERATOR)

    again = county.accept(request_id="corrected")

    assert again.number == job.number and again.job_id != job.job_id


def test_a_withdrawal_after_a_cancel_that_still_waits_answers_both(county: County) -> None:
    """Both ask for the same end; the stronger word names it, and neither waits for ever."""
    job = county.brought_to("released")
    begun = county.counter.begins("booklet-1")
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    county.home.controls.withdraw(job.job_id, "revoked", OPERATOR)
    county.carry()

    county.counter.book.done(begun.id, {})
    county.carry()

    assert county.job(job).state is JobState.WITHDRAWN
    assert [c.outcome for c in county.home.store.orders.controls(job.job_id)] == ["stopped", "stopped"]


@pytest.mark.fault_row("F12")
def test_an_order_that_comes_after_its_cancel_is_never_begun(county: County) -> None:
    """F12: the control overtakes, and stays as a tombstone."""
    job = county.brought_to("in the outbox")
    order = next(letter for letter in county.home.store.outbox.pending(10) if letter.type == "order")
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    # The courier sends the control first; the order comes long after the answer.
    county.home.store.outbox.failed(order.id, _Busy("later"))
    county.carry()
    assert county.job(job).state is JobState.CANCELLED

    county.clock.advance(minutes=10)
    county.carry()

    assert county.counter.order(county.order_id(job)).state == "cancelled"
    assert county.job(job).state is JobState.CANCELLED
    assert county.home.alarms == []


@pytest.mark.fault_row("F46")
def test_every_letter_delivered_twice_changes_nothing(county: County) -> None:
    job = county.brought_to("between passes")
    county.broker.duplicate(1000)

    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    county.carry()

    assert county.job(job).state is JobState.CANCELLED
    assert [c.outcome for c in county.home.store.orders.controls(job.job_id)] == ["stopped"]
    assert county.home.alarms == []


def test_a_returned_order_refuses_the_job_and_its_blanks_are_void_at_home_too(county: County) -> None:
    job = county.brought_to("on paper")

    order_id = county.order_id(job)
    county.counter.acts.return_to_home(
        CLERK, order_id, attempt=1, reason="wrong name", fields=["holder"], blanks=[BLANK]
    )
    county.carry()

    refused = county.job(job)
    assert refused.state is JobState.REFUSED and refused.refusal is not None
    assert refused.refusal.code == "returned-by-hall"
    assert [b.status for b in county.home.store.halls.blanks(BLANK)] == ["void"]
    assert county.counter.has_to_print("booklet-1") is None


def test_a_spoiled_attempt_goes_on_with_the_next_blank(county: County) -> None:
    job = county.brought_to("on paper")

    order_id = county.order_id(job)
    county.counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[BLANK], reason="torn")
    county.counter.accepts(order_id)
    county.carry()
    assert (county.job(job).state, county.job(job).attempt) == (JobState.RECEIVED, 2)
    assert [b.status for b in county.home.store.halls.blanks(BLANK)] == ["void"]

    county.goes_on_to_issued(job)
    assert (county.job(job).state, county.job(job).serial) == (JobState.ISSUED, "D23000000102")


class _Busy(Exception):
    code = "busy"
