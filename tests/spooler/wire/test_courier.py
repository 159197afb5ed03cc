"""The courier keeps nothing back, loses nothing, and comes back whatever happens to the broker."""

from collections.abc import Iterator, Sequence
from threading import Condition
from time import monotonic

import pytest
from structlog.testing import capture_logs

from spooler.wire.courier import Courier, Pace
from spooler.wire.errors import BadSignature, BrokerNotGenuine, NotNow, Unroutable, WireError
from spooler.wire.letters import Delivery, Letter
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import ORDER_TYPE, ORDERS, dead_queue, describe, hall_queue, to_hall

REGISTRY, HALL, OTHER_HALL = "231221", "231282-01", "231283-01"
QUEUE = hall_queue(HALL)
# Longer ticks than any test waits: what arrives in time came by waking, not by chance.
SLOW_TICK = Pace(
    tick_seconds=120,
    first_rest_seconds=0.02,
    longest_rest_seconds=0.1,
    longest_inbox_rest_seconds=0.1,
    election_seconds=0,
)


def a_letter(id: str, hall: str = HALL) -> Letter:
    return Letter(id, ORDERS, to_hall(REGISTRY, hall), ORDER_TYPE, b"sealed")


class ListOutbox:
    """An outbox in memory: letters stay until sent; a failed one is due again when `retry` says so."""

    def __init__(self, *letters: Letter) -> None:
        self.letters = list(letters)
        self.was_sent: list[str] = []
        self.was_failed: list[tuple[str, WireError]] = []
        self.changed = Condition()
        self.breaks = 0

    def put(self, letter: Letter) -> None:
        with self.changed:
            self.letters.append(letter)

    def pending(self, limit: int) -> Sequence[Letter]:
        with self.changed:
            failed = {id for id, _ in self.was_failed}
            return [letter for letter in self.letters if letter.id not in failed][:limit]

    def retry(self) -> None:
        with self.changed:
            self.was_failed.clear()

    def sent(self, letter_id: str) -> None:
        with self.changed:
            if self.breaks:
                self.breaks -= 1
                raise OSError("the disk is full")
            self.letters = [letter for letter in self.letters if letter.id != letter_id]
            self.was_sent.append(letter_id)
            self.changed.notify_all()

    def failed(self, letter_id: str, error: WireError) -> None:
        with self.changed:
            self.was_failed.append((letter_id, error))
            self.changed.notify_all()


class ListInbox:
    """An inbox in memory that can refuse or break."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.changed = Condition()
        self.breaks = 0
        self.distrusts: set[str] = set()

    def handle(self, delivery: Delivery) -> None:
        with self.changed:
            if delivery.id in self.distrusts:
                raise BadSignature("not signed by anybody we know")
            if self.breaks:
                self.breaks -= 1
                raise OSError("the disk is full")
            self.handled.append(delivery.id)
            self.changed.notify_all()


def comes_true(on: Condition, what, seconds: float = 30) -> bool:
    with on:
        return on.wait_for(what, seconds)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(describe([REGISTRY], [HALL, OTHER_HALL]))


@pytest.fixture
def outbox() -> ListOutbox:
    return ListOutbox()


@pytest.fixture
def inbox() -> ListInbox:
    return ListInbox()


@pytest.fixture
def courier(broker, outbox, inbox) -> Iterator[Courier]:
    courier = Courier(lambda: MemoryLink(broker, [QUEUE]), outbox, inbox, pace=SLOW_TICK)
    yield courier
    courier.stop()
    assert not courier.is_alive


def put_into_queue(broker: MemoryBroker, *ids: str) -> None:
    link = MemoryLink(broker)
    link.open()
    for id in ids:
        link.publish(a_letter(id))
    link.close()


def test_what_waited_is_sent_in_order_at_start(courier, outbox, broker, inbox):
    """Killed after the commit and before the publish: sent once after the restart (F1)."""
    ids = [str(n) for n in range(45)]
    for id in ids:
        outbox.put(a_letter(id))

    courier.start()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ids)
    assert comes_true(inbox.changed, lambda: inbox.handled == ids)


def test_a_wake_sends_at_once(courier, outbox):
    """A new letter does not wait for the tick, which is two minutes here."""
    courier.start()
    outbox.put(a_letter("first"))
    courier.wake()
    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["first"])

    outbox.put(a_letter("second"))
    courier.wake()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["first", "second"])


def test_a_letter_that_no_queue_takes_holds_no_other_back(courier, outbox):
    """It is marked as failed with its reason, for the operator (F5); the ones behind it go."""
    outbox.put(a_letter("to nowhere", hall="239999-99"))
    outbox.put(a_letter("to a hall"))

    courier.start()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["to a hall"])
    ((letter, error),) = outbox.was_failed
    assert ("to nowhere", Unroutable) == (letter, type(error))


def test_a_letter_that_was_refused_is_sent_when_it_is_due_again(courier, outbox, broker):
    """A full queue or one without a leader: the same letter, later (F4)."""
    broker.refuse(1)
    outbox.put(a_letter("once refused"))
    courier.start()
    assert comes_true(outbox.changed, lambda: outbox.was_failed)

    outbox.retry()
    courier.wake()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["once refused"])


def test_a_queue_that_chooses_its_leader_is_waited_for_and_nothing_overtakes(broker, outbox, inbox):
    """A node fell: its queues refuse for a second or two. The letters go soon, in their order, and none is put off (F8)."""
    broker.refuse(3)
    ids = [str(n) for n in range(25)]
    for id in ids:
        outbox.put(a_letter(id))
    courier = Courier(lambda: MemoryLink(broker, [QUEUE]), outbox, inbox, pace=Pace(tick_seconds=120))

    courier.start()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ids, 5)
    assert comes_true(inbox.changed, lambda: inbox.handled == ids)
    assert outbox.was_failed == []
    courier.stop()


def test_a_queue_that_goes_on_refusing_puts_its_letters_off(broker, outbox, inbox):
    """Full, not without a leader: the outbox decides when to try again, and other halls' letters go on (F4)."""
    broker.refuse(1_000)
    outbox.put(a_letter("one"))
    pace = Pace(tick_seconds=120, quick_seconds=0.01, election_seconds=0.2)
    courier = Courier(lambda: MemoryLink(broker, [QUEUE]), outbox, inbox, pace=pace)

    courier.start()

    assert comes_true(outbox.changed, lambda: outbox.was_failed, 5)
    courier.stop()


