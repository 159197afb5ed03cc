"""Expiry, leases, another order, and a hall that is written off."""

from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader

from spooler.another_order import NotGranted, Opened, Over, StillOpen
from spooler.job import JobState, Reason
from spooler.wire.messages import Actor
from spooler.write_off import Asked, SamePerson, Settled
from tests.acts.county import OPERATOR, STATES, County
from tests.sealing import HALL, OTHER_HALL, Office
from tests.spooler.core.hall import FakeHall

CHIEF = Actor(id="chief-1", role="approve")


def has_expired(county: County) -> object:
    """A job whose order has run out at the hall: home could not renew it in time."""
    job = county.brought_to("waiting")
    county.clock.advance(days=6)
    county.counter.hall.pipeline.look()
    county.carry()
    return job


def opens(county: County, job: object, hall: str = OTHER_HALL) -> object:
    return county.another_order.open(job.job_id, hall, "window-3", "collected elsewhere", OPERATOR)  # type: ignore[attr-defined]


def test_an_order_that_was_not_begun_in_time_ends_and_its_job_does_not(county: County) -> None:
    job = has_expired(county)

    assert (county.job(job).state, county.job(job).reasons) == (JobState.RECEIVED, (Reason.ORDER_EXPIRED,))
    assert county.job(job).orders[0].state == "expired"


def test_an_order_that_was_begun_in_time_may_be_finished_later(county: County) -> None:
    """`not_after` binds the first claim of an attempt, not its later passes."""
    job = county.brought_to("between passes")
    county.clock.advance(days=6)
    county.counter.hall.pipeline.look()

    county.goes_on_to_issued(job)

    assert county.job(job).state is JobState.ISSUED


def test_after_expiry_another_order_prints_at_another_hall(county: County, office: Office) -> None:
    job = has_expired(county)

    opened = opens(county, job)

    assert isinstance(opened, Opened)
    now = county.job(job)
    assert (now.state, now.hall, now.reasons) == (JobState.SEALED, OTHER_HALL, ())
    assert [(o.hall, o.state) for o in now.orders] == [(HALL, "expired"), (OTHER_HALL, "prepared")]
    assert county.home.callbacks(job)[-1] == "job.order-opened"
    county.home.pipeline.work_off()
    (letter,) = [one for one in county.home.store.outbox.pending(10) if one.type == "order"]
    ticket, document = FakeHall(office, OTHER_HALL).open(letter)
    assert (ticket.hall, str(ticket.order_id), ticket.window) == (OTHER_HALL, opened.order_id, "window-3")
    assert str(ticket.order_id).encode() in _embedded(document)


def test_the_old_hall_does_not_print_what_another_hall_was_given(county: County) -> None:
    job = has_expired(county)
    old = county.order_id(job)

    assert isinstance(opens(county, job), Opened)

    assert county.counter.order(old).next == ()


@pytest.mark.parametrize("state", [state for state in STATES if not state.startswith("issued")])
def test_while_the_last_order_may_come_to_paper_no_other_opens(county: County, state: str) -> None:
    job = county.brought_to(state)

    refused = opens(county, job)

    assert isinstance(refused, StillOpen) and refused.why == "order-open"
    assert len(county.job(job).orders) <= 1


def test_silence_and_time_open_nothing(county: County) -> None:
    job = county.brought_to("waiting")
    county.clock.advance(days=60)
    county.watch.look()
    assert Reason.HALL_SILENT in county.job(job).reasons

    assert isinstance(opens(county, job), StillOpen)


@pytest.mark.parametrize("state", ["issued", "cancelled"])
def test_a_job_that_has_ended_gets_no_other_order(county: County, state: str) -> None:
    job = county.brought_to("issued" if state == "issued" else "waiting")
    if state == "cancelled":
        county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
        county.carry()

    assert opens(county, job) == Over(JobState(state))


def test_a_hall_without_the_grant_gets_none(county: County) -> None:
    assert opens(county, has_expired(county), hall="231281-09") == NotGranted()


def test_under_hold_or_while_its_end_is_asked_no_other_opens(county: County) -> None:
    job = has_expired(county)
    county.home.controls.hold(job.job_id, "court", OPERATOR)  # type: ignore[attr-defined]

    assert isinstance(refused := opens(county, job), StillOpen) and refused.why == "held"


