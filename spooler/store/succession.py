"""Which paper follows which: what stands in the way of issuing one anew, and what becomes of the old one when the new is handed over.

A paper is replaced once: by the documents of one case (co-owners may ask for one each), and only after it was handed over itself. One
that never was is cancelled or returned, and requested again. Each is looked at within the transaction that writes.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from spooler.job import JobState
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.values import AlreadyReplaced, NotIssuedYet, Replaced, Update, Wanted

_columns = t.jobs.c
_HANDED_OVER = frozenset({JobState.ISSUED, JobState.SUPERSEDED})


def hindrance(connection: Connection, new: Wanted) -> AlreadyReplaced | NotIssuedYet | None:
    """Return what forbids this request: its paper is replaced already, or what it replaces cannot be replaced by it."""
    successor = _successor(connection, new, Replaced(new.number_key, new.version))
    if successor is not None:
        return AlreadyReplaced(successor, "document.number")
    if new.replaces is None:
        return None
    successor = _successor(connection, new, new.replaces)
    if successor is not None:
        return AlreadyReplaced(successor, "document.issuance.replaces")
    old = _paper(connection, new.registry, new.kind, new.replaces)
    return None if old is None or JobState(old.state) in _HANDED_OVER else NotIssuedYet(old.job_id)


def supersede(change: Change, job: Row[Any]) -> None:
    """The document that this one replaces, if it was made here, is now history."""
    if job.replaces_number is None:
        return
    old = _paper(change.connection, job.registry, job.kind, Replaced(job.replaces_number, job.replaces_version))
    if old is not None and old.state == JobState.ISSUED:
        change.move(old.job_id, Update(state=JobState.SUPERSEDED, because="replaced"))


def _successor(connection: Connection, new: Wanted, old: Replaced) -> str | None:
    """Return the job of another case that replaces this paper, unless it ended without one."""
    replaces = and_(
        _columns.registry == new.registry,
        _columns.kind == new.kind,
        _columns.replaces_number == old.number,
        _columns.replaces_version == old.version,
    )
    wanted = select(_columns.job_id).where(replaces, _columns.case_number != new.case.number, t.LIVE)
    return connection.execute(wanted.limit(1)).scalar()


def _paper(connection: Connection, registry: str, kind: str, old: Replaced) -> Row[Any] | None:
    """Return the job that made this paper, unless it ended without one."""
    same: ColumnElement[bool] = and_(
        _columns.registry == registry,
        _columns.kind == kind,
        _columns.number_key == old.number,
        _columns.version == old.version,
    )
    # As the unique index says it: so it is found.
    return connection.execute(select(t.jobs).where(same, t.LIVE)).one_or_none()