def test_a_lost_confirm_sends_the_same_id_again(courier, outbox, broker, inbox):
    """The reader sees the id twice, and knows it by the id (F2, F3)."""
    broker.lose_confirms(1)
    outbox.put(a_letter("same id"))

    courier.start()

    assert comes_true(inbox.changed, lambda: inbox.handled == ["same id", "same id"])
    assert outbox.was_sent == ["same id"]


def test_the_courier_waits_for_a_broker_that_is_away(courier, outbox, broker):
    """All brokers down: nothing is lost, nothing is marked as failed, and all goes when it is back (F7)."""
    broker.stop()
    outbox.put(a_letter("patient"))
    courier.start()
    assert not comes_true(outbox.changed, lambda: outbox.was_sent, seconds=0.3)
    assert not courier.is_connected and courier.is_alive

    broker.start()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["patient"])
    assert outbox.was_failed == []
    assert courier.is_connected


class Impostor(MemoryLink):
    """Somebody answers in the broker's place, until he is gone."""

    is_there = True

    def open(self) -> None:
        if self.is_there:
            raise BrokerNotGenuine("what answers is not the broker: self-signed certificate")
        super().open()


@pytest.mark.attack_row("S26")
def test_somebody_in_the_brokers_place_is_an_alarm_once_and_letters_wait(broker, outbox, inbox, monkeypatch):
    """S26: nothing is said to him, nothing is lost, and the log is not filled with it."""
    outbox.put(a_letter("patient"))
    courier = Courier(lambda: Impostor(broker, [QUEUE]), outbox, inbox, pace=SLOW_TICK)
    with capture_logs() as logs:
        courier.start()
        assert not comes_true(outbox.changed, lambda: outbox.was_sent, seconds=0.5)
    alarms = [log for log in logs if log.get("alarm")]
    assert [(log["event"], log["code"]) for log in alarms] == [("what answers is not the broker", "broker-not-genuine")]
    assert len([log for log in logs if log["event"] == "link down"]) > 1

    monkeypatch.setattr(Impostor, "is_there", False)

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["patient"])
    courier.stop()


def test_a_broken_connection_is_made_again(courier, broker, inbox, outbox):
    courier.start()
    put_into_queue(broker, "before")
    assert comes_true(inbox.changed, lambda: inbox.handled == ["before"])

    broker.cut()
    put_into_queue(broker, "after")

    assert comes_true(inbox.changed, lambda: inbox.handled == ["before", "after"])


