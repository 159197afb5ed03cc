"""The hall's errors as problem documents: who must act is said by the status, what to do by the sentence.

401 no login · 403 not this account, or not our own page · 404 no such thing · 409 it does not fit the state (`fits` says what would)
410 it is destroyed · 422 a field is wrong · 429 unknown tokens or wrong passwords, one after the other
"""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agents.api.auth import NotAuthenticated, TooOften
from agents.errors import Destroyed, DoesNotFit, HallError, Invalid, NotAllowed, NotFound
from spooler.daemon.openapi import allowed_methods
from spooler.daemon.problem import FieldError, LastResort, Refused, problem, refused

REFUSED = "refused"
_STATUS: dict[type[HallError], int] = {
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    DoesNotFit: 409,
    Destroyed: 410,
    TooOften: 429,
    Invalid: 422,
}
_HTTP_CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}

# What pydantic calls it → what we call it, and its sentence.
_FIELD_CODES = {
    "missing": ("missing", "缺少此项 · this field is needed"),
    "extra_forbidden": ("unknown-field", "没有此项 · there is no such field"),
    "literal_error": ("not-a-choice", "不在可选范围内 · not one of the choices"),
    "enum": ("not-a-choice", "不在可选范围内 · not one of the choices"),
    "string_too_long": ("too-long", "太长 · too long"),
    "too_long": ("too-many", "太多 · too many"),
    "string_too_short": ("empty", "不能为空 · must not be empty"),
    "greater_than_equal": ("out-of-range", "超出范围 · out of range"),
    "less_than_equal": ("out-of-range", "超出范围 · out of range"),
}
_WRONG_TYPE = ("wrong-type", "类型不对 · of the wrong type")
_BAD_FORMAT = ("bad-format", "格式不对 · not of the right form")


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of this application with a problem document."""
    app.add_exception_handler(HallError, _hall_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(LastResort)


def _hall_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HallError)
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)
    if isinstance(error, Invalid):
        return problem(422, REFUSED, str(error), errors=[FieldError(error.field, error.code, str(error))])
    members = {"fits": list(error.fits)} if isinstance(error, DoesNotFit) else None
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(error.retry_seconds)
    return problem(status, error.code, str(error), members=members, headers=headers)


def _bad_request(request: Request, error: Exception) -> JSONResponse:
    """Name each wrong field as the caller wrote it; never its value."""
    assert isinstance(error, RequestValidationError)
    if any(item["type"] == "json_invalid" or item["loc"] == ("body",) for item in error.errors()):
        return problem(400, "malformed", "不是 JSON 对象 · the body is not a JSON object")
    if any(item["loc"][0] == "path" for item in error.errors()):
        return problem(404, "not-found", "没有找到 · there is no such thing")
    errors = [_field_error(item) for item in error.errors()]
    return problem(422, REFUSED, "请改正所列各项 · correct the fields listed", errors=errors)


def _field_error(item: dict[str, Any]) -> FieldError:
    kind = item["type"]
    default = _WRONG_TYPE if kind.endswith(("_type", "_parsing")) else _BAD_FORMAT
    code, message = _FIELD_CODES.get(kind, default)
    return FieldError(".".join(str(part) for part in item["loc"][1:]), code, message)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "http")
    headers = {"Allow": allowed_methods(request.app, request.url.path)} if error.status_code == 405 else error.headers
    return problem(error.status_code, code, error.detail, headers=headers)
