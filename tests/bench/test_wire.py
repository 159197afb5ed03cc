"""How fast letters travel, on a private RabbitMQ of this machine; run by `make bench`."""

import os
import statistics
from threading import Condition
from time import perf_counter

import pytest

from spooler.wire.courier import Courier
from spooler.wire.letters import Letter
from spooler.wire.link import PikaLink
from spooler.wire.topology import ORDER_TYPE, ORDERS, describe, hall_queue

REGISTRY, HALL = "231221", "231282-01"
QUEUE = hall_queue(HALL)

pytestmark = pytest.mark.bench


@pytest.fixture
def host(make_virtual_host):
    return make_virtual_host(describe([REGISTRY], [HALL]))


def a_letter(number: int, size: int) -> Letter:
    return Letter(str(number), ORDERS, f"{REGISTRY}.{HALL}", ORDER_TYPE, os.urandom(size))


@pytest.mark.parametrize("size, count, least", [(2_000, 500, 200), (600_000, 100, 30)], ids=["reports", "orders"])
def test_confirmed_letters_a_second(host, capsys, size, count, least):
    """Target: 200 small ones a second, each confirmed by a quorum queue before the next is sent; orders go at the disk's pace."""
    link = host.link()
    link.open()
    letters = [a_letter(number, size) for number in range(count)]
    began = perf_counter()

    for letter in letters:
        link.publish(letter)

    rate = count / (perf_counter() - began)
    link.close()
    with capsys.disabled():
        print(f"\nconfirmed letters of {size} bytes: {rate:.0f}/s")
    assert rate >= least


class Desk:
    """Both ends of a couriers' pair: letters put in here are timed until they are handled there."""

    def __init__(self) -> None:
        self.waiting: list[Letter] = []
        self.changed = Condition()
        self.handled: dict[str, float] = {}

    def pending(self, limit):
        return self.waiting[:limit]

    def sent(self, letter_id):
        self.waiting = [letter for letter in self.waiting if letter.id != letter_id]

    def failed(self, letter_id, error):
        raise error

    def handle(self, delivery):
        with self.changed:
            self.handled[delivery.id] = perf_counter()
            self.changed.notify_all()


def test_from_the_outbox_here_to_the_inbox_there(host, capsys):
    """Two couriers in two threads, woken once a letter, as home and hall are: the wire's part of the time to paper."""
    home, hall = Desk(), Desk()
    sender = Courier(lambda: PikaLink(host.address()), home, home, name="home")
    reader = Courier(lambda: PikaLink(host.address(), [QUEUE]), hall, hall, name="hall")
    for courier in (sender, reader):
        courier.start()
    seconds = sorted(one_round(number, home, hall, sender) for number in range(100))
    for courier in (sender, reader):
        courier.stop()

    with capsys.disabled():
        print(
            f"\noutbox → inbox, 200 kB: p50 {statistics.median(seconds) * 1000:.1f} ms, p99 {seconds[98] * 1000:.1f} ms"
        )
    assert statistics.median(seconds) < 0.05


def one_round(number: int, home: Desk, hall: Desk, sender: Courier) -> float:
    letter = a_letter(number, 200_000)
    began = perf_counter()
    home.waiting.append(letter)
    sender.wake()
    with hall.changed:
        assert hall.changed.wait_for(lambda: letter.id in hall.handled, 10)
    return hall.handled[letter.id] - began
