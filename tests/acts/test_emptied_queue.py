"""Who has a hall's key at the broker empties its queue (S24): what home asked of that hall is asked again, and nothing is done twice."""

import pytest

from spooler.job import JobState, Reason
from spooler.store.values import Job
from spooler.wire.topology import hall_queue
from tests.acts.county import OPERATOR, County
from tests.sealing import HALL

ENDS = {"cancel": JobState.CANCELLED, "withdraw": JobState.WITHDRAWN}


def asked_in_vain(county: County, job: Job, *acts: str) -> None:
    """The broker confirms what is asked, and then it is gone."""
    for act in acts:
        getattr(county.home.controls, act)(job.job_id, "court", OPERATOR)
    county.home_sends()
    county.lose(hall_queue(HALL))
    county.carry()


def minutes(county: County, count: int) -> None:
    """The hall's heart beats, and home looks at its clock."""
    for _ in range(count):
        county.watch.look()
        county.clock.advance(minutes=1)
        county.beats()
        county.carry()
    county.watch.look()
    county.carry()


def alarms(county: County) -> list[tuple[str, str | None]]:
    return [(alarm.code, alarm.detail) for alarm in county.home.alarms]


def outcomes(county: County, job: Job) -> list[str | None]:
    return [control.outcome for control in county.home.store.orders.controls(job.job_id)]


@pytest.mark.attack_row("S24")
@pytest.mark.parametrize("act", ENDS)
@pytest.mark.parametrize("state", ["waiting", "between passes", "confirmed"])
def test_an_end_that_never_arrived_is_asked_again(county: County, state: str, act: str) -> None:
    job = county.brought_to(state)
    asked_in_vain(county, job, act)
    minutes(county, 4)
    assert Reason.CANCEL_REQUESTED in county.job(job).reasons
    assert alarms(county) == []

    minutes(county, 1)

    assert county.job(job).state is ENDS[act]
    assert alarms(county) == [("not-answered", act)]
    assert None not in outcomes(county, job)


@pytest.mark.attack_row("S24")
def test_what_was_asked_last_holds_though_all_of_it_was_lost(county: County) -> None:
    job = county.brought_to("waiting")
    asked_in_vain(county, job, "hold", "resume", "hold")

    minutes(county, 5)

    assert Reason.HELD in county.job(job).reasons
    assert outcomes(county, job)[-1] == "held" and None not in outcomes(county, job)
    assert {code for code, _ in alarms(county)} == {"not-answered"}


@pytest.mark.attack_row("S24")
def test_an_order_whose_renewal_was_lost_does_not_run_out(county: County) -> None:
    """A lease under way keeps another from being asked: lost for good it would let the order end at the hall."""
    job = county.brought_to("waiting")
    before = county.job(job).orders[-1].not_after
    county.clock.time = before
    county.clock.advance(hours=-12)
    county.beats()
    county.carry()
    county.watch.look()
    county.home_sends()
    county.lose(hall_queue(HALL))

    minutes(county, 6)

    assert county.job(job).orders[-1].not_after > before
    assert ("not-answered", "lease") in alarms(county)


def test_a_withdrawal_after_hand_over_reaches_the_clerks_too(county: County) -> None:
    """The job has ended at home; the hall is to know that the paper is wanted back."""
    job = county.brought_to("issued")
    asked_in_vain(county, job, "withdraw")

    minutes(county, 5)

    assert outcomes(county, job) == ["recover"]
    assert alarms(county) == [("not-answered", "withdraw")]


def test_a_hall_that_cannot_say_yet_is_not_asked_again(county: County) -> None:
    """A pass is under way, for hours if need be: the hall has said `pending`."""
    job = county.brought_to("released")
    county.counter.begins("booklet-1")
    county.home.controls.cancel(job.job_id, "court", OPERATOR)
    county.carry()
    assert outcomes(county, job) == [None]

    minutes(county, 60)

    assert alarms(county) == []
    assert len(county.counter.ledger.controls.about(county.order_id(job), job.registry)) == 1


def test_what_was_lost_and_what_was_not_are_told_apart(county: County) -> None:
    """The hall had answered one; it is not asked again."""
    job = county.brought_to("waiting")
    county.home.controls.hold(job.job_id, "court", OPERATOR)
    county.carry()
    asked_in_vain(county, job, "resume")

    minutes(county, 5)

    assert outcomes(county, job) == ["held", "resumed"]
    assert alarms(county) == [("not-answered", "resume")]


def test_a_control_that_was_slow_and_comes_twice_is_obeyed_once(county: County) -> None:
    """Asked again while the first still lay somewhere: the hall knows it by its id."""
    job = county.brought_to("confirmed")
    county.home.controls.cancel(job.job_id, "court", OPERATOR)
    county.home_sends()
    (first,) = county.broker.letters(hall_queue(HALL))
    county.lose(hall_queue(HALL))
    minutes(county, 5)
    ended = county.details(job)

    county.publish(first)
    county.carry()

    assert county.details(job) == ended
    assert outcomes(county, job) == ["stopped"]
