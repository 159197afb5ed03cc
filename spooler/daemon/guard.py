"""Around every call, at home, hall and page: limits on what is read, and headers so that nobody keeps, frames or reinterprets an answer."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spooler.daemon.problem import problem

MAX_BODY_BYTES = 256 << 10
MAX_HEAD_BYTES = 16 << 10  # method, address and headers together

# What a page shows is its own to say; where it says nothing, nothing may be fetched, run, framed or kept.
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Guard:
    """ASGI middleware. The `unlimited` paths read their bodies within limits of their own."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int = MAX_BODY_BYTES, unlimited: Collection[str] = ()) -> None:
        self._app = app
        self._max = max_body_bytes
        self._unlimited = frozenset(unlimited)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _head_bytes(scope) > MAX_HEAD_BYTES:
            said = f"请求头过大 · address and headers exceed {MAX_HEAD_BYTES} bytes"
            await _refused(431, "head-too-large", said)(scope, receive, _stamping(send))
        elif scope["path"] in self._unlimited:
            await self._app(scope, receive, _stamping(send))
        elif _announced(scope) > self._max:
            await _refused(413, "too-large", self._too_large)(scope, receive, _stamping(send))
        else:
            await self._app(scope, self._counting(receive), _stamping(send))

    @property
    def _too_large(self) -> str:
        return f"内容过大 · more than {self._max} bytes"

    def _counting(self, receive: Receive) -> Receive:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max:
                raise HTTPException(413, self._too_large)
            return message

        return counted


def _refused(status: int, code: str, said: str) -> JSONResponse:
    """Return the answer after which nothing more is listened to."""
    return problem(status, code, said, headers={"connection": "close"})


def _head_bytes(scope: Scope) -> int:
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return address + sum(len(name) + len(value) + 4 for name, value in scope["headers"])


def _announced(scope: Scope) -> int:
    said = Headers(scope=scope).get("content-length", "")
    return int(said) if said.isascii() and said.isdecimal() else 0


def _stamping(send: Send) -> Send:
    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return stamped
