"""The edge to pika: every way it can fail has a word of ours, and the broker's own troubles are seen."""

import inspect
import logging
from contextlib import contextmanager
from dataclasses import replace
from time import monotonic

import pika.exceptions
import pytest

from spooler.sandbox.broker import control
from spooler.wire.errors import BrokerUnreachable, NotConfirmed, NotNow, Unroutable
from spooler.wire.letters import Letter
from spooler.wire.link import BrokerAddress, PikaLink, as_wire_errors
from spooler.wire.topology import ORDERS, describe, hall_queue, hall_user
from tests.contracts.proxy import Proxy

REGISTRY, HALL = "231221", "231282-01"
ARGUMENTS = {"reply_code": 500, "reply_text": "why", "messages": []}
OF_PIKA = [
    kind
    for _, kind in inspect.getmembers(pika.exceptions, inspect.isclass)
    if issubclass(kind, Exception) and kind.__module__ == pika.exceptions.__name__
]


def raised(kind: type[Exception]) -> Exception:
    names = [] if kind.__init__ is Exception.__init__ else list(inspect.signature(kind).parameters)
    return kind(*(ARGUMENTS[name] for name in names if name in ARGUMENTS))


@pytest.mark.parametrize("kind", OF_PIKA, ids=lambda kind: kind.__name__)
def test_every_error_of_pika_becomes_one_of_ours(kind):
    """Also one that a later pika adds: this test reads the list from pika itself."""
    with pytest.raises(NotNow) as ours, as_wire_errors():
        raise raised(kind)

    assert isinstance(ours.value.__cause__, kind)


def test_the_list_of_pikas_errors_is_not_empty():
    assert len(OF_PIKA) > 25


@pytest.mark.parametrize("kind", [ConnectionRefusedError, TimeoutError, OSError])
def test_trouble_with_the_socket_becomes_broker_unreachable(kind):
    with pytest.raises(BrokerUnreachable), as_wire_errors():
        raise kind


def test_a_mistake_of_ours_stays_what_it_is():
    """Only pika's errors are translated; a bug must not look like a broker that is away."""
    with pytest.raises(KeyError), as_wire_errors():
        raise KeyError("ours")


@pytest.mark.parametrize(
    "code, kind", [(403, Unroutable), (404, Unroutable), (406, NotConfirmed), (541, BrokerUnreachable)]
)
def test_a_refusal_by_the_broker_is_told_by_its_code(code, kind):
    with pytest.raises(kind), as_wire_errors():
        raise pika.exceptions.ChannelClosedByBroker(code, "why")


def test_the_password_shows_nowhere():
    """An address may end in a log or a traceback."""
    address = BrokerAddress("127.0.0.1", 5672, "certspool", "home", "s3cret")

    assert "s3cret" not in repr(address)
    assert "s3cret" not in repr(address.parameters("home"))


def test_no_broker_at_the_port_is_told_soon(unused_port):
    link = PikaLink(BrokerAddress("127.0.0.1", unused_port, "/", "home", "x"))
    began = monotonic()

    with pytest.raises(BrokerUnreachable):
        link.open()

    assert monotonic() - began < 5


def test_a_host_that_has_no_address_is_told(monkeypatch):
    link = PikaLink(BrokerAddress("no-such-host.invalid", 5672, "/", "home", "x"))

    with pytest.raises(BrokerUnreachable):
        link.open()


@pytest.fixture
def host(make_virtual_host):
    return make_virtual_host(describe([REGISTRY], [HALL]))


def test_a_wrong_password_is_told_as_such(host):
    """The operator reads what to correct, not just that nothing answers."""
    address = BrokerAddress("127.0.0.1", host.broker.amqp_port, host.name, "home", "wrong")

    with pytest.raises(BrokerUnreachable, match="password"):
        PikaLink(address).open()


@contextmanager
def short_of_memory(broker):
    control(broker, "set_vm_memory_high_watermark", "0")
    try:
        yield
    finally:
        control(broker, "set_vm_memory_high_watermark", "0.4")


