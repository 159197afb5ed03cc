"""The home's audit log: whoever touches it or what it is about is told on by the first entry that no longer fits."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete, select, text, update

from spooler.job import JobState, Reason
from spooler.store import Store
from spooler.store import tables as t
from spooler.store.audit import Keeper, keep_anchor
from spooler.store.values import Update
from spooler.wire.chain import Anchor, Verdict
from tests.spooler.store.builders import CLERK, a_new_job

HALL = "231282-01"
KEEPER = Keeper(HALL, "231221")
ENTRIES = 9  # the beginning, and two jobs of four events


@pytest.fixture
def log(store: Store) -> Store:
    """A log of two jobs, one after the other."""
    for number in (1, 2):
        accepted = store.jobs.accept(a_new_job(number), CLERK)
        for change in (
            Update(add=frozenset({Reason.LATE}), because="late"),
            Update(drop=frozenset({Reason.LATE}), because="not late"),
            Update(state=JobState.CANCELLED, because="cancelled"),
        ):
            with store.changing() as open_change:
                open_change.move(accepted.job.job_id, change)
    return store


def verdict_after(store: Store, *statements: object) -> Verdict:
    """What is said of the log after somebody had the database to himself."""
    with store.database.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)
    return store.audit.verify()


def anchored(store: Store) -> Anchor:
    head = store.audit.head()
    assert head is not None
    return Anchor(f"hall {HALL}", str(head.log), head.sequence, head.sha256, "2026-03-02T04:00:00+00:00")


def test_a_log_that_nobody_touched_is_whole(log: Store) -> None:
    verdict = log.audit.verify([anchored(log)])

    assert (verdict.fault, verdict.entries, verdict.anchored) == (None, ENTRIES, ENTRIES)


def test_a_log_without_entries_is_whole(store: Store) -> None:
    assert store.audit.verify().fault is None


@pytest.mark.attack_row("S39")
def test_an_edited_entry_is_named(log: Store) -> None:
    verdict = verdict_after(log, update(t.audit).where(t.audit.c.sequence == 4).values(sha256="0" * 64))

    assert (verdict.fault.code, verdict.fault.entry, verdict.entries) == ("edited", 4, 3)


@pytest.mark.attack_row("S39")
@pytest.mark.parametrize(
    "column, value",
    [("serial", "23100000009"), ("actor_id", "nobody"), ("detail", "told otherwise"), ("state", "issued")],
)
def test_an_edited_event_is_named_by_its_entry(log: Store, column: str, value: str) -> None:
    """Entry 6 begins the second job; 8 is its third event."""
    where = (t.events.c.job_place == 2) & (t.events.c.sequence == 3)

    verdict = verdict_after(log, update(t.events).where(where).values({column: value}))

    assert (verdict.fault.code, verdict.fault.entry, verdict.fault.about) == ("edited", 8, "2/3")


@pytest.mark.attack_row("S39")
@pytest.mark.parametrize("column, value", [("request_sha256", "0" * 64), ("number", "another"), ("request_id", "x")])
def test_a_job_that_is_made_about_another_request_is_named(log: Store, column: str, value: str) -> None:
    """The chain goes from the request to the serial."""
    verdict = verdict_after(log, update(t.jobs).where(t.jobs.c.place == 2).values({column: value}))

    assert (verdict.fault.code, verdict.fault.entry) == ("edited", 6)


@pytest.mark.attack_row("S39")
def test_a_removed_entry_is_named(log: Store) -> None:
    verdict = verdict_after(log, delete(t.audit).where(t.audit.c.sequence == 5))

    assert (verdict.fault.code, verdict.fault.entry) == ("removed", 5)


@pytest.mark.attack_row("S39")
def test_a_removed_entry_is_named_also_when_the_rest_is_numbered_anew(log: Store) -> None:
    move_up = [
        update(t.audit).where(t.audit.c.sequence == number).values(sequence=number - 1)
        for number in range(6, ENTRIES + 1)
    ]

    verdict = verdict_after(log, delete(t.audit).where(t.audit.c.sequence == 5), *move_up)

    assert (verdict.fault.code, verdict.fault.entry) == ("edited", 5)


@pytest.mark.attack_row("S39")
def test_a_removed_event_is_named_by_its_entry(log: Store) -> None:
    where = (t.events.c.job_place == 1) & (t.events.c.sequence == 2)

    verdict = verdict_after(log, delete(t.events).where(where))

    assert (verdict.fault.code, verdict.fault.entry, verdict.fault.about) == ("removed", 3, "1/2")


@pytest.mark.attack_row("S39")
@pytest.mark.parametrize("first, second", [(3, 4), (3, 7)])
def test_swapped_entries_are_named(log: Store, first: int, second: int) -> None:
    at = t.audit.c.sequence

    verdict = verdict_after(
        log,
        update(t.audit).where(at == first).values(sequence=1000),
        update(t.audit).where(at == second).values(sequence=first),
        update(t.audit).where(at == 1000).values(sequence=second),
    )

    assert (verdict.fault.code, verdict.fault.entry) == ("swapped", first)
    assert str(second) in verdict.fault.message


@pytest.mark.attack_row("S39")
def test_an_end_that_was_cut_off_is_named_by_what_the_hall_keeps(log: Store) -> None:
    """Entries, events and all: nothing here is left to tell of it, but the hall's word."""
    with log.changing() as change:
        keep_anchor(change, KEEPER, "home", log.audit.head())

    verdict = verdict_after(
        log,
        delete(t.audit).where(t.audit.c.sequence > 7),
        delete(t.events).where((t.events.c.job_place == 2) & (t.events.c.sequence > 2)),
    )

    assert (verdict.fault.code, verdict.fault.entry) == ("truncated", 8)
    assert HALL in verdict.fault.message


