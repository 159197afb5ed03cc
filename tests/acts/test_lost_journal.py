"""A hall that loses its journal hears from home again what it was asked, what was good on paper, and what has ended."""

from uuid import UUID

import pytest

from spooler.job import JobState, Reason
from spooler.store.values import Job
from spooler.wire.messages import Actor, Pass, Stock
from spooler.wire.topology import hall_queue
from tests.acts.county import BLANK, OPERATOR, County
from tests.agents.counter.hall import CLERK
from tests.sealing import HALL, SPREAD, a_pdf, some_passes

CHIEF = Actor(id="chief-1", role="approve")


def loses_what_it_was_asked(county: County) -> None:
    """The hall takes it, and dies with its journal before anything of that is sent."""
    county.home_sends()
    county.hall_takes()
    county.hall_loses_its_journal()


@pytest.mark.parametrize("act", ["cancel", "withdraw"])
@pytest.mark.parametrize("state", ["waiting", "between passes"])
def test_an_end_that_a_lost_journal_had_taken_is_asked_again(county: County, act: str, state: str) -> None:
    job = county.brought_to(state)
    getattr(county.home.controls, act)(job.job_id, "sold twice", OPERATOR)

    loses_what_it_was_asked(county)
    county.carry()
    if state == "between passes":
        says_all_came_out(county, county.order_id(job))
    county.hall_prints_again()

    ended = {"cancel": JobState.CANCELLED, "withdraw": JobState.WITHDRAWN}[act]
    assert county.job(job).state is ended
    assert county.counter.order(county.order_id(job)).state == "cancelled"
    assert [alarm.code for alarm in county.home.alarms] == ["new-epoch"]


@pytest.mark.parametrize("wished", ["hold", "resume"])
def test_a_hold_that_a_lost_journal_had_taken_is_asked_again(county: County, wished: str) -> None:
    job = county.brought_to("waiting")
    if wished == "resume":
        county.home.controls.hold(job.job_id, "court", OPERATOR)
        county.carry()
    getattr(county.home.controls, wished)(job.job_id, "court", OPERATOR)

    loses_what_it_was_asked(county)
    county.carry()
    county.hall_prints_again()

    order = county.counter.ledger.orders.get(county.order_id(job))
    assert order is not None and order.held == (wished == "hold")
    assert (Reason.HELD in county.job(job).reasons) == (wished == "hold")
    assert None not in [c.outcome for c in county.home.store.orders.controls(job.job_id)]


def test_a_hold_that_was_answered_is_still_so_after_the_journal_is_lost(county: County) -> None:
    job = county.brought_to("waiting")
    county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()

    county.hall_loses_its_journal()
    county.carry()
    county.hall_prints_again()

    order = county.counter.ledger.orders.get(county.order_id(job))
    assert order is not None and order.held


def test_an_old_hold_that_comes_twice_to_a_hall_that_forgot_its_lifting_is_passed_over(county: County) -> None:
    job = county.brought_to("waiting")
    county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.home_sends()
    (letter,) = county.broker.letters(hall_queue(HALL))
    county.carry()
    county.home.controls.resume(job.job_id, "lifted", OPERATOR)
    county.carry()

    county.hall_loses_its_journal()
    county.carry()
    county.publish(letter)
    county.carry()

    order = county.counter.ledger.orders.get(county.order_id(job))
    assert order is not None and not order.held
    assert Reason.HELD not in county.job(job).reasons
    assert [alarm.code for alarm in county.home.alarms] == ["new-epoch"]


def test_a_decision_about_what_the_hall_forgot_waits_for_nobody(county: County) -> None:
    """The question was lost with the journal; the second person's answer, asked again, finds none, and nothing is done."""
    job = county.brought_to("confirmed")
    county.counter.acts.spoil(CLERK, county.order_id(job), attempt=1, blanks=[BLANK], reason="torn")
    county.carry()
    (asked,) = county.home.store.approvals.open()
    county.home.controls.decide(asked.approval_id, True, "seen", CHIEF)

    loses_what_it_was_asked(county)
    county.carry()

    assert county.home.store.approvals.open() == ()
    assert county.job(job).state is JobState.PRINTED


