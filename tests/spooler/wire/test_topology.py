"""The description by itself: names carry ids only, patterns never overlap, every kind of letter finds a queue."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spooler.wire.addresses import control_letter, event_letter, order_letter, report_letter
from spooler.wire.envelope import Address
from spooler.wire.errors import Unroutable
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import dead_queue, describe, hall_queue, registry_queue

ORDER = UUID(int=1)
COUNTIES = ["231202", "231221", "231222", "231223", "231224", "231225", "231226", "231281", "231282", "231283"]
TOPOLOGY = describe(COUNTIES, [f"{county}-01" for county in COUNTIES])


def test_every_queue_is_a_quorum_queue():
    assert {queue.arguments["x-queue-type"] for queue in TOPOLOGY.queues} == {"quorum"}


def test_every_queue_stands_under_exactly_one_policy():
    """Two policies of one priority over one queue would be a toss-up."""
    for queue in TOPOLOGY.queues:
        assert [policy.name for policy in TOPOLOGY.policies if policy.covers(queue.name)].__len__() == 1, queue.name


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

    link.publish(order_letter("1", Address(registry, hall, ORDER, "kid"), b""))
    link.publish(control_letter("2", registry, hall, ORDER, b""))
    link.publish(report_letter("3", hall, registry, b""))
    link.publish(event_letter("4", registry, "job.received", b""))

    found = {queue.name: [letter.id for letter in broker.letters(queue.name)] for queue in TOPOLOGY.queues}
    expected = {hall_queue(hall): ["1", "2"], registry_queue(registry): ["3"], "events.recent": ["4"]}
    assert {name: ids for name, ids in found.items() if ids} == expected


@pytest.mark.parametrize("hall_says", [True, False], ids=["a hall's letter", "a home's letter"])
def test_a_dead_letter_reaches_its_registry_only(hall_says):
    """The home of 231221 learns of it, whichever way it went; a neighbour, also the hall's own county, does not."""
    broker = MemoryBroker(TOPOLOGY)
    sender, reader = MemoryLink(broker), MemoryLink(broker, [hall_queue("231282-01"), registry_queue("231221")])
    sender.open()
    reader.open()
    letter = (
        report_letter("1", "231282-01", "231221", b"")
        if hall_says
        else control_letter("1", "231221", "231282-01", ORDER, b"")
    )
    sender.publish(letter)

    reader.reject(reader.receive(0))

    assert {dead_queue("231221"): 1} == {
        q.name: len(broker.letters(q.name)) for q in TOPOLOGY.queues if broker.letters(q.name)
    }


def test_a_hall_that_was_never_applied_is_unroutable():
    link = MemoryLink(MemoryBroker(TOPOLOGY))
    link.open()

    with pytest.raises(Unroutable):
        link.publish(order_letter("1", Address("231221", "231282-99", ORDER, "kid"), b""))
