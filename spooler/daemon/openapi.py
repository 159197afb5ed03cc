"""What FastAPI cannot see by itself: that every error, at home and hall, is a problem document. Added to what it makes of the routes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from spooler.daemon.problem import MEDIA_TYPE

Schema = dict[str, Any]
REF = "#/components/schemas/"
_METHODS = ("get", "post", "put", "patch", "delete")
_MEANS = {
    400: "Not readable as what it should be",
    401: "No token, or one that nobody has",
    403: "The account may not do this",
    404: "No such thing, or not yours",
    409: "It does not fit the state as it is",
    410: "It was kept as long as it had to be, and is destroyed",
    413: "The body is too large",
    415: "Another type of body is needed",
    422: "A field is wrong; `errors` name each",
    429: "Unknown tokens or wrong passwords, one after the other; `Retry-After` says when",
    503: "Not now; `Retry-After` says when",
}
_PROBLEM: Schema = {
    "title": "Problem",
    "description": "RFC 9457. The messages are Chinese, then English; no value of the request is repeated.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {
                    "field": {"type": "string", "description": "The dotted path as the caller wrote it."},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
    "additionalProperties": True,
}


def describe(app: FastAPI, description: str, schemas: Callable[[], Schema] = dict, cookie: str | None = None) -> None:
    """Let /openapi.json say what is answered, errors too; `schemas` are further ones, `cookie` the session's name."""

    def openapi() -> Schema:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=description, routes=app.routes)
            app.openapi_schema = with_problems(made, schemas())
            if cookie is not None:
                _tell_session(app.openapi_schema, cookie)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def allowed_methods(app: FastAPI, path: str) -> str:
    """Return what a 405 says of an address: every method that is declared for it, not those of the first route that was found."""
    paths: Schema = app.openapi()["paths"]
    fitting = [path] if path in paths else [one for one in paths if compile_path(one)[0].match(path)]
    return ", ".join(sorted({method.upper() for one in fitting for method in paths[one]} or {"GET"}))


def with_problems(document: Schema, schemas: Schema) -> Schema:
    """Return the document with each call's errors, in the place of those that FastAPI supposes."""
    known = document.setdefault("components", {}).setdefault("schemas", {})
    for supposed in ("HTTPValidationError", "ValidationError"):
        known.pop(supposed, None)
    known.update({"Problem": _PROBLEM, **schemas})
    for path, calls in document["paths"].items():
        for method in _METHODS:
            if method in calls:
                _tell_errors(path, calls[method])
    return document


def _tell_session(document: Schema, cookie: str) -> None:
    """Wherever a token does, the cookie of a session does too."""
    said = "From POST /v1/session. A call that changes something says the session's `csrf` in the header X-CSRF-Token."
    document["components"].setdefault("securitySchemes", {})["Session"] = {
        "type": "apiKey",
        "in": "cookie",
        "name": cookie,
        "description": said,
    }
    for calls in document["paths"].values():
        for method in _METHODS:
            if calls.get(method, {}).get("security"):
                calls[method]["security"].append({"Session": []})


def _tell_errors(path: str, call: Schema) -> None:
    answers = call["responses"]
    for status in _statuses(path, call):
        told = answers.setdefault(str(status), {})
        told.setdefault("description", _MEANS[status])
        if "content" not in told or "HTTPValidationError" in str(told["content"]):
            told["content"] = {MEDIA_TYPE: {"schema": {"$ref": f"{REF}Problem"}}}
    answers.setdefault("default", _other(answers))


def _statuses(path: str, call: Schema) -> Iterator[int]:
    yield from (int(status) for status in list(call["responses"]) if status.isdecimal() and int(status) >= 400)
    if call.get("security"):
        yield from (401, 403, 429)
    if "{" in path:
        yield 404
    if "requestBody" in call:
        yield from (400, 409, 413)
    if call.get("parameters") or "requestBody" in call:
        yield 422


def _other(answers: Iterable[str]) -> Schema:
    """405, 408, 431, 500, 503 have one shape; what a page says of them is a page."""
    content: Schema = {MEDIA_TYPE: {"schema": {"$ref": f"{REF}Problem"}}}
    return {"description": "Any other error: 405, 408, 431, 500, 503", "content": content}
