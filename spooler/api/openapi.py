"""What FastAPI cannot see by itself: the request's own schema (its body is read raw) and the problem documents."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from spooler.errors import Code
from spooler.intake.request import Request

_SCHEMAS = "#/components/schemas/"
TITLE = "certspool home"
DESCRIPTION = "Remote certificate printing for real-estate registration: requests, jobs, approvals, halls."


class FindingView(BaseModel):
    """One thing about one field, named by its dotted path as the caller wrote it."""

    field: str
    code: Code | str
    message: str


class Problem(BaseModel):
    """RFC 9457. The messages are Chinese, then English; no value of the request is repeated."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FindingView]
    job_id: str | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the responses that are problem documents."""
    schema = {"$ref": f"{_SCHEMAS}Problem"}
    return {
        status: {"description": "Problem", "content": {"application/problem+json": {"schema": schema}}}
        for status in statuses
    }


REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": f"{_SCHEMAS}Request"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["request"],
                    "properties": {"request": {"$ref": f"{_SCHEMAS}Request"}},
                    "additionalProperties": {"type": "string", "format": "binary"},
                    "description": "The request, and a part for each annex under the annex's name.",
                }
            },
        },
    }
}


def describe(app: FastAPI) -> None:
    """Let /openapi.json hold the request's schema too."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=TITLE, version=app.version, description=DESCRIPTION, routes=app.routes)
            made["components"]["schemas"].update(_own_schemas())
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _own_schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for model in (Request, Problem):
        schema = model.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    return schemas
