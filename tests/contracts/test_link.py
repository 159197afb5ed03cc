"""What every link keeps, over RabbitMQ and in memory alike."""

from threading import Timer
from time import monotonic

import pytest

from spooler.wire.errors import BrokerUnreachable, NotConfirmed, Unroutable
from spooler.wire.letters import Delivery, Letter, Link
from spooler.wire.topology import ORDER_TYPE, ORDERS, Limits, dead_queue, describe, hall_queue, to_hall

REGISTRY, HALL, OTHER_HALL = "231221", "231282-01", "231283-01"
QUEUE = hall_queue(HALL)


def a_letter(id: str = "1", *, body: bytes = b"sealed", hall: str = HALL, exchange: str = ORDERS) -> Letter:
    return Letter(id, exchange, to_hall(REGISTRY, hall), ORDER_TYPE, body, {"v": 1, "registry": REGISTRY, "hall": hall})


def opened(link: Link) -> Link:
    link.open()
    return link


def receive_all(link: Link, count: int, *, ack: bool = True) -> list[Delivery]:
    """Receive so many, however long a redelivery takes (at most 30 s)."""
    until, got = monotonic() + 30, []
    while len(got) < count and monotonic() < until:
        delivery = link.receive(0.2)
        if delivery is not None:
            got.append(delivery)
            if ack:
                link.ack(delivery)
    return got


def test_what_is_published_arrives_as_it_was(carrier):
    """Id, type, headers and every byte of the body cross unchanged, to the hall in the key and to no other."""
    home, hall, other = (
        opened(carrier.link()),
        opened(carrier.link(QUEUE)),
        opened(carrier.link(hall_queue(OTHER_HALL))),
    )
    body = bytes(range(256)) * 4000

    home.publish(a_letter("letter-1", body=body))

    (delivery,) = receive_all(hall, 1)
    assert ("letter-1", ORDER_TYPE, body, QUEUE) == (delivery.id, delivery.type, delivery.body, delivery.queue)
    assert dict(delivery.headers) == {"v": 1, "registry": REGISTRY, "hall": HALL}
    assert (f"{REGISTRY}.{HALL}", False) == (delivery.routing_key, delivery.redelivered)
    assert other.receive(0.1) is None


def test_letters_keep_their_order(carrier):
    home, hall = opened(carrier.link()), opened(carrier.link(QUEUE))

    for number in range(50):
        home.publish(a_letter(str(number)))

    assert [str(n) for n in range(50)] == [d.id for d in receive_all(hall, 50)]


def test_a_letter_that_no_queue_takes_is_refused(carrier):
    """Without `mandatory` RabbitMQ would confirm it, and it would be gone (F5)."""
    home = opened(carrier.link())

    with pytest.raises(Unroutable):
        home.publish(a_letter(hall="239999-99"))

    home.publish(a_letter())  # the link still works


def test_a_letter_to_a_missing_exchange_is_refused(carrier):
    """It is that letter's fault, so it must not look as if the broker were away."""
    home = opened(carrier.link())

    with pytest.raises(Unroutable):
        home.publish(a_letter(exchange="nowhere"))


def test_a_full_queue_refuses_and_loses_nothing(make_carrier):
    """A limit reached is told to the sender, who keeps the letter (F4); nothing is dropped from the queue's head."""
    carrier = make_carrier(describe([REGISTRY], [HALL], limits=Limits(letters=3)))
    home = opened(carrier.link())
    taken = 0

    # RabbitMQ lets a few more in than its limit says.
    with pytest.raises(NotConfirmed):
        for number in range(20):
            home.publish(a_letter(str(number)))
            taken += 1

    hall = opened(carrier.link(QUEUE))
    assert [str(n) for n in range(taken)] == [d.id for d in receive_all(hall, taken)]
    home.publish(a_letter("there is room again"))


def test_what_was_not_acked_comes_again(carrier):
    """A hall that dies between receiving and its journal gets the letter again, marked as such."""
    opened(carrier.link()).publish(a_letter())
    hall = opened(carrier.link(QUEUE))
    (first,) = receive_all(hall, 1, ack=False)

    hall.close()
    hall.open()

    (again,) = receive_all(hall, 1)
    assert (first.id, first.body, True) == (again.id, again.body, again.redelivered)


def test_what_was_acked_never_comes_again(carrier):
    opened(carrier.link()).publish(a_letter())
    hall = opened(carrier.link(QUEUE))
    receive_all(hall, 1)

    hall.close()
    hall.open()

    assert hall.receive(0.3) is None


def test_an_ack_for_an_earlier_connection_is_not_sent(carrier):
    """Its number would mean another letter now."""
    opened(carrier.link()).publish(a_letter())
    hall = opened(carrier.link(QUEUE))
    (old,) = receive_all(hall, 1, ack=False)
    hall.close()
    hall.open()
    (new,) = receive_all(hall, 1, ack=False)

    hall.ack(old)
    hall.close()
    hall.open()

    assert [new.id] == [d.id for d in receive_all(hall, 1)]


