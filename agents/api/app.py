"""Joins the hall's API from its routers. Every error is a problem document, no answer may be cached."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from agents.api.auth import BEARER, caller
from agents.api.calibration import calibration_router
from agents.api.check_sheet import check_sheet_router
from agents.api.counter import approval_router, printer_router, stock_router
from agents.api.orders import order_router
from agents.api.parts import Parts
from agents.api.problems import add_problem_handlers
from agents.api.reconcile import reconcile_router
from spooler.daemon.guard import Guard
from spooler.daemon.login.routes import session_router
from spooler.daemon.openapi import describe

DESCRIPTION = "Orders, printers, blanks and approvals of one hall."


def make_api(parts: Parts) -> FastAPI:
    """Return the hall's API over these parts."""
    # No page of documentation: its scripts would come from the internet.
    app = FastAPI(title="certspool hall", version=_version(), docs_url=None, redoc_url=None)
    app.state.accounts = tuple(parts.accounts)
    app.state.wrong_tokens = parts.wrong_tokens
    app.state.door = parts.door
    for router in (
        order_router(parts),
        check_sheet_router(parts),
        approval_router(parts),
        printer_router(parts),
        calibration_router(parts),
        stock_router(parts),
        reconcile_router(parts),
        session_router(parts.door, caller, BEARER),
        parts.probe,
    ):
        app.include_router(router)
    add_problem_handlers(app)
    app.add_middleware(Guard)
    describe(app, DESCRIPTION, cookie=parts.door.cookie)
    return app


def _version() -> str:
    try:
        return version("certspool")
    except PackageNotFoundError:
        return "0"
