"""What comes from home: taken once, refused with its code, never confused."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from spooler.wire.envelope import Address, wrap
from spooler.wire.errors import NotTrusted
from spooler.wire.messages import CONTROL_TYPE, Cancel, Hold, Lease
from spooler.wire.signed import sign
from tests.agents.counter.hall import CLERK, HALL, HOME, delivery
from tests.sealing import OTHER_HALL, OTHER_HOME


def test_an_order_is_received_durably(counter):
    """Order and report stand in one transaction: after a restart both are there."""
    order = counter.booklet()

    order_id = counter.arrives(order)
    counter.restart()

    assert counter.order(order_id).state == "waiting"
    (received,) = counter.reports("received")
    assert (received.order_id, received.job_id) == (order_id, order.ticket.job_id)
    assert received.reasons == ("waiting-release",)
    assert counter.book.document(order_id) == order.document


@pytest.mark.attack_row("S4")
def test_the_same_order_again_is_harmless(counter):
    """Wrapped anew it has other bytes, and is the same order."""
    order = counter.booklet()

    for _ in range(5):
        counter.arrives(order)

    assert len(counter.reports()) == 1
    assert len(counter.acts.orders(CLERK)) == 1


@pytest.mark.attack_row("S4")
def test_the_same_order_after_its_time_is_still_the_same(counter):
    """A late redelivery of what is here already refuses nothing."""
    order = counter.booklet()
    order_id = counter.arrives(order)
    counter.clock.forward(days=4)

    counter.arrives(order)

    assert counter.order(order_id).state == "waiting"
    assert counter.reports("refused") == []


def test_other_content_under_a_known_id_goes_into_quarantine(counter):
    order = counter.booklet()
    order_id = counter.arrives(order)

    counter.arrives(counter.booklet(order_id=order_id, number="黑（2024）望奎县不动产权第0009999号"))

    assert counter.order(order_id).number.endswith("0001234号")
    assert counter.ledger.quarantine.counts() == {"other-content": 1}
    assert counter.reports("refused") == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body": b"rubbish"}, "envelope"),
        ({"kid": "0" * 16}, "envelope"),
        ({"order_id": str(uuid4())}, "envelope"),
    ],
)
def test_what_does_not_open_is_refused_with_its_code(counter, changes, code):
    counter.hall.inbox.handle(counter.wrapped(counter.booklet(), **changes))

    (refused,) = counter.reports("refused")
    assert (refused.code, refused.state) == (code, "refused")


def test_an_expired_ticket_is_refused(counter):
    order = counter.booklet()
    counter.clock.forward(days=4)

    counter.arrives(order)

    (refused,) = counter.reports("refused")
    assert refused.code == "time"


def test_a_refused_id_is_never_printed(counter):
    """Home was told that nothing will be printed under this id: so it is, whatever comes later."""
    order = counter.booklet()
    counter.hall.inbox.handle(counter.wrapped(order, body=b"rubbish"))

    counter.arrives(order)

    assert counter.acts.orders(CLERK) == ()
    assert len(counter.reports()) == 1


def test_rubbish_under_a_good_orders_id_does_not_refuse_it(counter):
    """Else whoever can write to the queue could have an order called refused while it prints."""
    order = counter.booklet()
    order_id = counter.arrives(order)

    counter.hall.inbox.handle(counter.wrapped(order, body=b"rubbish"))

    assert counter.reports("refused") == []
    assert counter.releases(order_id).state == "printing"


@pytest.mark.parametrize(
    "changes", [{"hall": "231283-01"}, {"registry": "990000"}, {"order_id": "no uuid"}, {"kid": 1}]
)
def test_what_nobody_known_addressed_to_us_goes_to_the_dead_letters(counter, changes):
    with pytest.raises(NotTrusted):
        counter.hall.inbox.handle(counter.wrapped(counter.booklet(), **changes))

    assert counter.reports() == []


def test_a_letter_of_no_known_type_goes_to_the_dead_letters(counter):
    with pytest.raises(NotTrusted):
        counter.hall.inbox.handle(replace(counter.wrapped(counter.booklet()), type="poem"))


@pytest.mark.fault_row("F12")
def test_a_cancel_that_overtakes_its_order_is_kept(counter):
    """Nothing is printed when the order comes at last."""
    order = counter.booklet()
    control_id = counter.control(Cancel, order.ticket.order_id, reason="withdrawn")
    assert [(r.control_id, r.outcome) for r in counter.reports("answer")] == [(control_id, "cancelled")]

    order_id = counter.arrives(order)

    view = counter.order(order_id)
    assert (view.state, view.next) == ("cancelled", ())
    assert [r.state for r in counter.reports("standing")] == ["cancelled"]


@pytest.mark.fault_row("F12")
def test_a_hold_that_overtakes_its_order_holds_it(counter):
    order = counter.booklet()
    counter.control(Hold, order.ticket.order_id, reason="seized")

    order_id = counter.arrives(order)

    view = counter.order(order_id)
    assert (view.state, view.reasons, view.next) == ("waiting", ("held",), ("return",))


def test_a_lease_that_overtakes_its_order_counts(counter):
    order = counter.booklet()
    later = counter.clock() + timedelta(days=9)
    counter.control(Lease, order.ticket.order_id, not_after=later)

    assert counter.order(counter.arrives(order)).not_after == later


def test_a_control_signed_by_another_registry_is_not_believed(counter):
    order_id = counter.arrives(counter.booklet())
    control = Cancel(control_id=uuid4(), registry=HOME, hall=HALL, order_id=order_id, at=counter.clock(), reason="mine")
    body = sign(control.to_bytes(), CONTROL_TYPE, counter.office.ticket_key(OTHER_HOME))

    for registry in (HOME, OTHER_HOME):
        with pytest.raises(NotTrusted):
            counter.hall.inbox.handle(delivery("control", body, {"registry": registry}))
    foreign = control.model_copy(update={"registry": OTHER_HOME})
    body = sign(foreign.to_bytes(), CONTROL_TYPE, counter.office.ticket_key(OTHER_HOME))
    with pytest.raises(NotTrusted):
        counter.hall.inbox.handle(delivery("control", body, {"registry": OTHER_HOME}))

    assert counter.order(order_id).state == "waiting"


@pytest.mark.attack_row("S17", "S18")
@pytest.mark.parametrize(
    "damage",
    [
        lambda body, other: b"",
        lambda body, other: body[:40],
        lambda body, other: body[:-1],
        lambda body, other: body + b"\0",
        lambda body, other: bytes([body[0] ^ 1]) + body[1:],
        lambda body, other: body[:-1] + bytes([body[-1] ^ 1]),
        lambda body, other: body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :],
        lambda body, other: other[:32] + body[32:],
        lambda body, other: bytes(32) + body[32:],
        lambda body, other: bytes(13 << 20),
    ],
    ids=["empty", "enc-alone", "cut", "longer", "enc-bit", "tag-bit", "bit", "enc-swapped", "enc-zero", "too-long"],
)
def test_whatever_is_wrong_with_an_envelope_it_says_the_same(counter, damage):
    """One code: whoever tries ciphertexts learns nothing from the answers."""
    order = counter.booklet()
    good, other = counter.wrapped(order), counter.wrapped(counter.booklet())

    counter.hall.inbox.handle(replace(good, body=damage(good.body, other.body)))

    (refused,) = counter.reports("refused")
    assert (refused.code, refused.state) == ("envelope", "refused")
    assert counter.acts.orders(CLERK) == ()


@pytest.mark.attack_row("S3", "S18")
def test_an_order_that_was_wrapped_for_another_hall_does_not_open_here(counter):
    """Sent on to this hall under this hall's address: another key, another `info`."""
    order = counter.booklet()
    record = counter.office.trust.halls[OTHER_HALL].wrap_keys[0]
    address = Address(HOME, OTHER_HALL, order.ticket.order_id, record.kid)
    body = wrap(order.contents, address, record)

    for kid in (record.kid, counter.office.trust.halls[HALL].wrap_keys[0].kid):
        counter.hall.inbox.handle(counter.wrapped(order, body=body, kid=kid))

    assert {refused.code for refused in counter.reports("refused")} == {"envelope"}
    assert counter.acts.orders(CLERK) == ()


@pytest.mark.attack_row("S3")
def test_another_halls_order_wrapped_anew_for_this_one_is_refused(counter):
    """Whoever could open it there, or stole it before it was wrapped, cannot move it here: the ticket says for whom it is."""
    order = counter.booklet(hall=OTHER_HALL)

    counter.hall.inbox.handle(counter.wrapped(order, hall=HALL))

    assert [refused.code for refused in counter.reports("refused")] == ["audience"]
