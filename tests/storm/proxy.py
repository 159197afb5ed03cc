"""The network between us and the broker: a TCP proxy that is slow, goes dead, cuts after some bytes, or refuses, on request."""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from spooler.sandbox.ports import LOOPBACK, free_ports

CHUNK = 65536
PATIENCE_SECONDS = 10.0
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing says RST, and what was under way is gone


@dataclass(frozen=True)
class Manner:
    """How the network behaves from now on."""

    latency_seconds: float = 0.0
    jitter_seconds: float = 0.0
    is_half_open: bool = False  # takes everything, forwards nothing, and is dead for good: a router has forgotten it
    cut_after: int | None = None  # bytes that each connection still carries, both ways together
    refuses: bool = False


FINE = Manner()


class Proxy:
    """Forwards a port of its own to `target`, in a thread of its own. `listener` may be of another network namespace."""

    def __init__(self, target: int, listener: socket.socket | None = None) -> None:
        self._target = target
        self._listener = listener
        self.port = listener.getsockname()[1] if listener else free_ports(1)[0]
        self._manner = FINE
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True).start()
        self._wait_for(self._listen())

    def behave(self, manner: Manner) -> None:
        """For connections that stand and for those to come."""
        self._wait_for(self._begin(manner))

    def close(self) -> None:
        self._wait_for(self._begin(Manner(refuses=True)))
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def connections(self) -> int:
        return len(self._connections)

    def _wait_for(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_SECONDS)

    async def _begin(self, manner: Manner) -> None:
        self._manner = manner
        for connection in list(self._connections):
            connection.behave(manner)
        if manner.refuses:
            await self._stop_listening()
        elif self._server is None:
            await self._listen()

    async def _listen(self) -> None:
        if self._listener is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)
        else:
            self._server = await asyncio.start_server(self._accept, sock=self._listener)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_target = await asyncio.open_connection(LOOPBACK, self._target)
        except OSError:
            _reset(writer)  # nobody behind us
            return
        connection = Connection((reader, writer), to_target, self._manner)
        self._connections.add(connection)
        try:
            await connection.carry()
        finally:
            self._connections.discard(connection)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection:
    """One connection through the proxy, both ways."""

    def __init__(self, client: Ends, target: Ends, manner: Manner) -> None:
        self._client, self._target = client, target
        self._is_dead = False
        self.behave(manner)

    def behave(self, manner: Manner) -> None:
        self._manner = manner
        self._left = manner.cut_after
        if manner.refuses:
            self._cut()

    async def carry(self) -> None:
        """Return when both ways have ended."""
        (from_client, to_client), (from_target, to_target) = self._client, self._target
        await asyncio.gather(self._pump(from_client, to_target), self._pump(from_target, to_client))
        self._each(lambda writer: writer.close())

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(CHUNK):
                await self._forward(piece, sink)
            sink.write_eof()

    async def _forward(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        manner = self._manner
        if manner.latency_seconds:
            await asyncio.sleep(manner.latency_seconds + random.uniform(0, manner.jitter_seconds))
        self._is_dead = self._is_dead or self._manner.is_half_open
        if self._is_dead:
            return
        allowed = piece if self._left is None else piece[: self._left]
        sink.write(allowed)
        await sink.drain()
        if self._left is not None:
            self._left -= len(allowed)
            if self._left == 0:
                self._cut()

    def _cut(self) -> None:
        self._each(_reset)

    def _each(self, act: Callable[[asyncio.StreamWriter], None]) -> None:
        for _, writer in (self._client, self._target):
            act(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    with suppress(OSError):  # it may be gone
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
