"""Calibration over HTTP: what a printer's calibration is, and each act of making it anew."""

from fastapi import APIRouter, Depends

from agents.api.auth import BEARER, Caller
from agents.api.bodies import CalibrationBody
from agents.api.orders import ANSWERS
from agents.api.parts import Parts
from agents.calibration.desk import Reading
from agents.calibration.views import CalibrationView, VersionView
from agents.errors import Invalid


def calibration_router(parts: Parts) -> APIRouter:
    """Return the endpoints of /v1/printers/{name}/calibration."""
    router = APIRouter(prefix="/v1/printers", tags=["calibration"], dependencies=[Depends(BEARER)])

    @router.get("/{name}/calibration", summary="What is in force, every version with who and when, the sheets printed")
    def show(by: Caller, name: str) -> CalibrationView:
        return parts.calibration.view(by, name)

    @router.post(
        "/{name}/calibration",
        summary="Print a sheet, solve or enter what was measured, print the proof, accept a version",
        responses={409: ANSWERS[409]},
    )
    def act(by: Caller, name: str, body: CalibrationBody) -> CalibrationView | VersionView:
        desk, spread = parts.calibration, body.spread
        if body.act in ("solve", "enter"):
            do = desk.solve if body.act == "solve" else desk.enter
            return do(by, name, spread, _readings(body))
        if body.act == "accept":
            return desk.accept(by, name, spread, body.version, body.reason)
        _check_paper(body)
        return desk.sheet(by, name, spread) if body.act == "sheet" else desk.proof(by, name, spread, body.version)

    return router


def _readings(body: CalibrationBody) -> list[Reading]:
    return [Reading(p.cross, (p.x, p.y), f"points.{i}") for i, p in enumerate(body.points)]


def _check_paper(body: CalibrationBody) -> None:
    """Whoever asks says it himself: a numbered blank would be spoiled."""
    if body.paper != "plain":
        message = "请放入白纸，并写明 paper: plain · put plain paper in and say so: paper is plain"
        raise Invalid("paper", "missing", message)
