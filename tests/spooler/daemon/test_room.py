"""Calls that block wait for their own kind: a supervisor, and every other caller, is answered meanwhile."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from spooler.daemon.probe import probe_router
from spooler.daemon.room import in_a_room_of
from spooler.daemon.server import HttpServer

MORE_THAN_ALL_THREADS = 60
ROOM = 4


class Blocking:
    """An API whose one call does not come back before it is let go."""

    def __init__(self) -> None:
        self.begun, self.over = Semaphore(0), Event()
        app = FastAPI()
        app.include_router(probe_router(ready={}, registry=CollectorRegistry()))

        @app.get("/roomed")
        @in_a_room_of(ROOM)
        def roomed(word: str = "done") -> str:
            return self._block(word)

        @app.get("/anywhere")
        def anywhere() -> str:
            return self._block("done")

        @app.get("/quick")
        def quick() -> str:
            return "at once"

        self.server = HttpServer(app, "127.0.0.1", 0)
        self.server.start()
        self.callers = ThreadPoolExecutor(MORE_THAN_ALL_THREADS)

    def _block(self, word: str) -> str:
        self.begun.release()
        self.over.wait(60)
        return word

    def get(self, path: str, seconds: float = 60) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.server.port}{path}", timeout=seconds, trust_env=False)

    def fill(self, path: str, until: int) -> list:
        """Let more call than there are threads, and wait until so many have begun."""
        calls = [self.callers.submit(self.get, path) for _ in range(MORE_THAN_ALL_THREADS)]
        for _ in range(until):
            assert self.begun.acquire(timeout=30)
        return calls

    def close(self) -> None:
        self.over.set()
        self.callers.shutdown()
        self.server.stop()


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    api = Blocking()
    yield api
    api.close()


@pytest.mark.attack_row("S15")
def test_a_supervisor_is_answered_while_every_thread_is_taken(blocking):
    blocking.fill("/anywhere", until=40)

    assert [blocking.get(path, seconds=20).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3


@pytest.mark.attack_row("S15")
def test_calls_in_a_room_leave_all_other_threads_free(blocking):
    calls = blocking.fill("/roomed", until=ROOM)

    assert not blocking.begun.acquire(timeout=0.3)  # no fifth
    assert blocking.get("/quick", seconds=20).json() == "at once"
    blocking.over.set()
    assert {call.result().text for call in calls} == {'"done"'}


def test_a_call_in_a_room_is_asked_as_any_other(blocking):
    """Its parameters are read and checked as they are written."""
    blocking.over.set()

    assert blocking.get("/roomed?word=x").json() == "x"
    assert "word" in str(blocking.get("/openapi.json").json()["paths"]["/roomed"])
