"""A daemon answers what a supervisor asks, from a thread, and lets its port go when it stops."""

import time

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Gauge

from spooler.daemon.probe import probe_router
from spooler.daemon.server import HttpServer, split_listen


@pytest.fixture
def checks() -> dict[str, bool]:
    return {"broker": True, "store": True}


@pytest.fixture
def server(checks):
    registry = CollectorRegistry()
    Gauge("certspool_outbox_depth", "Letters waiting", ["link"], registry=registry).labels(link="broker").set(3)
    app = FastAPI()

    def broken() -> bool:
        raise OSError("no such table")

    app.include_router(
        probe_router(
            ready={"broker": lambda: checks["broker"], "store": lambda: checks["store"] or broken()},
            alive={"courier": lambda: checks.get("courier", True)},
            registry=registry,
        )
    )

    @app.get("/slow")
    def slow() -> str:
        time.sleep(0.3)
        return "done"

    server = HttpServer(app, "127.0.0.1", 0)
    server.start()
    yield server
    server.stop()
    assert not server.is_alive


@pytest.fixture
def client(server):
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client


def test_healthz_says_that_the_process_lives(client, checks):
    assert (client.get("/healthz").status_code, client.get("/healthz").json()["status"]) == (200, "ok")

    checks["courier"] = False
    assert client.get("/healthz").status_code == 503


def test_an_answer_on_a_connection_that_is_kept_does_not_wait_for_an_acknowledgement(client):
    """Nagle's algorithm would hold back each answer's body until the client's kernel acknowledges its head: 40 ms on Linux."""
    seconds = []
    for _ in range(60):  # the first are acknowledged at once in any case
        began = time.perf_counter()
        assert client.get("/metrics").status_code == 200
        seconds.append(time.perf_counter() - began)

    assert min(seconds[-20:]) < 0.03


def test_readyz_names_what_is_not_ready(client, checks):
    assert client.get("/readyz").json() == {"status": "ok", "checks": {"broker": True, "store": True}}

    checks["broker"] = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"broker": False, "store": True})


def test_a_check_that_breaks_counts_as_no(client, checks):
    """And its text, which may hold values, is not shown to whoever asks."""
    checks["store"] = False

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["checks"]["store"]) == (503, False)
    assert "no such table" not in answer.text


def test_metrics_are_in_prometheus_form(client):
    answer = client.get("/metrics")

    assert 'certspool_outbox_depth{link="broker"} 3.0' in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_server_does_not_say_what_it_is(client):
    assert "server" not in client.get("/healthz").headers


def test_an_address_in_use_is_told_at_start(server):
    with pytest.raises(OSError, match="in use"):
        HttpServer(FastAPI(), "127.0.0.1", server.port).start()


def test_a_stopped_server_lets_its_port_go():
    first = HttpServer(FastAPI(), "127.0.0.1", 0)
    first.start()
    first.stop()

    again = HttpServer(FastAPI(), "127.0.0.1", first.port)
    again.start()
    again.stop()


def test_stop_waits_for_an_answer_under_way(server, client):
    """A request that was taken is answered before the daemon ends."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.get, "/slow")
        time.sleep(0.1)
        server.stop()

    assert answer.result().json() == "done"


@pytest.mark.parametrize("listen, expected", [("127.0.0.1:8600", ("127.0.0.1", 8600)), ("[::1]:80", ("::1", 80))])
def test_listen_is_host_and_port(listen, expected):
    assert split_listen(listen) == expected


@pytest.mark.parametrize("wrong", ["8600", "127.0.0.1", ":8600", "127.0.0.1:x", "127.0.0.1:99999"])
def test_a_listen_without_host_or_port_is_told(wrong):
    with pytest.raises(ValueError, match="listen"):
        split_listen(wrong)
