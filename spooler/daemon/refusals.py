"""Counts what an API turns away at its door: who guesses log-ins, asks for what is not his or sends too much shows in the metrics."""

from collections.abc import Callable

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# 401 no or a wrong login · 403 not this one · 413 too large · 429 too often · 431 head too large
COUNTED = (401, 403, 413, 429, 431)


def count_refusals(app: FastAPI, registry: CollectorRegistry) -> None:
    """Let the application count these answers in `certspool_http_refusals_total{code}`, each of them there from the start."""
    counter = Counter("certspool_http_refusals", "Calls turned away, by HTTP status.", ["code"], registry=registry)
    for code in COUNTED:
        counter.labels(str(code))
    app.add_middleware(_Counting, count=lambda code: counter.labels(str(code)).inc())


class _Counting:
    """ASGI middleware, around all others: it sees the answer that leaves."""

    def __init__(self, app: ASGIApp, *, count: Callable[[int], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in COUNTED:
                self._count(message["status"])
            await send(message)

        await self._app(scope, receive, counted)
