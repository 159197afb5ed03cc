"""The reports' chains: each report taken once and in order, by (hall, registry, epoch, sequence) and the hash of the one before.

What comes too early is parked until the gap has filled. Heartbeats only lengthen the chain; all other reports are kept as signed.
"""

from enum import Enum, auto
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.values import Alarm
from spooler.wire.messages import START_OF_CHAIN, Heartbeat, OrderReport, ReportBase


class Place(Enum):
    """Where a report stands in its chain."""

    NEXT = auto()
    SEEN = auto()  # taken or parked already, the same bytes
    EARLY = auto()  # others before it are still missing
    CONFLICT = auto()  # the place is taken by another report, or it does not follow from the one before


def judge(change: Change, report: ReportBase, sha256: str) -> Place:
    """Say where the report stands."""
    kept = change.connection.execute(select(t.reports.c.sha256).where(_same_report(report))).scalar()
    if kept is not None:
        return Place.SEEN if kept == sha256 else Place.CONFLICT
    last, head = _end(change, report)
    if report.sequence <= last:
        # Of heartbeats only the last one's hash is known.
        return Place.CONFLICT if report.sequence == last and sha256 != head else Place.SEEN
    if report.sequence > last + 1:
        return Place.EARLY
    return Place.NEXT if report.previous == head else Place.CONFLICT


def park(change: Change, report: ReportBase, sha256: str, envelope: bytes) -> None:
    """Keep what came too early."""
    _keep(change, report, sha256, envelope, is_parked=True)


def take(change: Change, report: ReportBase, sha256: str, envelope: bytes) -> None:
    """Lengthen the chain by the report that is next."""
    change.connection.execute(delete(t.reports).where(_same_report(report), t.reports.c.is_parked.is_(True)))
    if not isinstance(report, Heartbeat):
        _keep(change, report, sha256, envelope, is_parked=False)
    _lengthen(change, report, sha256)


def next_parked(change: Change, report: ReportBase) -> bytes | None:
    """Return the envelope parked right after this report."""
    columns = t.reports.c
    follows = (
        (columns.hall == report.hall)
        & (columns.registry == report.registry)
        & (columns.epoch == str(report.epoch))
        & (columns.sequence == report.sequence + 1)
        & columns.is_parked.is_(True)
    )
    return change.connection.execute(select(columns.envelope).where(follows)).scalar()


def first_parked(change: Change, report: ReportBase, after: int) -> bytes | None:
    """Return the envelope of the first report of this chain that is parked after a place."""
    columns = t.reports.c
    same = (columns.hall == report.hall) & (columns.registry == report.registry) & (columns.epoch == str(report.epoch))
    later = same & columns.is_parked.is_(True) & (columns.sequence > after)
    return change.connection.execute(select(columns.envelope).where(later).order_by(columns.sequence).limit(1)).scalar()


def end_of_chain(change: Change, report: ReportBase) -> int:
    """Return the sequence of the last report taken."""
    return _end(change, report)[0]


def skip_to(change: Change, report: ReportBase) -> None:
    """Let the chain end right before this report, by the hall's signed word that what is missing is kept no longer."""
    change.alarm(Alarm("reports-lost", hall=report.hall, registry=report.registry))
    end = {"sequence": report.sequence - 1, "sha256": report.previous}
    moved = change.connection.execute(update(t.chains).where(_same_chain(report)).values(end))
    if not moved.rowcount:
        nobody = str(UUID(int=0))
        change.connection.execute(
            insert(t.chains).values(**_chain_key(report), **end, instance=nobody, started_at=change.now)
        )


def drop_parked(change: Change, report: ReportBase) -> None:
    """Forget a parked report that turned out not to follow; the true one may still come."""
    change.connection.execute(delete(t.reports).where(_same_report(report), t.reports.c.is_parked.is_(True)))


def _lengthen(change: Change, report: ReportBase, sha256: str) -> None:
    row = change.connection.execute(select(t.chains.c.instance).where(_same_chain(report))).one_or_none()
    if row is None:
        _begin(change, report, sha256)
        return
    if row.instance != str(report.instance):
        _note_instance(change, report)
    change.connection.execute(
        update(t.chains)
        .where(_same_chain(report))
        .values(sequence=report.sequence, sha256=sha256, instance=str(report.instance))
    )


def _begin(change: Change, report: ReportBase, sha256: str) -> None:
    """Begin a chain. A second epoch means that the hall lost or restored its journal."""
    columns = t.chains.c
    earlier = select(func.max(columns.ordinal)).where(columns.hall == report.hall, columns.registry == report.registry)
    last = change.connection.execute(earlier).scalar()
    if last is not None:
        change.alarm(Alarm("new-epoch", hall=report.hall, registry=report.registry))
    change.connection.execute(
        insert(t.chains).values(
            **_chain_key(report),
            sequence=report.sequence,
            sha256=sha256,
            instance=str(report.instance),
            started_at=change.now,
            ordinal=1 + (last or 0),
        )
    )
    _note_instance(change, report)


def _note_instance(change: Change, report: ReportBase) -> None:
    """Note that another run of the agent speaks, and from where on."""
    columns = t.instances.c
    known = (
        (columns.hall == report.hall)
        & (columns.registry == report.registry)
        & (columns.instance == str(report.instance))
    )
    if change.connection.execute(select(columns.first_seen).where(known)).first() is not None:
        return
    change.connection.execute(
        insert(t.instances).values(
            hall=report.hall,
            registry=report.registry,
            instance=str(report.instance),
            first_seen=change.now,
            epoch=str(report.epoch),
            first_sequence=report.sequence,
        )
    )


def _end(change: Change, report: ReportBase) -> tuple[int, str]:
    row = change.connection.execute(select(t.chains).where(_same_chain(report))).one_or_none()
    return (0, START_OF_CHAIN) if row is None else (row.sequence, row.sha256)


def _keep(change: Change, report: ReportBase, sha256: str, envelope: bytes, *, is_parked: bool) -> None:
    change.connection.execute(
        insert(t.reports).values(
            **_chain_key(report),
            sequence=report.sequence,
            sha256=sha256,
            kind=str(getattr(report, "kind", "")),
            job_id=str(report.job_id) if isinstance(report, OrderReport) else None,
            envelope=envelope,
            is_parked=is_parked,
            received_at=change.now,
        )
    )


def _chain_key(report: ReportBase) -> dict[str, Any]:
    return {"hall": report.hall, "registry": report.registry, "epoch": str(report.epoch)}


def _same_chain(report: ReportBase) -> ColumnElement[bool]:
    columns = t.chains.c
    return (columns.hall == report.hall) & (columns.registry == report.registry) & (columns.epoch == str(report.epoch))


def _same_report(report: ReportBase) -> ColumnElement[bool]:
    columns = t.reports.c
    return (
        (columns.hall == report.hall)
        & (columns.registry == report.registry)
        & (columns.epoch == str(report.epoch))
        & (columns.sequence == report.sequence)
    )
