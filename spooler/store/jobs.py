"""Jobs: accepted once, found again, listed newest first."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from time import sleep
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, String, cast, select, update
from sqlalchemy.exc import DBAPIError

from spooler.daemon.crash import crash_point
from spooler.job import JobState, Reason
from spooler.store import tables as t
from spooler.store.change import Change, reasons_of
from spooler.store.database import has_unknown_outcome
from spooler.store.due import is_due
from spooler.store.electronic_changes import open_electronic
from spooler.store.hints import Rarely
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
    Order,
    Outcome,
    Page,
    Refusal,
    Same,
    Side,
    Topic,
    Update,
    Wanted,
    Work,
)
from spooler.wire.messages import Actor, Case, Pass, Seal

FIRST_ATTEMPT = 1
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
            return next(iter(_views(connection, rows)), None)

    def page(self, query: JobQuery) -> Page:
        """Return jobs newest first, and the cursor of the next page."""
        limit = max(1, min(query.limit, MOST_JOBS_A_PAGE))
        with self._transactions.reading() as connection:
            rows = connection.execute(_listing(query).limit(limit + 1)).all()
            views = _views(connection, rows[:limit])
        return Page(views, str(rows[limit - 1].place) if len(rows) > limit else None)

    def events(self, job_id: str, after: int = 0) -> tuple[Event, ...]:
        """Return the job's history after that sequence, oldest first."""
        wanted = (
            select(t.events)
            .join(t.jobs, t.jobs.c.place == t.events.c.job_place)
            .where(t.jobs.c.job_id == job_id, t.events.c.sequence > after)
            .order_by(t.events.c.sequence)
        )
        with self._transactions.reading() as connection:
            return tuple(_event(row) for row in connection.execute(wanted))

    def document_sha256(self, job_id: str) -> str | None:
        """Return the hash of the sealed document, once there is one."""
        with self._transactions.reading() as connection:
            return connection.execute(select(t.jobs.c.document_sha256).where(t.jobs.c.job_id == job_id)).scalar()

    def handover(self, job_id: str) -> Handover | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(t.handovers).where(t.handovers.c.job_id == job_id)).one_or_none()
        return None if row is None else _handover(row)

    def work(self, job_id: str) -> Work | None:
        """Return what the pipeline needs of a job."""
        with self._transactions.reading() as connection:
            row = connection.execute(select(t.jobs).where(t.jobs.c.job_id == job_id)).one_or_none()
        return None if row is None else _work(row)

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
    place = change.insert(t.jobs, _row(new, change.now))
    row = change.connection.execute(select(t.jobs).where(t.jobs.c.place == place)).one()
    look = f"; to look at: {new.to_look_at}" if new.to_look_at else ""
    change.record_first(row, Update(actor=actor, because=f"request accepted{look}"))
    change.connection.execute(update(t.jobs).where(t.jobs.c.place == place).values(sequence=1))
    if new.electronic is not None:
        open_electronic(change.connection, row, new.electronic, change.now)
        change.stirred.add(Topic.ELECTRONIC)
    crash_point("home.before-accept-commit")
    return Accepted(_views(change.connection, [row])[0])


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
    return Same(_views(connection, [row])[0])


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


def _row(new: NewJob, now: datetime) -> dict[str, Any]:
    return {
        "job_id": str(uuid4()),
        "registry": new.registry,
        "request_id": new.request_id,
        "request_sha256": new.request_sha256,
        "hall": new.hall,
        "kind": new.kind,
        "number": new.number,
        "number_key": new.number_key,
        "version": new.version,
        "case_number": new.case.number,
        "case_ordinal": new.case.ordinal,
        "case_of": new.case.of,
        "replaces_number": new.replaces.number if new.replaces else None,
        "replaces_version": new.replaces.version if new.replaces else None,
        "takes_back_old": new.takes_back_old,
        "channel": new.channel,
        "window": new.window,
        "seal": new.seal,
        "booked_on": new.booked_on,
        "template": new.template,
        "passes": [p.model_dump(mode="json") for p in new.passes],
        "unsigned_sha256": new.unsigned_sha256,
        "private_sha256": new.private_sha256,
        "annexes": list(new.annexes),
        "state": JobState.ACCEPTED,
        "state_since": now,
        "reasons": "",
        "late": False,
        "attempt": FIRST_ATTEMPT,
        "applied_at": new.applied_at,
        "deadline": new.deadline,
        "created_at": now,
        "updated_at": now,
        "sequence": 0,
        "step_tries": 0,
    }


