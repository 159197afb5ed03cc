"""The public page as a process of its own: no keys, no broker, no documents; the store is opened read-only.

Off unless started. Its address goes into home.toml ([electronic] public_address), and from there into the QR codes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from prometheus_client import CollectorRegistry, Counter
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from spooler.daemon import lifecycle, logs
from spooler.daemon.guard import Guard
from spooler.daemon.limit import Limit
from spooler.daemon.probe import probe_router
from spooler.daemon.problem import LastResort
from spooler.daemon.server import HttpServer, split_listen
from spooler.daemon.settings import Section, SettingsError, load_settings
from spooler.verify_page.certificates import ReadOnly
from spooler.verify_page.page import HEADERS, Asked, draw
from spooler.verify_page.router import verify_router

_log = structlog.get_logger()


class VerifySection(Section):
    """What verify.toml says."""

    database_url: str  # of the home's store: sqlite:///…/home.db, or PostgreSQL with a user who may only SELECT
    listen: str = "127.0.0.1:8610"
    probe_listen: str = ""  # for /healthz, /readyz and /metrics, kept off the public address
    a_minute: float = Field(default=60, gt=0)  # questions of one caller
    at_once: int = Field(default=20, ge=1)
    all_a_second: float = Field(default=100, ge=1)  # questions of all together


class VerifySettings(Section):
    verify: VerifySection


def run(config: Path) -> int:
    """Serve the page until a signal; return the exit code."""
    logs.set_up()
    stop = Event()
    lifecycle.stop_on_signals(stop)
    try:
        settings = load_settings(VerifySettings, config).verify
        certificates = open_certificates(settings.database_url)
    except SettingsError as e:
        _log.error("cannot start", code=e.code, error=str(e))
        return 2
    try:
        servers = list(_servers(settings, certificates))
        return 0 if lifecycle.run(servers, stop, is_alive=lambda: all(one.is_alive for one in servers)) else 1
    finally:
        certificates.close()


def open_certificates(url: str) -> ReadOnly:
    """Return the store as the page reads it; SettingsError when there is none to be read."""
    certificates = ReadOnly(url)
    try:
        certificates.is_answering()
    except SQLAlchemyError as e:
        raise SettingsError(f"database_url: the store cannot be read ({type(e).__name__}): has the home run?") from e
    return certificates


def _servers(settings: VerifySection, certificates: ReadOnly) -> Iterator[HttpServer]:
    registry = CollectorRegistry()
    answers = Counter("certspool_verify_answers", "Answers of the public page.", ["answer"], registry=registry)
    limit = Limit(a_minute=settings.a_minute, at_once=settings.at_once, all_a_second=settings.all_a_second)
    router = verify_router(certificates, limit=limit, clock=_now, count=lambda answer: answers.labels(answer).inc())
    page = _bare()
    page.include_router(router)
    page.add_exception_handler(HTTPException, _no_such_page)
    yield HttpServer(page, *split_listen(settings.listen))
    if settings.probe_listen:
        probe = _bare()
        probe.include_router(probe_router(ready={"store": certificates.is_answering}, registry=registry))
        yield HttpServer(probe, *split_listen(settings.probe_listen))


def _bare() -> FastAPI:
    bare = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    bare.add_middleware(LastResort)
    bare.add_middleware(Guard)
    return bare


def _now() -> datetime:
    return datetime.now(UTC)


def _no_such_page(request: Request, error: Exception) -> HTMLResponse:
    """Whatever else is asked for, the answer is the page, with nothing of the question in it."""
    assert isinstance(error, HTTPException)
    return HTMLResponse(draw(Asked("zh", "/verify", _now()), "ask"), error.status_code, dict(HEADERS))
