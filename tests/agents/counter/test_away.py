"""A hall that is cut off: it prints what it has, keeps what it has to say, and takes in order what waited for it."""

import time
from collections.abc import Iterator

import pytest

from spooler.wire.letters import Letter
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import ORDER_TYPE, ORDERS, describe, hall_queue, to_hall
from tests.agents.counter.hall import CLERK, HALL, HOME, Counter
from tests.agents.counter.test_over_the_wire import Wired
from tests.sealing import OTHER_HALL, OTHER_HOME

SHORT = 40
MINUTES = 10


@pytest.fixture
def wired(make_counter) -> Iterator[Wired]:
    broker = MemoryBroker(describe([HOME, OTHER_HOME], [HALL, OTHER_HALL]))
    wired = Wired(make_counter(release="auto"), broker)
    yield wired
    wired.stop()


def publish(wired: Wired, orders: list) -> None:
    link = MemoryLink(wired.broker)
    link.open()
    for order in orders:
        wrapped = wired.counter.wrapped(order)
        link.publish(Letter(wrapped.id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, wrapped.body, wrapped.headers))
    link.close()


def test_a_hall_without_network_prints_what_it_has_and_tells_it_in_order_afterwards(wired):
    """Issue row: orders journalled before are printed while cut, their reports come in order, none twice."""
    ids = [wired.sends(order) for order in (wired.counter.proof() for _ in range(6))]
    wired.broker.stop()

    for order_id in ids:
        wired.until(lambda order_id=order_id: "confirm" in wired.counter.order(order_id).next)
        wired.counter.confirms(order_id)
    assert len(wired.printed) == len(set(wired.printed)) == 6
    said = [r.sequence for r in wired.told()]
    wired.broker.start()

    wired.until(lambda: [r.kind for r in wired.told()].count("printed") == 6)
    told = [r.sequence for r in wired.told()]
    assert told == sorted(set(told)) and len(told) > len(said)


def test_after_a_day_away_everything_that_waited_is_received_in_order(wired):
    received_after_a_day(wired, SHORT)


def received_after_a_day(wired: Wired, count: int) -> float:
    """Return how long it took; the reports have to come in the order in which the orders were sent."""
    counter: Counter = wired.counter
    counter.acts.pause_printer(CLERK, "proof-1")
    wired.stop()
    orders = [counter.proof() for _ in range(count)]
    publish(wired, orders)
    counter.clock.forward(hours=24)
    began = time.monotonic()
    counter.restart()
    wired.start()
    wanted = [order.ticket.order_id for order in orders]
    end = began + MINUTES * 60
    while len(_received(wired)) < count:
        assert time.monotonic() < end, f"{len(_received(wired))} of {count} received"
        time.sleep(0.05 if count == SHORT else 2)
    seconds = time.monotonic() - began
    assert _received(wired) == wanted
    assert not wired.broker.letters(hall_queue(HALL))
    return seconds


def _received(wired: Wired) -> list:
    return [r.order_id for r in wired.told() if r.kind == "received"]
