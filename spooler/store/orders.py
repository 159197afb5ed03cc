"""Orders: what crosses the wire to a hall, and how it stands there. One order of a job is open at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from spooler.daemon.crash import crash_point
from spooler.job import FREES_THE_NUMBER, JobState, Reason
from spooler.store import tables as t
from spooler.store.change import Change, Outgoing, reasons_of
from spooler.store.controls import Control, control_of
from spooler.store.transactions import Transactions
from spooler.store.values import OpenOrder, Update

PREPARED, SENT = "prepared", "sent"
# What may still begin an attempt at a hall: a spoiled one too.
LEASED_STATES = (SENT, "waiting", "printing", "printed")


@dataclass(frozen=True)
class Prepared:
    """What `prepare` made: the sealed document and the order that carries it."""

    order: OpenOrder
    document_sha256: str
    document_bytes: int


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
class UnreceivedOrder:
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

    def unreceived(self, limit: int = 500) -> tuple[UnreceivedOrder, ...]:
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
            return tuple(
                UnreceivedOrder(_open(row), row.kind, row.document_sha256) for row in connection.execute(wanted)
            )

    def controls(self, job_id: str) -> tuple[Control, ...]:
        wanted = select(t.controls).where(t.controls.c.job_id == job_id).order_by(t.controls.c.turn)
        with self._transactions.reading() as connection:
            return tuple(control_of(row) for row in connection.execute(wanted))


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
