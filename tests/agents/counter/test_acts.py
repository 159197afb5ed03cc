"""What a person may do, and what it does."""

from datetime import timedelta
from uuid import uuid4

import pytest

from agents.device import DeviceState
from agents.errors import DoesNotFit, Invalid, NotAllowed, NotFound, Stale
from agents.people import Identity, Recipient
from agents.stock import Movement
from spooler.wire.messages import Hold, Stock
from tests.agents.counter.hall import BOTH, CLERK, SECOND

IDENTIFIED = Identity(method="id-card", result="match")


def test_a_booklet_goes_from_release_to_hand_over(counter):
    """The main path: release, two passes with a turned page between, the empty side done at once, confirm, hand over."""
    order_id = counter.arrives(counter.booklet())
    assert counter.order(order_id).next == ("release", "return")
    assert [p.state for p in counter.order(order_id).passes] == ["ready", "ready", "done"]

    counter.releases(order_id)
    counter.prints("booklet-1")
    assert counter.order(order_id).reasons == ("waiting-turn",)
    assert counter.has_to_print("booklet-1") is None
    counter.turns(order_id, 2)
    counter.prints("booklet-1")
    assert counter.order(order_id).next == ("confirm", "spoil", "return")
    counter.confirms(order_id)
    counter.acts.issue(CLERK, order_id, recipient=Recipient("holder", id_last4="0019"), identity=IDENTIFIED)

    view = counter.order(order_id)
    assert (view.state, view.serial, view.next) == ("issued", "D23000000101", ())
    told = [(r.kind, getattr(r, "outcome", None), getattr(r, "state", None)) for r in counter.reports()]
    assert told == [
        ("received", None, "waiting"),
        ("pass", "released", "printing"),
        ("pass", "done", "printing"),
        ("pass", "released", "printing"),
        ("pass", "done", "printing"),
        ("stock", None, None),
        ("printed", None, "printed"),
        ("issued", None, "issued"),
    ]


def test_a_list_on_plain_paper_follows_by_itself(counter):
    """No page is turned for it, so no person releases it."""
    order_id = counter.arrives(counter.proof(lists=2))
    counter.releases(order_id)

    counter.prints("proof-1")
    counter.prints("plain-1")
    counter.prints("plain-1")

    assert {p.state for p in counter.order(order_id).passes} == {"done"}
    assert counter.confirms(order_id).order.serial == "23000000101"


def test_an_act_on_an_attempt_that_has_passed_is_stale(counter):
    """Whoever looked before somebody else acted has to look again."""
    order_id = counter.has_printed_booklet()
    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["D23000000101"], reason="torn")
    counter.accepts(order_id)

    with pytest.raises(Stale):
        counter.acts.release(CLERK, order_id, attempt=1)


def test_what_does_not_fit_says_what_would(counter):
    order_id = counter.arrives(counter.booklet())

    with pytest.raises(DoesNotFit) as refused:
        counter.acts.confirm(CLERK, order_id, attempt=1, serials=["D23000000101"])

    assert refused.value.fits == ("release", "return")


def test_a_second_release_of_the_same_pass_does_nothing(counter):
    """Two clerks at once: one wins."""
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)

    with pytest.raises(DoesNotFit):
        counter.acts.release(CLERK, order_id, attempt=1)
    with pytest.raises(DoesNotFit):
        counter.acts.release_pass(CLERK, order_id, 1, attempt=1)

    counter.prints("booklet-1")
    assert counter.has_to_print("booklet-1") is None


def test_a_spoiled_blank_is_void_and_the_order_waits_again_once_a_second_person_agrees(counter):
    order_id = counter.has_printed_booklet()

    asked = counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["D23000000101"], reason="torn")
    assert asked.approval is not None
    assert (asked.order.state, asked.order.attempt) == ("printing", 1)
    view = counter.accepts(order_id)

    assert (view.state, view.attempt, view.next) == ("waiting", 2, ())
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000101").status == "void"
    assert counter.releases(order_id).proposed_serial == "D23000000102"


