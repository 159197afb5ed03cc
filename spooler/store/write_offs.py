"""Halls that are written off: asked by one person, accepted by another, and what follows from it in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, update

from spooler.job import JobState, Reason
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.halls import ACCEPTED, DECLINED, OPEN, close_approvals_of
from spooler.store.transactions import Transactions
from spooler.store.trouble import write_offs
from spooler.store.values import Alarm, Update
from spooler.wire.messages import Actor

WRITTEN_OFF = "written-off"  # an order's state: its hall will say nothing more that is believed
SUSPECT = "suspect"  # a blank's status
# What left the hall, or cannot be used any more, is suspect to nobody.
BEYOND_SUSPICION = ("used", "void", "lost", "destroyed", "transferred", "returned", "to-recover", SUSPECT)


@dataclass(frozen=True)
class WriteOff:
    """A hall that somebody wants to be written off, or that is."""

    approval_id: str
    hall: str
    reason: str
    state: str
    asked_by: Actor
    opened_at: datetime


class WriteOffs:
    """What is asked, and what is done."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def open(self) -> tuple[WriteOff, ...]:
        """Return those that wait for a second person."""
        wanted = select(write_offs).where(write_offs.c.state == OPEN).order_by(write_offs.c.opened_at)
        with self._transactions.reading() as connection:
            return tuple(_write_off(row) for row in connection.execute(wanted))

    def get(self, approval_id: str) -> WriteOff | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(write_offs).where(write_offs.c.approval_id == approval_id)).one_or_none()
        return None if row is None else _write_off(row)

    def is_written_off(self, hall: str) -> bool:
        """Say whether the hall was ever written off; with a new key it may work again."""
        done = (write_offs.c.hall == hall) & (write_offs.c.state == ACCEPTED)
        with self._transactions.reading() as connection:
            return connection.execute(select(write_offs.c.approval_id).where(done).limit(1)).first() is not None

    def revoked(self, hall: str) -> frozenset[str]:
        """Return the ids of the hall's report keys that are revoked since it was written off."""
        done = (write_offs.c.hall == hall) & (write_offs.c.state == ACCEPTED)
        with self._transactions.reading() as connection:
            rows = connection.execute(select(write_offs.c.kids).where(done)).scalars().all()
        return frozenset(kid for kids in rows for kid in kids)


def ask(change: Change, hall: str, kids: Iterable[str], reason: str, by: Actor) -> str:
    """Keep that the hall is to be written off, unless somebody asked already; return the approval's id."""
    same = (write_offs.c.hall == hall) & (write_offs.c.state == OPEN)
    asked = change.connection.execute(select(write_offs.c.approval_id).where(same)).scalar()
    if asked is not None:
        return str(asked)
    approval_id = str(uuid4())
    change.connection.execute(
        insert(write_offs).values(
            approval_id=approval_id,
            hall=hall,
            kids=sorted(kids),
            reason=reason,
            state=OPEN,
            asked_by_id=by.id,
            asked_by_role=by.role,
            opened_at=change.now,
        )
    )
    return approval_id


def answer(change: Change, approval_id: str, accept: bool, reason: str, by: Actor) -> WriteOff | None:
    """Write down the second person's answer; None when it was answered before."""
    row = change.connection.execute(
        select(write_offs).where(write_offs.c.approval_id == approval_id).with_for_update()
    ).one_or_none()
    if row is None or row.state != OPEN:
        return None
    change.connection.execute(
        update(write_offs)
        .where(write_offs.c.approval_id == approval_id)
        .values(
            state=ACCEPTED if accept else DECLINED,
            answered_by_id=by.id,
            answered_by_role=by.role,
            answer=reason,
            closed_at=change.now,
        )
    )
    return _write_off(row)


def apply(change: Change, hall: str, by: Actor) -> None:
    """Nothing more is expected from this hall: its orders end, its blanks are suspect, what it was asked is settled."""
    change.alarm(Alarm("hall-written-off", hall=hall))
    blanks = t.blanks.c
    change.connection.execute(
        update(t.blanks)
        .where(blanks.hall == hall, blanks.status.not_in(BEYOND_SUSPICION))
        .values(status=SUSPECT, at=change.now)
    )
    columns = t.orders.c
    open_here = select(columns.order_id, columns.job_id).where(
        columns.hall == hall, columns.state.in_(t.OPEN_ORDER_STATES)
    )
    for order in change.connection.execute(open_here).all():
        _end_order(change, order.order_id, order.job_id, by)


def _end_order(change: Change, order_id: str, job_id: str, by: Actor) -> None:
    change.connection.execute(update(t.orders).where(t.orders.c.order_id == order_id).values(state=WRITTEN_OFF))
    # What has not left goes to nobody any more.
    change.connection.execute(delete(t.outbox).where(t.outbox.c.order_id == order_id))
    close_approvals_of(change, order_id)
    needs = frozenset({Reason.NEEDS_ATTENTION})
    gone = frozenset({Reason.HALL_SILENT, Reason.UNDELIVERABLE})
    change.move(
        job_id, Update(state=_end_of(change, order_id), because="hall written off", actor=by, add=needs, drop=gone)
    )


def _end_of(change: Change, order_id: str) -> JobState | None:
    """A job whose end was asked of the hall ends now; any other may be followed by another order."""
    columns = t.controls.c
    asked = (columns.order_id == order_id) & columns.outcome.is_(None)
    kinds = set(change.connection.execute(select(columns.kind).where(asked)).scalars())
    change.connection.execute(update(t.controls).where(asked).values(outcome=WRITTEN_OFF, answered_at=change.now))
    if "withdraw" in kinds:
        return JobState.WITHDRAWN
    return JobState.CANCELLED if "cancel" in kinds else None


def _write_off(row: Row[Any]) -> WriteOff:
    return WriteOff(
        approval_id=row.approval_id,
        hall=row.hall,
        reason=row.reason,
        state=row.state,
        asked_by=Actor(id=row.asked_by_id, role=row.asked_by_role),
        opened_at=row.opened_at,
    )
