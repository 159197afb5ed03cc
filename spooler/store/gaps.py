"""Gaps in the halls' chains: noticed when a report comes early, asked about when they stay, closed when the chain has passed them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, func, insert, select, update

from spooler.daemon.crash import crash_point
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.transactions import Transactions
from spooler.store.trouble import gaps
from spooler.wire.messages import ReportBase

# What only came out of order closes by itself; so long it is left alone.
GRACE_SECONDS = 2.0
FIRST_ASK_AGAIN_SECONDS = 30.0
LONGEST_ASK_AGAIN_SECONDS = 3600.0


@dataclass(frozen=True)
class Gap:
    """Reports of one chain that are missing, from `first` to `last`."""

    place: int
    hall: str
    registry: str
    epoch: str
    first: int
    last: int
    asks: int


class Gaps:
    """What is missing."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def due(self, now: datetime) -> tuple[Gap, ...]:
        """Return the gaps that are to be asked about now."""
        wanted = select(gaps).where(gaps.c.closed_at.is_(None), gaps.c.next_ask_at <= now).order_by(gaps.c.place)
        with self._transactions.reading() as connection:
            return tuple(_gap(row) for row in connection.execute(wanted))

    def open_by_hall(self) -> dict[str, int]:
        """Return how many reports are missing of each hall."""
        missing = func.sum(gaps.c.last - gaps.c.first + 1)
        wanted = select(gaps.c.hall, missing).where(gaps.c.closed_at.is_(None)).group_by(gaps.c.hall)
        with self._transactions.reading() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(wanted)}


def note_early(change: Change, report: ReportBase) -> None:
    """A report came early: note what is missing right after the chain's end, unless that is known."""
    if _open_of(change, report) is None:
        end = _end(change, report)
        _note(change, report, end + 1, _first_parked(change, report, end) - 1)


def note_progress(change: Change, report: ReportBase) -> None:
    """The chain has come as far as this report: close what it has passed, and note the next gap if reports are still parked."""
    gap = _open_of(change, report)
    if gap is None or gap.last > report.sequence:
        return
    change.connection.execute(update(gaps).where(gaps.c.place == gap.place).values(closed_at=change.now))
    crash_point("home.before-gap-closed-commit")
    following = _first_parked(change, report, report.sequence)
    if following:
        _note(change, report, report.sequence + 1, following - 1)


def note_ask(change: Change, gap: Gap, control_id: str) -> bool:
    """Note that the hall is asked; False when the gap has closed meanwhile."""
    pause = min(LONGEST_ASK_AGAIN_SECONDS, FIRST_ASK_AGAIN_SECONDS * 2 ** min(gap.asks, 10))
    later = change.now + timedelta(seconds=pause)
    noted = change.connection.execute(
        update(gaps)
        .where(gaps.c.place == gap.place, gaps.c.closed_at.is_(None))
        .values(asks=gap.asks + 1, next_ask_at=later, control_id=control_id)
    )
    return bool(noted.rowcount)


def note_forgotten(change: Change, control_id: str) -> Gap | None:
    """The hall says that it no longer has all of them; return the gap if it is still open."""
    still = (gaps.c.control_id == control_id) & gaps.c.closed_at.is_(None)
    row = change.connection.execute(select(gaps).where(still)).one_or_none()
    if row is None:
        return None
    change.connection.execute(update(gaps).where(gaps.c.place == row.place).values(is_forgotten=True))
    return _gap(row)


def may_be_passed(change: Change, report: ReportBase) -> bool:
    """Say whether the hall's word lets the chain pass over what is missing before its first parked report."""
    row = _open_of(change, report)
    return row is not None and bool(row.is_forgotten)


def _note(change: Change, report: ReportBase, first: int, last: int) -> None:
    change.connection.execute(
        insert(gaps).values(
            hall=report.hall,
            registry=report.registry,
            epoch=str(report.epoch),
            first=first,
            last=last,
            noticed_at=change.now,
            asks=0,
            next_ask_at=change.now + timedelta(seconds=GRACE_SECONDS),
            is_forgotten=False,
        )
    )


def _open_of(change: Change, report: ReportBase) -> Row[Any] | None:
    columns = gaps.c
    same = (columns.hall == report.hall) & (columns.registry == report.registry) & (columns.epoch == str(report.epoch))
    return change.connection.execute(select(gaps).where(same, columns.closed_at.is_(None)).limit(1)).one_or_none()


def _end(change: Change, report: ReportBase) -> int:
    found = change.connection.execute(select(t.chains.c.sequence).where(*_of_chain(t.chains, report))).scalar()
    return found or 0


def _first_parked(change: Change, report: ReportBase, after: int) -> int:
    columns = t.reports.c
    lowest = select(func.min(columns.sequence)).where(
        *_of_chain(t.reports, report), columns.is_parked.is_(True), columns.sequence > after
    )
    return change.connection.execute(lowest).scalar() or 0


def _of_chain(table: Any, report: ReportBase) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    return columns.hall == report.hall, columns.registry == report.registry, columns.epoch == str(report.epoch)


def _gap(row: Row[Any]) -> Gap:
    return Gap(
        place=row.place,
        hall=row.hall,
        registry=row.registry,
        epoch=row.epoch,
        first=row.first,
        last=row.last,
        asks=row.asks,
    )