@pytest.mark.fault_row("F6")
def test_a_broker_short_of_memory_does_not_hold_the_sender_for_ever(host):
    """An alarm blocks publishers without end; ours gives up, keeps the letter, and goes on by itself when it is over (F6)."""
    link = host.link(blocked_seconds=1)
    link.open()
    letter = Letter("1", ORDERS, f"{REGISTRY}.{HALL}", "order", b"sealed")
    with short_of_memory(host.broker):
        began = monotonic()
        with pytest.raises(BrokerUnreachable, match="memory"):
            link.publish(letter)
        assert monotonic() - began < 50

    link.open()
    link.publish(letter)


def test_a_consumer_timeout_is_noticed(host):
    """RabbitMQ closes the channel of a consumer that holds a letter too long, and pika hides it (F9)."""
    home = host.link()
    home.open()
    hall = host.link(hall_queue(HALL))
    hall.open()
    home.publish(Letter("1", ORDERS, f"{REGISTRY}.{HALL}", "order", b"sealed"))
    delivery = hall.receive(5)
    assert delivery is not None
    hall.ack(delivery)

    # Acking twice makes RabbitMQ close the channel just as its timeout does: with an error on the channel, not the connection.
    hall.ack(delivery)

    until = monotonic() + 30
    with pytest.raises(NotNow):
        while monotonic() < until:
            hall.receive(0.2)
    hall.open()
    assert hall.is_open


def test_pika_is_quiet_about_ids_and_addresses(host, caplog):
    """What pika logs of a connection is no part of our log (daemon.logs turns it off); a link works without it."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    link = host.link(hall_queue(HALL), user=hall_user(HALL))
    link.open()
    link.close()

    assert caplog.records == []


def test_a_node_that_does_not_answer_is_passed_over(host, unused_port):
    """Of several nodes the first that answers is connected to; the dead ones cost no wait worth the name (F8)."""
    address = replace(host.address(port=unused_port), others=(("127.0.0.1", host.broker.amqp_port),))
    link = PikaLink(address)
    began = monotonic()

    link.open()

    assert link.node == ("127.0.0.1", host.broker.amqp_port)
    assert monotonic() - began < 5
    link.close()


def test_after_a_loss_the_next_node_is_asked_first(host):
    """The one that was lost may be one of those that are only silent."""
    first, second = Proxy(host.broker.amqp_port), Proxy(host.broker.amqp_port)
    link = PikaLink(replace(host.address(port=first.port), others=(("127.0.0.1", second.port),)))
    link.open()
    assert link.node[1] == first.port

    first.cut()
    with pytest.raises(BrokerUnreachable):
        link.receive(5)
    link.open()

    assert link.node[1] == second.port
    for part in (link, first, second):
        part.close()


def test_when_no_node_answers_that_is_told(unused_port):
    dead = BrokerAddress("127.0.0.1", unused_port, "/", "home", "x", others=(("127.0.0.1", unused_port),))

    with pytest.raises(BrokerUnreachable):
        PikaLink(dead).open()


def test_a_confirm_that_never_comes_is_not_waited_for(host):
    """The connection lives and the broker says nothing: pika would wait for ever."""
    proxy = Proxy(host.broker.amqp_port)
    link = PikaLink(host.address(port=proxy.port, confirm_seconds=0.5, heartbeat_seconds=600))
    link.open()
    proxy.swallow_answers()
    began = monotonic()

    with pytest.raises(BrokerUnreachable):
        link.publish(Letter("1", ORDERS, f"{REGISTRY}.{HALL}", "order", b"sealed"))

    assert monotonic() - began < 5
    proxy.let_answers_pass()
    link.open()
    link.publish(Letter("1", ORDERS, f"{REGISTRY}.{HALL}", "order", b"sealed"))
    for part in (link, proxy):
        part.close()
