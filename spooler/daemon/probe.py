"""What a supervisor asks: /healthz (do we live), /readyz (can we work, and what cannot), /metrics."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from spooler.daemon.room import in_a_room_of

_THREADS = 2
_FAILING: dict[int | str, dict[str, Any]] = {
    503: {"description": "Not so; `checks` says what", "content": {"application/json": {"schema": {"type": "object"}}}}
}

Check = Callable[[], bool]

_log = structlog.get_logger()


def probe_router(
    *, ready: Mapping[str, Check], registry: CollectorRegistry, alive: Mapping[str, Check] | None = None
) -> APIRouter:
    """Return the three endpoints. `ready` and `alive` name what is asked; a check that raises counts as no."""
    router = APIRouter(include_in_schema=True)
    apart = in_a_room_of(_THREADS)

    @router.get("/healthz", tags=["probe"], summary="Is the process alive", responses=_FAILING)
    @apart
    def healthz() -> JSONResponse:
        return _answer(alive or {})

    @router.get("/readyz", tags=["probe"], summary="Can it work, and what cannot", responses=_FAILING)
    @apart
    def readyz() -> JSONResponse:
        return _answer(ready)

    @router.get(
        "/metrics",
        tags=["probe"],
        summary="Prometheus metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    @apart
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(checks: Mapping[str, Check]) -> JSONResponse:
    results = {name: _ask(name, check) for name, check in checks.items()}
    is_good = all(results.values())
    return JSONResponse({"status": "ok" if is_good else "failing", "checks": results}, 200 if is_good else 503)


def _ask(name: str, check: Check) -> bool:
    try:
        return check()
    except Exception as e:
        _log.warning("readiness check failed", check=name, exc_info=e)
        return False
