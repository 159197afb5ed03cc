"""Home asks while the counter acts: its letter is on the way, the clerk is faster. Every answer is true, both sides agree."""

from collections.abc import Callable
from typing import Any

import pytest

from agents.order import OrderState, is_final
from spooler.job import JobState, Reason
from spooler.store.values import Job
from tests.acts.county import BLANK, OPERATOR, County, issue
from tests.agents.counter.hall import CLERK

Act = Callable[[County, Any], object]


def spoils(county: County, order_id: Any) -> None:
    county.counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[BLANK], reason="torn")


def spoils_with_two(county: County, order_id: Any) -> None:
    spoils(county, order_id)
    county.counter.accepts(order_id)


def returns(county: County, order_id: Any) -> None:
    county.counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong name", blanks=[BLANK])


def expires(county: County, order_id: Any) -> None:
    county.clock.advance(days=6)
    county.counter.hall.pipeline.look()


# What the counter does while the control is on its way: the state before it, the act, and how the job then ends if an end was asked.
FASTER: dict[str, tuple[str, Act, JobState | None]] = {
    "release": ("waiting", lambda county, order_id: county.counter.releases(order_id), None),
    "claim": ("released", lambda county, order_id: county.counter.begins("booklet-1"), None),
    "turn": ("between passes", lambda county, order_id: county.counter.turns(order_id, 2), None),
    "confirm": ("on paper", lambda county, order_id: county.counter.confirms(order_id), None),
    "hand-over": ("confirmed", issue, JobState.ISSUED),
    "spoil asked": ("on paper", spoils, None),
    "spoil agreed": ("on paper", spoils_with_two, None),
    "return": ("on paper", returns, JobState.REFUSED),
    "expiry": ("waiting", expires, None),
}


def race(county: County, act: str, faster: str) -> Job:
    """Let the counter be faster than the letter; whatever pass runs comes to its end."""
    before, does, _ = FASTER[faster]
    job = county.brought_to(before)
    getattr(county.home.controls, act)(job.job_id, "court", OPERATOR)
    county.home_sends()
    begun = does(county, county.order_id(job))
    county.carry()
    if faster == "claim":
        county.counter.book.done(begun.id, {})  # type: ignore[attr-defined]
        county.carry()
    return county.job(job)


def check_agreed(county: County, job: Job) -> None:
    """Every control is answered, nothing waits for anybody at an end, and nobody was told what cannot be."""
    assert None not in [c.outcome for c in county.home.store.orders.controls(job.job_id)]
    assert county.home.alarms == []
    order = county.counter.order(county.order_id(job))
    if is_final(OrderState(order.state)):
        assert county.home.store.approvals.open() == () and order.approvals == ()
        assert county.counter.has_to_print("booklet-1") is None


@pytest.mark.parametrize(
    ("act", "faster"),
    [*(("cancel", name) for name in FASTER), *(("withdraw", name) for name in ("hand-over", "spoil asked", "return"))],
)
def test_an_end_that_the_counter_outruns(county: County, act: str, faster: str) -> None:
    job = race(county, act, faster)

    asked = {"cancel": JobState.CANCELLED, "withdraw": JobState.WITHDRAWN}[act]
    end = FASTER[faster][2] or asked
    if (act, faster) == ("withdraw", "hand-over"):
        end = JobState.WITHDRAWN
        assert job.reasons == (Reason.TO_RECOVER,)
    assert job.state is end
    assert Reason.CANCEL_REQUESTED not in job.reasons
    assert ("job.cancel-refused" in county.last_callbacks(job)) == ((act, faster) == ("cancel", "hand-over"))
    printed = faster not in ("release", "expiry")
    kept = faster == "hand-over"
    assert county.blank() == ("used" if kept else "void" if printed else "loaded")
    check_agreed(county, job)


@pytest.mark.parametrize("faster", FASTER)
def test_a_hold_that_the_counter_outruns(county: County, faster: str) -> None:
    """What is done is done; nothing follows it until the hold is lifted, and then it goes on to its end."""
    job = race(county, "hold", faster)

    order = county.counter.ledger.orders.get(county.order_id(job))
    assert order is not None
    if is_final(order.state):
        assert county.details(job)[-1] == "hold: too-late"
        check_agreed(county, job)
        return
    assert (Reason.HELD in job.reasons, order.held) == (True, True)
    assert county.counter.has_to_print("booklet-1") is None
    assert set(county.counter.order(order.order_id).next) <= {"return", "spoil"}

    county.home.controls.resume(job.job_id, "lifted", OPERATOR)
    county.carry()
    if faster == "spoil asked":
        county.counter.accepts(order.order_id)
    county.goes_on_to_issued(job)
    assert county.job(job).state is JobState.ISSUED
    check_agreed(county, job)
