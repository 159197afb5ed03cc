"""Letters come in any order; what home asked last is what holds, at the hall and at home."""

from datetime import timedelta

import pytest

from spooler.job import JobState, Reason
from spooler.wire.topology import hall_queue
from tests.acts.county import OPERATOR, County
from tests.sealing import HALL

ORDERS = [("hold", "resume"), ("resume", "hold"), ("hold", "resume", "hold")]


def asks(county: County, job: object, *acts: str) -> None:
    for act in acts:
        getattr(county.home.controls, act)(job.job_id, "court", OPERATOR)  # type: ignore[attr-defined]


def overtake_each_other(county: County) -> None:
    """The broker gives them to the hall in the other order."""
    county.home_sends()
    county.reverse(hall_queue(HALL))
    county.carry()


def is_held(county: County, job: object) -> tuple[bool, bool]:
    """Home's word, and the hall's."""
    order = county.counter.ledger.orders.get(county.order_id(job))  # type: ignore[arg-type]
    assert order is not None
    return Reason.HELD in county.job(job).reasons, order.held  # type: ignore[arg-type]


@pytest.mark.parametrize("acts", ORDERS, ids=lambda acts: " ".join(acts))
@pytest.mark.parametrize("state", ["waiting", "between passes", "confirmed"])
def test_whatever_overtakes_the_last_word_holds(county: County, state: str, acts: tuple[str, ...]) -> None:
    job = county.brought_to(state)
    if acts[0] == "resume":
        asks(county, job, "hold")
        county.carry()

    asks(county, job, *acts)
    overtake_each_other(county)

    assert is_held(county, job) == (acts[-1] == "hold",) * 2
    outcomes = [c.outcome for c in county.home.store.orders.controls(job.job_id)]
    assert outcomes[-1] == {"hold": "held", "resume": "resumed"}[acts[-1]]
    assert "overtaken" in outcomes and None not in outcomes
    assert county.home.alarms == []


@pytest.mark.parametrize("acts", [("hold", "resume"), ("hold", "resume", "hold")], ids=lambda acts: " ".join(acts))
def test_what_overtook_its_order_holds_in_the_order_in_which_it_was_asked(
    county: County, acts: tuple[str, ...]
) -> None:
    """Tombstones too: the order comes last, after all of them came in the wrong order."""
    job = county.brought_to("in the broker")
    asks(county, job, *acts)

    overtake_each_other(county)

    assert is_held(county, job) == (acts[-1] == "hold",) * 2
    assert county.home.alarms == []


def test_a_clock_that_is_set_back_does_not_turn_the_last_word_round(county: County) -> None:
    job = county.brought_to("waiting")
    asks(county, job, "hold")
    county.clock.advance(minutes=-30)
    asks(county, job, "resume")

    overtake_each_other(county)

    assert is_held(county, job) == (False, False)


def test_an_older_lease_that_overtook_its_order_does_not_shorten_it(county: County) -> None:
    """A hall takes the later of all times that it was told, the ticket's own too."""
    job = county.brought_to("in the broker")
    until = county.job(job).orders[-1].not_after
    order_id = county.order_id(job)

    from spooler.wire.messages import Lease

    county.counter.control(Lease, order_id, not_after=until - timedelta(days=1))
    county.hall_takes()

    order = county.counter.ledger.orders.get(order_id)
    assert order is not None and order.not_after == until


def test_a_held_job_whose_hold_came_last_goes_on_once_it_is_resumed(county: County) -> None:
    job = county.brought_to("between passes")
    asks(county, job, "hold", "resume", "hold")
    overtake_each_other(county)

    asks(county, job, "resume")
    county.carry()
    county.goes_on_to_issued(job)

    assert county.job(job).state is JobState.ISSUED
