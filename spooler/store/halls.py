"""Halls as their reports describe them: alive or silent, printers, blanks, and what waits there for a second person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from spooler.daemon.crash import crash_point
from spooler.job import Reason
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.job_rows import actor_of
from spooler.store.transactions import Transactions
from spooler.store.values import Approval, Blank, Hall
from spooler.wire.messages import ApprovalReport, Heartbeat, StockMoved

MOST_BLANKS_A_REPORT = 100_000
MOST_JOBS_A_LOOK = 500
MOST_CLOCK_SECONDS = 300.0
_WAITING_JOBS = ("sent", "received", "printing", "printed")
_WAITING_ORDERS = ("sent", "waiting", "printing", "printed")
OPEN, SENT, ACCEPTED, DECLINED = "open", "sent", "accepted", "declined"


@dataclass(frozen=True)
class Unheard:
    """A job that waits for a hall which says nothing."""

    job_id: str
    hall: str
    never_spoke: bool


class Halls:
    """What is known of halls."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def all(self) -> tuple[Hall, ...]:
        with self._transactions.reading() as connection:
            return tuple(_hall(row) for row in connection.execute(select(t.halls).order_by(t.halls.c.hall)))

    def blanks(
        self, serial: str | None = None, hall: str | None = None, status: str | None = None, limit: int = 500
    ) -> tuple[Blank, ...]:
        """Return where blanks are, by the halls' last word."""
        columns = t.blanks.c
        wanted = select(t.blanks).order_by(columns.serial).limit(limit)
        if serial is not None:
            wanted = wanted.where(columns.serial == serial)
        if hall is not None:
            wanted = wanted.where(columns.hall == hall)
        if status is not None:
            wanted = wanted.where(columns.status == status)
        with self._transactions.reading() as connection:
            return tuple(_blank(row) for row in connection.execute(wanted))

    def fallen_silent(self, before: datetime) -> tuple[str, ...]:
        """Return halls whose last report is older than that, and that are not yet called silent."""
        columns = t.halls.c
        wanted = select(columns.hall).where(columns.is_silent.is_(False), columns.last_report_at < before)
        with self._transactions.reading() as connection:
            return tuple(connection.execute(wanted).scalars())

    def jobs_held_back(self, limit: int = MOST_JOBS_A_LOOK) -> tuple[str, ...]:
        """Return the jobs whose order is not sent to a hall that is not sure of its journal, and that do not say so."""
        says_so = select(t.job_reasons.c.reason).where(
            t.job_reasons.c.job_place == t.jobs.c.place, t.job_reasons.c.reason == Reason.UNDELIVERABLE
        )
        with self._transactions.reading() as connection:
            blocked = blocked_halls(connection)
            wanted = (
                select(t.jobs.c.job_id)
                .where(t.jobs.c.hall.in_(blocked), t.jobs.c.state == "sealed", ~says_so.exists())
                .limit(limit)
            )
            return tuple(connection.execute(wanted).scalars()) if blocked else ()

    def jobs_unheard(self, before: datetime) -> tuple[Unheard, ...]:
        """Return the jobs that wait for a silent hall, or since before that for one that never spoke, and do not say so."""
        orders, jobs = t.orders.c, t.jobs.c
        with self._transactions.reading() as connection:
            # The halls are named one by one: a query over those that are silent reads by index, and none is made for nobody.
            halls = connection.execute(select(t.halls.c.hall, t.halls.c.is_silent)).all()
            silent = [hall.hall for hall in halls if hall.is_silent]
            unknown = _halls_with_orders(connection) - {hall.hall for hall in halls}
            found: tuple[Unheard, ...] = ()
            if unknown:
                never = orders.hall.in_(sorted(unknown)) & (orders.sent_at < before)
                found += _unheard(connection, (jobs.state == "sent") & (orders.state == "sent") & never, True)
            if silent:
                waits = orders.state.in_(_WAITING_ORDERS) & jobs.state.in_(_WAITING_JOBS) & orders.hall.in_(silent)
                found += _unheard(connection, waits, False)
        return found

    def wrongly_silent(self) -> tuple[str, ...]:
        """Return jobs that are called silent although their hall has spoken since."""
        speaks = select(t.halls.c.hall).where(t.halls.c.is_silent.is_(False))
        wanted = (
            select(t.jobs.c.job_id)
            .join(t.job_reasons, t.job_reasons.c.job_place == t.jobs.c.place)
            .where(t.job_reasons.c.reason == Reason.HALL_SILENT, t.jobs.c.hall.in_(speaks))
        )
        with self._transactions.reading() as connection:
            return tuple(connection.execute(wanted).scalars())