def test_what_is_still_in_the_outbox_is_not_posted_twice(county: County) -> None:
    job = county.brought_to("waiting")
    county.hall_loses_its_journal()
    county.home.controls.hold(job.job_id, "court", OPERATOR)

    county.counter.hall.reconciliation.ask_again(CLERK)
    county.hall_sends()
    county.home_takes()
    county.restorer.look()
    county.carry()

    assert [c.outcome for c in county.home.store.orders.controls(job.job_id)] == ["held"]


def test_an_order_that_has_ended_and_comes_once_more_is_not_printed_by_a_hall_that_forgot_it(county: County) -> None:
    """Its letter lay in the broker a second time, or home sent it twice for want of a confirm."""
    job = county.brought_to("in the broker")
    (letter,) = county.broker.letters(hall_queue(HALL))
    county.goes_on_to_issued(job)

    county.hall_loses_its_journal()
    county.publish(letter)
    county.carry()
    county.hall_prints_again()

    assert county.counter.order(county.order_id(job)).state == "issued"
    assert county.counter.has_to_print("booklet-1") is None


def test_an_order_whose_cancel_overtook_it_is_not_printed_by_a_hall_that_forgot_the_cancel(county: County) -> None:
    job = county.brought_to("in the broker")
    (letter,) = county.broker.letters(hall_queue(HALL))
    county.lose(hall_queue(HALL))
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    county.carry()
    assert county.job(job).state is JobState.CANCELLED

    county.hall_loses_its_journal()
    county.publish(letter)
    county.carry()
    county.hall_prints_again()

    assert county.counter.order(county.order_id(job)).state == "cancelled"


def with_list(county: County) -> Job:
    """A booklet with a list, all on paper and told."""
    plain = Pass(number=4, name="L1", pages=(2,), stock=Stock.PLAIN, width_mm=210, height_mm=297)
    pdf = county.home.documents.keep(a_pdf([SPREAD, SPREAD, (210.0, 297.0)]))
    job = county.accept(passes=(*some_passes(), plain), unsigned_sha256=pdf)
    county.carry()
    order_id = county.order_id(job)
    county.counter.releases(order_id)
    for number in (1, 2):
        if number == 2:
            county.counter.turns(order_id, 2)
        county.counter.prints("booklet-1")
    county.counter.prints("plain-1")
    county.carry()
    return job


@pytest.mark.parametrize("spoiled", ["the booklet", "the list"])
def test_what_was_kept_for_the_next_attempt_is_not_printed_again_by_itself(county: County, spoiled: str) -> None:
    job = with_list(county)
    order_id = county.order_id(job)
    blanks, passes = ([BLANK], ()) if spoiled == "the booklet" else ([], (4,))
    county.counter.acts.spoil(CLERK, order_id, attempt=1, blanks=blanks, reason="torn", passes=passes)
    county.counter.accepts(order_id)
    county.carry()

    county.hall_loses_its_journal()
    county.carry()
    county.hall_prints_again()

    unknown = {row.number for row in county.counter.order(order_id).passes if row.state == "unknown"}
    assert unknown == ({4} if spoiled == "the booklet" else {1, 2})
    assert county.counter.has_to_print("plain-1") is None
    assert county.counter.has_to_print("booklet-1") is None


def says_all_came_out(county: County, order_id: UUID) -> None:
    """The clerk looks at each pass that is unknown, and finds it on the paper."""
    for row in county.counter.order(order_id).passes:
        if row.state == "unknown":
            county.counter.acts.resolve(
                CLERK, order_id, attempt=1, number=row.number, try_id=row.try_id, outcome="printed"
            )
    county.carry()
