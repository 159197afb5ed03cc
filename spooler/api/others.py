"""Approvals, the events feed, halls and blanks."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from spooler.api.auth import BEARER, SEES_JOBS, Caller, Role
from spooler.api.openapi import problems
from spooler.api.parts import Parts
from spooler.api.views import ApprovalView, BlankView, DecisionView, HallView, feed_view
from spooler.api.write_off import decide_write_off
from spooler.controls import Pending
from spooler.daemon.crash import crash_point
from spooler.errors import Conflict, NotFound

MOST_BLANKS = 500


class Decision(BaseModel):
    """What a second person decides."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    accept: StrictBool
    reason: Annotated[str, Field(max_length=200)] = ""


class Approvals(BaseModel):
    approvals: list[ApprovalView]


class Halls(BaseModel):
    halls: list[HallView]


class Blanks(BaseModel):
    blanks: list[BlankView]


def approval_router(parts: Parts) -> APIRouter:
    """Return what waits for a second person, and the second person's answer."""
    router = APIRouter(prefix="/v1/approvals", tags=["approvals"], dependencies=[Depends(BEARER)])
    Who = Annotated[Caller, Depends(parts.callers)]
    approvals = parts.store.approvals

    @router.get("", summary="What waits for a second person, also from halls", responses=problems(401, 403))
    def list_approvals(who: Who) -> Approvals:
        who.must_be(*SEES_JOBS)
        waiting = [ApprovalView.of(found) for found in approvals.open(who.visible_registries)]
        ours = all(who.reaches(registry) for registry in parts.registries)
        asked = parts.written_off.waiting() if ours else ()
        return Approvals(approvals=[*waiting, *(ApprovalView.of_write_off(found) for found in asked)])

    @router.post(
        "/{approval_id}",
        status_code=202,
        summary="Accept or decline; the hall's answer comes as an event",
        responses={
            200: {"model": DecisionView, "description": "Nothing has to be asked of a hall"},
            **problems(401, 403, 404, 409, 422),
        },
    )
    def decide(who: Who, approval_id: str, decision: Decision, response: Response) -> DecisionView:
        settled = decide_write_off(parts, who, approval_id, decision.accept, decision.reason)
        if settled is not None:
            response.status_code = 200
            return settled
        approval = approvals.approval(approval_id)
        if approval is None or not who.sees(approval.registry, approval.hall):
            raise NotFound()
        who.must_be(Role.APPROVE)
        who.must_reach(approval.registry)
        outcome = parts.acts.decide(approval_id, decision.accept, decision.reason, who.acting_as(Role.APPROVE))
        crash_point("home.after-decision-commit")
        if isinstance(outcome, Pending):
            return DecisionView(approval_id=approval_id, outcome="pending", control_id=outcome.control_id)
        raise Conflict(approval_id=approval_id, state=outcome.state if outcome else None)

    return router


def feed_router(parts: Parts) -> APIRouter:
    """Return the events feed, halls and blanks."""
    router = APIRouter(prefix="/v1", tags=["halls and events"], dependencies=[Depends(BEARER)])
    Who = Annotated[Caller, Depends(parts.callers)]
    store = parts.store

    @router.get(
        "/events", summary="The callback events, for those who can only poll", responses=problems(401, 403, 422)
    )
    def feed(
        who: Who,
        after: Annotated[int, Query(ge=0, le=1 << 62)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        who.must_be(*SEES_JOBS)
        return feed_view(store.callbacks.feed(after, limit, who.visible_registries), after)

    @router.get("/halls", summary="Halls with heartbeat and printers", responses=problems(401))
    def halls(who: Who) -> Halls:
        known = {hall.hall: hall for hall in store.halls.all()}
        visible = who.visible_halls
        names = {hall: name for hall, name in parts.hall_names.items() if visible is None or hall in visible}
        return Halls(halls=[HallView.of(hall, name, known.get(hall)) for hall, name in sorted(names.items())])

    @router.get("/blanks", summary="Where a blank is", responses=problems(401, 403, 422))
    def blanks(
        who: Who,
        serial: Annotated[str, Query(pattern=r"^[A-Z]{0,2}[0-9]{11}$")] | None = None,
        hall: Annotated[str, Query(pattern=r"^[0-9]{6}-[0-9]{2}$")] | None = None,
        status: Annotated[str, Query(pattern=r"^[a-z-]{1,32}$")] | None = None,
    ) -> Blanks:
        who.must_be(Role.READ, Role.OPERATE, Role.APPROVE, Role.HALL)
        visible = who.visible_halls
        found = store.halls.blanks(serial, hall, status, MOST_BLANKS)
        return Blanks(blanks=[BlankView.of(b) for b in found if visible is None or b.hall in visible])

    return router
