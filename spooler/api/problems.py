"""Errors as problem documents (RFC 9457): what happened, and each field that is wrong. Values are never repeated."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException

from spooler.daemon.guard import Guard
from spooler.daemon.openapi import allowed_methods
from spooler.daemon.problem import FieldError, LastResort, Refused, refused, route_of
from spooler.daemon.problem import problem as problem_document
from spooler.errors import Code, Finding, HomeError, TooOften, TryLater, sentence
from spooler.intake.reading import path_of
from spooler.intake.shape import code_of
from spooler.seal.ring import SealUnavailable

RETRY_SECONDS = 5
READS_WITHIN_ITS_OWN_LIMIT = frozenset({"/v1/jobs", "/v1/jobs/validate"})  # annexes come with them (`bodies`)
_CODES = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 415: Code.MEDIA_TYPE, 400: Code.MALFORMED}

_log = structlog.get_logger()


def problem(error: HomeError) -> JSONResponse:
    """Return the document for this error."""
    answer = _document(error.status, error.code, error.detail, error.errors, error.members)
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.retry_seconds)
    return answer


def _document(
    status: int, code: Code, detail: str, errors: tuple[Finding, ...] = (), members: dict[str, Any] | None = None
) -> JSONResponse:
    fields = [FieldError(item.field, item.code, item.message) for item in errors]
    return problem_document(status, code, detail, errors=fields, members=members, headers=_headers(status))


def _headers(status: int) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this application with a problem document."""
    app.add_exception_handler(HomeError, _home_error)
    app.add_exception_handler(RequestValidationError, _bad_parameters)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, _http_error)
    for error in (OperationalError, InterfaceError, OSError, SealUnavailable):
        app.add_exception_handler(error, _not_now)
    app.add_middleware(LastResort)
    app.add_middleware(Guard, unlimited=READS_WITHIN_ITS_OWN_LIMIT)


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
    if error.status_code == 413:
        return problem_document(413, Code.TOO_LARGE, error.detail)
    code = _CODES.get(error.status_code, Code.INTERNAL)
    answer = _document(error.status_code, code, sentence(code))
    if error.status_code == 405:
        answer.headers["Allow"] = allowed_methods(request.app, request.url.path)
    return answer


def _not_now(request: Request, error: Exception) -> JSONResponse:
    """The database, the disk or a seal does not take it just now. Nothing was answered as kept, so the same may be sent again."""
    _log.error("not possible now", path=route_of(request.scope), exc_info=error)
    return problem(TryLater())
