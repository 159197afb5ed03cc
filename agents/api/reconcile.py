"""Reconciling the hall over HTTP: what is known and what is not, asking home again, and two persons who lead it out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agents.api.auth import BEARER, Caller
from agents.api.parts import Parts
from agents.views import ReconcileView


class ReconcileBody(BaseModel):
    """`ask`: begin anew, another agent was switched off. `leave`: propose, or as the second person agree. `stay`: take it back."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    act: Literal["ask", "leave", "stay"]
    reason: Annotated[str, Field(max_length=500)] = ""
    without: Annotated[tuple[Annotated[str, Field(pattern=r"^[0-9]{6}$")], ...], Field(max_length=100)] = ()


def reconcile_router(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1/reconcile", tags=["reconcile"], dependencies=[Depends(BEARER)])
    reconciliation = parts.reconciliation

    @router.get("", summary="Whether the hall trusts its journal; if not, what is known and what is to be done")
    def view(by: Caller) -> ReconcileView:
        return reconciliation.view(by)

    @router.post(
        "",
        summary="Ask home again; propose to print again, or agree to it as a second person",
        response_model=ReconcileView,
        responses={202: {"model": ReconcileView, "description": "Waits for a second person"}, 409: {}},
    )
    def act(by: Caller, body: ReconcileBody) -> Response:
        if body.act == "ask":
            found = reconciliation.ask_again(by)
        elif body.act == "leave":
            found = reconciliation.leave(by, reason=body.reason, without=body.without)
        else:
            found = reconciliation.take_back(by)
        return JSONResponse(found.model_dump(mode="json"), 202 if found.leaving is not None else 200)

    return router
