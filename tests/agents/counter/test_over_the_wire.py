"""From the wrapped order in the queue to `issued` in the registry's queue, over the link in memory, the courier in its own thread."""

import time
from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from agents.people import Identity, Recipient
from spooler.wire.courier import Courier, Pace
from spooler.wire.letters import Letter, Link
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.messages import REPORT_TYPE, read_report
from spooler.wire.signed import open_signed
from spooler.wire.topology import ORDER_TYPE, ORDERS, describe, hall_queue, registry_queue, to_hall
from tests.agents.counter.hall import CLERK, HALL, HOME, Counter
from tests.sealing import OTHER_HALL, OTHER_HOME


class Wired:
    """A counter whose wire is up: broker in memory, courier, pipeline, and a thread that plays the printers."""

    def __init__(self, counter: Counter, broker: MemoryBroker) -> None:
        self.counter, self.broker = counter, broker
        self.printed: list[str] = []
        self._stopping = Event()
        self.start()

    def start(self) -> None:
        hall = self.counter.hall
        self.courier = Courier(
            self.link,
            hall.reporter,
            hall.inbox,
            pace=Pace(tick_seconds=0.05, first_rest_seconds=0.01, longest_rest_seconds=0.05),
        )
        hall.wakes.courier = self.courier.wake
        self._stopping.clear()
        self._printers = Thread(target=self._play_printers, daemon=True)
        for part in (hall.pipeline, self.courier, self._printers):
            part.start()

    def link(self) -> Link:
        return MemoryLink(self.broker, [hall_queue(HALL)])

    def stop(self) -> None:
        self._stopping.set()
        self._printers.join(5)
        self.courier.stop()
        self.counter.hall.pipeline.stop()

    def _play_printers(self) -> None:
        while not self._stopping.wait(0.01):
            for name in ("booklet-1", "proof-1", "plain-1"):
                if self.counter.has_to_print(name) is not None:
                    begun = self.counter.prints(name)
                    self.printed.append(begun.title)

    def sends(self, order: Any) -> Any:
        wrapped = self.counter.wrapped(order)
        letter = Letter(wrapped.id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, wrapped.body, wrapped.headers)
        link = MemoryLink(self.broker)
        link.open()
        link.publish(letter)
        link.close()
        self.until(lambda: self.counter.ledger.orders.get(order.ticket.order_id))
        return order.ticket.order_id

    def told(self, registry: str = HOME) -> list[Any]:
        """What lies in a registry's queue, heartbeats apart."""
        keys = self.counter.office.trust.halls[HALL].report_keys
        bodies = [letter.body for letter in self.broker.letters(registry_queue(registry))]
        found = [
            read_report(open_signed(b, REPORT_TYPE, keys=keys, use="report", at=self.counter.clock())) for b in bodies
        ]
        return [r for r in found if r.kind != "heartbeat"]

    def until(self, true: Callable[[], Any], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, [(r.kind, getattr(r, "state", None)) for r in self.told()]
            time.sleep(0.01)


@pytest.fixture
def wired(make_counter) -> Iterator[Wired]:
    broker = MemoryBroker(describe([HOME, OTHER_HOME], [HALL, OTHER_HALL]))
    wired = Wired(make_counter(release="auto"), broker)
    yield wired
    wired.stop()


def hands_over(wired: Wired, order_id: Any) -> None:
    counter = wired.counter
    wired.until(lambda: "release_pass" in counter.order(order_id).next)
    counter.turns(order_id, 2)
    wired.until(lambda: "confirm" in counter.order(order_id).next)
    counter.confirms(order_id)
    counter.acts.issue(CLERK, order_id, recipient=Recipient("holder"), identity=Identity("id-card", "match"))


def test_an_order_is_printed_and_handed_over_and_home_hears_every_step(wired):
    order_id = wired.sends(wired.counter.booklet())

    hands_over(wired, order_id)

    wired.until(lambda: wired.told() and wired.told()[-1].kind == "issued")
    states = [r.state for r in wired.told() if hasattr(r, "job_id")]
    assert states == ["waiting", *["printing"] * 4, "printed", "issued"]
    assert wired.printed == [f"{order_id}/1/1/1", f"{order_id}/2/1/1"]


def test_while_the_broker_is_away_the_hall_goes_on_and_catches_up_in_order(wired):
    """It prints what it has and keeps its reports."""
    order_id = wired.sends(wired.counter.booklet())
    wired.until(lambda: wired.printed)
    wired.broker.stop()

    hands_over(wired, order_id)
    wired.broker.start()

    wired.until(lambda: [r.kind for r in wired.told()][-1:] == ["issued"])
    sequences = [r.sequence for r in wired.told()]
    assert sequences == sorted(set(sequences))


def test_what_is_delivered_twice_is_printed_once(wired):
    wired.broker.duplicate(2)

    order_id = wired.sends(wired.counter.booklet())
    hands_over(wired, order_id)

    assert len(wired.printed) == len(set(wired.printed)) == 2


def test_a_lost_confirm_sends_the_same_report_again(wired):
    """Home knows it by its sequence."""
    wired.broker.lose_confirms(1)

    order_id = wired.counter.arrives(wired.counter.booklet())
    hands_over(wired, order_id)

    wired.until(lambda: [r.kind for r in wired.told()][-1:] == ["issued"])
    by_sequence = {}
    for report in wired.told():
        assert by_sequence.setdefault(report.sequence, report) == report


def test_a_restarted_agent_goes_on_where_it_was(wired):
    """Everything that was said is still known, and the new instance continues the chain of the same epoch."""
    order_id = wired.sends(wired.counter.booklet())
    wired.until(lambda: wired.counter.order(order_id).reasons == ("waiting-turn",) if wired.printed else False)
    wired.stop()
    wired.counter.restart()
    wired.start()

    hands_over(wired, order_id)

    wired.until(lambda: [r.kind for r in wired.told()][-1:] == ["issued"])
    told = wired.told()
    assert len({r.epoch for r in told}) == 1
    assert len({r.instance for r in told}) == 2
    assert wired.printed == [f"{order_id}/1/1/1", f"{order_id}/2/1/1"]
