"""The two ways a letter can travel in tests, RabbitMQ and memory, with the same few handles on each."""

from collections.abc import Callable
from threading import Timer
from typing import Protocol

from spooler.wire.letters import Link
from spooler.wire.link import PikaLink
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import Topology
from tests.conftest import VirtualHost
from tests.contracts.proxy import Proxy


class Carrier(Protocol):
    def link(self, *queues: str, prefetch: int = 16) -> Link: ...

    def cut(self) -> None:
        """Break all connections."""

    def lose_the_next_confirm(self) -> None: ...

    def recover(self) -> None:
        """Misbehave no more, on connections made from now on."""

    def delete_queue(self, name: str) -> None: ...

    def close(self) -> None: ...


class MemoryCarrier:
    def __init__(self, topology: Topology) -> None:
        self._broker = MemoryBroker(topology)

    def link(self, *queues: str, prefetch: int = 16) -> Link:
        return MemoryLink(self._broker, queues, prefetch=prefetch)

    def cut(self) -> None:
        self._broker.cut()

    def lose_the_next_confirm(self) -> None:
        self._broker.lose_confirms(1)

    def recover(self) -> None:
        self._broker.lose_confirms(0)

    def delete_queue(self, name: str) -> None:
        self._broker.delete_queue(name)

    def close(self) -> None:
        self._broker.stop()


class RabbitCarrier:
    """RabbitMQ behind a proxy."""

    def __init__(self, host: VirtualHost) -> None:
        self._host = host
        self._proxy = Proxy(host.broker.amqp_port)

    def link(self, *queues: str, prefetch: int = 16) -> Link:
        address = self._host.address(port=self._proxy.port)
        return PikaLink(address, queues, name="contract", prefetch=prefetch)

    def cut(self) -> None:
        self._proxy.cut()

    def lose_the_next_confirm(self) -> None:
        self._proxy.swallow_answers()
        Timer(0.5, self._proxy.cut).start()

    def recover(self) -> None:
        self._proxy.let_answers_pass()

    def delete_queue(self, name: str) -> None:
        with self._host.management() as management:
            management.delete_queue(name)

    def close(self) -> None:
        self._proxy.close()


MakeCarrier = Callable[[Topology], Carrier]
