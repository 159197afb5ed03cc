"""What many rooms' tests share: one private RabbitMQ for the whole run, a virtual host of one's own on it, and a PostgreSQL."""

import itertools
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from spooler.sandbox import broker as sandbox
from spooler.sandbox.broker import PrivateBroker
from spooler.sandbox.ports import KEPT_FREE, RANGE_VARIABLE
from spooler.wire.link import BrokerAddress, PikaLink
from spooler.wire.management import Management
from spooler.wire.topology import Topology
from tests.postgresql import PostgreSQL, private_postgresql

WORKER = os.environ.get("PYTEST_XDIST_WORKER")
MOST_WORKERS = 8
# Rooms whose files take minutes: begun first, so that nobody waits for a late one alone.
LONGEST_FIRST = ("crash", "journeys", "storm", "bench", "rows", "acts", "disk")
# They use the same sandbox of eleven registries, which takes 20 s to come up.
IN_THE_COUNTY = {
    f"tests/journeys/test_{name}.py" for name in ("one_certificate", "killed_in_the_middle", "lost_journal")
}


def pytest_configure() -> None:
    """Give each worker ports of its own: what starts side by side must not choose the same."""
    if WORKER:
        width = len(KEPT_FREE) // MOST_WORKERS
        first = KEPT_FREE.start + int(WORKER.removeprefix("gw")) % MOST_WORKERS * width
        os.environ[RANGE_VARIABLE] = f"{first}-{first + width - 1}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the rooms whose files take longest come first."""

    def room(item: pytest.Item) -> int:
        name = item.path.relative_to(item.config.rootpath / "tests").parts[0]
        return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=room)


class FilesTogether(LoadFileScheduling):
    """A file's tests go to one worker, and so do all files that share a sandbox."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "county" if file in IN_THE_COUNTY else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether:
    return FilesTogether(config, log)


@dataclass(frozen=True)
class VirtualHost:
    """A virtual host made as a topology describes it; every user's password is the user's name."""

    name: str
    broker: PrivateBroker
    topology: Topology

    def address(self, user: str = sandbox.ADMINISTRATOR, *, port: int | None = None, **more) -> BrokerAddress:
        password = self.broker.password if user == sandbox.ADMINISTRATOR else user
        return BrokerAddress("127.0.0.1", port or self.broker.amqp_port, self.name, user, password, **more)

    def link(self, *queues: str, user: str = sandbox.ADMINISTRATOR, **more) -> PikaLink:
        return PikaLink(self.address(user, **more), queues, name="test")

    def management(self) -> Management:
        return self.broker.management(self.name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory) -> Iterator[PrivateBroker]:
    """A private RabbitMQ, started at the first need and used by all tests (about 8 s)."""
    private = sandbox.prepare(tmp_path_factory.mktemp("broker"))
    process = sandbox.start(private)
    try:
        sandbox.wait_ready(private)
        yield private
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A private PostgreSQL, started at the first need (about 3 s)."""
    with private_postgresql() as server:
        yield server


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """A daemon that a test starts in this process sends its logs to that test's standard error, and nowhere later."""
    level = logging.root.level
    yield
    ours = [h for h in logging.root.handlers if isinstance(h.formatter, structlog.stdlib.ProcessorFormatter)]
    if ours:
        for handler in ours:
            logging.root.removeHandler(handler)
        logging.root.setLevel(level)
        structlog.reset_defaults()


_numbers = itertools.count(1)


@pytest.fixture
def make_virtual_host(broker) -> Callable[[Topology], VirtualHost]:
    """Return a maker of fresh virtual hosts, so that no test sees another's letters."""

    def make(topology: Topology) -> VirtualHost:
        host = VirtualHost(f"test-{next(_numbers)}", broker, topology)
        with host.management() as management:
            management.apply(topology, {user.name: user.name for user in topology.users})
        return host

    return make
