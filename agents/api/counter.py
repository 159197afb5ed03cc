"""What else is at a counter: approvals by a second person, printers, and the stock of blanks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from agents.api.auth import BEARER, Caller
from agents.api.bodies import AnswerBody, FoundBody, MoveBody
from agents.api.orders import ANSWERS, answer
from agents.api.parts import Parts
from agents.stock import Movement
from agents.views import ApprovalView, BlankView, MovementView, PrinterView, StockView, View
from spooler.wire.messages import Stock


class ApprovalList(View):
    approvals: tuple[ApprovalView, ...]


class PrinterList(View):
    printers: tuple[PrinterView, ...]


class MovementList(View):
    movements: tuple[MovementView, ...]


def approval_router(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1/approvals", tags=["approvals"], dependencies=[Depends(BEARER)])

    @router.get("", summary="What waits for a second person, the oldest first")
    def approvals(
        by: Caller, answered: Annotated[bool, Query(description="Also answered ones.")] = False
    ) -> ApprovalList:
        return ApprovalList(approvals=parts.acts.approvals(by, answered=answered))

    @router.post("/{approval_id}", summary="Accept or decline what another account asked", responses=ANSWERS)
    def decide(by: Caller, approval_id: UUID, body: AnswerBody) -> Response:
        return answer(parts.acts.answer(by, approval_id, accept=body.accept, reason=body.reason))

    return router


def printer_router(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1/printers", tags=["printers"], dependencies=[Depends(BEARER)])

    @router.get("", summary="Printers, as they stand")
    def printers(by: Caller) -> PrinterList:
        return PrinterList(printers=parts.acts.printers(by))

    @router.post("/{name}/pause", summary="Send it nothing more; what is under way goes on")
    def pause(by: Caller, name: str) -> PrinterView:
        return parts.acts.pause_printer(by, name)

    @router.post("/{name}/resume", summary="Go on")
    def resume(by: Caller, name: str) -> PrinterView:
        return parts.acts.resume_printer(by, name)

    return router


def stock_router(parts: Parts) -> APIRouter:
    router = APIRouter(prefix="/v1/stock", tags=["stock"], dependencies=[Depends(BEARER)])

    @router.get("", summary="All blanks here, by range and status")
    def stock(by: Caller) -> StockView:
        return parts.stock.view(by)

    @router.get("/movements", summary="What moved, the oldest first")
    def movements(
        by: Caller,
        stock: Stock | None = None,
        after: Annotated[int, Query(ge=0, le=1 << 62, description="The `sequence` seen last.")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    ) -> MovementList:
        return MovementList(movements=tuple(parts.stock.movements(by, stock=stock, after=after, limit=limit)))

    @router.get("/{stock}/{serial}", summary="The whole life of one blank")
    def blank(by: Caller, stock: Stock, serial: str) -> BlankView:
        return parts.stock.blank(by, stock, serial)

    @router.post("/found", summary="A blank that a stop from home called void lies in the tray", responses=ANSWERS)
    def found(by: Caller, body: FoundBody) -> Response:
        return answer(parts.acts.find_blank(by, body.stock, body.serial, reason=body.reason))

    @router.post("/movements", include_in_schema=False)
    def no_movement() -> Response:
        raise HTTPException(405)

    @router.post("/{movement}", summary="Move a range of blanks: all or nothing")
    def move(by: Caller, movement: Movement, body: MoveBody) -> MovementView:
        return parts.stock.move(
            by,
            movement,
            stock=body.stock,
            first=body.first,
            last=body.last,
            printer=body.printer,
            reason=body.reason,
        )

    return router
