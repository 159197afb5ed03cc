"""What time and policy do without a person."""

import pytest

from agents.device import DeviceState
from agents.errors import DoesNotFit
from agents.settings import PrinterSection
from spooler.wire.messages import Seal, Stock
from tests.agents.counter.hall import CLERK


def test_by_policy_the_most_urgent_order_goes_first_and_one_at_a_time(make_counter):
    counter = make_counter(release="auto")
    late = counter.arrives(counter.booklet())
    urgent = counter.arrives(counter.booklet(deadline=counter.clock()))

    counter.hall.pipeline.look()

    assert (counter.order(urgent).state, counter.order(late).state) == ("printing", "waiting")
    assert counter.prints("booklet-1").released.order_id == urgent
    counter.hall.pipeline.look()
    assert counter.order(late).state == "waiting"
    counter.turns(urgent, 2)
    counter.prints("booklet-1")
    counter.hall.pipeline.look()
    assert counter.order(late).state == "printing"


def test_without_the_policy_nothing_is_released_but_by_a_person(counter):
    order_id = counter.arrives(counter.booklet())

    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "waiting"


def test_a_spoiled_attempt_goes_again_by_policy(make_counter):
    counter = make_counter(release="auto")
    order_id = counter.arrives(counter.proof())
    counter.hall.pipeline.look()
    counter.prints("proof-1")
    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["23000000101"], reason="smeared")
    counter.accepts(order_id)

    counter.hall.pipeline.look()

    view = counter.order(order_id)
    assert (view.state, view.attempt, view.proposed_serial) == ("printing", 2, "23000000102")


def test_an_order_whose_time_to_begin_has_passed_expires(counter):
    order_id = counter.arrives(counter.booklet())
    counter.clock.forward(days=4)
    with pytest.raises(DoesNotFit):
        counter.releases(order_id)

    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "expired"
    assert [r.state for r in counter.reports("standing")] == ["expired"]


def test_released_and_never_begun_expires_too_and_its_blank_goes_back(counter):
    """The ticket's time binds the first claim, not the release."""
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.clock.forward(days=4)
    assert counter.has_to_print("booklet-1") is None

    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "expired"
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000101").status == "loaded"


def test_a_begun_attempt_may_be_finished_after_its_time(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.prints("booklet-1")
    counter.clock.forward(days=4)
    counter.hall.pipeline.look()

    counter.turns(order_id, 2)
    later = counter.prints("booklet-1")

    assert later.released.not_after is None
    assert counter.confirms(order_id).order.state == "printed"


def test_a_list_waits_for_its_printer_and_then_goes_by_itself(counter):
    order_id = counter.arrives(counter.proof(lists=1))
    counter.releases(order_id)
    counter.stands("plain-1", DeviceState.STOPPED, "media-empty-error")
    counter.prints("proof-1")
    assert counter.has_to_print("plain-1") is None

    counter.stands("plain-1", DeviceState.IDLE)
    counter.hall.pipeline.look()

    assert counter.has_to_print("plain-1") is not None


def test_the_heartbeat_says_how_the_hall_stands(counter):
    counter.arrives(counter.booklet())
    counter.stands("booklet-1", DeviceState.IDLE)

    counter.hall.pipeline.look()
    counter.hall.pipeline.look()

    beats = counter.reports("heartbeat")
    assert len(beats) == len({b.registry for b in beats}) == 2
    assert {(p.name, p.state) for p in beats[0].printers} >= {("booklet-1", "idle"), ("proof-1", "unknown")}
    assert {(b.stock, b.status): b.count for b in beats[0].blanks} == {
        (Stock.CERTIFICATE, "loaded"): 10,
        (Stock.PROOF, "loaded"): 10,
    }


def test_a_printed_seal_needs_a_colour_printer(make_counter):
    grey = PrinterSection(name="booklet-1", stock=Stock.CERTIFICATE, device="file:/b", colour=False)
    counter = make_counter(printers=(grey,))
    printed = counter.arrives(counter.booklet(seal=Seal.PRINTED))
    stamped = counter.arrives(counter.booklet(seal=Seal.STAMPED))

    assert counter.order(printed).reasons == ("waiting-stock",)
    assert counter.order(stamped).next == ("release", "return")


def test_an_order_for_a_window_goes_to_that_windows_printer(make_counter):
    printers = tuple(
        PrinterSection(name=f"proof-{n}", stock=Stock.PROOF, device=f"file:/{n}", windows=(str(n),)) for n in (1, 2)
    )
    counter = make_counter(printers=printers)
    order_id = counter.arrives(counter.proof(window="1"))

    assert counter.releases(order_id).printer == "proof-1"


def test_a_printer_that_goes_away_between_look_and_release_is_waited_for(make_counter):
    """The policy looks, then acts: what has changed meanwhile is no stumble, and nothing of the act is written."""
    counter = make_counter(release="auto")
    order_id = counter.arrives(counter.booklet())
    seen = counter.hall.board.facts()
    counter.stands("booklet-1", DeviceState.STOPPED, "media-jam")

    released = counter.hall.pipeline._release_one(counter.hall.journal.order(order_id), seen)

    assert (released, counter.order(order_id).state, counter.order(order_id).printer) == (False, "waiting", None)
