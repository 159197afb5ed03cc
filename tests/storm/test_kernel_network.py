"""The kernel itself drops and resets what goes between a courier and RabbitMQ: nothing lost, its order kept, back by itself."""

from collections.abc import Callable, Iterator, Sequence

import pytest

from spooler.wire.courier import Courier, Pace
from spooler.wire.errors import WireError
from spooler.wire.letters import Delivery, Letter
from spooler.wire.link import PikaLink
from spooler.wire.topology import ORDER_TYPE, ORDERS, describe, hall_queue, to_hall
from tests.agents.paper.hall import until
from tests.conftest import VirtualHost
from tests.sealing import HALL, HOME
from tests.storm import namespace
from tests.storm.namespace import DROP, RESET, Namespace
from tests.storm.proxy import Proxy

QUEUE = hall_queue(HALL)
QUICK = Pace(tick_seconds=0.05, first_rest_seconds=0.05, longest_rest_seconds=0.5)


class Side:
    """An outbox and an inbox."""

    def __init__(self) -> None:
        self._waiting: dict[str, Letter] = {}
        self.came: list[str] = []

    def put(self, *ids: str) -> None:
        for id in ids:
            self._waiting[id] = Letter(id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, b"sealed", {"order_id": id})

    def pending(self, limit: int) -> Sequence[Letter]:
        return list(self._waiting.values())[:limit]

    def sent(self, letter_id: str) -> None:
        del self._waiting[letter_id]

    def failed(self, letter_id: str, error: WireError) -> None:
        raise AssertionError(error)

    def handle(self, delivery: Delivery) -> None:
        if delivery.id not in self.came:  # what was not confirmed is sent again under its id
            self.came.append(delivery.id)


class LinkFromThere(PikaLink):
    """Its thread goes into the namespace before it connects."""

    def __init__(self, there: Namespace, *which) -> None:
        super().__init__(*which)
        self._there = there

    def open(self) -> None:
        self._there.enter()
        super().open()


@pytest.fixture
def there() -> Iterator[Namespace]:
    if why := namespace.hindrance():
        pytest.skip(why)
    with namespace.a_namespace() as there:
        yield there


@pytest.mark.parametrize("how", [pytest.param(DROP, marks=pytest.mark.soak), RESET])
def test_what_the_network_swallows_or_resets_comes_once_and_in_order_when_it_is_well_again(
    make_virtual_host: Callable[..., VirtualHost], there: Namespace, how: str
) -> None:
    """A reset is noticed at once, a drop by heartbeats (pika takes 12 s for two of them); each letter comes, in its order."""
    host = make_virtual_host(describe([HOME], [HALL]))
    bridge, side = Proxy(host.broker.amqp_port, there.listener()), Side()
    address = host.address(port=bridge.port, heartbeat_seconds=1, connect_seconds=1.0)
    courier = Courier(lambda: LinkFromThere(there, address, [QUEUE]), side, side, pace=QUICK)
    courier.start()
    try:
        side.put("1")
        until(lambda: side.came == ["1"])
        there.treat(bridge.port, how)
        side.put("2", "3", "4")
        until(lambda: not courier.is_connected, why="for it to be noticed")
        assert side.came == ["1"]

        there.heal()

        until(lambda: side.came == ["1", "2", "3", "4"])
        until(lambda: side.pending(10) == [] and courier.is_connected)
    finally:
        courier.stop()
        bridge.close()
