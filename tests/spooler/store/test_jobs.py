"""Jobs are found by whatever is known of them, newest first, and their history is complete."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from spooler.job import JobState, Reason
from spooler.store import IllegalMove, NoSuchJob, Store
from spooler.store.values import MACHINE, Accepted, HallWord, Job, JobQuery, Side, Update
from spooler.wire.messages import Case
from tests.spooler.store.builders import CLERK, NOON, a_new_job
from tests.spooler.store.conftest import Clock


@pytest.fixture
def keep(store: Store) -> Callable[..., Job]:
    def accept(number: int, **varied: object) -> Job:
        outcome = store.jobs.accept(a_new_job(number, **varied), CLERK)
        assert isinstance(outcome, Accepted)
        return outcome.job

    return accept


def test_pages_follow_each_other_newest_first_without_gap(store: Store, keep: Callable[..., Job]) -> None:
    kept = [keep(number).job_id for number in range(1, 8)]

    seen, cursor = [], None
    while True:
        page = store.jobs.page(JobQuery(limit=3, cursor=cursor))
        seen += [job.job_id for job in page.jobs]
        cursor = page.next
        if cursor is None:
            break
        keep(100 + len(seen))  # what comes meanwhile disturbs no page

    assert seen == kept[::-1]


@pytest.mark.parametrize(
    "query",
    [
        JobQuery(registry="231202"),
        JobQuery(hall="231283-01"),
        JobQuery(case="another case"),
        JobQuery(request_id="another request"),
        JobQuery(number="黑（2026）望奎县不动产证明第0000002号"),
        JobQuery(registries=frozenset({"231202", "231299"})),
        JobQuery(halls=frozenset({"231283-01"})),
    ],
)
def test_a_job_is_found_by_what_it_is(store: Store, keep: Callable[..., Job], query: JobQuery) -> None:
    keep(1)
    wanted = keep(
        2,
        registry="231202",
        hall="231283-01",
        case=Case(number="another case", ordinal=1, of=1),
        request_id="another request",
    )

    assert store.jobs.page(query).jobs == (wanted,)


def test_a_job_is_found_by_what_became_of_it(store: Store, keep: Callable[..., Job], clock: Clock) -> None:
    keep(1)
    wanted = keep(2).job_id
    clock.advance(minutes=5)
    serial = "23100000001"
    with store.changing() as change:
        change.move(wanted, Update(state=JobState.SEALED))
        change.move(wanted, Update(state=JobState.RECEIVED, word=HallWord(frozenset({Reason.PRINTER_JAM}), 1, serial)))
        change.move(wanted, Update(add=frozenset({Reason.LATE})))

    for query in (
        JobQuery(state=JobState.RECEIVED),
        JobQuery(reason="printer-jam"),
        JobQuery(serial=serial),
        JobQuery(late=True),
        JobQuery(updated_after=NOON + timedelta(minutes=1)),
    ):
        assert [job.job_id for job in store.jobs.page(query).jobs] == [wanted], query
    assert wanted not in [job.job_id for job in store.jobs.page(JobQuery(late=False)).jobs]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "9" * 30, "１"])
def test_a_cursor_that_no_page_gave_ends_the_list(store: Store, keep: Callable[..., Job], cursor: str) -> None:
    keep(1)

    assert store.jobs.page(JobQuery(cursor=cursor)).jobs == ()


def test_every_move_is_an_event_with_its_actor(store: Store, keep: Callable[..., Job]) -> None:
    job_id = keep(1).job_id
    with store.changing() as change:
        change.move(job_id, Update(state=JobState.SEALED, because="document sealed"))

    events = store.jobs.events(job_id)

    assert [(event.sequence, event.state, event.actor, event.side) for event in events] == [
        (1, JobState.ACCEPTED, CLERK, Side.HOME),
        (2, JobState.SEALED, MACHINE, Side.HOME),
    ]
    assert store.jobs.events(job_id, after=1) == events[1:]


def test_a_move_that_the_table_does_not_have_changes_nothing(store: Store, keep: Callable[..., Job]) -> None:
    job = keep(1)

    with pytest.raises(IllegalMove), store.changing() as change:
        change.move(job.job_id, Update(state=JobState.ISSUED))

    assert store.jobs.job(job.job_id) == job
    assert len(store.jobs.events(job.job_id)) == 1


def test_a_failed_change_leaves_nothing_behind(store: Store, keep: Callable[..., Job]) -> None:
    """All of it or nothing: a job that moved without its event would be a lie."""
    job = keep(1)

    with pytest.raises(ZeroDivisionError), store.changing() as change:
        change.move(job.job_id, Update(state=JobState.SEALED))
        raise ZeroDivisionError

    assert store.jobs.job(job.job_id) == job
    assert [event.type for event in store.callbacks.feed()] == ["job.accepted"]


def test_saying_the_same_again_is_no_event(store: Store, keep: Callable[..., Job]) -> None:
    job_id = keep(1).job_id
    late = Update(add=frozenset({Reason.LATE}))
    with store.changing() as change:
        assert change.move(job_id, late)
        assert not change.move(job_id, late)

    assert len(store.jobs.events(job_id)) == 2


def test_the_end_has_no_reasons(store: Store, keep: Callable[..., Job]) -> None:
    job_id = keep(1).job_id
    with store.changing() as change:
        change.move(job_id, Update(add=frozenset({Reason.LATE, Reason.UNDELIVERABLE})))
        change.move(job_id, Update(state=JobState.CANCELLED))

    job = store.jobs.job(job_id)
    assert job is not None and job.reasons == ()
    assert store.jobs.page(JobQuery(reason="late")).jobs == ()


def test_nothing_moves_a_job_that_is_not_there(store: Store) -> None:
    with pytest.raises(NoSuchJob), store.changing() as change:
        change.move("nobody", Update(state=JobState.SEALED))


def test_the_feed_goes_on_from_where_one_was(store: Store, keep: Callable[..., Job]) -> None:
    """For those who can only poll: after the last place seen, nothing twice and nothing left out."""
    for number in range(1, 6):
        keep(number)
    keep(6, registry="231202")

    first = store.callbacks.feed(0, 3)
    rest = store.callbacks.feed(first[-1].place, 100)

    assert len({event.event_id for event in first + rest}) == 6
    assert [event.registry for event in store.callbacks.feed(registries={"231202"})] == ["231202"]


def test_callbacks_are_kept_for_those_who_want_them_only(store: Store, keep: Callable[..., Job]) -> None:
    keep(1)
    keep(2, registry="231202")

    assert [delivery.event.registry for delivery in store.callbacks.pending()] == ["231221"]
