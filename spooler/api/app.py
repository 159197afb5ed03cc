"""Joins the API from its routers. Every error is a problem document, every answer may be cached by nobody."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from spooler.api.jobs import job_router
from spooler.api.openapi import describe
from spooler.api.others import approval_router, feed_router
from spooler.api.parts import Parts
from spooler.api.problems import add_problem_handlers
from spooler.api.requests import request_router


def make_api(parts: Parts) -> FastAPI:
    """Return the home's API over these parts."""
    # No page of documentation: its scripts would come from the internet.
    app = FastAPI(title="certspool home", version=_version(), docs_url=None, redoc_url=None)
    for router in (request_router(parts), job_router(parts), approval_router(parts), feed_router(parts), parts.probe):
        app.include_router(router)
    add_problem_handlers(app)
    describe(app)
    return app


def _version() -> str:
    try:
        return version("certspool")
    except PackageNotFoundError:
        return "0"
