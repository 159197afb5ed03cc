"""Callbacks kept until told: in order within a job, for each endpoint; and the feed for those who poll."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnCollection, ColumnElement, Row, Select, func, literal, select, update

from spooler.daemon.crash import crash_point
from spooler.store import tables as t
from spooler.store.due import is_due
from spooler.store.transactions import Transactions
from spooler.store.values import CallbackEvent, Topic

PENDING, DELIVERED, PARKED = "pending", "delivered", "parked"
MOST_EVENTS_A_PAGE = 1000
LONGEST_WAIT_SECONDS = 6 * 3600.0  # between two tries


@dataclass(frozen=True)
class CallbackDelivery:
    """One event for one endpoint."""

    place: int
    endpoint: str
    event: CallbackEvent
    state: str
    tries: int
    first_try_at: datetime | None
    next_try_at: datetime
    last_error: str | None


class Callbacks:
    """Deliveries due, done, postponed, parked and replayed."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def feed(
        self, after: int = 0, limit: int = 100, registries: Collection[str] | None = None
    ) -> tuple[CallbackEvent, ...]:
        """Return events after that place, oldest first."""
        columns = t.callback_events.c
        wanted = select(t.callback_events).where(columns.place > after).order_by(columns.place)
        if registries is not None:
            wanted = wanted.where(columns.registry.in_(sorted(registries)))
        with self._transactions.reading() as connection:
            rows = connection.execute(wanted.limit(max(1, min(limit, MOST_EVENTS_A_PAGE)))).all()
        return tuple(_event(row) for row in rows)

    def due(self, endpoint: str, now: datetime, limit: int = 50) -> tuple[CallbackDelivery, ...]:
        """Return for each job the first event not delivered, if its time has come and it is not parked."""
        columns = t.deliveries.c
        wanted = _joined().where(
            columns.endpoint == endpoint,
            _is_open(columns),
            columns.state == PENDING,
            is_due(columns.next_try_at, now, LONGEST_WAIT_SECONDS),
            ~_held_back(),
        )
        with self._transactions.reading() as connection:
            rows = connection.execute(wanted.order_by(columns.next_try_at, columns.place).limit(limit)).all()
        return tuple(_delivery(row) for row in rows)

    def next_due_at(self, endpoint: str) -> datetime | None:
        """Return when the next delivery that nothing holds back has its time."""
        columns = t.deliveries.c
        wanted = select(func.min(columns.next_try_at)).where(
            columns.endpoint == endpoint, _is_open(columns), columns.state == PENDING, ~_held_back()
        )
        with self._transactions.reading() as connection:
            return connection.execute(wanted).scalar()

    def delivered(self, place: int) -> None:
        self._set(place, state=DELIVERED, last_error=None, stamp="delivered_at")

    def postpone(self, place: int, until: datetime, error: str) -> None:
        """It was not taken: try again, not before `until`."""
        self._set(place, next_try_at=until, last_error=error)

    def park(self, place: int, error: str) -> None:
        """It is not tried any more, and holds back that job's later ones, until replayed."""
        self._set(place, state=PARKED, last_error=error)

    def parked(self, endpoint: str | None = None, limit: int = 100) -> tuple[CallbackDelivery, ...]:
        return self._list(PARKED, endpoint, limit)

    def pending(self, endpoint: str | None = None, limit: int = 100) -> tuple[CallbackDelivery, ...]:
        return self._list(PENDING, endpoint, limit)

    def replay(self, endpoint: str, job_id: str | None = None) -> int:
        """Try parked deliveries again from now on; return how many."""
        columns = t.deliveries.c
        with self._transactions.changing() as change:
            parked = update(t.deliveries).where(columns.endpoint == endpoint, columns.state == PARKED)
            if job_id is not None:
                parked = parked.where(columns.job_id == job_id)
            fresh = parked.values(state=PENDING, tries=0, first_try_at=None, next_try_at=change.now)
            change.stirred.add(Topic.CALLBACKS)
            replayed = change.connection.execute(fresh).rowcount
            crash_point("callback.before-replayed-commit")
        return replayed

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many wait or are parked, by endpoint and state."""
        columns = t.deliveries.c
        wanted = (
            select(columns.endpoint, columns.state, func.count())
            .where(_is_open(columns))
            .group_by(columns.endpoint, columns.state)
        )
        with self._transactions.reading() as connection:
            return {(endpoint, state): count for endpoint, state, count in connection.execute(wanted)}

    def _list(self, state: str, endpoint: str | None, limit: int) -> tuple[CallbackDelivery, ...]:
        columns = t.deliveries.c
        wanted = _joined().where(_is_open(columns), columns.state == state).order_by(t.deliveries.c.place).limit(limit)
        if endpoint is not None:
            wanted = wanted.where(t.deliveries.c.endpoint == endpoint)
        with self._transactions.reading() as connection:
            return tuple(_delivery(row) for row in connection.execute(wanted))

    def _set(self, place: int, *, stamp: str | None = None, **values: Any) -> None:
        columns = t.deliveries.c
        with self._transactions.changing() as change:
            stamped = {stamp: change.now} if stamp else {}
            first = func.coalesce(columns.first_try_at, change.now)
            change.connection.execute(
                update(t.deliveries)
                .where(columns.place == place)
                .values(tries=columns.tries + 1, first_try_at=first, **stamped, **values)
            )
            crash_point("callback.before-delivered-commit")


def _held_back() -> ColumnElement[bool]:
    """Say that an earlier event of the same job is not delivered to the same endpoint."""
    earlier, columns = t.deliveries.alias("earlier"), t.deliveries.c
    return (
        select(earlier.c.place)
        .where(
            earlier.c.endpoint == columns.endpoint,
            earlier.c.job_id == columns.job_id,
            earlier.c.place < columns.place,
            _is_open(earlier.c),
        )
        .exists()
    )


def _is_open(columns: ColumnCollection[str, Column[Any]]) -> ColumnElement[bool]:
    """Say that a delivery is not done, in the words of the partial index (a bound value would hide them)."""
    return columns.state != literal(DELIVERED, literal_execute=True)


def _joined() -> Select[Any]:
    events = t.callback_events.c
    return select(
        t.deliveries,
        events.event_id,
        events.registry,
        events.type,
        events.at,
        events.data,
    ).join(t.callback_events, events.place == t.deliveries.c.event_place)


def _event(row: Row[Any], place: int | None = None) -> CallbackEvent:
    return CallbackEvent(
        place=row.place if place is None else place,
        event_id=row.event_id,
        registry=row.registry,
        type=row.type,
        at=row.at,
        data=row.data,
    )


def _delivery(row: Row[Any]) -> CallbackDelivery:
    return CallbackDelivery(
        place=row.place,
        endpoint=row.endpoint,
        event=_event(row, row.event_place),
        state=row.state,
        tries=row.tries,
        first_try_at=row.first_try_at,
        next_try_at=row.next_try_at,
        last_error=row.last_error,
    )