@pytest.mark.attack_row("S39")
def test_a_log_that_was_emptied_is_named(log: Store) -> None:
    anchor = anchored(log)
    with log.database.engine.begin() as connection:
        for table in ("audit", "events"):
            connection.execute(text(f"DELETE FROM {table}"))

    assert log.audit.verify([anchor]).fault.code == "truncated"


@pytest.mark.attack_row("S39")
def test_a_chain_made_anew_is_named_by_what_the_hall_keeps(log: Store) -> None:
    """Whoever may write may compute: all hashes fit, but not the one that the hall was told."""
    earlier = replace(anchored(log), sha256="f" * 64)

    fault = log.audit.verify([earlier]).fault

    assert (fault.code, fault.entry) == ("rewritten", 1)


@pytest.mark.attack_row("S39")
def test_another_log_in_its_place_is_named(log: Store) -> None:
    fault = log.audit.verify([replace(anchored(log), log="0000000b-0000-4000-8000-00000000000b")]).fault

    assert fault.code == "replaced"


@pytest.mark.attack_row("S39")
def test_an_event_that_was_slipped_in_is_named(log: Store) -> None:
    def copied(row: dict[str, object]) -> dict[str, object]:
        return {**row, "sequence": 99, "serial": "23100000009"}

    with log.transactions.reading() as connection:
        row = connection.execute(select(t.events).limit(1)).one()._asdict()

    verdict = verdict_after(log, t.events.insert().values(copied(row)))

    assert verdict.fault.code == "added"


def test_a_store_that_is_older_than_its_log_is_taken_on(log: Store) -> None:
    """Events of an earlier release stand in no entry; how many they were is the first entry's to say."""
    with log.database.engine.begin() as connection:
        connection.execute(delete(t.audit))
    older = log.jobs.accept(a_new_job(3), CLERK).job

    assert log.audit.verify().fault is None

    verdict = verdict_after(log, delete(t.events).where((t.events.c.job_place == 1) & (t.events.c.sequence == 2)))
    assert verdict.fault.code == "removed"
    assert older.job_id


def test_a_change_that_fails_leaves_no_entry(log: Store) -> None:
    """Entry and event stand in one transaction."""
    with pytest.raises(ZeroDivisionError), log.changing() as change:
        change.move(_first(log), _NOTE)
        raise ZeroDivisionError

    assert log.audit.verify().fault is None
    assert log.audit.entries() == ENTRIES


_NOTE = Update(is_note=True, because="a note")


def _first(store: Store) -> str:
    with store.transactions.reading() as connection:
        return str(connection.execute(select(t.jobs.c.job_id).limit(1)).scalar_one())


def test_of_each_hour_the_first_anchor_is_kept_for_good(log: Store, clock: Callable[..., object]) -> None:
    head = log.audit.head()
    with log.changing() as change:
        for sequence in (head.sequence - 2, head.sequence - 1, head.sequence):
            keep_anchor(change, KEEPER, "hall", head.model_copy(update={"sequence": sequence}))

    assert [anchor.sequence for anchor in log.audit.anchors("hall", HALL)] == [ENTRIES - 2, ENTRIES]
