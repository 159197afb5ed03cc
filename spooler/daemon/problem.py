"""Errors over HTTP as problem documents (RFC 9457): one shape for home and hall, and the last resort when nobody caught one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:certspool:problem:"
# As RFC 9110 calls them; the standard library has the older names.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

_log = structlog.get_logger()


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field: its dotted path as the caller wrote it. The value is never repeated."""

    field: str
    code: str
    message: str


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Iterable[FieldError] = (),
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the problem document; `members` are further ones of this kind of problem."""
    body = {
        "type": TYPE + code,
        "title": _TITLES.get(status, HTTPStatus(status).phrase),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [{"field": e.field, "code": e.code, "message": e.message} for e in errors],
        **(members or {}),
    }
    return JSONResponse(body, status, headers=headers and dict(headers), media_type=MEDIA_TYPE)


class Refused(Exception):
    """What home and hall refuse in the same words; `add_problem_handlers` of each side answers it with `refused`."""

    def __init__(self, status: int, code: str, detail: str, *, retry_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.retry_seconds = retry_seconds


def refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    headers = {} if error.retry_seconds is None else {"Retry-After": str(error.retry_seconds)}
    return problem(error.status, error.code, str(error), headers=headers)


def route_of(scope: Scope) -> str | None:
    """Return the address as we declared it, for the log: as it was written it may hold what nobody should read there."""
    return getattr(scope.get("route"), "path", None)


class LastResort:
    """What nobody caught: a 500 for the caller, one log line for us, and no value in either."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return  # whoever asked has gone
        except Exception as e:
            _log.error("request failed", path=route_of(scope), exc_info=e)
            if not started:
                answer = problem(500, "internal", "内部错误，已记录 · an internal error, it is in the log")
                await answer(scope, receive, send)
