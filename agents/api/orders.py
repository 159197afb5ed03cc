"""Orders over HTTP: see them, and every act on them. Each act names the attempt that was seen and answers the order as it then is."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse

from agents.api.auth import BEARER, Caller
from agents.api.bodies import (
    ConfirmBody,
    IssueBody,
    OldReturnedBody,
    ReleaseBody,
    ReleasePassBody,
    ResolveBody,
    ReturnBody,
    SpoilBody,
)
from agents.api.parts import Parts
from agents.order import OrderState
from agents.views import Answered, OrderView, View
from spooler.daemon.crash import crash_point

LONGEST_WAIT_SECONDS = 30


class OrderList(View):
    """`version` is what `since` takes, to wait for the next change."""

    orders: tuple[OrderView, ...]
    version: str


class OrderWaiting(OrderView):
    """The answer 202: the order as it still is, and the approval that the act waits for (`approval`)."""

    approval: dict[str, object]


def order_router(parts: Parts) -> APIRouter:
    """Return the endpoints below /v1/orders."""
    router = APIRouter(prefix="/v1/orders", tags=["orders"], dependencies=[Depends(BEARER)])
    _add_views(router, parts)
    _add_printing(router, parts)
    _add_outcomes(router, parts)
    return router


def answer(answered: Answered) -> Response:
    """Return the order as it is now: 200, or 202 when the act waits for a second person."""
    crash_point("agent.after-act-commit")
    body = answered.order.model_dump(mode="json", by_alias=True)
    if answered.approval is None:
        return JSONResponse(body)
    return JSONResponse({**body, "approval": answered.approval.model_dump(mode="json", by_alias=True)}, 202)


ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"model": OrderView},
    202: {"model": OrderWaiting, "description": "Waits for a second person"},
    409: {"description": "It does not fit the state; `fits` says what would"},
}


def _add_views(router: APIRouter, parts: Parts) -> None:
    @router.get("", summary="Orders, the most urgent first")
    def orders(
        by: Caller,
        state: Annotated[list[OrderState | Literal[""]], Query(description="Only orders in these states.")] = [],  # noqa: B006
        q: Annotated[str, Query(max_length=100, description="Number, case, serial, id, or a party of it.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000, description="At most so many of each state.")] = 200,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS, description="Seconds to wait for a change.")] = 0,
        since: Annotated[str, Query(max_length=64, description="The `version` seen last.")] = "",
    ) -> OrderList:
        # The version is taken before the list: a change in between shows as news the next time, and none is missed.
        version = parts.changes.wait(since, wait)
        states: list[str | None] = [one for one in state if one] or [None]
        found = [o for one in states for o in parts.acts.orders(by, state=one, q=q or None, limit=limit)]
        return OrderList(orders=tuple(found), version=version)

    @router.get("/{order_id}", summary="One order")
    def order(by: Caller, order_id: UUID) -> OrderView:
        return parts.acts.order(by, order_id)

    @router.get("/{order_id}/preview", summary="What it will look like, marked 样张, as PDF", response_class=Response)
    def preview(by: Caller, order_id: UUID) -> Response:
        return Response(
            parts.acts.preview(by, order_id), media_type="application/pdf", headers={"Content-Disposition": "inline"}
        )


def _add_printing(router: APIRouter, parts: Parts) -> None:
    @router.post("/{order_id}/release", summary="Release the first pass", responses=ANSWERS)
    def release(by: Caller, order_id: UUID, body: ReleaseBody) -> Response:
        return answer(parts.acts.release(by, order_id, attempt=body.attempt, printer=body.printer, serial=body.serial))

    @router.post("/{order_id}/passes/{number}/release", summary="Release the next pass", responses=ANSWERS)
    def release_pass(by: Caller, order_id: UUID, number: int, body: ReleasePassBody) -> Response:
        return answer(parts.acts.release_pass(by, order_id, number, attempt=body.attempt, try_id=body.try_id))

    @router.post("/{order_id}/confirm", summary="All passes are good: the serial on the paper", responses=ANSWERS)
    def confirm(by: Caller, order_id: UUID, body: ConfirmBody) -> Response:
        return answer(parts.acts.confirm(by, order_id, attempt=body.attempt, serials=body.serials, reason=body.reason))


def _add_outcomes(router: APIRouter, parts: Parts) -> None:
    @router.post("/{order_id}/spoil", summary="The paper is wrong: void it, print again", responses=ANSWERS)
    def spoil(by: Caller, order_id: UUID, body: SpoilBody) -> Response:
        return answer(
            parts.acts.spoil(
                by, order_id, attempt=body.attempt, blanks=body.blanks, reason=body.reason, passes=body.passes
            )
        )

    @router.post("/{order_id}/return", summary="The content is wrong: back to the registry", responses=ANSWERS)
    def send_back(by: Caller, order_id: UUID, body: ReturnBody) -> Response:
        return answer(
            parts.acts.return_to_home(
                by, order_id, attempt=body.attempt, reason=body.reason, fields=body.fields, blanks=body.blanks
            )
        )

    @router.post("/{order_id}/resolve", summary="What became of an unknown pass", responses=ANSWERS)
    def resolve(by: Caller, order_id: UUID, body: ResolveBody) -> Response:
        return answer(
            parts.acts.resolve(
                by,
                order_id,
                attempt=body.attempt,
                number=body.number,
                try_id=body.try_id,
                outcome=body.outcome,
                blanks=body.blanks,
                reason=body.reason,
            )
        )

    _add_hand_over(router, parts)


def _add_hand_over(router: APIRouter, parts: Parts) -> None:
    @router.post("/{order_id}/old-returned", summary="The paper that this one replaces is back", responses=ANSWERS)
    def old_returned(by: Caller, order_id: UUID, body: OldReturnedBody) -> Response:
        return answer(parts.acts.old_returned(by, order_id, attempt=body.attempt, serial=body.serial))

    @router.post("/{order_id}/issue", summary="Hand over", responses=ANSWERS)
    def issue(by: Caller, order_id: UUID, body: IssueBody) -> Response:
        return answer(
            parts.acts.issue(
                by, order_id, recipient=body.to_recipient(), identity=body.to_identity(), attempt=body.attempt
            )
        )
