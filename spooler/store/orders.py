"""Orders and controls: what crosses the wire to a hall, and what it answered. One order of a job is open at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from spooler.daemon.crash import crash_point
from spooler.job import JobState, Reason
from spooler.store import tables as t
from spooler.store.change import Change, Outgoing
from spooler.store.transactions import Transactions
from spooler.store.values import OpenOrder, Update
from spooler.wire.messages import Actor

PREPARED, SENT = "prepared", "sent"


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made: the sealed document and the order that carries it."""

    order: OpenOrder
    document_sha256: str
    document_bytes: int


@dataclass(frozen=True)
class Control:
    """A control as kept: who asked for what, and the hall's answer."""

    control_id: str
    kind: str
    job_id: str
    order_id: str
    registry: str
    hall: str
    at: datetime
    actor: Actor
    reason: str
    approval_id: str | None = None
    outcome: str | None = None
    answered_at: datetime | None = None


class Orders:
    """Orders opened, sent and ended."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def prepare(self, prepared: Prepared) -> bool:
        """Keep the order and call the job sealed; False when that was done already."""
        order = prepared.order
        with self._transactions.changing() as change:
            if change.state(order.job_id) is not JobState.ACCEPTED:
                return False
            change.connection.execute(insert(t.orders).values(_row(order, change.now)))
            change.connection.execute(
                update(t.jobs)
                .where(t.jobs.c.job_id == order.job_id)
                .values(document_sha256=prepared.document_sha256, document_bytes=prepared.document_bytes)
            )
            moved = change.move(order.job_id, Update(state=JobState.SEALED, because="document sealed"))
            crash_point("home.before-sealed-commit")
            return moved

    def post(self, order_id: str, letter: Outgoing) -> bool:
        """Keep the order's letter; False when it was kept or sent already, or the job has ended."""
        with self._transactions.changing() as change:
            order = _order(change.connection, t.orders.c.order_id == order_id)
            if order is None or order.state != PREPARED or change.state(order.job_id) is not JobState.SEALED:
                return False
            if change.connection.execute(select(t.outbox.c.place).where(t.outbox.c.order_id == order_id)).first():
                return False
            change.post(letter)
            crash_point("home.before-letter-commit")
            return True

    def order(self, order_id: str) -> OpenOrder | None:
        with self._transactions.reading() as connection:
            return _order(connection, t.orders.c.order_id == order_id)

    def open_order(self, job_id: str) -> OpenOrder | None:
        """Return the job's one live order."""
        with self._transactions.reading() as connection:
            return open_order(connection, job_id)

    def controls(self, job_id: str) -> tuple[Control, ...]:
        wanted = select(t.controls).where(t.controls.c.job_id == job_id).order_by(t.controls.c.at)
        with self._transactions.reading() as connection:
            return tuple(_control(row) for row in connection.execute(wanted))


def open_order(connection: Connection, job_id: str) -> OpenOrder | None:
    return _order(connection, (t.orders.c.job_id == job_id) & t.orders.c.state.in_(t.OPEN_ORDER_STATES))


def note_sent(change: Change, order_id: str) -> None:
    """The broker confirmed the order."""
    order = _order(change.connection, t.orders.c.order_id == order_id)
    if order is None:
        return
    if order.state == PREPARED:
        set_order_state(change, order_id, SENT)
    change.connection.execute(update(t.orders).where(t.orders.c.order_id == order_id).values(sent_at=change.now))
    gone = frozenset({Reason.UNDELIVERABLE})
    after = JobState.SENT if change.state(order.job_id) is JobState.SEALED else None
    change.move(order.job_id, Update(state=after, because="broker confirmed", drop=gone))


def set_order_state(change: Change, order_id: str, state: str) -> None:
    change.connection.execute(update(t.orders).where(t.orders.c.order_id == order_id).values(state=state))


def keep_control(change: Change, control: Control) -> None:
    change.connection.execute(
        insert(t.controls).values(
            control_id=control.control_id,
            kind=control.kind,
            job_id=control.job_id,
            order_id=control.order_id,
            registry=control.registry,
            hall=control.hall,
            at=control.at,
            actor_id=control.actor.id,
            actor_role=control.actor.role,
            reason=control.reason,
            approval_id=control.approval_id,
        )
    )


def answer_control(change: Change, control_id: str, outcome: str) -> Control | None:
    """Note the hall's answer; None when the control is not known, or was answered before."""
    row = change.connection.execute(select(t.controls).where(t.controls.c.control_id == control_id)).one_or_none()
    if row is None or row.outcome is not None:
        return None
    change.connection.execute(
        update(t.controls).where(t.controls.c.control_id == control_id).values(outcome=outcome, answered_at=change.now)
    )
    return _control(row)


def open_control(connection: Connection, job_id: str, kind: str) -> Control | None:
    """Return the job's unanswered control of this kind."""
    columns = t.controls.c
    row = connection.execute(
        select(t.controls).where(columns.job_id == job_id, columns.kind == kind, columns.outcome.is_(None)).limit(1)
    ).one_or_none()
    return None if row is None else _control(row)


def _order(connection: Connection, where: Any) -> OpenOrder | None:
    row = connection.execute(select(t.orders).where(where)).one_or_none()
    if row is None:
        return None
    return OpenOrder(
        order_id=row.order_id,
        job_id=row.job_id,
        registry=row.registry,
        hall=row.hall,
        state=row.state,
        not_after=row.not_after,
        ticket_sha256=row.ticket_sha256,
    )


def _row(order: OpenOrder, now: datetime) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "job_id": order.job_id,
        "registry": order.registry,
        "hall": order.hall,
        "state": PREPARED,
        "not_after": order.not_after,
        "ticket_sha256": order.ticket_sha256,
        "opened_at": now,
    }


def _control(row: Row[Any]) -> Control:
    return Control(
        control_id=row.control_id,
        kind=row.kind,
        job_id=row.job_id,
        order_id=row.order_id,
        registry=row.registry,
        hall=row.hall,
        at=row.at,
        actor=Actor(id=row.actor_id, role=row.actor_role),
        reason=row.reason,
        approval_id=row.approval_id,
        outcome=row.outcome,
        answered_at=row.answered_at,
    )
