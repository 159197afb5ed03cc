"""How long a hall takes to catch up with a day's orders; run by `make bench`. Its short form in memory is among the hall's own tests."""

import os
import time
from threading import Event, Thread
from typing import Any

import pytest

from spooler.wire.letters import Letter
from spooler.wire.link import PikaLink
from spooler.wire.messages import REPORT_TYPE, read_report
from spooler.wire.signed import open_signed
from spooler.wire.topology import ORDER_TYPE, ORDERS, describe, hall_queue, hall_user, registry_queue, to_hall
from tests.agents.counter.conftest import make_counter, office
from tests.agents.counter.hall import CLERK, HALL, HOME, Counter
from tests.agents.counter.test_away import MINUTES
from tests.agents.counter.test_over_the_wire import Wired
from tests.contracts.proxy import Proxy
from tests.journeys.drive import eventually
from tests.sealing import OTHER_HALL, OTHER_HOME

__all__ = ["make_counter", "office"]

ORDERS_OF_A_DAY = int(os.environ.get("AWAY_ORDERS", "2000"))

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]


class Away(Wired):
    """A hall whose way to a real RabbitMQ is cut until `reconnect`; its courier tries all the time."""

    def __init__(self, counter: Counter, host: Any) -> None:
        self._host = host
        self._proxy = Proxy(host.broker.amqp_port)
        self._proxy.refuse()
        super().__init__(counter, host.broker)

    def link(self) -> PikaLink:
        return PikaLink(self._host.address(hall_user(HALL), port=self._proxy.port), [hall_queue(HALL)], name="hall")

    def reconnect(self) -> None:
        self._proxy.accept()

    def stop(self) -> None:
        super().stop()
        self._proxy.close()


class Registry:
    """The home's end of the reports: which orders were said to be received, in the order in which it was said."""

    def __init__(self, wired: Away, host: Any) -> None:
        self.received: list[Any] = []
        self._counter = wired.counter
        self._link = host.link(registry_queue(HOME), user="home")
        self._link.open()
        self._stopping = Event()
        self._thread = Thread(target=self._read)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._link.close()

    def _read(self) -> None:
        keys = self._counter.office.trust.halls[HALL].report_keys
        while not self._stopping.is_set():
            delivery = self._link.receive(0.2)
            if delivery is None:
                continue
            report = read_report(
                open_signed(delivery.body, REPORT_TYPE, keys=keys, use="report", at=self._counter.clock())
            )
            if report.kind == "received":
                self.received.append(report.order_id)
            self._link.ack(delivery)


@pytest.fixture
def host(make_virtual_host):
    return make_virtual_host(describe([HOME, OTHER_HOME], [HALL, OTHER_HALL]))


def test_after_a_day_away_two_thousand_orders_are_received_within_ten_minutes(make_counter, host, capsys):
    """Over RabbitMQ: each verified, on disk and reported, in the order in which they were sent; nothing is left in the queue."""
    counter = make_counter(release="auto")
    counter.acts.pause_printer(CLERK, "proof-1")
    wanted = queued(counter, host, ORDERS_OF_A_DAY)
    counter.clock.forward(hours=24)
    wired = Away(counter, host)
    time.sleep(1)
    assert not wired.courier.is_connected
    registry = Registry(wired, host)
    began = time.monotonic()

    wired.reconnect()
    end = began + MINUTES * 60
    while len(registry.received) < len(wanted) and time.monotonic() < end:
        time.sleep(0.2)

    seconds = time.monotonic() - began
    registry.stop()
    wired.stop()
    with capsys.disabled():
        print(
            f"\n24 h away, {len(registry.received)} of {len(wanted)} orders received {seconds:.1f} s after the reconnect"
        )
    assert registry.received == wanted
    with host.management() as management:
        # What a queue holds is told some seconds late.
        eventually(lambda: management.depths()[hall_queue(HALL)] == 0, 30, lambda: f"left: {management.depths()}")


def queued(counter: Counter, host: Any, count: int) -> list[Any]:
    """Let so many orders wait at the broker; return their ids."""
    link = host.link(user="home")
    link.open()
    ids = []
    for _ in range(count):
        order = counter.proof()
        wrapped = counter.wrapped(order)
        link.publish(Letter(wrapped.id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, wrapped.body, wrapped.headers))
        ids.append(order.ticket.order_id)
    link.close()
    return ids
