"""The network that misbehaves, alone: what a storm believes to have done to a connection has happened to it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.storm.proxy import FINE, Manner, Proxy

SECONDS = 5.0


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of somebody who says everything back."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=_echo, args=(server.accept()[0],), daemon=True).start()


def _echo(end: socket.socket) -> None:
    with contextlib.suppress(OSError), end:
        while data := end.recv(65536):
            end.sendall(data)


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    proxy = Proxy(echo)
    yield proxy
    proxy.close()


@contextlib.contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=SECONDS) as end:
        yield end


def comes_back(end: socket.socket, data: bytes) -> bytes:
    end.sendall(data)
    got = b""
    while len(got) < len(data) and (piece := end.recv(65536)):
        got += piece
    return got


def test_what_goes_in_comes_out_and_an_end_is_passed_on(proxy):
    data = bytes(range(256)) * 4000
    with connected(proxy) as end:
        threading.Thread(target=end.sendall, args=(data,)).start()
        got = b""
        while len(got) < len(data):
            got += end.recv(65536)
        assert got == data
        end.shutdown(socket.SHUT_WR)
        assert end.recv(1) == b""


def test_a_slow_network_delays_each_way(proxy):
    with connected(proxy) as end:
        proxy.behave(Manner(latency_seconds=0.1, jitter_seconds=0.05))
        began = time.monotonic()
        assert comes_back(end, b"ping") == b"ping"
        assert 0.2 <= time.monotonic() - began < 5


def test_a_half_open_connection_takes_everything_and_is_dead_for_good(proxy):
    with connected(proxy) as end:
        assert comes_back(end, b"ping") == b"ping"
        proxy.behave(Manner(is_half_open=True))
        end.settimeout(0.3)
        with pytest.raises(TimeoutError):
            comes_back(end, b"ping")
        proxy.behave(FINE)
        with pytest.raises(TimeoutError):
            comes_back(end, b"ping")
    with connected(proxy) as end:
        assert comes_back(end, b"ping") == b"ping"


def test_a_cut_lets_so_many_bytes_through_and_then_resets(proxy):
    with connected(proxy) as end:
        assert comes_back(end, b"before") == b"before"
        proxy.behave(Manner(cut_after=16))
        assert comes_back(end, b"12345678") == b"12345678"
        with pytest.raises(OSError):  # reset, or a broken pipe
            for _ in range(100):
                end.sendall(b"more")
                time.sleep(0.02)


def test_refusing_ends_what_stands_and_takes_nobody_until_it_is_over(proxy):
    with connected(proxy) as end:
        assert comes_back(end, b"ping") == b"ping"
        proxy.behave(Manner(refuses=True))
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionRefusedError), connected(proxy):
        pass
    proxy.behave(FINE)
    with connected(proxy) as end:
        assert comes_back(end, b"ping") == b"ping"


def test_a_target_that_is_away_is_told_by_a_reset(proxy, echo):
    away = Proxy(1)
    with pytest.raises(ConnectionResetError), connected(away) as end:  # already while it connects, if that is slow
        end.recv(1)
    away.close()
