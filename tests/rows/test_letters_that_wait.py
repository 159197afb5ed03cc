"""What the broker does not take, cannot place, or gives again and again: F4, F5, F7, F8, F9, F10 of docs/fault-rows.md, on RabbitMQ."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event
from time import monotonic
from typing import Any

import pytest
import structlog

from agents.stuck_reports import StuckReports
from spooler.job import JobState, Reason
from spooler.sandbox.broker import control
from spooler.store.values import JobQuery
from spooler.stuck_letters import StuckLetters
from spooler.wire.courier import Courier, Pace
from spooler.wire.letters import Delivery, Letter
from spooler.wire.topology import ORDER_TYPE, ORDERS, Limits, describe, hall_queue, to_hall
from tests.agents.counter.hall import CLERK, Counter
from tests.conftest import VirtualHost
from tests.contracts.proxy import Proxy
from tests.rows.installation import a_hall
from tests.sealing import HALL, HOME, Office
from tests.spooler.core.conftest import Clock, Home, clock, home, office
from tests.spooler.core.process import until

__all__ = ["clock", "home", "office"]
QUEUE = hall_queue(HALL)
QUICK = Pace(
    tick_seconds=0.05, first_rest_seconds=0.05, longest_rest_seconds=0.2, quick_seconds=0.05, election_seconds=0.2
)


class NoInbox:
    """Nothing comes in these tests."""

    def handle(self, delivery: Delivery) -> None:
        raise AssertionError(delivery)


@contextmanager
def couriers(host: VirtualHost, home: Home, port: int | None = None) -> Iterator[Courier]:
    courier = Courier(lambda: host.link(user="home", port=port), home.store.outbox, NoInbox(), pace=QUICK)
    courier.start()
    try:
        yield courier
    finally:
        courier.stop()


def accept_orders(home: Home, count: int, first: int = 1) -> list[str]:
    """Return the ids of the orders, in the order of their requests."""
    jobs = [home.accept(number, hall=HALL) for number in range(first, first + count)]
    home.pipeline.work_off()
    return [home.job(job).orders[0].order_id for job in jobs]


def lies_in_the_queue(host: VirtualHost, count: int, *, while_waiting: Callable[[], Any] = lambda: None) -> list[str]:
    """Return the order ids that a hall gets, in their order: so many, and whatever comes at once behind them."""
    got: list[str] = []
    end = monotonic() + 30
    with closing(host.link(QUEUE)) as link:
        link.open()
        delivery = link.receive(0.3)
        while delivery is not None or (len(got) < count and monotonic() < end):
            if delivery is not None:
                got.append(str(delivery.headers["order_id"]))
                link.ack(delivery)
            while_waiting()
            delivery = link.receive(0.3)
    return got


@pytest.mark.fault_row("F4")
def test_letters_that_the_broker_refuses_stay_are_alarmed_after_five_minutes_and_none_is_lost(
    home: Home, clock: Clock, make_virtual_host: Callable[..., VirtualHost]
) -> None:
    """A full queue says no: kept, tried again with growing pauses, told to an operator by the queue's name, delivered at last."""
    host = make_virtual_host(describe([HOME], [HALL], limits=Limits(letters=3)))
    orders = accept_orders(home, 8)
    watch = StuckLetters(store=home.store, clock=clock)
    with couriers(host, home) as courier:
        assert until(lambda: not home.store.outbox.pending(100))
        watch.look()
        assert home.store.outbox.depth() > 0
        assert home.alarms == []
        clock.advance(minutes=6)
        courier.wake()
        assert until(lambda: not home.store.outbox.pending(100))

        watch.look()
        clock.advance(seconds=31)
        watch.look()

        (alarm,) = home.alarms
        assert (alarm.code, alarm.hall) == ("letters-stuck", HALL)
        assert alarm.detail is not None
        assert alarm.detail.startswith(f"{QUEUE}: ") and alarm.detail.endswith("not-confirmed")

        def time_passes() -> None:
            clock.advance(minutes=6)
            courier.wake()

        assert sorted(lies_in_the_queue(host, 8, while_waiting=time_passes)) == sorted(orders)
        assert until(lambda: home.store.outbox.depth() == 0)
    assert {job.state for job in home.store.jobs.page(JobQuery()).jobs} == {JobState.SENT}


