"""Joins the API from its routers. Every error is a problem document, every answer may be cached by nobody."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from spooler.api.acts import act_router
from spooler.api.auth import BEARER
from spooler.api.electronic import electronic_router
from spooler.api.enrolment import enrolling_router, enrolment_router
from spooler.api.items import item_router
from spooler.api.jobs import job_router
from spooler.api.openapi import DESCRIPTION, own_schemas
from spooler.api.others import approval_router, feed_router
from spooler.api.parts import Parts
from spooler.api.problems import add_problem_handlers
from spooler.api.requests import request_router
from spooler.api.write_off import write_off_router
from spooler.daemon.login.routes import session_router
from spooler.daemon.openapi import describe


def make_api(parts: Parts) -> FastAPI:
    """Return the home's API over these parts."""
    # No page of documentation: its scripts would come from the internet.
    app = FastAPI(title="certspool home", version=_version(), docs_url=None, redoc_url=None)
    routers = (
        request_router,
        job_router,
        act_router,
        electronic_router,
        approval_router,
        feed_router,
        item_router,
        write_off_router,
        enrolment_router,
        enrolling_router,
    )
    door = parts.callers.door
    session = session_router(door, parts.callers, BEARER)
    for router in (*(make(parts) for make in routers), session, parts.verify, parts.probe):
        app.include_router(router)
    add_problem_handlers(app)
    describe(app, DESCRIPTION, own_schemas, door.cookie)
    return app


def _version() -> str:
    try:
        return version("certspool")
    except PackageNotFoundError:
        return "0"
