"""A home's API over a real store, real documents on disk and the real renderer; only halls and keys are missing."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from spooler.api.app import make_api
from spooler.api.auth import Caller, Callers
from spooler.api.parts import Parts
from spooler.controls import Controls
from spooler.daemon.probe import probe_router
from spooler.documents import Documents
from spooler.intake.keep import Intake
from spooler.render import Renderer, find_templates
from spooler.store import Database, Store
from spooler.store.tables import metadata
from tests.spooler.intake.build import HALLS, checker

SERVED = ("231221", "231202")
CALLERS = {
    "clerk": Caller("clerk", "", frozenset({"submit", "read", "operate"}), frozenset({"*"})),
    "approver": Caller("approver", "", frozenset({"approve"}), frozenset({"*"})),
    "north": Caller("north", "", frozenset({"submit", "read", "operate", "approve"}), frozenset({"231221"})),
    "reader": Caller("reader", "", frozenset({"read"}), frozenset({"*"})),
    "submitter": Caller("submitter", "", frozenset({"submit"}), frozenset({"*"})),
    "hall": Caller("hall", "", frozenset({"hall"}), frozenset(), frozenset({HALLS[0]})),
}


@dataclass
class Home:
    """The API and what stands behind it."""

    app: Any
    store: Store
    documents: Documents
    requests: list[tuple[str, str, str]]

    def client(self, who: str | None = "clerk") -> TestClient:
        headers = {"Authorization": f"Bearer token-of-{who}"} if who else {}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)


@pytest.fixture(scope="session")
def layout() -> Renderer:
    return Renderer(find_templates())


def a_home(directory: Path, layout: Any, **more: Any) -> Home:
    database = Database(f"sqlite:///{directory / 'home.db'}")
    metadata.create_all(database.engine)
    store = Store(database, lambda: datetime.now(UTC))
    documents = Documents(directory / "documents")
    judged = checker(layout, now=datetime.now(UTC), served=SERVED)
    counted: list[tuple[str, str, str]] = []
    parts = Parts(
        intake=Intake(checker=judged, book=store.jobs, shelf=documents),
        store=store,
        documents=documents,
        acts=Controls(store, {}),
        callers=Callers(with_token(caller) for caller in CALLERS.values()),
        registries=frozenset(SERVED),
        hall_names=dict.fromkeys(HALLS, "大厅"),
        probe=probe_router(ready={"store": lambda: True}, registry=CollectorRegistry()),
        count_request=lambda *labels: counted.append(labels),
        **more,
    )
    return Home(make_api(parts), store, documents, counted)


def with_token(caller: Caller) -> Caller:
    hashed = hashlib.sha256(f"token-of-{caller.id}".encode()).hexdigest()
    return Caller(caller.id, hashed, caller.roles, caller.registries, caller.halls)


@pytest.fixture
def home(tmp_path, layout) -> Iterator[Home]:
    made = a_home(tmp_path, layout)
    yield made
    made.store.close()
