"""Jobs: accepted once, found again, listed newest first."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from time import sleep

from sqlalchemy import Connection, String, cast, select, update
from sqlalchemy.exc import DBAPIError

from spooler.daemon.crash import crash_point
from spooler.job import JobState, Reason
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.database import has_unknown_outcome
from spooler.store.due import is_due
from spooler.store.electronic_changes import open_electronic
from spooler.store.hints import Rarely
from spooler.store.job_rows import event_of, handover_of, listing, row_of, views, work_of
from spooler.store.succession import hindrance
from spooler.store.transactions import Transactions
from spooler.store.values import (
    Accepted,
    AlreadyRequested,
    Different,
    Event,
    Handover,
    InTheWay,
    Job,
    JobQuery,
    NewJob,
    Outcome,
    Page,
    Same,
    Topic,
    Update,
    Wanted,
    Work,
)
from spooler.wire.messages import Actor

MOST_JOBS_A_PAGE = 500
LONGEST_PUT_OFF_SECONDS = 300.0  # the pipeline's longest backoff
PAUSES_AFTER_A_LOSS = (0.1, 0.4, 1.0, 2.0)  # a failover takes some seconds; after that the caller asks again

_IS_HELD = (
    select(t.job_reasons.c.reason)
    .where(t.job_reasons.c.job_place == t.jobs.c.place, t.job_reasons.c.reason == Reason.HELD)
    .exists()
)
_HAS_NOTHING_TO_SEND = (t.jobs.c.state == JobState.SEALED) & ~(
    select(t.orders.c.place).where(t.orders.c.job_id == t.jobs.c.job_id, t.orders.c.state == "prepared").exists()
)


class Jobs:
    """What the API and the pipeline ask about jobs."""

    def __init__(self, transactions: Transactions, *, pause: Callable[[float], None] = sleep) -> None:
        self._transactions = transactions
        self._pause = pause

    def answered(self, registry: str, request_id: str, request_sha256: str) -> Same | Different | None:
        """Return what this request was answered before, if it was: asked before anything costly is done."""
        with self._transactions.reading() as connection:
            return _answered(connection, registry, request_id, request_sha256)

    def standing(self, new: Wanted) -> InTheWay | None:
        """Return which job stands in the place of a new one."""
        with self._transactions.reading() as connection:
            return _standing(connection, new)

    def uses(self, document: str) -> bool:
        """Say whether a job refers to this document of its request. Looks at all jobs: asked only after a race."""
        columns = t.jobs.c
        refers = (
            (columns.unsigned_sha256 == document)
            | (columns.private_sha256 == document)
            | cast(columns.annexes, String).contains(document)
        )
        with self._transactions.reading() as connection:
            return connection.execute(select(columns.place).where(refers).limit(1)).first() is not None

    def accept(self, new: NewJob, actor: Actor) -> Outcome:
        """Keep a new job, or say which one stands in its place. On disk when it returns."""
        for pause in (*PAUSES_AFTER_A_LOSS, None):
            try:
                return self._accept_once(new, actor)
            except DBAPIError as e:
                if pause is None or not has_unknown_outcome(e):
                    raise
                # It may have been kept. `_accept` looks for its request id before anything is written again.
                self._pause(pause)
        raise AssertionError("the last try returns or raises")

    def _accept_once(self, new: NewJob, actor: Actor) -> Outcome:
        with self._transactions.changing() as change:
            return _accept(change, new, actor)

    def job(self, job_id: str) -> Job | None:
        with self._transactions.reading() as connection:
            rows = connection.execute(select(t.jobs).where(t.jobs.c.job_id == job_id)).all()
            return next(iter(views(connection, rows)), None)

    def page(self, query: JobQuery) -> Page:
        """Return jobs newest first, and the cursor of the next page."""
        limit = max(1, min(query.limit, MOST_JOBS_A_PAGE))
        with self._transactions.reading() as connection:
            rows = connection.execute(listing(query).limit(limit + 1)).all()
            found = views(connection, rows[:limit])
        return Page(found, str(rows[limit - 1].place) if len(rows) > limit else None)

    def events(self, job_id: str, after: int = 0) -> tuple[Event, ...]:
        """Return the job's history after that sequence, oldest first."""
        wanted = (
            select(t.events)
            .join(t.jobs, t.jobs.c.place == t.events.c.job_place)
            .where(t.jobs.c.job_id == job_id, t.events.c.sequence > after)
            .order_by(t.events.c.sequence)
        )
        with self._transactions.reading() as connection:
            return tuple(event_of(row) for row in connection.execute(wanted))

    def document_sha256(self, job_id: str) -> str | None:
        """Return the hash of the sealed document, once there is one."""
        with self._transactions.reading() as connection:
            return connection.execute(select(t.jobs.c.document_sha256).where(t.jobs.c.job_id == job_id)).scalar()

    def handover(self, job_id: str) -> Handover | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(t.handovers).where(t.handovers.c.job_id == job_id)).one_or_none()
        return None if row is None else handover_of(row)

    def work(self, job_id: str) -> Work | None:
        """Return what the pipeline needs of a job."""
        with self._transactions.reading() as connection:
            row = connection.execute(select(t.jobs).where(t.jobs.c.job_id == job_id)).one_or_none()
        return None if row is None else work_of(row)

    def waiting(self, states: Iterable[JobState], now: datetime, limit: int = 100) -> tuple[str, ...]:
        """Return the ids of jobs whose next step is due, oldest first. A sealed job waits here until its letter is kept.

        What is held stays where it is, and a sealed job whose order has ended waits for a person.
        """
        has_letter = select(t.outbox.c.place).where(t.outbox.c.job_id == t.jobs.c.job_id).exists()
        due = t.jobs.c.step_after.is_(None) | is_due(t.jobs.c.step_after, now, LONGEST_PUT_OFF_SECONDS)
        wanted = (
            select(t.jobs.c.job_id)
            .where(t.jobs.c.state.in_(list(states)), due, ~has_letter, ~_IS_HELD, ~_HAS_NOTHING_TO_SEND)
            .order_by(t.jobs.c.place)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(connection.execute(wanted).scalars())

    def are_unsealed(self, many: int) -> bool:
        """Say whether so many jobs or more are accepted and not sealed."""
        last = select(t.jobs.c.place).where(t.jobs.c.state == JobState.ACCEPTED).offset(many - 1).limit(1)
        with self._transactions.reading() as connection:
            return connection.execute(last).first() is not None

    def postpone(self, job_id: str, seconds: float) -> None:
        """Try the job's next step again later."""
        with self._transactions.changing() as change:
            later = change.now + timedelta(seconds=seconds)
            tries = t.jobs.c.step_tries + 1
            change.connection.execute(
                update(t.jobs).where(t.jobs.c.job_id == job_id).values(step_after=later, step_tries=tries)
            )

    def overdue(self, now: datetime, limit: int = 500) -> tuple[str, ...]:
        """Return the ids of jobs that are past their deadline, unprinted, and not yet called late."""
        wanted = select(t.jobs.c.job_id).where(t.IN_TIME_STILL, Rarely(t.jobs.c.deadline < now)).limit(limit)
        with self._transactions.reading() as connection:
            return tuple(connection.execute(wanted).scalars())


def _accept(change: Change, new: NewJob, actor: Actor) -> Outcome:
    standing = _standing(change.connection, new)
    if standing is not None:
        return standing
    place = change.insert(t.jobs, row_of(new, change.now))
    row = change.connection.execute(select(t.jobs).where(t.jobs.c.place == place)).one()
    look = f"; to look at: {new.to_look_at}" if new.to_look_at else ""
    change.record_first(row, Update(actor=actor, because=f"request accepted{look}"))
    change.connection.execute(update(t.jobs).where(t.jobs.c.place == place).values(sequence=1))
    if new.electronic is not None:
        open_electronic(change.connection, row, new.electronic, change.now)
        change.stirred.add(Topic.ELECTRONIC)
    crash_point("home.before-accept-commit")
    return Accepted(views(change.connection, [row])[0])


def _standing(connection: Connection, new: Wanted) -> InTheWay | None:
    answered = _answered(connection, new.registry, new.request_id, new.request_sha256)
    return answered or _same_number(connection, new) or _same_ordinal(connection, new) or hindrance(connection, new)


def _answered(connection: Connection, registry: str, request_id: str, request_sha256: str) -> Same | Different | None:
    columns = t.jobs.c
    wanted = select(t.jobs).where(columns.registry == registry, columns.request_id == request_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        return Different(row.job_id)
    return Same(views(connection, [row])[0])


def _same_number(connection: Connection, new: Wanted) -> AlreadyRequested | None:
    columns = t.jobs.c
    found = connection.execute(
        select(columns.job_id).where(
            columns.registry == new.registry,
            columns.kind == new.kind,
            columns.number_key == new.number_key,
            columns.version == new.version,
            t.LIVE,
        )
    ).scalar()
    return None if found is None else AlreadyRequested(found, "document.number")


def _same_ordinal(connection: Connection, new: Wanted) -> AlreadyRequested | None:
    columns = t.jobs.c
    found = connection.execute(
        select(columns.job_id).where(
            columns.registry == new.registry,
            columns.case_number == new.case.number,
            columns.case_ordinal == new.case.ordinal,
            t.LIVE,
        )
    ).scalar()
    return None if found is None else AlreadyRequested(found, "case.ordinal")
