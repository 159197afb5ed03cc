"""One paper is replaced once, and only after it was handed over; on either database, whoever comes first."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from spooler.job import MOVES, JobState
from spooler.store import Store
from spooler.store.values import (
    Accepted,
    AlreadyReplaced,
    AlreadyRequested,
    Job,
    NewJob,
    NotIssuedYet,
    Outcome,
    Replaced,
    Update,
)
from spooler.wire.messages import Case
from tests.spooler.store.builders import CLERK, a_new_job

OLD = Replaced(a_new_job(1).number_key, 1)
WAY = (
    JobState.ACCEPTED,
    JobState.SEALED,
    JobState.SENT,
    JobState.RECEIVED,
    JobState.PRINTING,
    JobState.PRINTED,
    JobState.ISSUED,
    JobState.SUPERSEDED,
)


@pytest.fixture
def kept(store: Store) -> Callable[..., Job]:
    """Accept a job, and bring it along to a state."""

    def keep(new: NewJob, state: JobState = JobState.ACCEPTED) -> Job:
        outcome = store.jobs.accept(new, CLERK)
        assert isinstance(outcome, Accepted), outcome
        return brought(store, outcome.job, state)

    return keep


def brought(store: Store, job: Job, state: JobState) -> Job:
    way = WAY[1 : WAY.index(state) + 1] if state in WAY else (state,)
    for step in way:
        with store.changing() as change:
            change.move(job.job_id, Update(state=step))
    found = store.jobs.job(job.job_id)
    assert found is not None
    return found


def accept(store: Store, new: NewJob) -> Outcome:
    return store.jobs.accept(new, CLERK)


def a_successor(number: int = 2, **varied: Any) -> NewJob:
    return a_new_job(number, **{"replaces": OLD, **varied})


def test_a_paper_that_is_not_known_here_may_be_replaced(store: Store) -> None:
    """Most papers are older than this system."""
    assert isinstance(accept(store, a_successor()), Accepted)


@pytest.mark.parametrize("state", [JobState.ISSUED, JobState.SUPERSEDED])
def test_a_paper_that_was_handed_over_may_be_replaced(store: Store, kept: Any, state: JobState) -> None:
    kept(a_new_job(1), state)

    assert isinstance(accept(store, a_successor()), Accepted)


@pytest.mark.parametrize("state", WAY[: WAY.index(JobState.ISSUED)])
def test_a_paper_that_is_on_its_way_may_not(store: Store, kept: Any, state: JobState) -> None:
    """Else two papers for one right could lie in two halls. It is cancelled or returned instead."""
    old = kept(a_new_job(1), state)

    assert accept(store, a_successor()) == NotIssuedYet(old.job_id)


@pytest.mark.parametrize("state", [JobState.REFUSED, JobState.CANCELLED, JobState.WITHDRAWN])
def test_one_that_ended_without_paper_stands_in_nobodys_way(store: Store, kept: Any, state: JobState) -> None:
    kept(a_new_job(1), state)

    assert isinstance(accept(store, a_successor()), Accepted)


def test_it_is_replaced_by_one_case_only(store: Store, kept: Any) -> None:
    kept(a_new_job(1), JobState.ISSUED)
    first = kept(a_successor(2))

    assert accept(store, a_successor(3)) == AlreadyReplaced(first.job_id, "document.issuance.replaces")


def test_the_same_number_of_another_registry_or_version_is_another_paper(store: Store, kept: Any) -> None:
    kept(a_successor(2))

    assert isinstance(accept(store, a_successor(3, registry="231202")), Accepted)
    assert isinstance(accept(store, a_successor(4, replaces=Replaced(OLD.number, 2))), Accepted)


def test_co_owners_of_one_case_may_each_have_one(store: Store, kept: Any) -> None:
    """实施细则第二十一条: whoever holds a share may ask for a paper of his own."""
    kept(a_successor(2, case=Case(number="one case", ordinal=1, of=2)))

    assert isinstance(accept(store, a_successor(3, case=Case(number="one case", ordinal=2, of=2))), Accepted)


@pytest.mark.parametrize("end", [JobState.REFUSED, JobState.CANCELLED, JobState.WITHDRAWN])
def test_a_successor_that_ended_without_paper_leaves_room_for_another(store: Store, kept: Any, end: JobState) -> None:
    assert end in MOVES[JobState.ACCEPTED]
    kept(a_successor(2), end)

    assert isinstance(accept(store, a_successor(3)), Accepted)


def test_what_is_being_replaced_is_not_printed_any_more(store: Store, kept: Any) -> None:
    """The requests may come in the other order."""
    successor = kept(a_successor(2))

    assert accept(store, a_new_job(1)) == AlreadyReplaced(successor.job_id, "document.number")


def test_a_successor_may_be_replaced_in_its_turn(store: Store, kept: Any) -> None:
    kept(a_new_job(1), JobState.ISSUED)
    kept(a_successor(2), JobState.ISSUED)

    again = a_new_job(3, replaces=Replaced(a_new_job(2).number_key, 1))

    assert isinstance(accept(store, again), Accepted)


def test_of_twenty_cases_at_once_one_replaces_it(store: Store) -> None:
    """Also a paper that is not known here, of which no row could be held."""
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda n: accept(store, a_successor(n)), range(2, 22)))

    (accepted,) = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyReplaced)]
    assert refused == [AlreadyReplaced(accepted.job.job_id, "document.issuance.replaces")] * 19


def test_whoever_asks_for_the_same_number_twice_hears_that_first(store: Store, kept: Any) -> None:
    first = kept(a_successor(2))

    assert accept(store, a_successor(2, request_id="again")) == AlreadyRequested(first.job_id, "document.number")
