"""What the API shows: jobs, events, halls, ids only. Times are UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, PlainSerializer

from spooler.store.values import Approval, Blank, CallbackEvent, Event, Hall, Handover, Job
from spooler.store.write_offs import WriteOff
from spooler.wire.messages import Actor


def utc_text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(utc_text, return_type=str)]


class CaseView(BaseModel):
    number: str
    ordinal: int
    of: int


class RefusalView(BaseModel):
    code: str
    message: str


class OrderView(BaseModel):
    order_id: str
    hall: str
    state: str
    not_after: Time


class JobView(BaseModel):
    """A job as it stands."""

    job_id: str
    request_id: str
    registry: str
    hall: str
    kind: str
    number: str
    version: int
    case: CaseView
    state: str
    reasons: list[str]
    attempt: int
    serial: str | None
    refusal: RefusalView | None
    orders: list[OrderView]
    applied_at: Time | None
    deadline: Time
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, job: Job) -> "JobView":
        return cls.model_validate(job, from_attributes=True)


class PageView(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobView]
    next: str | None


class ActorView(BaseModel):
    id: str
    role: str


class HandoverView(BaseModel):
    """Who took the paper, by role."""

    job_id: str
    order_id: str
    at: Time
    recipient: dict[str, str]
    identity: dict[str, str]
    actor: ActorView | None

    @classmethod
    def of(cls, taken: Handover) -> "HandoverView":
        return cls(
            job_id=taken.job_id,
            order_id=taken.order_id,
            at=taken.at,
            recipient={"role": taken.recipient_role},
            identity={"method": taken.identity_method, "result": taken.identity_result},
            actor=_actor_view(taken.actor),
        )


class ApprovalView(BaseModel):
    """An act that waits for a second person; `write-off` is the home's own, and concerns no single job."""

    approval_id: str
    hall: str
    registry: str | None
    job_id: str | None
    order_id: str | None
    act: str
    attempt: int | None
    actor: ActorView | None
    state: str
    opened_at: Time

    @classmethod
    def of(cls, approval: Approval) -> "ApprovalView":
        shown = {**vars(approval), "actor": _actor_view(approval.actor)}
        return cls.model_validate(shown)

    @classmethod
    def of_write_off(cls, asked: WriteOff) -> "ApprovalView":
        return cls(
            approval_id=asked.approval_id,
            hall=asked.hall,
            registry=None,
            job_id=None,
            order_id=None,
            act="write-off",
            attempt=None,
            actor=_actor_view(asked.asked_by),
            state=asked.state,
            opened_at=asked.opened_at,
        )


class HallView(BaseModel):
    """A hall as its last reports describe it; all but its id and name are null before the first."""

    hall: str
    name: str
    last_report_at: Time | None = None
    heartbeat_at: Time | None = None
    agent_version: str | None = None
    printers: list[dict[str, Any]] = []
    blanks: list[dict[str, Any]] = []
    open_asks: int = 0
    clock_offset_seconds: float | None = None
    is_silent: bool | None = None
    standing: str | None = None  # ok · reconcile: it compares its journal with home · cloned: two agents of it speak
    standing_why: str | None = None
    standing_since: Time | None = None

    @classmethod
    def of(cls, hall: str, name: str, known: Hall | None) -> "HallView":
        return cls(hall=hall, name=name) if known is None else cls.model_validate({**vars(known), "name": name})


class BlankView(BaseModel):
    """Where a blank is, by its hall's last word."""

    stock: str
    serial: str
    hall: str
    status: str
    order_id: str | None
    at: Time

    @classmethod
    def of(cls, blank: Blank) -> "BlankView":
        return cls.model_validate(blank, from_attributes=True)


class WarningView(BaseModel):
    field: str
    code: str
    message: str


class ValidView(BaseModel):
    """What a check found that does not stand in the way."""

    valid: bool = True
    number: str
    template: str
    warnings: list[WarningView]


class OutcomeView(BaseModel):
    """What became of an act: known at once, or `pending` until the hall's answer comes as an event."""

    job_id: str
    outcome: str
    state: str
    control_id: str | None = None


class DecisionView(BaseModel):
    """A second person's decision, on its way to the hall; done at once where no hall has to hear of it."""

    approval_id: str
    outcome: str
    control_id: str | None = None


def _actor_view(actor: Actor | None) -> ActorView | None:
    return None if actor is None else ActorView(id=actor.id, role=actor.role)


def event_view(event: Event) -> dict[str, Any]:
    """Return an event; what does not belong to it is left out."""
    shown: dict[str, Any] = {
        "sequence": event.sequence,
        "at": utc_text(event.at),
        "side": event.side.value,
        "state": event.state.value,
        "reasons": [str(reason) for reason in event.reasons],
        "attempt": event.attempt,
        "actor": None if event.actor is None else {"id": event.actor.id, "role": event.actor.role},
    }
    optional = {
        "pass": event.pass_number,
        "serial": event.serial,
        "printer": event.printer,
        "detail": event.detail,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def feed_view(events: Sequence[CallbackEvent], after: int) -> dict[str, Any]:
    """Return callback events for those who poll; `next` is the next call's `after`."""
    shown = [{"id": event.event_id, "place": event.place, **event.body()} for event in events]
    return {"events": shown, "next": events[-1].place if events else after}