def test_what_the_inbox_does_not_trust_is_put_to_the_dead_letters(courier, broker, inbox):
    """It does not come again, it is not lost, and it holds nothing back (F13)."""
    inbox.distrusts = {"forged"}
    put_into_queue(broker, "forged", "good")

    courier.start()

    assert comes_true(inbox.changed, lambda: inbox.handled == ["good"])
    assert [letter.id for letter in broker.letters(dead_queue(REGISTRY))] == ["forged"]


def test_what_the_inbox_could_not_keep_comes_again(courier, broker, inbox):
    """A full disk: no ack, a rest, the same message, in order (F29)."""
    inbox.breaks = 3
    put_into_queue(broker, "first", "second")

    courier.start()

    assert comes_true(inbox.changed, lambda: inbox.handled == ["first", "second"])
    assert broker.letters(QUEUE) == []


def test_what_the_outbox_could_not_note_is_sent_again(courier, outbox, inbox):
    """Confirmed but not noted, as after a kill between the two: sent again under the same id."""
    outbox.breaks = 1
    outbox.put(a_letter("unnoted"))

    courier.start()

    assert comes_true(outbox.changed, lambda: outbox.was_sent == ["unnoted"])
    assert comes_true(inbox.changed, lambda: inbox.handled == ["unnoted", "unnoted"])


def test_a_message_delivered_twice_is_acked_twice(courier, broker, inbox):
    """Doubles are the inbox's to know; the courier never leaves one in the queue (F10)."""
    broker.duplicate(1)
    put_into_queue(broker, "double")

    courier.start()

    assert comes_true(inbox.changed, lambda: inbox.handled == ["double", "double"])
    assert broker.letters(QUEUE) == []


class Talkative(ListInbox):
    """Whatever comes makes it say two things; it notes how much waited to be said at most."""

    def __init__(self, outbox: ListOutbox) -> None:
        super().__init__()
        self.most_waiting = 0
        self._outbox = outbox

    def handle(self, delivery: Delivery) -> None:
        for nth in (1, 2):
            self._outbox.put(a_letter(f"{delivery.id}, {nth}", OTHER_HALL))
        self.most_waiting = max(self.most_waiting, len(self._outbox.letters))
        super().handle(delivery)


def test_whoever_is_behind_with_talking_listens_less(broker):
    """What is not taken waits at the broker; taken in the same measure, each making two letters, all of it would wait in the outbox."""
    put_into_queue(broker, *(f"report {nth}" for nth in range(300)))
    outbox = ListOutbox()
    inbox = Talkative(outbox)
    courier = Courier(lambda: MemoryLink(broker, [QUEUE]), outbox, inbox, pace=SLOW_TICK)

    courier.start()

    assert comes_true(outbox.changed, lambda: len(outbox.was_sent) == 600)
    courier.stop()
    assert inbox.most_waiting <= 4 * SLOW_TICK.batch


def test_stop_returns_soon_even_while_it_waits(courier, broker):
    courier.start()
    began = monotonic()

    courier.stop()

    assert monotonic() - began < 5
    assert not courier.is_alive


def test_stop_returns_soon_while_the_broker_is_away(broker, outbox, inbox):
    broker.stop()
    pace = Pace(first_rest_seconds=30, longest_rest_seconds=30)
    courier = Courier(lambda: MemoryLink(broker), outbox, inbox, pace=pace)
    courier.start()
    began = monotonic()

    courier.stop()

    assert monotonic() - began < 5
    assert not courier.is_alive


def test_a_woken_courier_that_is_not_connected_does_no_harm(broker, outbox, inbox):
    Courier(lambda: MemoryLink(broker), outbox, inbox).wake()


@pytest.mark.fault_row("F8")
@pytest.mark.parametrize("failures", [1, 2, 3, 6, 50, 10_000])
def test_rests_grow_to_a_limit_and_differ(failures):
    """Doubling up to 5 s (F8), spread over half of it, so that ten halls do not come back in one instant."""
    pace = Pace()
    full = min(5.0, 0.2 * 2 ** min(failures - 1, 10))

    assert full / 2 == pace.rest(failures, pace.longest_rest_seconds, lambda: 0.0)
    assert full == pace.rest(failures, pace.longest_rest_seconds, lambda: 1.0)


def test_only_not_now_is_tried_again_by_the_outbox():
    """What the courier hands to `failed` is always an error that a later try may cure."""
    assert issubclass(Unroutable, NotNow)
