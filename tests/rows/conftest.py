"""One installation for the rows about home and broker: killed, cut off and starved in turn, as real ones are."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import TypeVar

import pytest

from spooler.sandbox.ports import free_ports
from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm
from tests.conftest import VirtualHost
from tests.contracts.proxy import Proxy
from tests.rows.installation import Installation, a_hall, now
from tests.sealing import HALL, HOME, OTHER_HALL, OTHER_HOME, Office
from tests.spooler.core.process import TOPOLOGY, HomeProcess
from tests.spooler.core.receiver import Receiver

MOST_WAITING_LETTERS = 12
T = TypeVar("T")


@pytest.fixture(scope="module")
def todays_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Keys that are valid today."""
    directory = tmp_path_factory.mktemp("keys") / "pki"
    registries = [
        pki.NewRegistry(HOME, "望奎县", "黑", "望奎县"),
        pki.NewRegistry(OTHER_HOME, "北林区", "黑", "绥化市"),
    ]
    halls = [pki.NewHall(HALL, "肇东市 01"), pki.NewHall(OTHER_HALL, "海伦市 01")]
    pki.init(directory, registries, halls, now=now() - timedelta(days=1), algorithm=SealAlgorithm.P_256)
    return Office(directory)


@pytest.fixture(scope="module")
def installation(broker, todays_office: Office, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    host = VirtualHost("rows", broker, TOPOLOGY)
    with host.management() as management:
        management.apply(TOPOLOGY, {user.name: user.name for user in TOPOLOGY.users})
    (port,) = free_ports(1)
    with ExitStack() as ends:
        network = closed_at_the_end(ends, Proxy(broker.amqp_port))
        receiver = closed_at_the_end(ends, Receiver())
        hall = a_hall(todays_office, tmp_path_factory.mktemp("hall"), host)
        ends.callback(hall.counter.ledger.close)
        ends.callback(hall.stop)
        home = HomeProcess(
            tmp_path_factory.mktemp("home"),
            todays_office.directory,
            port,
            host,
            receiver.port,
            broker_port=network.port,
            home_settings=f"most_waiting_letters = {MOST_WAITING_LETTERS}",
        )
        home.start()
        ends.callback(home.kill)
        home.wait_ready()
        yield Installation(home, hall, network, host)


def closed_at_the_end(ends: ExitStack, part: T) -> T:
    ends.callback(part.close)  # type: ignore[attr-defined]
    return part
