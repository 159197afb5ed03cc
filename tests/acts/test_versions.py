"""F44: a message of a version that this side does not know is refused by name, and those behind it are taken."""

from dataclasses import replace

import pytest

from spooler.job import JobState
from spooler.wire import strict
from spooler.wire.errors import NotTrusted
from spooler.wire.messages import REPORT_TYPE as SIGNED_REPORT
from spooler.wire.messages import TICKET_TYPE
from spooler.wire.signed import sign, signed_bytes
from spooler.wire.topology import registry_queue
from tests.acts.county import County
from tests.agents.counter.hall import delivery
from tests.sealing import HALL, HOME, Office
from tests.spooler.core.hall import FakeHall


@pytest.mark.fault_row("F44")
def test_an_order_of_another_version_of_the_wire_goes_to_the_dead_letters(county: County) -> None:
    order = county.counter.booklet()

    with pytest.raises(NotTrusted, match="version 2"):
        county.counter.hall.inbox.handle(county.counter.wrapped(order, v=2))

    assert county.counter.arrives(order) == order.ticket.order_id


@pytest.mark.fault_row("F44")
def test_a_ticket_of_another_version_is_refused_by_name(county: County, office: Office) -> None:
    """It is signed well, and means what this hall cannot know."""
    order = county.counter.booklet()
    newer = strict.canonical(strict.parse(signed_bytes(order.signed_ticket, TICKET_TYPE)) | {"version": 2})
    changed = replace(order, signed_ticket=sign(newer, TICKET_TYPE, office.ticket_key()))

    county.counter.hall.inbox.handle(county.counter.wrapped(changed))

    (refused,) = county.counter.reports("refused")
    assert refused.code == "ticket-format"


@pytest.mark.fault_row("F44")
def test_a_report_of_another_version_is_refused_and_those_behind_it_are_taken(county: County, office: Office) -> None:
    job = county.brought_to("in the broker")
    newer = strict.canonical({"version": 2, "kind": "received", "hall": HALL, "registry": HOME})
    signed = sign(newer, SIGNED_REPORT, FakeHall(office).key)
    came = replace(delivery("report", signed, {"v": 1}), queue=registry_queue(HOME), routing_key=f"{HALL}.{HOME}")

    with pytest.raises(NotTrusted, match="version"):
        county.home_inbox.handle(came)

    county.carry()
    assert county.job(job).state is JobState.RECEIVED
