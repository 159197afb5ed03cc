"""HTTP in a thread of its own: uvicorn, started and stopped like every other part."""

import socket
from collections.abc import Callable
from threading import Thread
from time import monotonic, sleep
from typing import Any

import uvicorn

from spooler.daemon.connection import Connection
from spooler.daemon.guard import MAX_HEAD_BYTES
from spooler.daemon.settings import SettingsError

_LAST_PORT = 65_535
_START_SECONDS = 10.0
_LONGEST_ANSWER_SECONDS = 3


class CannotListen(SettingsError, OSError, ValueError):
    """`listen` names no address, or one that is taken."""


class HttpServer:
    """Serves an ASGI application. Port 0 takes a free one; `port` says which, once started."""

    def __init__(self, app: Any, host: str, port: int, *, before_stop: Callable[[], None] = lambda: None) -> None:
        """`before_stop` ends what would be answered for long."""
        self._host = host
        self._before_stop = before_stop
        self.port = port
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                access_log=False,  # it would show query strings
                log_config=None,
                server_header=False,
                http=Connection,
                ws="none",
                lifespan="off",
                h11_max_incomplete_event_size=2 * MAX_HEAD_BYTES,
                timeout_graceful_shutdown=_LONGEST_ANSWER_SECONDS,
                timeout_keep_alive=30,
            )
        )
        self._thread: Thread | None = None

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Return once connections are taken; CannotListen when the address is in use."""
        listener = _listen(self._host, self.port)
        self.port = listener.getsockname()[1]
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
        self._thread.start()
        give_up = monotonic() + _START_SECONDS
        while not self._server.started:
            if not self.is_alive or monotonic() > give_up:
                raise RuntimeError("the HTTP server did not start: see the log")
            sleep(0.01)

    def stop(self) -> None:
        self._before_stop()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_LONGEST_ANSWER_SECONDS + 2)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=512)
    except OSError as e:
        raise CannotListen(f"listen = {host}:{port}: 端口不可用 · {e.strerror}") from e
    # Connections inherit it. asyncio sets it only where a socket names its protocol, which this one does not: each answer on a
    # connection that is kept would wait 40 ms, its body (Nagle, RFC 1122 §4.2.3.4) for the acknowledgement of its head.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def split_listen(listen: str) -> tuple[str, int]:
    """Return host and port of "127.0.0.1:8600" or "[::1]:8600"; CannotListen for what is neither."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > _LAST_PORT:
        raise CannotListen(f"listen = {listen!r}: 应为 主机:端口 · host:port is needed, as in 127.0.0.1:8600")
    return host.strip("[]"), int(port)
