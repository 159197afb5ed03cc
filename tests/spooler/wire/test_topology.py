"""The description by itself: names carry ids only, patterns never overlap, every kind of letter finds a queue."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spooler.wire.errors import Unroutable
from spooler.wire.letters import Letter
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import (
    CONTROLS,
    EVENTS,
    ORDERS,
    REPORTS,
    dead_queue,
    describe,
    hall_queue,
    registry_queue,
    to_hall,
    to_registry,
)

COUNTIES = ["231202", "231221", "231222", "231223", "231224", "231225", "231226", "231281", "231282", "231283"]


def a_letter(id: str, exchange: str, key: str) -> Letter:
    return Letter(id, exchange, key, "type", b"")


TOPOLOGY = describe(COUNTIES, [f"{county}-01" for county in COUNTIES])


def test_every_queue_is_a_quorum_queue():
    assert {queue.arguments["x-queue-type"] for queue in TOPOLOGY.queues} == {"quorum"}


def test_every_queue_stands_under_exactly_one_policy():
    """Two policies of one priority over one queue would be a toss-up."""
    for queue in TOPOLOGY.queues:
        assert sum(policy.covers(queue.name) for policy in TOPOLOGY.policies) == 1, queue.name


def test_work_that_cannot_be_delivered_is_never_dropped():
    """Refused to the sender or put to the dead letters at least once; and the delivery limit is no -1, which drops on 3.10."""
    for name in (hall_queue("231282-01"), registry_queue("231221")):
        settings = TOPOLOGY.settings_of(name)
        assert (settings["overflow"], settings["dead-letter-strategy"]) == ("reject-publish", "at-least-once")
        assert settings["delivery-limit"] >= 20
    assert TOPOLOGY.settings_of(dead_queue("231221"))["overflow"] == "reject-publish"


def test_the_order_of_names_does_not_matter():
    assert describe(reversed(COUNTIES), []) == describe(COUNTIES, [])


def test_only_the_home_reads_the_dead_letters():
    readers = [user.name for user in TOPOLOGY.users if re.search(user.read, dead_queue("231221"))]

    assert readers == ["home"]


@given(st.sampled_from(COUNTIES), st.sampled_from(COUNTIES))
def test_each_letter_reaches_the_one_queue_it_is_for(registry, county):
    """Any registry, any hall, also the registry's own: one copy, in the right queue."""
    hall = f"{county}-01"
    broker = MemoryBroker(TOPOLOGY)
    link = MemoryLink(broker)
    link.open()

    link.publish(a_letter("1", ORDERS, to_hall(registry, hall)))
    link.publish(a_letter("2", CONTROLS, to_hall(registry, hall)))
    link.publish(a_letter("3", REPORTS, to_registry(hall, registry)))
    link.publish(a_letter("4", EVENTS, f"{registry}.job.received"))

    found = {queue.name: [letter.id for letter in broker.letters(queue.name)] for queue in TOPOLOGY.queues}
    expected = {hall_queue(hall): ["1", "2"], registry_queue(registry): ["3"], "events.recent": ["4"]}
    assert {name: ids for name, ids in found.items() if ids} == expected


@pytest.mark.parametrize(
    "exchange, key", [(REPORTS, to_registry("231282-01", "231221")), (CONTROLS, to_hall("231221", "231282-01"))]
)
def test_a_dead_letter_reaches_its_registry_only(exchange, key):
    """The home of 231221 learns of it, whichever way it went; a neighbour, also the hall's own county, does not."""
    broker = MemoryBroker(TOPOLOGY)
    sender, reader = MemoryLink(broker), MemoryLink(broker, [hall_queue("231282-01"), registry_queue("231221")])
    sender.open()
    reader.open()
    sender.publish(a_letter("1", exchange, key))

    reader.reject(reader.receive(0))

    assert {dead_queue("231221"): 1} == {
        q.name: len(broker.letters(q.name)) for q in TOPOLOGY.queues if broker.letters(q.name)
    }


def test_a_hall_that_was_never_applied_is_unroutable():
    link = MemoryLink(MemoryBroker(TOPOLOGY))
    link.open()

    with pytest.raises(Unroutable):
        link.publish(a_letter("1", ORDERS, to_hall("231221", "231282-99")))
