"""The result of a query (`record`): one page of white paper, sealed as every document, with no blank and no serial anywhere."""

from uuid import UUID

import pytest

from agents.device import DeviceState
from agents.errors import DoesNotFit, Invalid
from agents.people import Identity, Recipient
from agents.settings import PrinterSection
from agents.verify import Refusal, verify
from spooler.wire.envelope import Address
from spooler.wire.messages import Cancel, Pass, Seal, Stock, Withdraw
from tests.agents.counter.hall import BOTH, CLERK, Counter
from tests.sealing import HALL, a_pdf

A4 = (210.0, 297.0)
IDENTIFIED = Identity(method="id-card", result="match")
GREY = PrinterSection(name="grey-1", stock=Stock.PLAIN, device="file:/grey-1", colour=False)
PROOFS = PrinterSection(name="proof-1", stock=Stock.PROOF, device="file:/proof-1")


def a_slip(counter: Counter, **changes):
    passes = (Pass(number=1, name="P", pages=(0,), stock=Stock.PLAIN, width_mm=A4[0], height_mm=A4[1]),)
    timely = counter._timely({"kind": "record", "template": "record/1", "passes": passes, **changes})
    return counter.office.order(pdf=a_pdf([A4]), **timely)


def printed(counter: Counter) -> UUID:
    order_id = counter.arrives(a_slip(counter))
    counter.releases(order_id)
    counter.prints("plain-1")
    return order_id


def confirm(counter: Counter, order_id: UUID, *serials: str):
    attempt = counter.order(order_id).attempt
    return counter.acts.confirm(CLERK, order_id, attempt=attempt, serials=serials)


def blanks(counter: Counter) -> dict:
    return {stock: dict(counts) for stock, counts in counter.stock.view(CLERK).counts.items()}


def test_a_slip_goes_from_release_to_hand_over_and_no_blank_moves(counter):
    before = blanks(counter)
    order_id = counter.arrives(a_slip(counter))
    assert counter.order(order_id).next == ("release", "return")

    released = counter.releases(order_id)
    assert (released.printer, released.proposed_serial) == ("plain-1", None)
    counter.prints("plain-1")
    answered = confirm(counter, order_id)
    assert (answered.approval, answered.order.state, answered.order.serial) == (None, "printed", None)
    counter.acts.issue(CLERK, order_id, recipient=Recipient("holder", id_last4="0019"), identity=IDENTIFIED)

    assert counter.order(order_id).state == "issued"
    told = [(r.kind, r.state, r.serial) for r in counter.reports()]
    assert told == [
        ("received", "waiting", None),
        ("pass", "printing", None),
        ("pass", "printing", None),
        ("printed", "printed", None),
        ("issued", "issued", None),
    ]
    assert blanks(counter) == before
    assert not any(m.order_id == order_id for m in counter.stock.movements(CLERK))


def test_a_serial_is_not_to_be_named(counter):
    """A number that a clerk reads somewhere on the sheet is no blank's."""
    order_id = printed(counter)

    with pytest.raises(Invalid, match="plain paper"):
        confirm(counter, order_id, "D23000000101")
    with pytest.raises(Invalid, match="plain"):
        counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["D23000000101"], reason="smeared")
    with pytest.raises(Invalid, match="plain"):
        counter.acts.return_to_home(CLERK, order_id, attempt=1, blanks=["D23000000101"], reason="wrong name")


def test_a_smeared_slip_is_printed_again_when_a_second_person_agrees(counter):
    """Two papers with one seal are two papers, though neither has a number."""
    order_id = printed(counter)
    before = blanks(counter)

    asked = counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[], reason="smeared")
    assert asked.approval is not None and counter.has_to_print("plain-1") is None
    counter.accepts(order_id)
    assert (counter.order(order_id).state, counter.order(order_id).attempt) == ("waiting", 2)
    counter.releases(order_id)
    counter.prints("plain-1")
    confirm(counter, order_id)

    assert counter.order(order_id).state == "printed"
    assert blanks(counter) == before


