"""Errors as problem documents (RFC 9457): what happened, and each field that is wrong. Values are never repeated."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spooler.errors import Code, Finding, HomeError, TryLater, sentence
from spooler.intake.reading import path_of
from spooler.intake.shape import code_of

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:certspool:problem:"
RETRY_SECONDS = 5
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 415: Code.MEDIA_TYPE, 400: Code.MALFORMED}

_log = structlog.get_logger()


def problem(error: HomeError) -> JSONResponse:
    """Return the document for this error."""
    return _document(error.status, error.code, error.detail, error.errors, error.members)


def _document(
    status: int, code: Code, detail: str, errors: tuple[Finding, ...] = (), members: dict[str, Any] | None = None
) -> JSONResponse:
    body = {
        "type": TYPE + code,
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [item.to_json() for item in errors],
        **(members or {}),
    }
    return JSONResponse(body, status, headers=_headers(status), media_type=MEDIA_TYPE)


def _headers(status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this application with a problem document."""
    app.add_exception_handler(HomeError, _home_error)
    app.add_exception_handler(RequestValidationError, _bad_parameters)
    app.add_exception_handler(HTTPException, _http_error)
    for error in (OperationalError, OSError):
        app.add_exception_handler(error, _not_now)
    app.add_middleware(LastResort)


def _home_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HomeError)
    return problem(error)


def _bad_parameters(request: Request, error: Exception) -> JSONResponse:
    """A query parameter or a small body is wrong: name it as the caller wrote it, without body or query before it."""
    assert isinstance(error, RequestValidationError)
    found = tuple(_parameter(item) for item in error.errors())
    return _document(422, Code.REFUSED, sentence(Code.REFUSED), found)


def _parameter(item: dict[str, Any]) -> Finding:
    code, facts = code_of(item["type"], item.get("ctx", {}))
    return Finding(path_of(tuple(item["loc"][1:])), code.value, sentence(code, **facts))


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, Code.INTERNAL)
    return _document(error.status_code, code, sentence(code))


def _not_now(request: Request, error: Exception) -> JSONResponse:
    """The database or the disk does not take it just now. Nothing was answered as kept, so the same may be sent again."""
    _log.error("storage failed", path=request.url.path, exc_info=error)
    return problem(TryLater())


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
        except Exception as e:
            _log.error("request failed", path=scope.get("path"), exc_info=e)
            if not started:
                await _document(500, Code.INTERNAL, sentence(Code.INTERNAL))(scope, receive, send)