def _listing(query: JobQuery) -> Select[Any]:
    columns = t.jobs.c
    wanted = select(t.jobs).order_by(columns.place.desc())
    equal = {
        columns.registry: query.registry,
        columns.state: query.state,
        columns.hall: query.hall,
        columns.case_number: query.case,
        columns.request_id: query.request_id,
        columns.number: query.number,
        columns.serial: query.serial,
    }
    wanted = wanted.where(*(column == value for column, value in equal.items() if value is not None))
    if query.late is not None:
        wanted = wanted.where(t.LATE if query.late else columns.late.is_(False))
    if query.registries is not None:
        wanted = wanted.where(columns.registry.in_(sorted(query.registries)))
    if query.halls is not None:
        wanted = wanted.where(columns.hall.in_(sorted(query.halls)))
    if query.updated_after is not None:
        # Asked for by those who poll: few match, and these are found by their own index.
        changed = select(columns.place).where(columns.updated_at > query.updated_after)
        wanted = wanted.where(columns.place.in_(changed))
    if query.reason is not None:
        having = select(t.job_reasons.c.job_place).where(t.job_reasons.c.reason == query.reason)
        wanted = wanted.where(columns.place.in_(having))
    if query.cursor is not None:
        wanted = wanted.where(columns.place < _place(query.cursor))
    return wanted


def _place(cursor: str) -> int:
    """Return the place that a cursor names; one that no page gave names the beginning of time."""
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 19 else 0


def _views(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Job, ...]:
    found = connection.execute(
        select(t.orders).where(t.orders.c.job_id.in_([row.job_id for row in rows])).order_by(t.orders.c.place)
    ).all()
    orders: dict[str, list[Order]] = {}
    for order in found:
        orders.setdefault(order.job_id, []).append(
            Order(order.order_id, order.hall, order.state, order.not_after),
        )
    return tuple(_view(row, tuple(orders.get(row.job_id, ()))) for row in rows)


def _view(row: Row[Any], orders: tuple[Order, ...]) -> Job:
    return Job(
        job_id=row.job_id,
        request_id=row.request_id,
        registry=row.registry,
        hall=row.hall,
        kind=row.kind,
        number=row.number,
        version=row.version,
        case=_case(row),
        state=JobState(row.state),
        reasons=tuple(sorted(reasons_of(row.reasons))),
        attempt=row.attempt,
        serial=row.serial,
        refusal=Refusal(row.refusal_code, row.refusal_message or "") if row.refusal_code else None,
        orders=orders,
        applied_at=row.applied_at,
        deadline=row.deadline,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _work(row: Row[Any]) -> Work:
    return Work(
        job_id=row.job_id,
        registry=row.registry,
        hall=row.hall,
        kind=row.kind,
        number=row.number,
        version=row.version,
        case=_case(row),
        template=row.template,
        passes=tuple(Pass.model_validate(p) for p in row.passes),
        seal=Seal(row.seal),
        booked_on=row.booked_on,
        deadline=row.deadline,
        window=row.window,
        state=JobState(row.state),
        unsigned_sha256=row.unsigned_sha256,
        private_sha256=row.private_sha256,
        document_sha256=row.document_sha256,
        tries=row.step_tries,
        takes_back_old=bool(row.takes_back_old),
    )


def _case(row: Row[Any]) -> Case:
    return Case(number=row.case_number, ordinal=row.case_ordinal, of=row.case_of)


def actor_of(row: Row[Any]) -> Actor | None:
    return Actor(id=row.actor_id, role=row.actor_role) if row.actor_id else None


def _event(row: Row[Any]) -> Event:
    return Event(
        sequence=row.sequence,
        at=row.at,
        side=Side(row.side),
        state=JobState(row.state),
        reasons=tuple(sorted(reasons_of(row.reasons))),
        attempt=row.attempt,
        actor=actor_of(row),
        pass_number=row.pass_number,
        serial=row.serial,
        printer=row.printer,
        detail=row.detail,
    )


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        job_id=row.job_id,
        order_id=row.order_id,
        at=row.at,
        recipient_role=row.recipient_role,
        identity_method=row.identity_method,
        identity_result=row.identity_result,
        actor=actor_of(row),
    )