def test_nobody_approves_what_he_asked_himself(counter):
    order_id = counter.has_printed_booklet()
    counter.acts.spoil(BOTH, order_id, attempt=1, blanks=["D23000000101"], reason="torn")

    with pytest.raises(NotAllowed):
        counter.accepts(order_id, BOTH)
    with pytest.raises(NotAllowed):
        counter.accepts(order_id, CLERK)

    assert counter.accepts(order_id, SECOND).attempt == 2


def test_a_declined_act_changes_nothing(counter):
    order_id = counter.has_printed_booklet()
    asked = counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["D23000000101"], reason="torn")

    counter.acts.answer(SECOND, asked.approval.id, accept=False, reason="it is good")

    assert counter.order(order_id).next == ("confirm", "spoil", "return")
    with pytest.raises(DoesNotFit):
        counter.acts.answer(SECOND, asked.approval.id, accept=True)


def test_while_an_approval_is_open_nothing_else_is_done(counter):
    order_id = counter.has_printed_booklet()
    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["D23000000101"], reason="torn")

    with pytest.raises(DoesNotFit) as refused:
        counter.confirms(order_id)

    assert refused.value.fits == ("approve",)
    assert counter.order(order_id).reasons == ("waiting-approval",)


def test_another_serial_than_the_proposed_needs_a_second_person(counter):
    """The number on the paper is the truth, and two people have read it."""
    order_id = counter.has_printed_booklet()

    assert counter.confirms(order_id, "D23000000105").approval is not None
    view = counter.accepts(order_id)

    assert (view.state, view.serial) == ("printed", "D23000000105")
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000101").status == "loaded"


def test_a_double_feed_voids_the_blank_that_came_along(counter):
    order_id = counter.has_printed_booklet()

    counter.confirms(order_id, "D23000000101", "D23000000102")
    counter.accepts(order_id)

    assert counter.order(order_id).serial == "D23000000101"
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000102").status == "void"


def test_two_proofs_that_changed_places_are_confirmed_as_they_lie(counter):
    """The serial on the first was reserved for the second: they exchange their blanks."""
    first, second = counter.has_printed_proof(), counter.has_printed_proof()

    counter.confirms(first, "23000000102")
    counter.accepts(first)

    assert counter.order(first).serial == "23000000102"
    assert counter.order(second).proposed_serial == "23000000101"
    assert counter.confirms(second).order.serial == "23000000101"


@pytest.mark.parametrize(
    ("serial", "code"),
    [("D23000000999", "blank-not-received"), ("23000000101", "blank-not-received"), ("D23000000101", "blank-used")],
)
@pytest.mark.fault_row("F34")
def test_a_serial_that_cannot_be_is_refused_with_its_reason(counter, serial, code):
    """Foreign, of the other stock, or used before."""
    counter.confirms(counter.has_printed_booklet())
    order_id = counter.has_printed_booklet()

    with pytest.raises(DoesNotFit) as refused:
        counter.confirms(order_id, serial)

    assert refused.value.code == code


def test_a_serial_of_zeros_is_no_serial(counter):
    order_id = counter.has_printed_booklet()

    with pytest.raises(DoesNotFit):
        counter.confirms(order_id, "00000000000")
    with pytest.raises(Invalid):
        counter.confirms(order_id, "D-1")


def test_a_certificate_on_a_plain_sheet_is_never_confirmed(counter):
    """Without a serial it is no certificate: it is spoiled, and the blank still lies in the tray."""
    order_id = counter.has_printed_booklet()

    with pytest.raises(DoesNotFit) as refused:
        counter.acts.confirm(CLERK, order_id, attempt=1, serials=[], reason="plain sheet")
    assert "spoil" in refused.value.fits

    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[], reason="plain sheet")
    counter.accepts(order_id)
    assert counter.releases(order_id).proposed_serial == "D23000000101"


