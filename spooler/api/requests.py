"""POST /v1/jobs and /v1/jobs/validate: a request comes in by HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from spooler.api.auth import BEARER, Caller, Role
from spooler.api.bodies import read_body, split_body
from spooler.api.openapi import REQUEST_BODY, problems
from spooler.api.parts import Parts
from spooler.api.views import JobView, ValidView, WarningView
from spooler.daemon.room import in_a_room_of
from spooler.errors import (
    AlreadyReplaced,
    AlreadyRequested,
    Conflict,
    HomeError,
    ReplacedNotIssued,
    RequestIdTaken,
    TryLater,
    finding,
)
from spooler.intake.check import Received
from spooler.store import values
from spooler.store.values import Accepted, Different, NotIssuedYet, Outcome, Same

OTHER = "other"
NO_CHANNEL = "none"
_THREADS = 6  # four annexes are read at a time and pages drawn one by one; more would only take turns with who is answered at once


def request_router(parts: Parts) -> APIRouter:
    """Return the two calls that take a request."""
    router = APIRouter(prefix="/v1/jobs", tags=["requests"], dependencies=[Depends(BEARER)])
    apart = in_a_room_of(_THREADS)
    Body = Annotated[bytes, Depends(read_body)]
    Who = Annotated[Caller, Depends(parts.callers)]
    Type = Annotated[str, Header(alias="content-type", include_in_schema=False)]

    @router.post(
        "",
        status_code=201,
        summary="Print one document at a hall",
        responses={
            200: {"model": JobView, "description": "The same request was made before"},
            **problems(400, 401, 403, 409, 413, 415, 422, 503),
        },
        openapi_extra=REQUEST_BODY,
    )
    @apart
    def submit(who: Who, body: Body, response: Response, content_type: Type = "") -> JobView:
        who.must_be(Role.SUBMIT)
        _refuse_when_full(parts)
        with _Counted(parts) as counted:
            received = counted.received = _received(parts, who, content_type, body)
            job, is_new = _answer(parts.intake.accept(received, who.acting_as(Role.SUBMIT)), received)
            counted.code = "accepted" if is_new else "same"
        response.status_code = 201 if is_new else 200
        response.headers["Location"] = f"/v1/jobs/{job.job_id}"
        return job

    @router.post(
        "/validate",
        summary="The same checks; nothing is kept",
        responses=problems(400, 401, 403, 413, 415, 422),
        openapi_extra=REQUEST_BODY,
    )
    @apart
    def validate(who: Who, body: Body, content_type: Type = "") -> ValidView:
        who.must_be(Role.SUBMIT)
        checked = parts.intake.check(_received(parts, who, content_type, body))
        warnings = [WarningView(**item.to_json()) for item in checked.warnings]
        return ValidView(number=checked.number, template=checked.rendered.template, warnings=warnings)

    return router


def _received(parts: Parts, who: Caller, content_type: str, body: bytes) -> Received:
    split = split_body(content_type, body)
    received = parts.intake.read(split.request, split.parts)
    who.must_reach(received.request.registry)
    return received


def _answer(outcome: Outcome, received: Received) -> tuple[JobView, bool]:
    match outcome:
        case Accepted(job):
            return JobView.of(job), True
        case Same(job):
            return JobView.of(job), False
        case Different(job_id):
            raise _conflict(RequestIdTaken, "request_id", job_id)
        case NotIssuedYet(job_id):
            raise _conflict(ReplacedNotIssued, "document.issuance.replaces", job_id)
        case values.AlreadyReplaced(job_id, field):
            raise _conflict(AlreadyReplaced, field, job_id)
    raise _conflict(AlreadyRequested, received.written.path(outcome.field), outcome.job_id)


def _conflict(kind: type[Conflict], field: str, job_id: str) -> Conflict:
    return kind(errors=(finding(field, kind.code),), job_id=job_id)


def _refuse_when_full(parts: Parts) -> None:
    """With the broker or a seal away for long, say so before the disk is full; what was accepted stays."""
    most = parts.most_waiting_letters
    if parts.store.outbox.depth() >= most:
        raise TryLater(
            f"待发信件已达上限 {most}，消息服务未接收；请稍后重发同一请求"
            f" / {most} letters wait for the broker, no more are taken: send the same again later"
        )
    if parts.store.jobs.are_unsealed(parts.most_unsealed):
        raise TryLater(
            f"已有 {parts.most_unsealed} 件待签章，签章密钥不可用；请稍后重发同一请求"
            f" / {parts.most_unsealed} documents wait for their seal, no more are taken: send the same again later"
        )


class _Counted:
    """Counts a request by registry, channel and how it ended."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.received: Received | None = None
        self.code = OTHER

    def __enter__(self) -> "_Counted":
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, HomeError):
            self.code = error.errors[0].code if error.errors else error.code.value
        request = self.received.request if self.received else None
        registry = request.registry if request and request.registry in self._parts.registries else OTHER
        channel = (request.channel if request else None) or NO_CHANNEL
        self._parts.count_request(registry, channel, self.code)
