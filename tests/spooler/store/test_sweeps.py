"""What the home looks for every few seconds, and at each request, is found by index: with a million jobs as with ten."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from spooler.store import Database, Store
from spooler.store.columns import metadata
from spooler.store.controls import unheard
from tests.spooler.store.builders import CLERK, a_new_job

NOW = datetime(2024, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def plan_of(tmp_path, clock):
    """Return how SQLite would go about what a look asks."""
    database = Database(f"sqlite:///{tmp_path}/home.db")
    metadata.create_all(database.engine)
    store = Store(database, clock)

    def plan(look) -> str:
        asked = []
        event.listen(
            database.engine, "before_cursor_execute", lambda _c, _u, sql, given, *_: asked.append((sql, given))
        )
        look(store)
        with database.reading() as connection:
            lines = [
                line[-1]
                for sql, given in asked
                if sql.startswith(("SELECT", "WITH"))
                for line in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
            ]
        return "\n".join(lines)

    yield plan
    store.close()


def test_overdue_jobs_are_found_by_their_deadline(plan_of):
    """Not by their state: tens of thousands may be open and in time."""
    assert "jobs_by_deadline" in plan_of(lambda store: store.jobs.overdue(NOW))


def test_halls_that_never_spoke_are_found_without_reading_orders(plan_of):
    """One look into the index for each hall that ever had an order, and no more when all of them have spoken."""
    plan = plan_of(lambda store: store.halls.jobs_unheard(NOW - timedelta(minutes=3)))

    assert "orders_open_at_hall" in plan
    assert "SCAN orders" not in plan and "jobs_by_state" not in plan


def test_whether_a_right_has_its_paper_already_is_found_by_its_number(plan_of):
    """Asked at each request: a look at all of a registry's jobs took half a second with a million, twice."""
    plan = plan_of(lambda store: store.jobs.accept(a_new_job(), CLERK))

    assert "one_right_one_paper" in plan and "one_case_ordinal" in plan
    assert "jobs_by_registry" not in plan and "SCAN jobs" not in plan


def test_what_halls_have_not_answered_is_found_among_everything_that_was_ever_asked(plan_of):
    def look(store) -> None:
        with store.transactions.reading() as connection:
            unheard(connection)

    plan = plan_of(look)

    assert "controls_unheard" in plan
    assert "SCAN controls USING INDEX controls_unheard" in plan or "SCAN controls" not in plan
