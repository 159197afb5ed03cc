"""A counter with its API: real ledger and acts, callers by token."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from agents.accounts import Account, Role
from agents.api.app import make_api
from agents.api.parts import Parts
from spooler.daemon.login.door import Door
from spooler.daemon.probe import probe_router
from spooler.daemon.server import HttpServer
from tests.agents.counter.hall import Counter
from tests.sealing import Office

TOKENS = {"clerk": "token-of-the-clerk", "approver": "token-of-the-chief", "both": "token-of-both"}


def account(id_: str, *roles: Role) -> Account:
    return Account(id_, frozenset(roles), sha256(TOKENS[id_].encode()).hexdigest())


ACCOUNTS = (
    account("clerk", Role.CLERK),
    account("approver", Role.APPROVE),
    account("both", Role.CLERK, Role.APPROVE),
)


def api_of(counter: Counter, door: Door | None = None) -> Any:
    probe = probe_router(ready={}, registry=CollectorRegistry())
    return make_api(
        Parts(
            counter.acts,
            counter.stock,
            ACCOUNTS,
            probe,
            counter.hall.changes,
            reconciliation=counter.hall.reconciliation,
            calibration=counter.hall.calibration,
            door=door or Door("hall"),
        )
    )


@dataclass
class Desk:
    """The API as its callers see it; every answer is checked to be kept by nobody."""

    counter: Counter
    http: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = TestClient(api_of(self.counter), raise_server_exceptions=False)

    def call(self, method: str, path: str, by: str | None = "clerk", **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {TOKENS.get(by, by)}"} if by else {}
        answer = self.http.request(method, path, headers=headers, **options)
        assert answer.headers["cache-control"] == "no-store"
        return answer

    def get(self, path: str, by: str | None = "clerk", **query: Any) -> Any:
        return self.call("GET", path, by, params=query)

    def post(self, path: str, by: str | None = "clerk", **body: Any) -> Any:
        return self.call("POST", path, by, json=body)

    def act(self, order_id: Any, act: str, by: str = "clerk", **body: Any) -> Any:
        return self.post(f"/v1/orders/{order_id}/{act}", by, **body)


@pytest.fixture(scope="session")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def counter(office, tmp_path) -> Counter:
    return Counter(office, tmp_path / "hall")


@pytest.fixture
def desk(counter) -> Desk:
    return Desk(counter)


@pytest.fixture
def served(counter) -> Iterator[Callable[[], str]]:
    """Serve the counter over real HTTP; returns its address."""
    server = HttpServer(api_of(counter), "127.0.0.1", 0)
    server.start()
    yield lambda: f"http://127.0.0.1:{server.port}"
    counter.hall.changes.stop()
    server.stop()
