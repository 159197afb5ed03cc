"""/v1/halls/{hall}/write-off: a hall that is gone for good. Asked by one person, accepted by another at /v1/approvals/{id}."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from spooler.api.auth import BEARER, Caller, Role
from spooler.api.openapi import problems
from spooler.api.parts import Parts
from spooler.api.views import DecisionView
from spooler.daemon.crash import crash_point
from spooler.errors import Conflict, NotFound, SamePerson
from spooler.write_off import SamePerson as Same


class WriteOffReason(BaseModel):
    """Why the hall is given up; it stays at home."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=200)]


class WriteOffView(BaseModel):
    """What waits for a second person."""

    approval_id: str
    hall: str
    outcome: str


def write_off_router(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1/halls", tags=["halls and events"], dependencies=[Depends(BEARER)])
    Who = Annotated[Caller, Depends(parts.callers)]

    @router.post(
        "/{hall}/write-off",
        status_code=202,
        summary="Give a hall up: a second person is to accept it",
        responses=problems(401, 403, 404, 409, 422),
    )
    def write_off(who: Who, hall: str, because: WriteOffReason) -> WriteOffView:
        who.must_be(Role.OPERATE)
        must_reach_all(who, parts)
        if hall not in parts.hall_names:
            raise NotFound()
        asked = parts.written_off.ask(hall, because.reason, who.acting_as(Role.OPERATE))
        if asked is None:
            raise Conflict(hall=hall, state="written-off")
        return WriteOffView(approval_id=asked.approval_id, hall=hall, outcome="pending")

    return router


def must_reach_all(who: Caller, parts: Parts) -> None:
    """A hall serves many registries: whoever gives it up answers for all of them."""
    for registry in sorted(parts.registries):
        who.must_reach(registry)


def decide_write_off(parts: Parts, who: Caller, approval_id: str, accept: bool, reason: str) -> DecisionView | None:
    """Write down the second person's answer; None when the approval is about something else."""
    if parts.written_off.get(approval_id) is None:
        return None
    who.must_be(Role.APPROVE)
    must_reach_all(who, parts)
    try:
        settled = parts.written_off.answer(approval_id, accept, reason, who.acting_as(Role.APPROVE))
        crash_point("home.after-write-off-commit")
    except Same:
        raise SamePerson(approval_id=approval_id) from None
    if settled is None:
        raise Conflict(approval_id=approval_id, state="answered")
    return DecisionView(approval_id=approval_id, outcome=settled.state)
