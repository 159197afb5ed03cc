"""What the store remembers of the orders that a hall has or had: for a hall that has forgotten. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from spooler.job import Reason
from spooler.store import tables as t
from spooler.store.controls import PAUSING, last_control
from spooler.store.orders import PREPARED
from spooler.store.standing import AskedByHall
from spooler.store.values import OpenOrder, Side

AT_HALLS = tuple(state for state in t.OPEN_ORDER_STATES if state != PREPARED)
UNKNOWN = "unknown"
AT_ONCE = 500  # fewer than any database takes in one IN
# An order that waits for its next attempt may have kept a page that was good.
HAS_PAPER = frozenset({"waiting", "printing"})
# With these a pass is closed for good: the attempt after it is another.
ENDED_PASSES = frozenset({"spoiled", "answered spoiled"})


@dataclass(frozen=True)
class Remembered:
    """One order as it was last told."""

    order_id: str
    state: str
    attempt: int
    serial: str | None
    begun: tuple[int, ...]
    printer: str | None
    is_held: bool
    held_as_of: datetime | None
    opened_at: datetime
    not_after: datetime
    is_open: bool
    order: OpenOrder | None
    document_sha256: str | None


def remembered(connection: Connection, asked: AskedByHall, now: datetime) -> Sequence[Remembered]:
    """Return all that are open at this hall, and what became of those that it says it has or that may yet come.

    A letter that lies in the broker a second time, or whose cancel overtook it, comes to a hall that has forgotten how it ended; after
    its ticket's time no hall takes it.
    """
    columns = t.orders.c
    here = (columns.hall == asked.hall) & (columns.registry == asked.registry)
    may_come = columns.state.in_(AT_HALLS) | ((columns.not_after > now) & (columns.state != PREPARED))
    found = {row.order_id: row for row in _rows(connection, here & may_come)}
    others = [order_id for order_id in asked.has if order_id not in found]
    for start in range(0, len(others), AT_ONCE):
        named = columns.order_id.in_(others[start : start + AT_ONCE])
        found |= {row.order_id: row for row in _rows(connection, here & named)}
    strangers = [_unknown(order_id, now) for order_id in asked.has if order_id not in found]
    return [*(_remember(connection, row) for row in found.values()), *strangers]


def _rows(connection: Connection, where: ColumnElement[bool]) -> Iterator[Row[Any]]:
    orders, jobs = t.orders.c, t.jobs.c
    wanted = (
        select(t.orders, jobs.place.label("job_place"), jobs.attempt, jobs.serial, jobs.reasons, jobs.document_sha256)
        .join(t.jobs, jobs.job_id == orders.job_id)
        .where(where)
        .order_by(orders.place)
    )
    yield from connection.execute(wanted)


def _remember(connection: Connection, row: Row[Any]) -> Remembered:
    is_open = row.state in AT_HALLS
    begun, printer = _printed(connection, row) if row.state in HAS_PAPER else ((), None)
    order = OpenOrder(
        order_id=row.order_id,
        job_id=row.job_id,
        registry=row.registry,
        hall=row.hall,
        state=row.state,
        not_after=row.not_after,
        ticket_sha256=row.ticket_sha256,
    )
    asked = last_control(connection, row.order_id, PAUSING)
    return Remembered(
        order_id=row.order_id,
        state=row.state,
        attempt=row.attempt,
        serial=row.serial,
        begun=begun,
        printer=printer,
        # What was asked last, answered or not: the hall that is told this may have forgotten its answer.
        is_held=Reason.HELD.value in row.reasons.split() if asked is None else asked.kind == "hold",
        held_as_of=None if asked is None else asked.at,
        opened_at=row.opened_at,
        not_after=row.not_after,
        is_open=is_open,
        order=order,
        document_sha256=row.document_sha256,
    )


def _printed(connection: Connection, row: Row[Any]) -> tuple[tuple[int, ...], str | None]:
    """Return the passes of the current attempt that the hall ever spoke of, and where it last printed."""
    columns = t.events.c
    spoken = connection.execute(
        select(columns.pass_number, columns.printer, columns.detail)
        .where(columns.job_place == row.job_place, columns.side == Side.HALL, columns.attempt == row.attempt)
        .where(columns.pass_number.is_not(None))
        .order_by(columns.sequence)
    ).all()
    begun = {event.pass_number for event in spoken if event.detail not in ENDED_PASSES}
    printers = [event.printer for event in spoken if event.printer is not None]
    return tuple(sorted(begun)), printers[-1] if printers else None


def _unknown(order_id: str, now: datetime) -> Remembered:
    return Remembered(
        order_id=order_id,
        state=UNKNOWN,
        attempt=0,
        serial=None,
        begun=(),
        printer=None,
        is_held=False,
        held_as_of=None,
        opened_at=now,
        not_after=now,
        is_open=False,
        order=None,
        document_sha256=None,
    )
