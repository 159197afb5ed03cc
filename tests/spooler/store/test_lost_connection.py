"""The database goes away while something is being committed: what was not heard is looked up, never written twice or believed lost."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from threading import Thread
from time import sleep

import pytest
from sqlalchemy.exc import OperationalError

from spooler.store import Database, Store
from spooler.store.columns import metadata
from spooler.store.values import Accepted, JobQuery, Same
from tests.postgresql import PostgreSQL

from .builders import CLERK, a_new_job


class Cutter:
    """Stands before PostgreSQL and cuts the line at a COMMIT: before it arrives, or after it was done and before that is heard."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts: list[str] = []
        self.was_cut = 0
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                Thread(target=self._there, args=(client, server), daemon=True).start()
                Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                if b"COMMIT\0" in data and self.cuts:
                    self._cut(self.cuts.pop(0), data, client, server)
                    return
                server.sendall(data)
        _close(client, server)

    def _cut(self, when: str, data: bytes, client: socket.socket, server: socket.socket) -> None:
        client.shutdown(socket.SHUT_RDWR)
        if when == "after":
            server.sendall(data)
            sleep(0.05)
        _close(client, server)
        self.was_cut += 1


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    _close(source, to)


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.fixture
def cutter(postgresql: PostgreSQL) -> Iterator[Cutter]:
    found = Cutter(postgresql.port)
    yield found
    found.close()


@pytest.fixture
def behind(postgresql: PostgreSQL, cutter: Cutter, clock) -> Iterator[Store]:
    """A store on PostgreSQL behind the cutter."""
    database = Database(postgresql.url(postgresql.fresh(), cutter.port))
    metadata.create_all(database.engine)
    store = Store(database, clock)
    yield store
    store.close()


@pytest.mark.fault_row("F42")
@pytest.mark.parametrize(("cuts", "outcome"), [(["before"], Accepted), (["after"], Same), (["before", "after"], Same)])
def test_a_request_whose_commit_was_not_heard_is_kept_once(behind, cutter, cuts, outcome):
    """The caller is answered with the one job that there is, whichever way it went."""
    cutter.cuts = list(cuts)

    answer = behind.jobs.accept(a_new_job(1), CLERK)

    assert cutter.was_cut == len(cuts)
    assert isinstance(answer, outcome)
    assert [job.job_id for job in behind.jobs.page(JobQuery()).jobs] == [answer.job.job_id]


@pytest.mark.fault_row("F42")
def test_a_database_that_stays_away_is_told_and_the_same_request_is_taken_later(postgresql, clock):
    database = Database(postgresql.url(postgresql.fresh()))
    metadata.create_all(database.engine)
    store = Store(database, clock)
    postgresql.kill()
    try:
        with pytest.raises(OperationalError):
            store.jobs.accept(a_new_job(1), CLERK)
    finally:
        postgresql.start()

    assert isinstance(store.jobs.accept(a_new_job(1), CLERK), Accepted)
    store.close()


@pytest.mark.fault_row("F42")
def test_a_server_that_falls_over_under_load_loses_and_doubles_nothing(postgresql, clock):
    """Thirty requests while the server is killed twice: each is one job, as its caller was told."""
    database = Database(postgresql.url(postgresql.fresh()))
    metadata.create_all(database.engine)
    store = Store(database, clock)

    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(_accept_until_answered, store, nth) for nth in range(1, 31)]
        for _ in range(2):
            sleep(0.3)
            postgresql.kill()
            postgresql.start()
        told = [one.result() for one in asked]

    assert sorted(job.job_id for job in store.jobs.page(JobQuery()).jobs) == sorted(told)
    store.close()


def _accept_until_answered(store: Store, number: int) -> str:
    for _ in count():
        with suppress(OperationalError):
            sleep(0.01 * number)
            return str(store.jobs.accept(a_new_job(number), CLERK).job.job_id)
    raise AssertionError
