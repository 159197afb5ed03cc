"""查封 and 解封 at each state: nothing more is printed or handed over, and it goes on where it stopped."""

from typing import Any

import pytest

from agents.errors import DoesNotFit
from spooler.controls import Ended, Pending, TooLate
from spooler.dispatch import NoWrapKey
from spooler.job import JobState, Reason
from tests.acts.county import BLANK, OPERATOR, STATES, County, issue

AT_HOME = {"accepted"}
BEFORE_THE_END = [state for state in STATES if not state.startswith("issued")]
NEXT_ACT: dict[str, Any] = {
    "waiting": lambda county, order_id: county.counter.releases(order_id),
    "between passes": lambda county, order_id: county.counter.turns(order_id, 2),
    "confirmed": issue,
}


@pytest.mark.parametrize("state", BEFORE_THE_END)
def test_a_held_job_stands_still_and_a_resumed_one_goes_on_to_its_end(county: County, state: str) -> None:
    job = county.brought_to(state)

    outcome = county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()

    assert isinstance(outcome, Ended if state in AT_HOME else Pending)
    assert Reason.HELD in county.job(job).reasons
    assert county.counter.has_to_print("booklet-1") is None
    if county.job(job).orders:
        assert set(county.counter.order(county.order_id(job)).next) <= {"return", "spoil"}
    if state in NEXT_ACT:
        with pytest.raises(DoesNotFit):
            NEXT_ACT[state](county, county.order_id(job))

    county.home.controls.resume(job.job_id, "lifted", OPERATOR)
    county.carry()
    assert Reason.HELD not in county.job(job).reasons
    county.goes_on_to_issued(job)
    assert (county.job(job).state, county.job(job).serial) == (JobState.ISSUED, BLANK)
    assert county.home.alarms == []


def test_a_pass_that_runs_is_not_broken_off_and_no_other_follows(county: County) -> None:
    job = county.brought_to("released")
    begun = county.counter.begins("booklet-1")

    county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()
    assert county.counter.recalled == []
    county.counter.book.done(begun.id, {})
    county.carry()

    with pytest.raises(DoesNotFit):
        county.counter.turns(county.order_id(job), 2)
    assert Reason.HELD in county.job(job).reasons


def test_a_try_before_the_point_of_no_return_does_not_pass_it(county: County) -> None:
    """A held order's try may lie in CUPS, held there too; it is not let go."""
    job = county.brought_to("released")
    released = county.counter.has_to_print("booklet-1")
    assert released is not None
    begun = county.counter.book.intent(released)
    assert begun is not None
    county.counter.book.created(begun.id, 7)
    county.counter.book.spooled(begun.id)

    county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()

    assert county.counter.book.releasing(begun.id) is False
    county.counter.book.again(begun.id, "revoked", {})
    assert county.counter.has_to_print("booklet-1") is None


@pytest.mark.parametrize("state", ["issued", "issued, not told"])
def test_after_hand_over_there_is_nothing_to_hold(county: County, state: str) -> None:
    job = county.brought_to(state)

    outcome = county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()

    assert outcome == TooLate(JobState.ISSUED) if state == "issued" else isinstance(outcome, Pending)
    assert (county.job(job).state, county.job(job).reasons) == (JobState.ISSUED, ())


def test_asking_twice_asks_once_and_what_is_so_already_is_said_at_once(county: County) -> None:
    job = county.brought_to("waiting")

    first = county.home.controls.hold(job.job_id, "court", OPERATOR)
    assert county.home.controls.hold(job.job_id, "court", OPERATOR) == first
    county.carry()

    assert county.home.controls.hold(job.job_id, "court", OPERATOR) == Ended(JobState.RECEIVED, "held")
    assert len(county.home.store.orders.controls(job.job_id)) == 1


def test_a_hold_and_its_lifting_in_one_breath_arrive_in_order(county: County) -> None:
    job = county.brought_to("in the outbox")

    for act in ("hold", "resume", "hold"):
        getattr(county.home.controls, act)(job.job_id, "court", OPERATOR)
    county.carry()

    assert [c.outcome for c in county.home.store.orders.controls(job.job_id)] == ["held", "resumed", "held"]
    assert Reason.HELD in county.job(job).reasons
    assert county.counter.order(county.order_id(job)).next == ("return",)


def test_a_held_job_can_still_be_cancelled(county: County) -> None:
    job = county.brought_to("between passes")
    county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()

    county.home.controls.cancel(job.job_id, "revoked", OPERATOR)
    county.carry()

    assert (county.job(job).state, county.blank()) == (JobState.CANCELLED, "void")


def test_an_order_held_at_home_until_its_time_was_up_is_sealed_again(county: County) -> None:
    """It never left, so nobody has to be asked; a hall would refuse a ticket that has run out."""
    job = county.accept()
    county.home.pipeline = _that_only_prepares(county)
    county.home.pipeline.work_off()
    assert county.job(job).state is JobState.SEALED
    assert isinstance(county.home.controls.hold(job.job_id, "court", OPERATOR), Ended)
    first = county.job(job).orders[0].order_id
    county.clock.advance(days=30)

    county.home.controls.resume(job.job_id, "lifted", OPERATOR)
    county.home.pipeline = county.pipeline()
    county.goes_on_to_issued(job)

    assert [o.state for o in county.job(job).orders] == ["expired", "issued"]
    assert county.job(job).orders[0].order_id == first


def _that_only_prepares(county: County) -> Any:
    """The home as it is while it cannot wrap for the hall."""

    def fails(work: Any) -> None:
        raise NoWrapKey("the trust directory holds none")

    return county.pipeline(dispatch=fails)
