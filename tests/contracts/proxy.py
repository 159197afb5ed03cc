"""A TCP proxy that can cut, stall and swallow: the network between us and the broker, misbehaving on request."""

import contextlib
import socket
from threading import Event, Thread


class Proxy:
    """Forwards a port of its own to `target`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
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

    def swallow_answers(self) -> None:
        """What the broker says does not arrive any more; what we say still does."""
        self._answers_pass.clear()

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
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                Thread(target=self._pump, args=(client, server, None), daemon=True).start()
                Thread(target=self._pump, args=(server, client, self._answers_pass), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, passes: Event | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if passes is None or passes.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