def test_a_rejected_letter_waits_among_the_registrys_dead(carrier):
    """Nothing vanishes: the home of that registry reads it there, with the queue it came from (F13)."""
    opened(carrier.link()).publish(a_letter())
    hall, home = opened(carrier.link(QUEUE)), opened(carrier.link(dead_queue(REGISTRY)))
    (delivery,) = receive_all(hall, 1, ack=False)

    hall.reject(delivery)

    (dead,) = receive_all(home, 1)
    assert (delivery.id, delivery.body) == (dead.id, dead.body)
    assert (dead.headers["x-first-death-queue"], dead.headers["x-first-death-reason"]) == (QUEUE, "rejected")
    assert hall.receive(0.1) is None


def test_a_letter_delivered_in_vain_too_often_is_dead(make_carrier):
    """A letter that kills its reader each time stops after the limit instead of going round for ever."""
    carrier = make_carrier(describe([REGISTRY], [HALL], limits=Limits(deliveries=2)))
    opened(carrier.link()).publish(a_letter())
    hall, home = carrier.link(QUEUE), opened(carrier.link(dead_queue(REGISTRY)))

    for _ in range(3):
        hall.open()
        receive_all(hall, 1, ack=False)
        hall.close()

    (dead,) = receive_all(home, 1)
    assert dead.headers["x-first-death-reason"] == "delivery_limit"


def test_only_one_of_two_readers_is_served(carrier):
    """Two agents of one hall never share its orders; when the first goes, the second takes over."""
    home, first, second = opened(carrier.link()), opened(carrier.link(QUEUE)), opened(carrier.link(QUEUE))
    for number in range(4):
        home.publish(a_letter(str(number)))

    assert len(receive_all(first, 4)) == 4
    assert second.receive(0.2) is None
    first.close()
    home.publish(a_letter("after"))
    assert [d.id for d in receive_all(second, 1)] == ["after"]


def test_no_more_is_given_out_than_can_be_lost_count_of(carrier):
    """With a prefetch of 2 a third letter waits in the queue until one is acked."""
    home, hall = opened(carrier.link()), opened(carrier.link(QUEUE, prefetch=2))
    for number in range(3):
        home.publish(a_letter(str(number)))

    first, _ = receive_all(hall, 2, ack=False)
    assert hall.receive(0.2) is None
    hall.ack(first)
    assert [d.id for d in receive_all(hall, 1)] == ["2"]


def test_receive_returns_when_nothing_comes(carrier):
    hall = opened(carrier.link(QUEUE))
    began = monotonic()

    assert hall.receive(0.2) is None

    assert 0.15 < monotonic() - began < 5


def test_another_thread_can_wake_a_receiver(carrier):
    """What is put into the outbox goes at once, not at the next tick."""
    hall = opened(carrier.link(QUEUE))
    began = monotonic()
    Timer(0.1, hall.wake).start()

    assert hall.receive(10) is None

    assert monotonic() - began < 5


def test_a_wake_before_receive_is_not_lost(carrier):
    hall = opened(carrier.link(QUEUE))
    began = monotonic()

    hall.wake()
    hall.receive(10)

    assert monotonic() - began < 5


def test_waking_a_closed_link_does_nothing(carrier):
    link = carrier.link(QUEUE)

    link.wake()
    link.open()
    link.close()
    link.wake()

    assert not link.is_open


def test_a_broken_connection_is_noticed_by_the_receiver(carrier):
    hall = opened(carrier.link(QUEUE))

    carrier.cut()

    with pytest.raises(BrokerUnreachable):
        receive_all(hall, 1)
    assert not hall.is_open


def test_a_broken_connection_is_noticed_by_the_sender(carrier):
    home = opened(carrier.link())

    carrier.cut()

    with pytest.raises(BrokerUnreachable):
        home.publish(a_letter())
    home.open()
    home.publish(a_letter())


def test_after_a_lost_confirm_the_letter_is_there_and_is_sent_again_under_its_id(carrier):
    """The sender cannot know, so it sends again: the reader sees the id twice, never not at all (F3)."""
    home = opened(carrier.link())
    carrier.lose_the_next_confirm()

    with pytest.raises(BrokerUnreachable):
        home.publish(a_letter("same id"))

    carrier.recover()
    home.open()
    home.publish(a_letter("same id"))
    hall = opened(carrier.link(QUEUE))
    assert [d.id for d in receive_all(hall, 2)] == ["same id", "same id"]


@pytest.mark.fault_row("F9")
def test_a_queue_deleted_under_its_reader_is_noticed(carrier):
    """RabbitMQ cancels the consumer and pika says nothing: without the check each tick the hall would wait for ever (F9)."""
    hall = opened(carrier.link(QUEUE))

    carrier.delete_queue(QUEUE)

    with pytest.raises(BrokerUnreachable):
        receive_all(hall, 1)


def test_a_link_is_closed_before_open_and_after_close(carrier):
    link = carrier.link(QUEUE)
    assert not link.is_open
    link.open()
    assert link.is_open
    link.close()
    link.close()
    assert not link.is_open

    with pytest.raises(BrokerUnreachable):
        link.publish(a_letter())
    with pytest.raises(BrokerUnreachable):
        link.receive(0)


def test_reading_a_queue_that_is_not_there_is_told_at_once(carrier):
    with pytest.raises(Unroutable):
        carrier.link("hall.239999-99").open()
