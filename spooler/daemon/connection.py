"""One connection of a client, and how long it may take over what: uvicorn itself waits for ever for a request to begin and to end.

    opened ─▶ head ─▶ body ─▶ (the work) ─▶ answer taken ─▶ kept open ─▶ head …
      10 s in all ┘    60 s                    300 s            30 s

Whoever is late is answered 408, where he began something, and hung up on; so are more connections than there is room for.
"""

import asyncio
import sys
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from spooler.daemon.guard import HEADERS
from spooler.daemon.problem import MEDIA_TYPE, problem

HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
ANSWER_SECONDS = 300.0  # a large document over a slow line
LINGER_SECONDS = 2.0  # so that who still sends reads why he was refused
MOST_CONNECTIONS = 512
MOST_OF_ONE_ADDRESS = 256

_SAID = {
    400: ("malformed", "不是合法的 HTTP 请求 · not a well-formed HTTP request"),
    408: ("too-slow", "请求未在时限内发完 · the request did not come in time"),
    431: ("head-too-large", "请求头过大 · the address and the headers are too large"),
    503: ("too-busy", "连接数已满，请稍后再试 · too many connections, try again later"),
}


class Connection(H11Protocol):
    """uvicorn's protocol with a clock beside it."""

    _phase = ""
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._has_room():
            self._enter("head", HEAD_SECONDS)
        else:
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:
        self._enter("", 0)
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:  # nobody will read the rest
            self._enter("linger", LINGER_SECONDS)
        elif self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]:
            self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong as every other error is said; h11 knows when it is the size."""
        error = sys.exc_info()[1]
        hint = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        self._refuse(hint if hint in _SAID else 400)

    def _has_room(self) -> bool:
        ours = sum(1 for one in self.connections if _address(one) == _address(self))
        return len(self.connections) <= MOST_CONNECTIONS and ours <= MOST_OF_ONE_ADDRESS

    def _watch(self) -> None:
        """Let the clock run that fits what the client is at; more of the same does not turn it back."""
        if self._phase == "linger":
            return
        if self.conn.their_state is h11.IDLE:
            self._enter("head", HEAD_SECONDS)
        elif self.conn.their_state is h11.SEND_BODY:
            self._enter("body", BODY_SECONDS)
        else:
            self._enter("", 0)

    def _enter(self, phase: str, seconds: float) -> None:
        if phase == self._phase:
            return
        self._phase = phase
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._late) if phase else None

    def _late(self) -> None:
        began = self._phase == "body" or self.conn.trailing_data[0]
        if began and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self._refuse(408)
        else:
            self.transport.close()
            self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _refuse(self, status: int) -> None:
        """Answer without the application, and hang up."""
        code, said = _SAID[status]
        body = bytes(problem(status, code, said).body)
        headers = {
            **HEADERS,
            "content-type": MEDIA_TYPE,
            "content-length": str(len(body)),
            "connection": "close",
            **({"retry-after": "5"} if status == 503 else {}),
        }
        head = h11.Response(
            status_code=status,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            reason=HTTPStatus(status).phrase.encode(),
        )
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)


def _address(connection: object) -> str | None:
    client = getattr(connection, "client", None)
    return client[0] if client else None