def test_a_returned_order_ends_and_its_blank_is_void(counter):
    order_id = counter.has_printed_booklet()

    view = counter.acts.return_to_home(
        CLERK, order_id, attempt=1, reason="wrong name", fields=["fields.holder"], blanks=["D23000000101"]
    ).order

    assert (view.state, view.next) == ("returned", ())
    (told,) = counter.reports("returned")
    assert (told.fields, told.blanks) == (("fields.holder",), ("D23000000101",))
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000101").status == "void"


def test_a_printed_certificate_returns_only_with_its_blank(counter):
    """The paper that carries the wrong print must be named, or it would stay somewhere as a good one."""
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)

    with pytest.raises(DoesNotFit):
        counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong name")
    counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong name", blanks=["D23000000101"])

    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000101").status == "void"


def test_an_unknown_pass_that_came_out_goes_on(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    asked = counter.goes_unknown("booklet-1")
    assert counter.order(order_id).reasons == ("outcome-unknown",)
    assert counter.order(order_id).next == ("resolve",)

    counter.acts.resolve(CLERK, order_id, attempt=1, number=1, try_id=asked.id, outcome="printed")

    assert counter.order(order_id).reasons == ("waiting-turn",)
    assert [r.answer for r in counter.reports("ask")] == [None, "printed"]


def test_nothing_printed_needs_a_second_person_and_a_new_release(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    asked = counter.goes_unknown("booklet-1")

    counter.acts.resolve(CLERK, order_id, attempt=1, number=1, try_id=asked.id, outcome="nothing_printed")
    assert counter.has_to_print("booklet-1") is None
    counter.accepts(order_id)
    assert counter.has_to_print("booklet-1") is None
    counter.turns(order_id, 1)

    again = counter.prints("booklet-1")
    assert again.id != asked.id
    assert counter.order(order_id).proposed_serial == "D23000000101"


def test_an_unknown_pass_that_spoiled_its_blank_ends_the_attempt(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    asked = counter.goes_unknown("booklet-1")

    counter.acts.resolve(
        CLERK, order_id, attempt=1, number=1, try_id=asked.id, outcome="spoiled", blanks=["D23000000101"]
    )
    view = counter.accepts(order_id)

    assert (view.state, view.attempt, view.approvals) == ("waiting", 2, ())
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, "D23000000101").status == "void"


def test_a_spoiled_list_is_printed_again_on_the_same_attempt(counter):
    """Plain paper has no number: the certificate beside it stays good."""
    order_id = counter.arrives(counter.proof(lists=1))
    counter.releases(order_id)
    counter.prints("proof-1")
    asked = counter.goes_unknown("plain-1")

    counter.acts.resolve(CLERK, order_id, attempt=1, number=2, try_id=asked.id, outcome="spoiled")
    counter.accepts(order_id)
    counter.turns(order_id, 2)
    counter.prints("plain-1")

    assert counter.confirms(order_id).order.serial == "23000000101"


def test_a_list_that_is_there_is_not_printed_again_for_another_blank(counter):
    order_id = counter.arrives(counter.proof(lists=1))
    counter.releases(order_id)
    counter.prints("proof-1")
    counter.prints("plain-1")

    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["23000000101"], reason="smeared")
    counter.accepts(order_id)
    counter.releases(order_id)
    counter.prints("proof-1")

    assert counter.has_to_print("plain-1") is None
    assert counter.confirms(order_id).order.serial == "23000000102"


def test_a_device_with_an_unknown_pass_takes_no_other(counter):
    """Until a person has answered, nothing else goes there."""
    first, second = counter.arrives(counter.proof()), counter.arrives(counter.proof())
    counter.releases(first)
    counter.releases(second)
    counter.goes_unknown("proof-1")

    assert counter.has_to_print("proof-1") is None


def test_a_resolution_names_the_try_it_saw(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.goes_unknown("booklet-1")

    with pytest.raises(Stale):
        counter.acts.resolve(CLERK, order_id, attempt=1, number=1, try_id=uuid4(), outcome="printed")


def test_a_booklet_printer_serves_one_attempt_until_its_last_pass(counter):
    first, second = counter.arrives(counter.booklet()), counter.arrives(counter.booklet())
    counter.releases(first)
    counter.prints("booklet-1")

    with pytest.raises(DoesNotFit):
        counter.releases(second)
    assert counter.order(second).next == ("return",)
    counter.turns(first, 2)
    counter.prints("booklet-1")

    assert counter.releases(second).proposed_serial == "D23000000102"


def test_an_order_waits_for_stock_when_no_blank_is_loaded(counter):
    counter.stock.move(CLERK, Movement.UNLOAD, stock=Stock.CERTIFICATE, first="D23000000101", last="D23000000110")
    order_id = counter.arrives(counter.booklet())

    assert counter.order(order_id).reasons == ("waiting-stock",)
    with pytest.raises(DoesNotFit) as refused:
        counter.releases(order_id)
    assert refused.value.code == "waiting-stock"


def test_a_printer_in_trouble_takes_nothing_new_and_says_why(counter):
    order_id = counter.arrives(counter.booklet())
    counter.stands("booklet-1", DeviceState.STOPPED, "media-jam-error")
    counter.hall.pipeline.look()

    assert counter.order(order_id).reasons == ("printer-jam", "waiting-release")
    with pytest.raises(DoesNotFit):
        counter.releases(order_id)
    assert counter.reports("standing")[-1].reasons == ("printer-jam", "waiting-release")


def test_a_paused_printer_begins_nothing(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.acts.pause_printer(CLERK, "booklet-1")
    assert counter.has_to_print("booklet-1") is None

    counter.acts.resume_printer(CLERK, "booklet-1")

    assert counter.has_to_print("booklet-1") is not None


def test_the_blank_on_top_is_proposed_when_an_earlier_order_no_longer_prints(counter):
    """Released first and held since: its blank still lies on top, so the next order gets it."""
    first, second = counter.arrives(counter.proof()), counter.arrives(counter.proof())
    counter.releases(first)
    counter.releases(second)
    assert counter.order(second).proposed_serial == "23000000102"

    counter.control(Hold, first, reason="seized")
    counter.prints("proof-1")

    assert counter.order(second).proposed_serial == "23000000101"
    assert counter.order(first).proposed_serial == "23000000102"


def test_hand_over_compares_the_id_number(counter):
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)

    with pytest.raises(Invalid):
        counter.acts.issue(CLERK, order_id, recipient=Recipient("holder", id_last4="9999"), identity=IDENTIFIED)
    with pytest.raises(DoesNotFit):
        counter.acts.issue(
            CLERK, order_id, recipient=Recipient("holder"), identity=Identity(method="id-card", result="mismatch")
        )

    assert counter.order(order_id).state == "printed"


def test_only_a_clerk_acts_and_unknown_orders_are_not_there(counter):
    order_id = counter.arrives(counter.booklet())

    with pytest.raises(NotAllowed):
        counter.acts.release(SECOND, order_id, attempt=1)
    with pytest.raises(NotFound):
        counter.order(uuid4())


def test_orders_are_found_by_number_and_by_person_and_the_most_urgent_first(counter):
    """The ledger holds no name, yet a clerk finds an order by one."""
    late = counter.arrives(counter.booklet())
    urgent = counter.arrives(counter.booklet(deadline=counter.clock() + timedelta(minutes=5)))

    assert [o.order_id for o in counter.acts.orders(CLERK, state="waiting")] == [urgent, late]
    assert len(counter.acts.orders(CLERK, q="0001234")) == 2
    assert len(counter.acts.orders(CLERK, q="赵㛃")) == 2
    assert len(counter.acts.orders(CLERK, q="0019")) == 2
    assert counter.acts.orders(CLERK, q="钱") == ()
    assert counter.order(late).holder_masked == "赵*"


def test_no_name_stands_in_any_file_of_the_hall(counter):
    """Persons stay inside the wrapped orders."""
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)

    written = b"".join(p.read_bytes() for p in counter.directory.rglob("*") if p.is_file())

    assert "赵㛃".encode() not in written
    assert b"232324199001010019" not in written