def test_a_late_answer_about_the_old_order_does_not_end_the_new_one(county: County) -> None:
    """The cancel crossed the expiry; whoever answers it speaks of the old order only."""
    job = county.brought_to("waiting")
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    county.clock.advance(days=6)
    county.counter.hall.pipeline.look()
    county.hall_sends()
    county.home_takes()

    refused = opens(county, job)
    assert isinstance(refused, StillOpen) and refused.why == "cancel-requested"
    county.carry()
    assert county.job(job).state is JobState.CANCELLED


def test_home_renews_what_is_open_before_it_ends(county: County) -> None:
    job = county.brought_to("waiting")
    for _ in range(20):
        county.clock.advance(hours=12)
        county.counter.hall.pipeline.look()
        county.beats()
        county.carry()
        county.watch.look()
        county.carry()

    (order,) = county.job(job).orders
    assert order.state == "waiting" and order.not_after > county.clock() + timedelta(days=1)
    leases = [c for c in county.home.store.orders.controls(job.job_id) if c.kind == "lease"]
    assert 2 <= len(leases) <= 8 and {c.outcome for c in leases} == {"leased"}


def test_what_home_wants_ended_is_not_renewed(county: County) -> None:
    job = county.brought_to("waiting")
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)
    county.clock.advance(days=2)

    county.watch.look()

    assert [c.kind for c in county.home.store.orders.controls(job.job_id)] == ["cancel"]


# A hall that is gone


def written_off(county: County) -> None:
    asked = county.written_off.ask(HALL, "burnt down", OPERATOR)
    assert isinstance(asked, Asked)
    assert county.written_off.answer(asked.approval_id, True, "seen", CHIEF) == Settled("accepted")


def test_a_hall_is_written_off_by_two_people_only(county: County) -> None:
    asked = county.written_off.ask(HALL, "burnt down", OPERATOR)
    assert isinstance(asked, Asked)

    with pytest.raises(SamePerson):
        county.written_off.answer(asked.approval_id, True, "me again", OPERATOR)
    assert not county.written_off.is_closed(HALL)

    assert county.written_off.answer(asked.approval_id, True, "seen", CHIEF) == Settled("accepted")
    assert county.written_off.is_closed(HALL)
    assert county.written_off.answer(asked.approval_id, False, "no", Actor(id="late", role="approve")) is None


@pytest.mark.parametrize("state", ["in the outbox", "in the broker", "waiting", "between passes", "confirmed"])
def test_orders_of_a_hall_that_is_written_off_may_be_followed_by_others(county: County, state: str) -> None:
    job = county.brought_to(state)

    written_off(county)

    assert Reason.NEEDS_ATTENTION in county.job(job).reasons
    assert county.job(job).orders[0].state == "written-off"
    assert not [one for one in county.home.store.outbox.pending(10) if one.type == "order"]
    assert isinstance(opens(county, job, hall=HALL), NotGranted)
    assert isinstance(opens(county, job), Opened)
    assert (county.job(job).state, county.job(job).reasons) == (JobState.SEALED, ())


def test_a_cancel_that_the_dead_hall_never_answered_is_settled(county: County) -> None:
    job = county.brought_to("between passes")
    county.home.controls.cancel(job.job_id, "sold twice", OPERATOR)

    written_off(county)

    assert county.job(job).state is JobState.CANCELLED


def test_nothing_that_a_hall_says_after_it_was_written_off_is_believed(county: County) -> None:
    job = county.brought_to("between passes")
    written_off(county)
    opens(county, job)

    county.goes_on_to_issued_at_the_hall(UUID(county.job(job).orders[0].order_id))
    county.carry()

    assert county.job(job).state is JobState.SEALED or county.job(job).state is JobState.SENT
    assert "report-not-trusted" in {alarm.code for alarm in county.home.alarms}
    assert county.home.store.dead.counts().get("report", 0) > 0


def test_blanks_of_a_hall_that_is_written_off_are_suspect(county: County) -> None:
    """What a certificate is on, and what is void, is not; the rest may turn up anywhere."""
    county.home_hears_of_stock("D23000000101", "D23000000110")
    county.brought_to("confirmed")

    written_off(county)

    statuses = [blank.status for blank in county.home.store.halls.blanks(hall=HALL)]
    assert statuses == ["used", *["suspect"] * 9]


def test_a_new_hall_speaks_with_a_new_key(county: County, office: Office) -> None:
    """Revoked are the keys, not the place."""
    record = office.trust.halls[HALL]
    written_off(county)
    (old,) = record.report_keys
    new = old.model_copy(update={"kid": "f" * 16})

    assert county.written_off.believed(HALL, (old, new)) == (new,)


def _embedded(document: bytes) -> bytes:
    return PdfReader(BytesIO(document)).attachments["ticket.json"][0]