@pytest.mark.fault_row("F4")
def test_reports_that_the_broker_refuses_are_alarmed_at_the_hall_after_five_minutes(office: Office, tmp_path) -> None:
    """Once, naming the queue; what home asked for again is no reason, however old it is."""
    counter = Counter(office, tmp_path)
    watch = StuckReports(ledger=counter.ledger, clock=counter.clock)
    counter.arrives(counter.booklet())

    with structlog.testing.capture_logs() as early:
        watch.look()
        watch.look()
    counter.clock.forward(minutes=6)
    with structlog.testing.capture_logs() as late:
        for _ in range(3):
            watch.look()

    assert early == []
    assert [(one["queue"], one["alarm"], one["code"]) for one in late] == [
        (f"registry.{HOME}", True, "broker-unreachable")
    ]
    counter.ledger.close()


@pytest.mark.fault_row("F5")
def test_an_order_for_a_queue_that_is_not_there_is_kept_and_the_alarm_names_the_queue(
    home: Home, clock: Clock, make_virtual_host: Callable[..., VirtualHost]
) -> None:
    """RabbitMQ would confirm it and drop it; `mandatory` brings it back. It goes out once the queue is there."""
    topology = describe([HOME], [HALL])
    host = make_virtual_host(topology)
    with host.management() as management:
        management.delete_queue(QUEUE)
    (order,) = accept_orders(home, 1)
    (job,) = home.store.jobs.page(JobQuery()).jobs
    with couriers(host, home) as courier:
        assert until(lambda: home.job(job).reasons == (Reason.UNDELIVERABLE,))
        assert [(a.code, a.hall, a.detail) for a in home.alarms] == [("undeliverable", HALL, QUEUE)]
        assert home.job(job).state is JobState.SEALED
        with host.management() as management:
            management.apply(topology, {user.name: user.name for user in topology.users})

        clock.advance(minutes=10)
        courier.wake()

        assert lies_in_the_queue(host, 1) == [order]
        assert until(lambda: home.job(job).state is JobState.SENT)
    assert home.job(job).reasons == ()


@pytest.mark.fault_row("F7")
def test_a_day_without_a_broker_loses_nothing_and_keeps_the_order(
    home: Home, clock: Clock, make_virtual_host: Callable[..., VirtualHost]
) -> None:
    """Every three hours a request: each taken, one alarm; then everything arrives once, in the order in which it was asked."""
    host = make_virtual_host(describe([HOME], [HALL]))
    network = Proxy(host.broker.amqp_port)
    network.refuse()
    watch = StuckLetters(store=home.store, clock=clock)
    orders: list[str] = []
    with couriers(host, home, port=network.port) as courier:
        for number in range(1, 9):
            orders += accept_orders(home, 1, first=number)
            clock.advance(hours=3)
            watch.look()
        assert not courier.is_connected
        assert home.store.outbox.depth() >= 8
        assert {a.code for a in home.alarms} == {"letters-stuck"}
        told = [a for a in home.alarms if a.hall == HALL]
        assert len(told) == 1 and str(told[0].detail).endswith("broker-unreachable")

        network.accept()

        assert lies_in_the_queue(host, 8) == orders
        assert until(lambda: home.store.outbox.depth() == 0)
    assert {job.state for job in home.store.jobs.page(JobQuery()).jobs} == {JobState.SENT}
    network.close()


