"""What is kept of persons, and until when: which jobs' documents are due to be destroyed, which a legal hold keeps, which files are to go.

    ended ─▶ due, after so many days ─▶ destroyed: nobody is given them, the event says so ─▶ each file's key, then the file (`retention`)

Rows of jobs, events, approvals, serials and the audit log stay. A name in `to_destroy` whose file some other job still wants is let go.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, exists, func, insert, select, update

from spooler.electronic.validity import RETURNED
from spooler.job import JobState, is_final
from spooler.store import electronic_tables as e
from spooler.store import kept_tables as k
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.hints import Rarely
from spooler.store.transactions import Transactions
from spooler.store.values import Update
from spooler.wire.messages import Actor

DESTROYED = "documents destroyed"
ELECTRONIC_DESTROYED = "electronic certificate destroyed"
_AT_ONCE = 2_000
_WITH_WORDS = ("returned", "approval")  # reports with a reason that somebody typed

_jobs, _electronic = t.jobs.c, e.electronic.c
_IS_HELD = exists().where(k.legal_holds.c.job_id == _jobs.job_id)
_HAS_LETTER = exists().where(t.outbox.c.job_id == _jobs.job_id)
_HAS_ELECTRONIC = exists().where(_electronic.job_id == _jobs.job_id, _electronic.documents_destroyed_at.is_(None))


@dataclass(frozen=True)
class LegalHold:
    """诉讼保全: a job of which nothing is destroyed until somebody releases it."""

    job_id: str
    since: datetime
    actor_id: str
    reason: str


@dataclass(frozen=True)
class Due:
    """A job whose documents are past their time."""

    job_id: str
    registry: str
    state: str
    since: datetime
    tickets: tuple[str, ...] = ()  # of every order that it had


class Kept:
    """Asked by the part that destroys, and by people on the home's machine."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def not_before(self) -> datetime | None:
        """Return when this home may begin to destroy; None: it always could."""
        with self._transactions.reading() as connection:
            return connection.execute(select(func.min(k.retention.c.not_before))).scalar()

    def due(self, before: datetime, limit: int) -> tuple[Due, ...]:
        """Return ended jobs whose documents are kept since before that time and wanted by nobody, the oldest first."""
        wanted = (
            select(_jobs.job_id, _jobs.registry, _jobs.state, _jobs.state_since)
            .where(t.KEPT_AND_ENDED, Rarely(_jobs.state_since < before), ~_IS_HELD, ~_HAS_LETTER)
            .order_by(_jobs.state_since)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            found = connection.execute(wanted).all()
            tickets = _tickets(connection.execute(_orders_of([row.job_id for row in found])).all())
        return tuple(
            Due(row.job_id, row.registry, row.state, row.state_since, tickets.get(row.job_id, ())) for row in found
        )

    def electronic_due(self, before: datetime, limit: int) -> tuple[Due, ...]:
        """Return jobs whose electronic certificate has ended before that time, its last file made."""
        wanted = (
            select(_electronic.job_id, _electronic.registry, _electronic.validity, _electronic.validity_since)
            .where(e.KEPT_AND_ENDED, _electronic.validity_since < before, _electronic.is_due.is_(False))
            .where(~exists().where(k.legal_holds.c.job_id == _electronic.job_id))
            .order_by(_electronic.validity_since)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(Due(*row) for row in connection.execute(wanted))

    def destroy(self, job_id: str, sealed: Collection[str]) -> bool:
        """Let nobody have the job's documents any more, and note which files go; False if it may not be after all.

        `sealed` are the documents that its tickets name: a job remembers only the newest itself.
        """
        with self._transactions.changing() as change:
            row = change.job(job_id)
            if row.documents_destroyed_at is not None or not is_final(JobState(row.state)) or _is_held(change, job_id):
                return False
            names = {row.unsigned_sha256, row.document_sha256, *sealed, *_ticket_names(change, job_id)}
            if not change.connection.execute(select(_HAS_ELECTRONIC).where(_jobs.job_id == job_id)).scalar():
                names |= _sources(row)
            _mark(change, t.jobs, job_id)
            _note(change, job_id, names, DESTROYED)
            _forget_words(change, job_id)
            return True

    def destroy_electronic(self, job_id: str) -> bool:
        """The same of what its electronic certificate is drawn from, and of every file of it."""
        with self._transactions.changing() as change:
            row = change.job(job_id)
            of_job = select(e.electronic).where(_electronic.job_id == job_id).with_for_update()
            certificate = change.connection.execute(of_job).one()
            if certificate.documents_destroyed_at is not None or certificate.is_due or _is_held(change, job_id):
                return False
            files = e.electronic_files.c
            made = select(files.sha256).where(files.electronic_place == certificate.place)
            names = set(change.connection.execute(made).scalars())
            if row.documents_destroyed_at is not None:
                names |= _sources(row)
            _mark(change, e.electronic, job_id)
            _note(change, job_id, names, ELECTRONIC_DESTROYED)
            return True

    def is_destroyed(self, job_id: str) -> bool:
        return self._has(select(_jobs.place).where(_jobs.job_id == job_id, _jobs.documents_destroyed_at.is_not(None)))

    def is_electronic_destroyed(self, job_id: str) -> bool:
        gone = _electronic.documents_destroyed_at.is_not(None)
        return self._has(select(_electronic.place).where(_electronic.job_id == job_id, gone))

    # Files

    def wanted(self) -> Iterator[str]:
        """Return the name of every document that some job still wants; some more than once."""
        with self._transactions.reading() as connection:
            for row in connection.execution_options(yield_per=_AT_ONCE).execute(_WANTED_BY_JOBS):
                yield from {row.private_sha256, *row.annexes}
                if row.documents_destroyed_at is None:
                    yield from {row.unsigned_sha256, row.document_sha256} - {None}
            for wanted in (_WANTED_TICKETS, _WANTED_FILES):
                yield from connection.execution_options(yield_per=_AT_ONCE).execute(wanted).scalars()

    def to_destroy(self) -> tuple[str, ...]:
        """Return the names of files that are to go."""
        with self._transactions.reading() as connection:
            return tuple(connection.execute(select(k.to_destroy.c.name)).scalars())

    def destroyed(self, names: Sequence[str]) -> None:
        """Note that these files are gone, or belong to another job as well."""
        for start in range(0, len(names), _AT_ONCE):
            with self._transactions.changing() as change:
                some = names[start : start + _AT_ONCE]
                change.connection.execute(delete(k.to_destroy).where(k.to_destroy.c.name.in_(some)))

    # Legal holds

    def hold(self, job_id: str, reason: str, actor: Actor) -> LegalHold | None:
        """Keep all that there is of the job; None if its documents are destroyed already. NoSuchJob if there is none."""
        with self._transactions.changing() as change:
            row = change.job(job_id)
            if row.documents_destroyed_at is not None:
                return None
            if not _is_held(change, job_id):
                held = {"job_id": job_id, "since": change.now, "actor_id": actor.id, "reason": reason}
                change.connection.execute(insert(k.legal_holds).values(held))
                change.move(job_id, Update(actor=actor, because="legal hold", is_note=True))
            return _hold(change.connection.execute(_holds().where(k.legal_holds.c.job_id == job_id)).one())

    def release(self, job_id: str, actor: Actor) -> bool:
        """Let time go on for it; False if it was not held."""
        with self._transactions.changing() as change:
            gone = change.connection.execute(delete(k.legal_holds).where(k.legal_holds.c.job_id == job_id))
            if gone.rowcount:
                change.move(job_id, Update(actor=actor, because="legal hold released", is_note=True))
            return bool(gone.rowcount)

    def holds(self) -> tuple[LegalHold, ...]:
        with self._transactions.reading() as connection:
            return tuple(_hold(row) for row in connection.execute(_holds()))

    def _has(self, wanted: Select[Any]) -> bool:
        with self._transactions.reading() as connection:
            return connection.execute(wanted.limit(1)).first() is not None


_WANTED_BY_JOBS = select(
    _jobs.private_sha256, _jobs.annexes, _jobs.unsigned_sha256, _jobs.document_sha256, _jobs.documents_destroyed_at
).where(_jobs.documents_destroyed_at.is_(None) | _HAS_ELECTRONIC)
_WANTED_TICKETS = (
    select(t.orders.c.ticket_sha256)
    .join(t.jobs, _jobs.job_id == t.orders.c.job_id)
    .where(_jobs.documents_destroyed_at.is_(None))
)
_WANTED_FILES = (
    select(e.electronic_files.c.sha256)
    .join(e.electronic, _electronic.place == e.electronic_files.c.electronic_place)
    .where(_electronic.documents_destroyed_at.is_(None))
)


def _orders_of(job_ids: Sequence[str]) -> Select[Any]:
    return select(t.orders.c.job_id, t.orders.c.ticket_sha256).where(t.orders.c.job_id.in_(job_ids))


def _tickets(rows: Sequence[Row[Any]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        found[row.job_id] = (*found.get(row.job_id, ()), row.ticket_sha256)
    return found


def _ticket_names(change: Change, job_id: str) -> set[str]:
    return {row.ticket_sha256 for row in change.connection.execute(_orders_of([job_id]))}


def _sources(row: Row[Any]) -> set[str]:
    """Return what the job's documents, on paper and electronic, are drawn from."""
    return {row.private_sha256, *row.annexes}


def _mark(change: Change, table: Any, job_id: str) -> None:
    gone = update(table).where(table.c.job_id == job_id).values(documents_destroyed_at=change.now)
    change.connection.execute(gone)


def _note(change: Change, job_id: str, names: Collection[str | None], because: str) -> None:
    """Write down which files go, and the event, which the audit log covers."""
    column = k.to_destroy.c.name
    wanted = {name for name in names if name is not None}
    known = set(change.connection.execute(select(column).where(column.in_(wanted))).scalars())
    rows = [{"name": name, "since": change.now} for name in sorted(wanted - known)]
    if rows:
        change.connection.execute(insert(k.to_destroy), rows)
    change.move(job_id, Update(because=because, is_note=True))


def _forget_words(change: Change, job_id: str) -> None:
    """What people typed as reasons may name somebody. No audit entry covers it; of a report its hash stays."""
    said = t.reports.c
    for forgotten in (
        update(t.controls).where(t.controls.c.job_id == job_id).values(reason=""),
        update(t.orders).where(t.orders.c.job_id == job_id).values(reason=None),
        update(t.jobs).where(_jobs.job_id == job_id, _jobs.refusal_code == RETURNED).values(refusal_message=""),
        update(t.reports).where(said.job_id == job_id, said.kind.in_(_WITH_WORDS)).values(envelope=b""),
    ):
        change.connection.execute(forgotten)


def _is_held(change: Change, job_id: str) -> bool:
    return change.connection.execute(_holds().where(k.legal_holds.c.job_id == job_id)).first() is not None


def _holds() -> Select[Any]:
    return select(k.legal_holds).order_by(k.legal_holds.c.since)


def _hold(row: Row[Any]) -> LegalHold:
    return LegalHold(row.job_id, row.since, row.actor_id, row.reason)
