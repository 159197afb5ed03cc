"""Orders and controls: what crosses the wire to a hall, and what it answered. One order of a job is open at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from spooler.daemon.crash import crash_point
from spooler.job import FREES_THE_NUMBER, JobState, Reason
from spooler.store import tables as t
from spooler.store.change import Change, Outgoing, reasons_of
from spooler.store.transactions import Transactions
from spooler.store.values import OpenOrder, Update
from spooler.wire.messages import Actor

PREPARED, SENT = "prepared", "sent"
PAUSING = ("hold", "resume")
# What may still begin an attempt at a hall: a spoiled one too.
LEASED_STATES = (SENT, "waiting", "printing", "printed")


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
    not_after: datetime | None = None  # of a lease
    accept: bool | None = None  # of an approve
    outcome: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True)
class Ending:
    """An open order whose time to be begun ends soon."""

    order_id: str
    job_id: str
    registry: str
    hall: str
    kind: str


@dataclass(frozen=True)
class Unopened:
    """A job that waits for its order to be wrapped for another key."""

    job_id: str
    hall: str


@dataclass(frozen=True)
class Unreceived:
    """An order that the broker took and its hall, which speaks, has not confirmed."""

    order: OpenOrder
    kind: str
    document_sha256: str


class Orders:
    """Orders opened, sent and ended."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def prepare(self, prepared: Prepared) -> bool:
        """Keep the order and call the job sealed; False when that was done already."""
        order = prepared.order
        with self._transactions.changing() as change:
            if change.state(order.job_id) is not JobState.ACCEPTED or is_held(change, order.job_id):
                return False
            keep_prepared(change, prepared)
            moved = change.move(order.job_id, Update(state=JobState.SEALED, because="document sealed"))
            crash_point("home.before-sealed-commit")
            return moved

    def post(self, order_id: str, letter: Outgoing) -> bool:
        """Keep the order's letter; False when it was kept or sent already, or the job has ended."""
        with self._transactions.changing() as change:
            order = _order(change.connection, t.orders.c.order_id == order_id)
            if order is None or not _may_leave(change, order):
                return False
            change.post(letter)
            crash_point("home.before-letter-commit")
            return True

    def replace(self, stale: str, prepared: Prepared) -> bool:
        """Let another order take the place of one that never left and has run out of time; False when it has left."""
        with self._transactions.changing() as change:
            order = _order(change.connection, t.orders.c.order_id == stale)
            if order is None or not _may_leave(change, order):
                return False
            set_order_state(change, stale, "expired")
            keep_prepared(change, prepared)
            return change.move(order.job_id, Update(because="sealed again", tell="job.order-opened"))

    def order(self, order_id: str) -> OpenOrder | None:
        with self._transactions.reading() as connection:
            return _order(connection, t.orders.c.order_id == order_id)

    def open_order(self, job_id: str) -> OpenOrder | None:
        """Return the job's one live order."""
        with self._transactions.reading() as connection:
            return open_order(connection, job_id)

    def ending_before(self, soon: datetime, limit: int = 500) -> tuple[Ending, ...]:
        """Return the orders to be renewed: at a hall that speaks, their end not asked for, no lease under way."""
        orders, jobs, controls = t.orders.c, t.jobs.c, t.controls.c
        asked = select(controls.control_id).where(
            controls.order_id == orders.order_id,
            controls.outcome.is_(None),
            controls.kind.in_(("lease", "cancel", "withdraw")),
        )
        silent = select(t.halls.c.hall).where(t.halls.c.hall == orders.hall, t.halls.c.is_silent.is_(False))
        wanted = (
            select(orders.order_id, orders.job_id, orders.registry, orders.hall, jobs.kind)
            .join(t.jobs, jobs.job_id == orders.job_id)
            .where(
                t.IS_OPEN_ORDER,
                orders.state.in_(LEASED_STATES),
                orders.not_after < soon,
                jobs.state.not_in(FREES_THE_NUMBER),
                ~asked.exists(),
                silent.exists(),
            )
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(Ending(*row) for row in connection.execute(wanted))

    def unopened(self, limit: int = 100) -> tuple[Unopened, ...]:
        """Return the jobs whose last order the hall refused unopened, and that did not end by it."""
        orders, jobs, later = t.orders.c, t.jobs.c, t.orders.alias("later")
        wanted = (
            select(jobs.job_id, orders.hall)
            .join(t.orders, orders.job_id == jobs.job_id)
            .where(
                jobs.state == JobState.SENT,
                orders.state == "refused",
                ~select(later.c.place).where(later.c.job_id == jobs.job_id, later.c.place > orders.place).exists(),
            )
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(Unopened(*row) for row in connection.execute(wanted))

    def unreceived(self, limit: int = 500) -> tuple[Unreceived, ...]:
        """Return the orders that lie at the broker, for all we know, and whose halls speak and are sure of their journals."""
        orders, jobs, halls = t.orders.c, t.jobs.c, t.halls.c
        wanted = (
            select(t.orders, jobs.kind, jobs.document_sha256)
            .join(t.jobs, jobs.job_id == orders.job_id)
            .join(t.halls, halls.hall == orders.hall)
            .where(
                t.IS_OPEN_ORDER, orders.state == SENT, jobs.state == JobState.SENT, jobs.document_sha256.is_not(None)
            )
            .where(halls.is_silent.is_(False), halls.standing == "ok")
            .order_by(orders.place)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(Unreceived(_open(row), row.kind, row.document_sha256) for row in connection.execute(wanted))

    def controls(self, job_id: str) -> tuple[Control, ...]:
        wanted = select(t.controls).where(t.controls.c.job_id == job_id).order_by(t.controls.c.turn)
        with self._transactions.reading() as connection:
            return tuple(_control(row) for row in connection.execute(wanted))


def keep_prepared(change: Change, prepared: Prepared) -> None:
    """Write down the order and its document; the caller moves the job."""
    order = prepared.order
    change.connection.execute(insert(t.orders).values(_row(order, change.now)))
    change.connection.execute(
        update(t.jobs)
        .where(t.jobs.c.job_id == order.job_id)
        .values(document_sha256=prepared.document_sha256, document_bytes=prepared.document_bytes)
    )


def is_held(change: Change, job_id: str) -> bool:
    return Reason.HELD in reasons_of(change.job(job_id).reasons)


def has_letter(change: Change, order_id: str) -> bool:
    """Say whether the order's letter is in the outbox: then the courier may be sending it just now."""
    return (
        change.connection.execute(select(t.outbox.c.place).where(t.outbox.c.order_id == order_id)).first() is not None
    )


def send_again(change: Change, order_id: str, letter: Outgoing) -> bool:
    """Keep the letter of an order that was sent before; False when it is being sent, or the hall has answered meanwhile."""
    order = _order(change.connection, t.orders.c.order_id == order_id)
    if order is None or order.state != SENT or has_letter(change, order_id):
        return False
    change.post(letter)
    return True


def _may_leave(change: Change, order: OpenOrder) -> bool:
    is_waiting = order.state == PREPARED and change.state(order.job_id) is JobState.SEALED
    return is_waiting and not is_held(change, order.job_id) and not has_letter(change, order.order_id)


def last_order(connection: Connection, job_id: str) -> OpenOrder | None:
    """Return the job's latest order, open or ended."""
    latest = select(t.orders.c.order_id).where(t.orders.c.job_id == job_id).order_by(t.orders.c.place.desc()).limit(1)
    return _order(connection, t.orders.c.order_id == latest.scalar_subquery())


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
    return _control(row)


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
    return None if row is None else _control(row)


def unanswered(connection: Connection, hall: str, registry: str) -> tuple[Control, ...]:
    """Return what was asked about open orders at this hall, and neither answered nor still in the outbox, the oldest first."""
    columns, orders = t.controls.c, t.orders.c
    waits = select(t.outbox.c.place).where(t.outbox.c.letter_id == columns.control_id)
    wanted = (
        select(t.controls)
        .join(t.orders, orders.order_id == columns.order_id)
        .where(orders.hall == hall, orders.registry == registry, orders.state.in_(t.OPEN_ORDER_STATES))
        .where(columns.outcome.is_(None), ~waits.exists())
        .order_by(columns.at)
    )
    return tuple(_control(row) for row in connection.execute(wanted))


def last_control(connection: Connection, order_id: str, kinds: Sequence[str]) -> Control | None:
    """Return what was last asked of these kinds about an order."""
    columns = t.controls.c
    asked = select(t.controls).where(columns.order_id == order_id, columns.kind.in_(kinds))
    row = connection.execute(asked.order_by(columns.turn.desc()).limit(1)).one_or_none()
    return None if row is None else _control(row)


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


def _order(connection: Connection, where: Any) -> OpenOrder | None:
    row = connection.execute(select(t.orders).where(where)).one_or_none()
    return None if row is None else _open(row)


def _open(row: Row[Any]) -> OpenOrder:
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
        not_after=row.not_after,
        accept=row.accept,
        outcome=row.outcome,
        answered_at=row.answered_at,
    )
