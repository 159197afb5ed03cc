"""What FastAPI cannot see by itself: the request's own schema, since its body is read raw, and which problems a call may answer."""

from typing import Any

from pydantic import BaseModel

from spooler.errors import Code
from spooler.intake.request import Request

_SCHEMAS = "#/components/schemas/"
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


def own_schemas() -> dict[str, Any]:
    """Return the schemas of the request and of the home's problem documents."""
    schemas: dict[str, Any] = {}
    for model in (Request, Problem):
        schema = model.model_json_schema(ref_template=f"{_SCHEMAS}{{model}}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    return schemas
