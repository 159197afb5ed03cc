"""A request becomes one job, however often and by whomever it is sent; one right has one paper."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from spooler.job import JobState
from spooler.store import Store
from spooler.store.values import Accepted, AlreadyRequested, Different, Same, Update
from spooler.wire.messages import Case
from tests.spooler.store.builders import CLERK, a_hash, a_new_job


def test_a_new_request_is_kept_as_a_job(store: Store) -> None:
    """What is answered 201 can be read back at once."""
    outcome = store.jobs.accept(a_new_job(), CLERK)

    assert isinstance(outcome, Accepted)
    assert store.jobs.job(outcome.job.job_id) == outcome.job
    assert outcome.job.state is JobState.ACCEPTED


def test_the_same_request_again_is_the_same_job(store: Store) -> None:
    first = store.jobs.accept(a_new_job(), CLERK)
    again = store.jobs.accept(a_new_job(), CLERK)

    assert isinstance(first, Accepted)
    assert again == Same(first.job)


@pytest.mark.fault_row("F43")
def test_the_same_id_with_other_content_is_not(store: Store) -> None:
    first = store.jobs.accept(a_new_job(), CLERK)
    other = store.jobs.accept(a_new_job(request_sha256=a_hash("other")), CLERK)

    assert isinstance(first, Accepted)
    assert other == Different(first.job.job_id)


@pytest.mark.fault_row("F43")
def test_twenty_equal_requests_at_once_are_one_job(store: Store) -> None:
    """F43: one 201, nineteen 200."""
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: store.jobs.accept(a_new_job(), CLERK), range(20)))

    assert [type(outcome) for outcome in outcomes].count(Accepted) == 1
    assert [type(outcome) for outcome in outcomes].count(Same) == 19
    assert len({outcome.job.job_id for outcome in outcomes if isinstance(outcome, Accepted | Same)}) == 1


def test_one_right_under_twenty_ids_at_once_has_one_paper(store: Store) -> None:
    """One 201, nineteen 409 that name the job."""
    requests = [
        replace(a_new_job(), request_id=f"id-{n}", case=Case(number=f"c{n}", ordinal=1, of=1)) for n in range(20)
    ]
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda new: store.jobs.accept(new, CLERK), requests))

    (accepted,) = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, AlreadyRequested)]
    assert refused == [AlreadyRequested(accepted.job.job_id, "document.number")] * 19


def test_one_place_in_a_case_has_one_document(store: Store) -> None:
    first = store.jobs.accept(a_new_job(1), CLERK)
    second = store.jobs.accept(a_new_job(2, case=a_new_job(1).case), CLERK)

    assert isinstance(first, Accepted)
    assert second == AlreadyRequested(first.job.job_id, "case.ordinal")


@pytest.mark.parametrize("end", [JobState.REFUSED, JobState.CANCELLED, JobState.WITHDRAWN])
def test_a_job_that_ended_without_paper_frees_its_number(store: Store, end: JobState) -> None:
    first = store.jobs.accept(a_new_job(), CLERK)
    assert isinstance(first, Accepted)
    with store.changing() as change:
        change.move(first.job.job_id, Update(state=end))

    again = store.jobs.accept(replace(a_new_job(), request_id="corrected"), CLERK)

    assert isinstance(again, Accepted)


def test_a_later_version_of_a_document_is_another_right(store: Store) -> None:
    store.jobs.accept(a_new_job(1), CLERK)

    later = a_new_job(2, number_key=a_new_job(1).number_key, version=2)

    assert isinstance(store.jobs.accept(later, CLERK), Accepted)
