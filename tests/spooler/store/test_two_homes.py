"""F45: two homes on one PostgreSQL. What one of them sends the other does not, and one of them is on duty."""

from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from time import monotonic, sleep

import pytest

from spooler.store import Database, Outgoing, Store
from spooler.store.change import RANK_CONTROL
from spooler.store.columns import metadata
from spooler.wire.courier import Courier, Pace
from spooler.wire.letters import Delivery
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import CONTROL_TYPE, CONTROLS, describe, hall_queue, to_hall

HOME, HALLS = "231221", ("231282-01", "231283-01")
LETTERS = 60


class Nobody:
    """An inbox that nothing comes to."""

    def handle(self, delivery: Delivery) -> None:
        raise AssertionError(delivery.id)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(describe([HOME], HALLS))


@pytest.fixture
def stores(postgresql, clock) -> Iterator[list[Store]]:
    url = postgresql.url(postgresql.fresh())
    metadata.create_all(Database(url).engine)
    found = [Store(Database(url), clock) for _ in range(2)]
    yield found
    for store in found:
        store.close()


def a_courier(store: Store, broker: MemoryBroker) -> Courier:
    pace = Pace(tick_seconds=0.02, batch=7)
    courier = Courier(lambda: MemoryLink(broker), store.outbox, Nobody(), pace=pace)
    courier.start()
    return courier


def post(store: Store, numbers: range) -> None:
    for number in numbers:
        with store.changing() as change:
            way = to_hall(HOME, HALLS[number % 2])
            change.post(Outgoing(CONTROLS, way, CONTROL_TYPE, str(number).encode(), {"v": 1}, RANK_CONTROL))


@pytest.mark.fault_row("F45")
def test_letters_of_two_homes_go_out_once_and_each_halls_in_their_order(stores, broker):
    """Both post and both send; one is stopped and started again in the middle."""
    one, two = stores
    couriers = [a_courier(one, broker), a_courier(two, broker)]
    posting = [Thread(target=post, args=(store, range(LETTERS))) for store in stores]
    for thread in posting:
        thread.start()
    couriers[0].stop()
    couriers[0] = a_courier(one, broker)
    for thread in posting:
        thread.join()
    until = monotonic() + 30
    while one.outbox.depth() and monotonic() < until:
        sleep(0.02)
    for courier in couriers:
        courier.stop()

    sent = {hall: [letter for letter in broker.letters(hall_queue(hall))] for hall in HALLS}
    ids = [letter.id for letters in sent.values() for letter in letters]
    assert len(ids) == len(set(ids)) == 2 * LETTERS
    for letters in sent.values():
        numbers = [int(letter.body) for letter in letters]
        # Each home posted its own in order: two series, each of which must rise.
        assert is_two_rising_series(numbers)


def is_two_rising_series(numbers: list[int]) -> bool:
    """Say whether each number's first coming, and each one's second, stand in order."""
    first, second, seen = [], [], set()
    for number in numbers:
        (second if number in seen else first).append(number)
        seen.add(number)
    return first == sorted(first) and second == sorted(second)


@pytest.mark.fault_row("F45")
def test_what_a_dead_home_had_claimed_is_sent_by_the_other_after_a_minute(stores, clock):
    one, two = stores
    post(one, range(4))
    claimed = [letter.id for letter in one.outbox.pending(10)]

    assert [letter.id for letter in two.outbox.pending(10)] == []
    clock.advance(seconds=61)
    assert sorted(letter.id for letter in two.outbox.pending(10)) == sorted(claimed)


@pytest.mark.fault_row("F45")
def test_a_home_that_is_stopped_leaves_its_letters_at_once(stores):
    one, two = stores
    post(one, range(4))
    claimed = [letter.id for letter in one.outbox.pending(10)]

    one.close()

    assert [letter.id for letter in two.outbox.pending(10)] == claimed


@pytest.mark.fault_row("F45")
def test_one_of_two_homes_is_on_duty_and_the_other_takes_over(stores, postgresql):
    one, two = stores
    assert (one.duty.is_ours(), two.duty.is_ours(), one.duty.is_ours()) == (True, False, True)

    with closing(one.duty):
        pass

    assert (two.duty.is_ours(), one.duty.is_ours()) == (True, False)