class Approvals:
    """Acts that wait for a second person, also at halls."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def open(self, registries: Collection[str] | None = None) -> tuple[Approval, ...]:
        """Return what waits, oldest first."""
        columns = t.approvals.c
        wanted = select(t.approvals).where(columns.state.in_([OPEN, SENT])).order_by(columns.opened_at)
        if registries is not None:
            wanted = wanted.where(columns.registry.in_(sorted(registries)))
        with self._transactions.reading() as connection:
            return tuple(_approval(row) for row in connection.execute(wanted))

    def approval(self, approval_id: str) -> Approval | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(t.approvals).where(t.approvals.c.approval_id == approval_id)).one_or_none()
        return None if row is None else _approval(row)


def _halls_with_orders(connection: Connection) -> set[str]:
    """Return every hall that there ever was an order for, by one look into the index for each (DISTINCT would read it all)."""
    first = select(func.min(t.orders.c.hall).label("hall")).cte("halls_with_orders", recursive=True)
    after = t.orders.alias("after")
    following = select(func.min(after.c.hall)).where(after.c.hall > first.c.hall).scalar_subquery()
    every = first.union_all(select(following).where(first.c.hall.is_not(None)))
    return {hall for hall in connection.execute(select(every.c.hall)).scalars() if hall is not None}


def _unheard(connection: Connection, where: ColumnElement[bool], never_spoke: bool) -> tuple[Unheard, ...]:
    says_so = select(t.job_reasons.c.reason).where(
        t.job_reasons.c.job_place == t.jobs.c.place, t.job_reasons.c.reason == Reason.HALL_SILENT
    )
    wanted = (
        select(t.jobs.c.job_id, t.orders.c.hall)
        .join(t.orders, t.orders.c.job_id == t.jobs.c.job_id)
        .where(where, ~says_so.exists())
        .limit(MOST_JOBS_A_LOOK)
    )
    return tuple(Unheard(row.job_id, row.hall, never_spoke) for row in connection.execute(wanted))


def blocked_halls(connection: Connection) -> tuple[str, ...]:
    """Return the halls to which nothing new is sent (`standing`)."""
    return tuple(connection.execute(select(t.halls.c.hall).where(t.halls.c.standing != "ok")).scalars())


def note_report(change: Change, hall: str) -> None:
    """Note that the hall said something."""
    spoke = update(t.halls).where(t.halls.c.hall == hall).values(last_report_at=change.now, is_silent=False)
    if not change.connection.execute(spoke).rowcount:
        change.connection.execute(insert(t.halls).values(hall=hall, last_report_at=change.now, printers=[], blanks=[]))


def note_silence(change: Change, hall: str) -> None:
    change.connection.execute(update(t.halls).where(t.halls.c.hall == hall).values(is_silent=True))


def note_heartbeat(change: Change, report: Heartbeat) -> None:
    change.connection.execute(
        update(t.halls)
        .where(t.halls.c.hall == report.hall)
        .values(
            heartbeat_at=report.at,
            agent_version=report.agent_version,
            printers=[printer.model_dump(mode="json") for printer in report.printers],
            blanks=[count.model_dump(mode="json") for count in report.blanks],
            open_asks=report.open_asks,
            clock_offset_seconds=_offset_seconds(report, change.now),
        )
    )


def clock_is_wrong(change: Change, report: Heartbeat) -> bool:
    """Say whether the hall's clock is off by more than five minutes: it says so, or this heartbeat shows it (asked before it is noted).

    One from the future shows it. One from the past may only have waited: then it came with others, each from another time. The lag of a
    clock stays the same from one heartbeat to the next.
    """
    if abs(report.clock_offset_seconds or 0.0) > MOST_CLOCK_SECONDS:
        return True
    offset = _offset_seconds(report, change.now)
    if offset >= -MOST_CLOCK_SECONDS:
        return offset > MOST_CLOCK_SECONDS
    before = change.connection.execute(
        select(t.halls.c.heartbeat_at, t.halls.c.clock_offset_seconds).where(t.halls.c.hall == report.hall)
    ).one_or_none()
    if before is None or before.heartbeat_at is None or before.clock_offset_seconds is None:
        return False
    beat_seconds = (report.at - before.heartbeat_at).total_seconds()
    return bool(abs(offset - before.clock_offset_seconds) < beat_seconds / 2)


def was_alarmed(change: Change, code: str, hall: str, since: datetime) -> bool:
    columns = t.alarms.c
    found = select(columns.place).where(columns.code == code, columns.hall == hall, columns.at > since).limit(1)
    return change.connection.execute(found).first() is not None


def _offset_seconds(report: Heartbeat, now: datetime) -> float:
    return (report.at - now).total_seconds()


def note_stock(change: Change, report: StockMoved) -> None:
    """Note the status of each blank from first to last, unless a later word about it is known already."""
    serials = serials_between(report.first, report.last)
    columns = t.blanks.c
    here = (
        (columns.stock == report.stock)
        & (columns.hall == report.hall)
        & (columns.serial >= report.first)
        & (columns.serial <= report.last)
    )
    change.connection.execute(delete(t.blanks).where(here, columns.at <= report.at))
    known = set(change.connection.execute(select(columns.serial).where(here)).scalars())
    rows = [_blank_row(report, serial) for serial in serials if serial not in known]
    if rows:
        change.connection.execute(insert(t.blanks), rows)


def serials_between(first: str, last: str) -> tuple[str, ...]:
    """Return all serials of a range; ValueError for one that is none."""
    series, digits = first[:-11], first[-11:]
    count = int(last[-11:]) - int(digits) + 1
    if last[:-11] != series or not 1 <= count <= MOST_BLANKS_A_REPORT:
        raise ValueError(f"{first} to {last} is not a range of serials")
    return tuple(f"{series}{int(digits) + step:011d}" for step in range(count))


def note_approval(change: Change, report: ApprovalReport) -> None:
    """Keep what waits for a second person, or that it no longer does."""
    columns = t.approvals.c
    known = change.connection.execute(
        select(columns.state).where(columns.approval_id == str(report.approval_id))
    ).one_or_none()
    state = OPEN if report.accepted is None else ACCEPTED if report.accepted else DECLINED
    if known is None:
        change.connection.execute(insert(t.approvals).values(_approval_row(change, report, state)))
    elif state != OPEN:
        close_approval(change, str(report.approval_id), state)
    crash_point("home.before-approval-commit")


def close_approval(change: Change, approval_id: str, state: str) -> None:
    change.connection.execute(
        update(t.approvals).where(t.approvals.c.approval_id == approval_id).values(state=state, closed_at=change.now)
    )


def close_approvals_of(change: Change, order_id: str) -> None:
    """The order has ended: nothing of it waits for anybody."""
    columns = t.approvals.c
    change.connection.execute(
        update(t.approvals)
        .where(columns.order_id == order_id, columns.state.in_([OPEN, SENT]))
        .values(state=DECLINED, closed_at=change.now)
    )


def _approval_row(change: Change, report: ApprovalReport, state: str) -> dict[str, Any]:
    return {
        "approval_id": str(report.approval_id),
        "hall": report.hall,
        "registry": report.registry,
        "job_id": str(report.job_id),
        "order_id": str(report.order_id),
        "act": report.act,
        "attempt": report.attempt,
        "actor_id": report.actor.id if report.actor else None,
        "actor_role": report.actor.role if report.actor else None,
        "state": state,
        "opened_at": report.at,
        "closed_at": None if state == OPEN else change.now,
    }


def _blank_row(report: StockMoved, serial: str) -> dict[str, Any]:
    return {
        "stock": report.stock,
        "serial": serial,
        "hall": report.hall,
        "status": report.status,
        "order_id": str(report.order_id) if report.order_id else None,
        "at": report.at,
    }


def _hall(row: Row[Any]) -> Hall:
    return Hall(
        hall=row.hall,
        last_report_at=row.last_report_at,
        heartbeat_at=row.heartbeat_at,
        agent_version=row.agent_version,
        printers=tuple(row.printers),
        blanks=tuple(row.blanks),
        open_asks=row.open_asks,
        clock_offset_seconds=row.clock_offset_seconds,
        is_silent=row.is_silent,
        standing=row.standing,
        standing_why=row.standing_why,
        standing_since=row.standing_since,
    )


def _blank(row: Row[Any]) -> Blank:
    return Blank(stock=row.stock, serial=row.serial, hall=row.hall, status=row.status, order_id=row.order_id, at=row.at)


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        approval_id=row.approval_id,
        hall=row.hall,
        registry=row.registry,
        job_id=row.job_id,
        order_id=row.order_id,
        act=row.act,
        attempt=row.attempt,
        actor=actor_of(row),
        state=row.state,
        opened_at=row.opened_at,
    )
