"""Reports that are missing are asked for again; letters that died are told to their job."""

from datetime import timedelta

import pytest

from spooler.controls import Pending
from spooler.job import JobState, Reason
from spooler.wire.letters import Letter
from spooler.wire.topology import REPORTS, hall_queue, registry_queue
from tests.acts.county import OPERATOR, County
from tests.sealing import HALL, HOME


def loses_what_the_hall_sends(county: County) -> None:
    """The broker confirmed it, and its disk is gone."""
    county.hall_sends()
    county.lose(registry_queue(HOME))


@pytest.mark.fault_row("F31")
def test_lost_reports_are_noticed_by_the_next_one_and_asked_for(county: County) -> None:
    job = county.brought_to("released")
    county.counter.prints("booklet-1")
    loses_what_the_hall_sends(county)
    order_id = county.order_id(job)
    county.counter.turns(order_id, 2)
    county.carry()
    before = county.home.history(job)
    county.clock.advance(seconds=3)

    county.watch.look()
    county.carry()

    assert len(county.home.history(job)) > len(before)
    assert [a.code for a in county.home.alarms] == ["reports-missing"]
    assert county.home.store.gaps.open_by_hall() == {}
    county.goes_on_to_issued(job)
    assert county.job(job).state is JobState.ISSUED


def test_what_only_came_out_of_order_is_not_asked_for(county: County) -> None:
    job = county.brought_to("released")
    county.counter.prints("booklet-1")
    county.counter.turns(county.order_id(job), 2)
    county.hall_sends()
    county.reverse(registry_queue(HOME))
    county.home_takes()
    county.clock.advance(seconds=3)

    county.watch.look()

    assert county.home.alarms == []
    assert [one for one in county.home.store.outbox.pending(10) if one.type == "control"] == []


@pytest.mark.fault_row("F31")
def test_a_lost_replay_is_asked_for_again_later(county: County) -> None:
    job = county.brought_to("released")
    county.counter.prints("booklet-1")
    loses_what_the_hall_sends(county)
    county.counter.turns(county.order_id(job), 2)
    county.carry()
    county.clock.advance(seconds=3)
    county.watch.look()
    county.home_sends()
    county.lose(hall_queue(HALL))

    county.watch.look()
    assert county.home.store.gaps.open_by_hall() == {HALL: 1}
    county.clock.advance(seconds=40)
    county.watch.look()
    county.carry()

    assert county.home.store.gaps.open_by_hall() == {}


def test_heartbeats_that_the_hall_no_longer_keeps_do_not_stop_the_chain(county: County) -> None:
    """By the hall's signed word what is missing is passed over, with an alarm; what it still has is taken all the same."""
    job = county.brought_to("released")
    county.beats()
    county.counter.prints("booklet-1")
    county.beats()
    loses_what_the_hall_sends(county)
    county.clock.advance(days=8)
    county.counter.ledger.outbox.forget_heartbeats(county.clock() - timedelta(days=7))
    county.counter.turns(county.order_id(job), 2)
    county.carry()
    county.clock.advance(seconds=3)

    county.watch.look()
    county.carry()

    assert county.home.store.gaps.open_by_hall() == {}
    assert "reports-lost" in [a.code for a in county.home.alarms]
    assert "done" in county.details(job)
    county.goes_on_to_issued(job)
    assert county.job(job).state is JobState.ISSUED


def test_a_home_that_forgot_a_hall_hears_it_from_the_beginning(county: County) -> None:
    """The first report that comes is not the first of its chain."""
    county.beats()
    loses_what_the_hall_sends(county)

    job = county.brought_to("waiting")
    county.clock.advance(seconds=3)
    county.watch.look()
    county.carry()

    assert county.job(job).state is JobState.RECEIVED


# Dead letters


def test_an_order_that_died_on_its_way_is_told_and_forgotten_once_it_has_arrived(county: County) -> None:
    """F13: never silent."""
    job = county.brought_to("in the broker")
    letter = county.broker.letters(hall_queue(HALL))[0]
    county.reject_all(hall_queue(HALL))
    county.home_takes()

    assert Reason.NEEDS_ATTENTION in county.job(job).reasons
    assert [(a.code, a.job_id, a.detail) for a in county.home.alarms] == [("dead-letter", job.job_id, "order rejected")]
    assert county.home.store.dead.counts() == {"order": 1}

    county.publish(letter)
    county.carry()
    assert county.job(job).reasons == (Reason.WAITING_RELEASE,)
    assert county.home.store.dead.counts() == {}


def test_a_control_that_died_is_told_until_the_hall_has_answered(county: County) -> None:
    job = county.brought_to("waiting")
    asked = county.home.controls.hold(job.job_id, "court", OPERATOR)
    assert isinstance(asked, Pending)
    county.home_sends()
    (letter,) = county.broker.letters(hall_queue(HALL))
    county.reject_all(hall_queue(HALL))
    county.home_takes()
    assert Reason.NEEDS_ATTENTION in county.job(job).reasons

    county.publish(letter)
    county.carry()

    assert set(county.job(job).reasons) == {Reason.HELD}


def test_a_report_that_is_not_believed_troubles_no_job(county: County) -> None:
    """Whoever can write rubbish in a hall's name must not be able to make a job look ill."""
    job = county.brought_to("waiting")
    headers = {"v": 1, "registry": HOME, "hall": HALL, "order_id": str(county.order_id(job))}
    county.publish(Letter("rubbish", REPORTS, f"{HALL}.{HOME}", "report", b"{}", headers))

    county.home_takes()
    county.home_takes()

    assert Reason.NEEDS_ATTENTION not in county.job(job).reasons
    assert {a.code for a in county.home.alarms} == {"report-not-trusted", "dead-letter"}
    assert county.home.store.dead.counts() == {"report": 1}


def test_a_dead_order_of_no_job_is_kept_and_nothing_else(county: County) -> None:
    headers = {"v": 1, "registry": HOME, "hall": HALL, "order_id": "no id at all"}
    county.publish(Letter("x" * 300, "orders", f"{HOME}.{HALL}", "order", b"\x00", headers))
    county.reject_all(hall_queue(HALL))

    county.home_takes()

    assert county.home.store.dead.counts() == {"order": 1}