@pytest.mark.fault_row("F8")
def test_a_courier_is_back_within_five_seconds_of_a_broken_connection(
    make_virtual_host: Callable[..., VirtualHost],
) -> None:
    """Cut three times, once with nobody there for a while: each time a letter goes within five seconds of the way being free."""
    host = make_virtual_host(describe([HOME], [HALL]))
    network, side = Proxy(host.broker.amqp_port), Slow(seconds=0)
    courier = Courier(lambda: host.link(QUEUE, port=network.port), side, side)
    courier.start()
    try:
        assert until(lambda: courier.is_connected)
        for away_seconds in (0.0, 0.0, 3.0):
            network.refuse()
            Event().wait(away_seconds)
            network.accept()
            began = monotonic()
            letter = side.put(f"after {away_seconds}")
            courier.wake()
            assert until(lambda letter=letter: letter in side.handled, 10)  # type: ignore[misc]
            assert monotonic() - began <= 5
    finally:
        courier.stop()
        network.close()


@pytest.mark.fault_row("F9")
def test_a_hall_whose_channel_rabbitmq_closed_for_a_timeout_consumes_again(
    make_virtual_host: Callable[..., VirtualHost],
) -> None:
    """`consumer_timeout` itself, set to half a second: noticed within 10 s, the letter is in hand again within 20."""
    host = make_virtual_host(describe([HOME], [HALL]))
    with timeouts_of(host, consumer_milliseconds=500):
        side = Slow(seconds=3)
        courier = Courier(lambda: host.link(QUEUE), side, side, pace=QUICK)
        courier.start()
        try:
            letter = side.put("slow")
            courier.wake()
            assert until(lambda: side.handled == [letter])
            began = monotonic()
            assert until(lambda: side.handled == [letter, letter], 20)
            assert monotonic() - began <= 20
        finally:
            courier.stop()
    assert lies_in_the_queue(host, 0) == []


class Slow:
    """An inbox that holds its first letter for a while, and an outbox."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: list[Letter] = []
        self.handled: list[str] = []

    def put(self, letter_id: str) -> str:
        self._waiting.append(
            Letter(letter_id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, b"sealed", {"order_id": letter_id})
        )
        return letter_id

    def pending(self, limit: int) -> list[Letter]:
        return list(self._waiting)

    def sent(self, letter_id: str) -> None:
        self._waiting = [letter for letter in self._waiting if letter.id != letter_id]

    def failed(self, letter_id: str, error: object) -> None:
        """It is pending still."""

    def handle(self, delivery: Delivery) -> None:
        self.handled.append(delivery.id)
        if len(self.handled) == 1:
            Event().wait(self._seconds)


@contextmanager
def timeouts_of(host: VirtualHost, *, consumer_milliseconds: int) -> Iterator[None]:
    """RabbitMQ looks for slow consumers once a minute and gives them half an hour: here sooner, and set back."""
    setting = (
        "application:set_env(rabbit, consumer_timeout, {}), application:set_env(rabbit, channel_tick_interval, {})."
    )
    control(host.broker, "eval", setting.format(consumer_milliseconds, 200))
    try:
        yield
    finally:
        control(host.broker, "eval", setting.format(1_800_000, 60_000))


@pytest.mark.fault_row("F10")
def test_an_order_delivered_twenty_times_is_one_order_and_every_delivery_is_acked(
    todays_office: Office, tmp_path, make_virtual_host: Callable[..., VirtualHost]
) -> None:
    """Wrapped anew each time, so that no two are the same bytes: one row, one report, one sheet, an empty queue."""
    host = make_virtual_host(describe([HOME], [HALL]))
    hall = a_hall(todays_office, tmp_path, host)
    order = hall.counter.proof()
    order_id = str(order.ticket.order_id)
    with closing(host.link()) as link:
        link.open()
        for _ in range(20):
            wrapped = hall.counter.wrapped(order)
            link.publish(Letter(order_id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, wrapped.body, dict(wrapped.headers)))

    assert until(lambda: hall.delivered[order_id] >= 20)
    assert until(lambda: hall.sheets(order_id) == 1)
    hall.stop()

    assert lies_in_the_queue(host, 0) == []
    assert (hall.delivered[order_id], len(hall.counter.acts.orders(CLERK)), hall.received(order_id)) == (20, 1, 1)
    assert hall.counter.ledger.quarantine.counts() == {}  # other bytes, and known as the same
    hall.counter.ledger.close()
