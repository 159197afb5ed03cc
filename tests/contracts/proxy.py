"""A TCP proxy that can cut, stall and swallow: the network between us and the broker, misbehaving on request."""

import contextlib
import socket
from threading import Event, Thread


class Proxy:
    """Forwards a port of its own to `target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut_after: int | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._refuses = False
        self._swallow_from: int | None = None
        self._answers_pass = Event()
        self._answers_pass.set()
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, as a router does."""
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._open.clear()

    def cut_after(self, count: int) -> None:
        """Once: break every connection when so many more bytes of ours have gone through, wherever a frame ends."""
        self._cut_after = count

    def refuse(self) -> None:
        """As a broker that is down: break what stands, and take no connection until `accept`."""
        self._refuses = True
        self.cut()

    def accept(self) -> None:
        self._refuses = False

    def swallow_answers(self) -> None:
        """What the broker says does not arrive any more; what we say still does."""
        self._answers_pass.clear()

    def swallow_answers_to(self, at_least: int) -> None:
        """From the next time that we say so much at once, no answer arrives: an order goes out, and its confirm is lost."""
        self._swallow_from = at_least

    def let_answers_pass(self) -> None:
        """For connections made from now on."""
        self._answers_pass.set()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._refuses:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                Thread(target=self._pump, args=(client, server, None), daemon=True).start()
                Thread(target=self._pump, args=(server, client, self._answers_pass), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, passes: Event | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if passes is None and self._swallow_from is not None and len(data) >= self._swallow_from:
                    self._swallow_from = None
                    self.swallow_answers()
                if passes is None and self._ends_within(data, sink):
                    return
                if passes is None or passes.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)

    def _ends_within(self, data: bytes, sink: socket.socket) -> bool:
        if self._cut_after is None:
            return False
        left, self._cut_after = self._cut_after, max(0, self._cut_after - len(data))
        if self._cut_after:
            return False
        self._cut_after = None
        sink.sendall(data[:left])
        self.cut()
        return True