def test_what_is_not_known_is_looked_at(counter):
    order_id = counter.arrives(a_slip(counter))
    counter.releases(order_id)
    lost = counter.goes_unknown("plain-1")
    assert counter.order(order_id).next == ("resolve",)

    asked = counter.acts.resolve(BOTH, order_id, attempt=1, number=1, try_id=lost.id, outcome="spoiled")
    assert asked.approval is not None
    counter.accepts(order_id)
    counter.turns(order_id, 1)
    counter.prints("plain-1")

    assert confirm(counter, order_id).order.state == "printed"


def test_wrong_content_goes_back_without_a_blank(counter):
    order_id = printed(counter)

    counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="another person's data")

    (told,) = counter.reports("returned")
    assert (told.state, told.blanks, told.serial) == ("returned", (), None)


@pytest.mark.parametrize("is_issued", [False, True])
def test_a_withdrawn_slip_names_no_paper_to_be_got_back(counter, is_issued):
    """There is no serial by which anybody could say that it is back."""
    order_id = printed(counter)
    confirm(counter, order_id)
    if is_issued:
        counter.acts.issue(CLERK, order_id, recipient=Recipient("holder"), identity=IDENTIFIED)

    counter.control(Withdraw, order_id, reason="wrong")

    (answer,) = counter.reports("answer")
    assert (answer.outcome, answer.blanks) == ("recover" if is_issued else "stopped", ())


def test_a_cancelled_slip_is_never_printed(counter):
    order_id = counter.arrives(a_slip(counter))
    counter.releases(order_id)

    counter.control(Cancel, order_id, reason="not needed")

    assert (counter.has_to_print("plain-1"), counter.order(order_id).state) == (None, "cancelled")
    assert blanks(counter)["certificate"] == {"loaded": 10}


def test_a_late_slip_expires(counter):
    order_id = counter.arrives(a_slip(counter))
    counter.clock.forward(days=5)

    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "expired"


def test_a_red_seal_needs_a_colour_printer_on_white_paper_too(make_counter):
    """A list beside a certificate bears no seal and goes anywhere; a slip with its seal printed does not."""
    counter = make_counter(printers=(PROOFS, GREY))
    sealed = counter.arrives(a_slip(counter, seal=Seal.PRINTED))
    stamped = counter.arrives(a_slip(counter, seal=Seal.STAMPED))

    assert counter.order(sealed).next == ("return",)
    assert counter.releases(stamped).printer == "grey-1"
    counter.prints("grey-1")
    listed = counter.arrives(counter.proof(lists=1, seal=Seal.PRINTED))
    counter.releases(listed)
    counter.prints("proof-1")
    assert counter.has_to_print("grey-1") is not None


def test_a_printer_that_stands_still_keeps_the_slip_waiting(counter):
    order_id = counter.arrives(a_slip(counter))
    counter.stands("plain-1", DeviceState.STOPPED, "media-empty")

    with pytest.raises(DoesNotFit):
        counter.releases(order_id)


@pytest.mark.parametrize(
    ("kind", "stock", "size"), [("record", Stock.PROOF, (297.0, 210.0)), ("proof", Stock.PLAIN, A4)]
)
def test_paper_of_another_kind_is_refused(counter, kind, stock, size):
    """A certificate on white paper, or a slip on a numbered blank, is not what the registry can have meant."""
    passes = (Pass(number=1, name="P", pages=(0,), stock=stock, width_mm=size[0], height_mm=size[1]),)
    changes = {"kind": kind, "template": f"{kind}/1", "passes": passes}
    order = counter.office.order(pdf=a_pdf([size]), **counter._timely(changes))
    address = Address(order.ticket.registry, HALL, order.ticket.order_id, "k")

    with pytest.raises(Refusal, match="is not printed on"):
        verify(order.contents, address, trust=counter.office.trust, hall=HALL, now=counter.clock())
