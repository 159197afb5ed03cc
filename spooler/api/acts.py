"""/v1/jobs/{id}/cancel · hold · resume · withdraw · orders: what people do about a job."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from spooler.another_order import NotGranted, Opened, Over, StillOpen
from spooler.api.auth import BEARER, Caller, Role
from spooler.api.openapi import problems
from spooler.api.parts import Parts
from spooler.api.views import JobView, OutcomeView
from spooler.controls import Ended, Outcome, Pending
from spooler.daemon.crash import crash_point
from spooler.errors import Code, Conflict, OrderOpen, RequestRefused, finding
from spooler.wire.messages import Actor

Act = Callable[[str, str, Actor], Outcome]
_RESPONSES = {202: {"model": OutcomeView}, **problems(401, 403, 404, 409, 422)}


class Because(BaseModel):
    """Why; kept with the job, never sent to a hall."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=200)]
    reference: Annotated[str, Field(max_length=100)] | None = None

    def text(self) -> str:
        return self.reason if self.reference is None else f"{self.reason} [{self.reference}]"


class NextOrder(BaseModel):
    """Where the job is to be printed now, and why."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    hall: Annotated[str, Field(pattern=r"^[0-9]{6}-[0-9]{2}$")]
    window: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=200)]


def act_router(parts: Parts) -> APIRouter:
    """Return the acts. Each answers what came of it: known at once, or `pending` until the hall's answer comes as an event."""
    router = APIRouter(prefix="/v1/jobs", tags=["acts"], dependencies=[Depends(BEARER)])
    _add_ends(router, parts)
    _add_pauses(router, parts)
    _add_another_order(router, parts)
    return router


def _operator(parts: Parts, who: Caller, job_id: str) -> Actor:
    job = who.must_see(parts.store.jobs.job(job_id))
    who.must_be(Role.OPERATE)
    who.must_reach(job.registry)
    return who.acting_as(Role.OPERATE)


def _done(parts: Parts, act: Act, who: Caller, job_id: str, because: Because, response: Response) -> OutcomeView:
    outcome = act(job_id, because.text(), _operator(parts, who, job_id))
    crash_point("home.after-act-commit")
    state = who.must_see(parts.store.jobs.job(job_id)).state
    if isinstance(outcome, Pending):
        response.status_code = 202
        return OutcomeView(job_id=job_id, outcome="pending", state=state, control_id=outcome.control_id)
    if isinstance(outcome, Ended):
        return OutcomeView(job_id=job_id, outcome=outcome.outcome or outcome.state, state=state)
    raise Conflict(outcome="too-late", state=state.value, job_id=job_id)


def _add_ends(router: APIRouter, parts: Parts) -> None:
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.post("/{job_id}/cancel", summary="End a job that is not handed over", responses=_RESPONSES)
    def cancel(who: Who, job_id: str, because: Because, response: Response) -> OutcomeView:
        return _done(parts, parts.acts.cancel, who, job_id, because, response)

    @router.post(
        "/{job_id}/withdraw",
        summary="注销, 撤销: paper at the hall is void, paper handed over is listed for recovery",
        responses=_RESPONSES,
    )
    def withdraw(who: Who, job_id: str, because: Because, response: Response) -> OutcomeView:
        return _done(parts, parts.acts.withdraw, who, job_id, because, response)


def _add_pauses(router: APIRouter, parts: Parts) -> None:
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.post("/{job_id}/hold", summary="查封: no further pass, no hand-over", responses=_RESPONSES)
    def hold(who: Who, job_id: str, because: Because, response: Response) -> OutcomeView:
        return _done(parts, parts.acts.hold, who, job_id, because, response)

    @router.post("/{job_id}/resume", summary="解封: it goes on where it stopped", responses=_RESPONSES)
    def resume(who: Who, job_id: str, because: Because, response: Response) -> OutcomeView:
        return _done(parts, parts.acts.resume, who, job_id, because, response)


def _add_another_order(router: APIRouter, parts: Parts) -> None:
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.post(
        "/{job_id}/orders",
        status_code=201,
        summary="The next order, once the last has ended with no usable paper",
        responses=problems(401, 403, 404, 409, 422),
    )
    def another_order(who: Who, job_id: str, wanted: NextOrder) -> JobView:
        actor = _operator(parts, who, job_id)
        outcome = parts.another_order.open(job_id, wanted.hall, wanted.window, wanted.reason, actor)
        crash_point("home.after-another-order-commit")
        match outcome:
            case NotGranted():
                known = wanted.hall in parts.hall_names
                raise RequestRefused([finding("hall", Code.NOT_GRANTED if known else Code.UNKNOWN_HALL)])
            case StillOpen():
                raise OrderOpen(why=outcome.why, order_id=outcome.order_id, hall=outcome.hall, job_id=job_id)
            case Over():
                raise Conflict(state=outcome.state.value, job_id=job_id)
            case Opened():
                return JobView.of(who.must_see(parts.store.jobs.job(job_id)))
