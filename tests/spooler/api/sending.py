"""How a registration system sends a request: with its annexes inside, or as parts."""

import base64
import json
from typing import Any

import httpx

from tests.spooler.intake.build import parts_of


def inline(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request with each annex's bytes inside."""
    content = {name: base64.b64encode(data).decode() for name, data in parts_of(request).items()}
    return {**request, "annexes": [{**annex, "content": content[annex["name"]]} for annex in request["annexes"]]}


def as_parts(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request as httpx's `files`."""
    files: dict[str, Any] = {"request": (None, json.dumps(request), "application/json")}
    return files | {name: (name, data, "application/octet-stream") for name, data in parts_of(request).items()}


def post(client: httpx.Client, request: dict[str, Any]) -> httpx.Response:
    return client.post("/v1/jobs", json=inline(request))


def errors(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(item["field"], item["code"]) for item in answer.json()["errors"]]
