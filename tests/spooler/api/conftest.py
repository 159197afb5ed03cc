"""A home's API over a real store, real documents on disk and the real renderer; only halls and keys are missing."""

import hashlib
import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from prometheus_client import CollectorRegistry

from spooler.another_order import AnotherOrder
from spooler.api.app import make_api
from spooler.api.auth import Caller, Callers
from spooler.api.parts import Parts
from spooler.controls import Controls
from spooler.daemon import logs
from spooler.daemon.limit import Limit
from spooler.daemon.probe import probe_router
from spooler.daemon.server import HttpServer
from spooler.documents import Documents
from spooler.electronic.join import page_beside_the_api
from spooler.electronic.opening import NONE_ISSUED, Openings
from spooler.enrolments import EnrolmentDesk
from spooler.intake.keep import Intake
from spooler.items import find_items, load_items
from spooler.metrics import Metrics
from spooler.prepare import Preparer
from spooler.render import Renderer, find_templates
from spooler.store import Database, Store
from spooler.store.columns import metadata
from spooler.wire.trust import Trust
from spooler.write_off import HallsWrittenOff
from tests.spooler.intake.build import HALLS, checker
from tests.spooler.intake.build import trust as a_trust

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
    """The API as it is served, and what stands behind it."""

    server: HttpServer
    app: Any
    store: Store
    documents: Documents
    requests: list[tuple[str, str, str]]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def client(self, who: str | None = "clerk") -> httpx.Client:
        """Return a client that calls as one of CALLERS, or as nobody."""
        headers = {"Authorization": f"Bearer {token_of(who)}"} if who else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def close(self) -> None:
        self.server.stop()
        self.store.close()


def generous() -> Limit:
    """Most tests show many tokens that nobody has."""
    return Limit(a_minute=1_000_000, at_once=100_000, all_a_second=1_000_000)


def token_of(who: str) -> str:
    return f"token-of-{who}"


@pytest.fixture(scope="session")
def layout() -> Renderer:
    return Renderer(find_templates())


def a_home(
    directory: Path,
    layout: Any,
    *,
    served: Any = SERVED,
    trusted: Any = None,
    keys: Any = None,
    openings: Openings = NONE_ISSUED,
    wrong: Limit | None = None,
    clock: Callable[[], datetime] | None = None,
    **more: Any,
) -> Home:
    """Return a home that serves on a free port."""
    database = Database(f"sqlite:///{directory / 'home.db'}")
    metadata.create_all(database.engine)
    store = Store(database, clock or (lambda: datetime.now(UTC)))
    documents = Documents(directory / "documents")
    judged = checker(layout, now=datetime.now(UTC), served=served, trusted=trusted)
    counted: list[tuple[str, str, str]] = []
    parts = Parts(
        intake=Intake(checker=judged, book=store.jobs, shelf=documents, openings=openings),
        store=store,
        documents=documents,
        acts=Controls(store, keys or {}),
        another_order=AnotherOrder(store=store, prepare=_preparer(store, documents, trusted or a_trust())),
        written_off=HallsWrittenOff(store, trusted or a_trust()),
        enrolments=EnrolmentDesk(store, clock or (lambda: datetime.now(UTC))),
        enrolment_limit=generous(),
        callers=Callers((with_token(caller) for caller in CALLERS.values()), wrong or generous()),
        registries=frozenset(served),
        hall_names=dict.fromkeys(HALLS, "大厅"),
        items=load_items(find_items()),
        probe=probe_router(ready={"store": lambda: True}, registry=CollectorRegistry()),
        verify=page_beside_the_api(store, lambda: datetime.now(UTC), Metrics()),
        count_request=lambda *labels: counted.append(labels),
    )
    app = make_api(replace(parts, **more))
    server = HttpServer(app, "127.0.0.1", 0, before_stop=parts.stopping.set)
    server.start()
    return Home(server, app, store, documents, counted)


def _preparer(store: Store, documents: Documents, trust: Trust) -> Preparer:
    """Without keys it seals nothing: these tests look at what stands in the way of sealing."""
    return Preparer(
        store=store,
        documents=documents,
        trust=trust,
        seals={},
        ticket_keys={},
        order_days=3,
        clock=lambda: datetime.now(UTC),
        is_closed=HallsWrittenOff(store, trust).is_closed,
    )


def with_token(caller: Caller) -> Caller:
    hashed = hashlib.sha256(token_of(caller.id).encode()).hexdigest()
    return Caller(caller.id, hashed, caller.roles, caller.registries, caller.halls)


@pytest.fixture
def home(tmp_path, layout) -> Iterator[Home]:
    made = a_home(tmp_path, layout)
    yield made
    made.close()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the daemon would log; the process's logging is put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.set_up(stream=stream)
    yield stream
    root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.fixture
def client(home) -> Iterator[httpx.Client]:
    """The clerk of the registration system: submit, read, operate, all registries."""
    with home.client() as made:
        yield made
