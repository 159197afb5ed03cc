"""Jobs as rows and as values: what is written for a new one, how a list is asked for, what is read back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, select

from spooler.job import JobState
from spooler.store import tables as t
from spooler.store.change import reasons_of
from spooler.store.values import Event, Handover, Job, JobQuery, NewJob, Order, Refusal, Side, Work
from spooler.wire.messages import Actor, Case, Pass, Seal

FIRST_ATTEMPT = 1


def row_of(new: NewJob, now: datetime) -> dict[str, Any]:
    """Return the row with which a job begins."""
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


def listing(query: JobQuery) -> Select[Any]:
    """Return the query of a list, newest first."""
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


def views(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Job, ...]:
    """Return jobs as the API shows them, with their orders."""
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


def work_of(row: Row[Any]) -> Work:
    """Return a job as the pipeline needs it."""
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


def event_of(row: Row[Any]) -> Event:
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


def handover_of(row: Row[Any]) -> Handover:
    return Handover(
        job_id=row.job_id,
        order_id=row.order_id,
        at=row.at,
        recipient_role=row.recipient_role,
        identity_method=row.identity_method,
        identity_result=row.identity_result,
        actor=actor_of(row),
    )
