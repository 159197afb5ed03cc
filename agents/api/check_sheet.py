"""The check-and-sign sheet over HTTP: print it, as often as the applicant needs it, and say that it was signed."""

from uuid import UUID

from fastapi import APIRouter, Depends, Response

from agents.api.auth import BEARER, Caller
from agents.api.bodies import PrintCheckSheetBody, SignCheckSheetBody
from agents.api.orders import ANSWERS, answer
from agents.api.parts import Parts


def check_sheet_router(parts: Parts) -> APIRouter:
    """Return the endpoints below /v1/orders/{order_id}/check-sheet."""
    router = APIRouter(prefix="/v1/orders/{order_id}/check-sheet", tags=["orders"], dependencies=[Depends(BEARER)])

    @router.post(
        "/print", summary="核对签收单: print it for the applicant to read over, also once more", responses=ANSWERS
    )
    def print_sheet(by: Caller, order_id: UUID, body: PrintCheckSheetBody) -> Response:
        return answer(parts.acts.print_check_sheet(by, order_id, attempt=body.attempt, printer=body.printer))

    @router.post("/sign", summary="The applicant signed that the content is right", responses=ANSWERS)
    def sign_sheet(by: Caller, order_id: UUID, body: SignCheckSheetBody) -> Response:
        return answer(parts.acts.sign_check_sheet(by, order_id, attempt=body.attempt, try_id=body.try_id))

    return router
