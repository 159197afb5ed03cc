"""A client that is slow, silent, greedy or talks nonsense is hung up on, and the others are served meanwhile."""

import json
import socket
import time
from collections.abc import Iterator
from threading import Event, Thread

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from spooler.daemon import connection
from spooler.daemon.guard import HEADERS, MAX_HEAD_BYTES, Guard
from spooler.daemon.problem import LastResort
from spooler.daemon.server import HttpServer

SHORT = 0.4
LARGE = 32 << 20


@pytest.fixture
def server(monkeypatch) -> Iterator[HttpServer]:
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(connection, name, SHORT)
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def hello() -> str:
        return "hello"

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @app.post("/unread")
    def unread() -> Response:
        return Response(status_code=401)

    @app.get("/large")
    def large() -> Response:
        return Response(b"x" * LARGE)

    app.add_middleware(LastResort)
    app.add_middleware(Guard)
    made = HttpServer(app, "127.0.0.1", 0)
    made.start()
    yield made
    made.stop()


def _open(server: HttpServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def _all(client: socket.socket) -> bytes:
    """Return what comes until the other side hangs up."""
    found = b""
    try:
        while chunk := client.recv(65536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def _greeted(client: socket.socket) -> None:
    """Read one answer, and leave the connection open."""
    found = b""
    while not found.endswith(b'"hello"'):
        found += client.recv(65536)


def _problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert "content-type: application/problem+json" in lines
    for name, value in HEADERS.items():
        assert f"{name}: {value}".lower() in lines
    return int(lines[0].split()[1]), json.loads(body)["code"]


@pytest.mark.attack_row("S35")
def test_a_connection_that_says_nothing_is_closed(server):
    with _open(server) as client:
        began = time.monotonic()

        assert _all(client) == b""
        assert SHORT * 0.5 < time.monotonic() - began < SHORT + 3


@pytest.mark.attack_row("S35")
def test_a_head_that_drips_is_answered_408(server):
    """Slowloris: each byte does not buy more time."""
    with _open(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n")
        stop, began = Event(), time.monotonic()
        drip = Thread(target=_drip, args=(client, b"x-a: b\r\n", stop))
        drip.start()
        answer = _all(client)
        stop.set()
        drip.join()

    assert _problem(answer) == (408, "too-slow")
    assert time.monotonic() - began < SHORT + 3


@pytest.mark.attack_row("S35")
def test_a_body_that_drips_is_answered_408(server):
    with _open(server) as client:
        client.sendall(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n")
        stop = Event()
        drip = Thread(target=_drip, args=(client, b"x", stop))
        drip.start()
        answer = _all(client)
        stop.set()
        drip.join()

    assert _problem(answer) == (408, "too-slow")


def _drip(client: socket.socket, what: bytes, stop: Event) -> None:
    try:
        while not stop.wait(0.05):
            client.sendall(what)
    except OSError:
        pass  # hung up on, as it should be


@pytest.mark.attack_row("S35")
def test_a_second_request_on_an_open_connection_has_its_clock_too(server):
    with _open(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        _greeted(client)
        client.sendall(b"GET / HT")

        assert _problem(_all(client)) == (408, "too-slow")


def test_an_open_connection_is_kept_between_two_requests(server):
    with _open(server) as client:
        for _ in range(3):
            client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            _greeted(client)
            time.sleep(SHORT * 1.5)


def test_two_requests_in_one_breath_are_both_answered(server):
    with _open(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")

        assert _all(client).count(b'"hello"') == 2


@pytest.mark.attack_row("S35")
def test_a_body_that_nobody_reads_ends_with_the_answer(server, monkeypatch):
    """100 MB sent without a token: the answer comes at once, and the rest is not listened to for ever."""
    monkeypatch.setattr(connection, "BODY_SECONDS", 60.0)
    with _open(server) as client:
        client.sendall(b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        sent, began = 0, time.monotonic()
        try:
            while sent < 100 << 20 and time.monotonic() - began < 10:
                client.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
                sent += 0x100000
                time.sleep(0.05)
        except OSError:
            pass  # hung up on

    assert sent < 100 << 20
    assert time.monotonic() - began < SHORT + 4


@pytest.mark.attack_row("S35")
def test_a_body_that_is_announced_too_large_is_not_waited_for(server):
    with _open(server) as client:
        client.sendall(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 104857600\r\n\r\n")

        assert _problem(_all(client)) == (413, "too-large")


@pytest.mark.attack_row("S35")
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x-a: b\r\n" * 4_000 + b"\r\n",
        b"GET /?" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /" + b"a" * (4 * MAX_HEAD_BYTES),
        b"GET / HTTP/1.1\r\nhost: x\r\ncookie: " + b"a" * (20 * MAX_HEAD_BYTES),
    ],
    ids=["one long header", "many headers", "a long query", "an address without end", "a header without end"],
)
def test_a_head_that_is_too_large_is_refused(server, head):
    with _open(server) as client:
        client.sendall(head)

        assert _problem(_all(client)) == (431, "head-too-large")


@pytest.mark.attack_row("S35")
@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n"]
)
def test_what_is_no_http_is_said_so(server, nonsense):
    """A TLS handshake on the plain port, half a line, another version."""
    with _open(server) as client:
        client.sendall(nonsense + b"\r\n\r\n")

        assert _problem(_all(client)) == (400, "malformed")


@pytest.mark.attack_row("S35")
@pytest.mark.parametrize(
    "twice",
    [
        b"content-length: 3\r\ncontent-length: 30\r\n",
        b"content-length: -1\r\n",
        b"content-length: 3\r\ntransfer-encoding: gzip\r\n",
    ],
)
def test_a_body_of_two_lengths_is_refused(server, twice):
    """Request smuggling: a proxy in front may have read the other one."""
    with _open(server) as client:
        client.sendall(b"POST /body HTTP/1.1\r\nhost: x\r\n" + twice + b"\r\nabc")

        answer = _all(client)
        assert answer.split(b" ", 2)[1] in (b"400", b"501")


@pytest.mark.attack_row("S35")
def test_whoever_does_not_read_his_answer_is_hung_up_on(server, monkeypatch):
    monkeypatch.setattr(connection, "ANSWER_SECONDS", SHORT)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.settimeout(5)
        client.sendall(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(SHORT + 1)

        assert len(_all(client)) < LARGE


@pytest.mark.attack_row("S35")
def test_others_are_served_while_hundreds_hang(server, monkeypatch):
    """200 connections that say nothing, 200 that drip: a call takes no longer than a moment."""
    monkeypatch.setattr(connection, "HEAD_SECONDS", 3.0)
    monkeypatch.setattr(connection, "MOST_OF_ONE_ADDRESS", 450)
    hanging = [_open(server) for _ in range(400)]
    for client in hanging[::2]:
        client.sendall(b"GET / HTTP/1.1\r\nx:")
    try:
        took = [_seconds_of_a_call(server) for _ in range(10)]
    finally:
        for client in hanging:
            client.close()

    assert max(took) < 2.5


def _seconds_of_a_call(server: HttpServer) -> float:
    began = time.monotonic()
    assert httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False).json() == "hello"
    return time.monotonic() - began


@pytest.mark.attack_row("S35")
def test_one_address_has_so_many_connections_and_no_more(server, monkeypatch):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 5.0)
    monkeypatch.setattr(connection, "MOST_OF_ONE_ADDRESS", 8)
    hanging = [_open(server) for _ in range(8)]
    with _open(server) as client:
        assert _problem(_all(client)) == (503, "too-busy")
    with socket.create_connection(("127.0.0.1", server.port), 5, source_address=("127.0.0.2", 0)) as other:
        other.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b'"hello"' in _all(other)
    for client in hanging:
        client.close()


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize("path", ["/", "/nowhere", "/body"])
def test_every_answer_says_that_it_is_not_to_be_framed_guessed_at_or_kept(server, path):
    answer = httpx.get(f"http://127.0.0.1:{server.port}{path}", trust_env=False)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in answer.headers
