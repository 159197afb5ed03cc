"""What home asks between passes, and the hall's true answer."""

from datetime import timedelta

import pytest

from agents.errors import DoesNotFit
from agents.people import Identity, Recipient
from spooler.wire.messages import Actor, Approve, Cancel, Hold, Lease, Resume, Stock, Withdraw
from tests.agents.counter.hall import CLERK, SECOND

HOMES_SECOND = Actor(id="home-chief", role="approve")
BLANK = "D23000000101"


def outcomes(counter) -> list[str]:
    return [r.outcome for r in counter.reports("answer")]


def test_a_waiting_order_is_cancelled(counter):
    order_id = counter.arrives(counter.booklet())

    counter.control(Cancel, order_id, reason="sold twice")

    assert outcomes(counter) == ["cancelled"]
    assert counter.order(order_id).state == "cancelled"
    with pytest.raises(DoesNotFit):
        counter.releases(order_id)


def test_a_released_pass_that_has_not_begun_is_cancelled_and_its_blank_goes_back(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)

    counter.control(Cancel, order_id, reason="sold twice")

    assert outcomes(counter) == ["cancelled"]
    assert counter.has_to_print("booklet-1") is None
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, BLANK).status == "loaded"


def test_between_passes_it_is_stopped_and_the_blank_is_void(counter):
    """After pass A no pass B."""
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.prints("booklet-1")

    counter.control(Cancel, order_id, reason="sold twice")

    (answer,) = counter.reports("answer")
    assert (answer.outcome, answer.blanks, answer.state) == ("stopped", (BLANK,), "cancelled")
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, BLANK).status == "void"


def test_a_try_under_way_is_won_back_before_its_claim(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    begun = counter.begins("booklet-1")

    counter.control(Cancel, order_id, reason="sold twice")
    assert counter.recalled == [begun.id]
    counter.book.again(begun.id, "revoked", {})

    assert outcomes(counter) == ["pending", "cancelled"]
    assert counter.has_to_print("booklet-1") is None


def test_a_try_that_was_claimed_first_is_printed_and_then_stopped(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    begun = counter.begins("booklet-1")

    counter.control(Cancel, order_id, reason="sold twice")
    counter.book.done(begun.id, {})

    assert outcomes(counter) == ["pending", "stopped"]
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, BLANK).status == "void"


def test_a_cancel_before_the_point_of_no_return_keeps_the_try_from_it(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    begun = counter.book.intent(counter.has_to_print("booklet-1"))
    counter.book.created(begun.id, 7)
    counter.book.spooled(begun.id)

    counter.control(Cancel, order_id, reason="sold twice")

    assert counter.book.releasing(begun.id) is False


@pytest.mark.parametrize(("outcome", "end"), [("printed", "stopped"), ("nothing_printed", "cancelled")])
def test_while_a_pass_is_unknown_a_cancel_waits_for_the_person(counter, outcome, end):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    asked = counter.goes_unknown("booklet-1")

    counter.control(Cancel, order_id, reason="sold twice")
    assert counter.order(order_id).reasons == ("cancel-requested", "outcome-unknown")
    counter.acts.resolve(CLERK, order_id, attempt=1, number=1, try_id=asked.id, outcome=outcome)
    if outcome != "printed":
        counter.accepts(order_id)

    assert outcomes(counter) == ["pending", end]
    assert counter.order(order_id).state == "cancelled"


def test_a_printed_certificate_is_stopped_and_void(counter):
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)

    counter.control(Cancel, order_id, reason="sold twice")

    assert outcomes(counter) == ["stopped"]
    assert counter.stock.blank(CLERK, Stock.CERTIFICATE, BLANK).status == "void"


def test_after_hand_over_it_is_too_late_to_cancel_and_a_withdrawal_lists_the_paper(counter):
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)
    counter.acts.issue(CLERK, order_id, recipient=Recipient("holder"), identity=Identity("id-card", "match"))

    counter.control(Cancel, order_id, reason="sold twice")
    counter.control(Withdraw, order_id, reason="court")

    assert [(r.outcome, r.blanks) for r in counter.reports("answer")] == [("too-late", (BLANK,)), ("recover", (BLANK,))]
    assert counter.order(order_id).state == "issued"


def test_the_same_control_twice_is_answered_once(counter):
    order_id = counter.arrives(counter.booklet())
    control_id = counter.control(Cancel, order_id, reason="sold twice")

    counter.control(Cancel, order_id, reason="sold twice", control_id=control_id)

    assert outcomes(counter) == ["cancelled"]


def test_a_cancel_declines_what_was_asked_of_a_second_person(counter):
    order_id = counter.has_printed_booklet()
    asked = counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[BLANK], reason="torn")

    counter.control(Cancel, order_id, reason="sold twice")

    assert [r.accepted for r in counter.reports("approval")] == [None, False]
    with pytest.raises(DoesNotFit):
        counter.acts.answer(SECOND, asked.approval.id, accept=True)


def test_a_held_order_prints_nothing_more_until_it_is_resumed(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.prints("booklet-1")

    counter.control(Hold, order_id, reason="seized")
    with pytest.raises(DoesNotFit):
        counter.turns(order_id, 2)
    counter.control(Resume, order_id, reason="released")
    counter.turns(order_id, 2)
    counter.prints("booklet-1")

    assert outcomes(counter) == ["held", "resumed"]
    assert counter.confirms(order_id).order.state == "printed"


def test_a_held_certificate_is_not_handed_over(counter):
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)

    counter.control(Hold, order_id, reason="seized")

    with pytest.raises(DoesNotFit):
        counter.acts.issue(CLERK, order_id, recipient=Recipient("holder"), identity=Identity("id-card", "match"))


def test_the_second_person_may_be_at_home(counter):
    """A one-person point can work."""
    order_id = counter.has_printed_booklet()
    asked = counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[BLANK], reason="torn")

    counter.control(Approve, order_id, approval_id=asked.approval.id, accept=True, reason="seen", actor=HOMES_SECOND)

    assert outcomes(counter) == ["accepted"]
    view = counter.order(order_id)
    assert (view.state, view.attempt) == ("waiting", 2)


def test_home_is_told_when_somebody_at_the_hall_was_faster(counter):
    order_id = counter.has_printed_booklet()
    asked = counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[BLANK], reason="torn")
    counter.accepts(order_id)

    counter.control(Approve, order_id, approval_id=asked.approval.id, accept=True, reason="seen", actor=HOMES_SECOND)

    assert outcomes(counter) == ["not-open"]
    assert counter.order(order_id).attempt == 2


def test_a_lease_lets_an_order_be_begun_later(counter):
    order_id = counter.arrives(counter.booklet())
    counter.control(Lease, order_id, not_after=counter.clock() + timedelta(days=9))
    counter.clock.forward(days=5)
    counter.hall.pipeline.look()

    assert counter.releases(order_id).state == "printing"
    assert outcomes(counter) == ["leased"]
