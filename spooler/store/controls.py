"""Controls: what a hall was asked about an order, by whom, and what it answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from spooler.store import tables as t
from spooler.store.change import Change
from spooler.wire.messages import Actor

PAUSING = ("hold", "resume")
_WAITS = select(t.outbox.c.place).where(t.outbox.c.letter_id == t.controls.c.control_id)  # its letter is in the outbox


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
    not_after: datetime | None = None  # of a lease
    accept: bool | None = None  # of an approve
    outcome: str | None = None
    answered_at: datetime | None = None


def keep_control(change: Change, control: Control) -> None:
    before = select(func.max(t.controls.c.turn)).where(t.controls.c.job_id == control.job_id)
    change.connection.execute(
        insert(t.controls).values(
            turn=(change.connection.execute(before).scalar() or 0) + 1,
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
            not_after=control.not_after,
            accept=control.accept,
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
    return control_of(row)


def note_pending(change: Change, control_id: str) -> None:
    """The hall has the control, and cannot answer yet."""
    columns = t.controls.c
    first = (columns.control_id == control_id) & columns.outcome.is_(None) & columns.pending_since.is_(None)
    change.connection.execute(update(t.controls).where(first).values(pending_since=change.now))


def is_answered(connection: Connection, control_id: str) -> bool:
    columns = t.controls.c
    answered = select(columns.control_id).where(columns.control_id == control_id, columns.outcome.is_not(None))
    return connection.execute(answered).first() is not None


def open_control(connection: Connection, job_id: str, kind: str) -> Control | None:
    """Return the job's unanswered control of this kind."""
    columns = t.controls.c
    row = connection.execute(
        select(t.controls).where(columns.job_id == job_id, columns.kind == kind, columns.outcome.is_(None)).limit(1)
    ).one_or_none()
    return None if row is None else control_of(row)


def unanswered(connection: Connection, hall: str, registry: str) -> tuple[Control, ...]:
    """Return what was asked about open orders at this hall, and neither answered nor still in the outbox, the oldest first."""
    columns, orders = t.controls.c, t.orders.c
    wanted = (
        select(t.controls)
        .join(t.orders, orders.order_id == columns.order_id)
        .where(orders.hall == hall, orders.registry == registry, orders.state.in_(t.OPEN_ORDER_STATES))
        .where(columns.outcome.is_(None), ~_WAITS.exists())
        .order_by(columns.at)
    )
    return tuple(control_of(row) for row in connection.execute(wanted))


def unheard(connection: Connection, limit: int = 500) -> tuple[Control, ...]:
    """Return the controls that lie at the broker, for all we know, and whose halls speak and are sure of their journals."""
    columns, halls = t.controls.c, t.halls.c
    wanted = (
        select(t.controls)
        .join(t.halls, halls.hall == columns.hall)
        .where(columns.outcome.is_(None), columns.pending_since.is_(None), ~_WAITS.exists())
        .where(halls.is_silent.is_(False), halls.standing == "ok")
        .order_by(columns.at)
        .limit(limit)
    )
    return tuple(control_of(row) for row in connection.execute(wanted))


def is_unheard(change: Change, control_id: str) -> bool:
    """Say whether the hall has not answered it, and nobody is sending it."""
    columns = t.controls.c
    still = select(columns.control_id).where(
        columns.control_id == control_id, columns.outcome.is_(None), columns.pending_since.is_(None), ~_WAITS.exists()
    )
    return change.connection.execute(still).first() is not None


def last_control(connection: Connection, order_id: str, kinds: Sequence[str]) -> Control | None:
    """Return what was last asked of these kinds about an order."""
    columns = t.controls.c
    asked = select(t.controls).where(columns.order_id == order_id, columns.kind.in_(kinds))
    row = connection.execute(asked.order_by(columns.turn.desc()).limit(1)).one_or_none()
    return None if row is None else control_of(row)


def in_turn(connection: Connection, job_id: str, at: datetime) -> datetime:
    """Return a time after that of every control about this job, also when the clock was set back: halls go by it."""
    latest = connection.execute(select(func.max(t.controls.c.at)).where(t.controls.c.job_id == job_id)).scalar()
    return at if latest is None else max(at, latest + timedelta(microseconds=1))


def is_overtaken(connection: Connection, control: Control) -> bool:
    """Say whether the hall has answered a later hold or resume about the same order."""
    columns = t.controls.c
    later = select(columns.control_id).where(
        columns.order_id == control.order_id,
        columns.kind.in_(PAUSING),
        columns.at > control.at,
        columns.outcome.in_(("held", "resumed")),
    )
    return connection.execute(later.limit(1)).first() is not None


def was_asked(connection: Connection, order_id: str, kind: str) -> bool:
    """Say whether this was ever asked about the order."""
    columns = t.controls.c
    asked = select(columns.control_id).where(columns.order_id == order_id, columns.kind == kind).limit(1)
    return connection.execute(asked).first() is not None


def control_of(row: Row[Any]) -> Control:
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
        not_after=row.not_after,
        accept=row.accept,
        outcome=row.outcome,
        answered_at=row.answered_at,
    )
