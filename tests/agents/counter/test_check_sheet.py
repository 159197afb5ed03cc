"""The check-and-sign sheet (核对签收单): read over and signed before the first blank is used, printed as often as anybody wants."""

from uuid import UUID, uuid4

import pytest

from agents.errors import DoesNotFit, Stale
from agents.verify import Refusal, verify
from spooler.wire.envelope import Address
from spooler.wire.messages import Cancel, Check, Hold, Pass, Resume, Stock
from tests.agents.counter.hall import CLERK, PRINTERS, Counter
from tests.sealing import HALL, PROOF_SHEET, a_pdf

A4 = (210.0, 297.0)


def passes(check: Check | None, *, pages: int = 1) -> tuple[Pass, ...]:
    width, height = PROOF_SHEET
    return (
        Pass(number=1, name="P", pages=(0,), stock=Stock.PROOF, width_mm=width, height_mm=height),
        Pass(
            number=2,
            name="K",
            pages=tuple(range(1, 1 + pages)),
            stock=Stock.PLAIN,
            width_mm=A4[0],
            height_mm=A4[1],
            check=check,
        ),
    )


def a_proof(counter: Counter, check: Check = Check.REQUIRED, **changes):
    shapes = changes.pop("passes", passes(check))
    sizes = [PROOF_SHEET, *[A4] * (sum(len(one.pages) for one in shapes) - 1)]
    timely = counter._timely({"kind": "proof", "template": "proof/1", "passes": shapes, **changes})
    return counter.office.order(pdf=a_pdf(sizes), **timely)


def prints_sheet(counter: Counter, order_id: UUID):
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    return counter.prints("plain-1")


def sign(counter: Counter, order_id: UUID):
    view = counter.order(order_id)
    return counter.acts.sign_check_sheet(CLERK, order_id, attempt=1, try_id=view.check_sheet.sheet.try_id).order


def blanks(counter: Counter) -> dict:
    return {stock: dict(counts) for stock, counts in counter.stock.view(CLERK).counts.items()}


def test_nothing_is_released_before_somebody_said_that_it_was_signed(counter):
    """Sheet, signature, certificate; each with who did it, and home knows."""
    before = blanks(counter)
    order_id = counter.arrives(a_proof(counter))
    seen = counter.order(order_id)
    assert (seen.next, seen.reasons) == (("print_check_sheet", "return"), ("waiting-check",))
    with pytest.raises(DoesNotFit, match="applicant") as refused:
        counter.releases(order_id)
    assert refused.value.code == "check-sheet"

    prints_sheet(counter, order_id)
    assert counter.order(order_id).next == ("sign_check_sheet", "print_check_sheet", "return")
    with pytest.raises(DoesNotFit):
        counter.releases(order_id)
    assert blanks(counter) == before
    signed = sign(counter, order_id)
    assert (signed.state, signed.attempt, signed.next) == ("waiting", 1, ("print_check_sheet", "release", "return"))
    counter.releases(order_id)
    counter.prints("proof-1")

    assert counter.confirms(order_id).order.state == "printed"
    said = [(r.kind, getattr(r, "number", None) or getattr(r, "act", None), r.state) for r in counter.reports()[:6]]
    assert said == [
        ("received", None, "waiting"),
        ("pass", 2, "waiting"),
        ("pass", 2, "waiting"),
        ("standing", "check-signed", "waiting"),
        ("pass", 1, "printing"),
        ("pass", 1, "printing"),
    ]
    (signature,) = [e for e in counter.ledger.orders.events(order_id) if e["detail"] == "check-signed"]
    assert (signature["actor_id"], signature["actor_role"]) == ("clerk-1", "clerk")
    assert counter.reports("standing")[0].actor.id == "clerk-1"


def test_it_is_printed_again_without_a_second_person_and_takes_nothing(counter):
    """The printer smeared it, the applicant wants one for home: no approval, no blank, no attempt; but a try of its own each time."""
    before = blanks(counter)
    order_id = counter.arrives(a_proof(counter))

    tries = [prints_sheet(counter, order_id) for _ in range(4)]

    assert [one.sequence for one in tries] == [1, 2, 3, 4]
    assert len({one.id for one in tries}) == 4
    assert {one.title for one in tries} == {f"{order_id}/2/0/{n}" for n in (1, 2, 3, 4)}
    seen = counter.order(order_id)
    assert (seen.attempt, seen.approvals, seen.state, blanks(counter)) == (1, (), "waiting", before)


def test_a_signature_is_for_the_printing_that_was_seen(counter):
    order_id = counter.arrives(a_proof(counter))
    first = prints_sheet(counter, order_id)
    prints_sheet(counter, order_id)

    with pytest.raises(Stale):
        counter.acts.sign_check_sheet(CLERK, order_id, attempt=1, try_id=first.id)
    with pytest.raises(Stale):
        counter.acts.sign_check_sheet(CLERK, order_id, attempt=1, try_id=uuid4())


def test_it_is_not_signed_before_it_is_printed(counter):
    order_id = counter.arrives(a_proof(counter))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    begun = counter.begins("plain-1")

    with pytest.raises(DoesNotFit):
        counter.acts.sign_check_sheet(CLERK, order_id, attempt=1, try_id=begun.id)


def test_wrong_content_ends_the_order_before_a_blank_was_touched(counter):
    before = blanks(counter)
    order_id = counter.arrives(a_proof(counter))
    prints_sheet(counter, order_id)

    counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="a wrong name", fields=["holder"])

    (told,) = counter.reports("returned")
    assert (told.state, told.blanks, told.fields) == ("returned", (), ("holder",))
    assert blanks(counter) == before
    assert counter.has_to_print("plain-1") is None


def test_one_that_is_only_offered_hinders_nothing(counter):
    order_id = counter.arrives(a_proof(counter, Check.OFFERED))
    assert counter.order(order_id).next == ("print_check_sheet", "release", "return")

    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    counter.releases(order_id)

    assert counter.has_to_print("plain-1") is None, "a sheet that still waits comes too late"
    counter.prints("proof-1")
    assert counter.confirms(order_id).order.state == "printed"
    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["23000000101"], reason="smeared")
    counter.accepts(order_id)
    assert counter.has_to_print("plain-1") is None, "and does not come later by itself"


def test_while_it_is_on_its_way_to_paper_no_blank_is_used(counter):
    """What is being printed is about to be read."""
    order_id = counter.arrives(a_proof(counter, Check.OFFERED))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    begun = counter.begins("plain-1")

    assert counter.order(order_id).next == ()
    with pytest.raises(DoesNotFit, match="being printed"):
        counter.releases(order_id)
    counter.book.done(begun.id, {})
    counter.releases(order_id)


def test_an_order_without_one_has_none(counter):
    order_id = counter.arrives(counter.proof(lists=1))

    assert counter.order(order_id).check_sheet is None
    with pytest.raises(DoesNotFit, match="no check sheet"):
        counter.acts.print_check_sheet(CLERK, order_id, attempt=1)


@pytest.mark.parametrize("outcome", ["printed", "spoiled", "nothing_printed"])
def test_what_is_not_known_of_it_one_person_says(counter, outcome):
    """White paper without a seal: whatever became of it, no second person is needed, and the printer is free again."""
    order_id = counter.arrives(a_proof(counter))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    lost = counter.goes_unknown("plain-1")
    seen = counter.order(order_id)
    assert (seen.next, "outcome-unknown" in seen.reasons) == (("resolve",), True)
    with pytest.raises(DoesNotFit):
        counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong")

    answered = counter.acts.resolve(CLERK, order_id, attempt=1, number=2, try_id=lost.id, outcome=outcome)

    assert answered.approval is None
    assert ("sign_check_sheet" in answered.order.next) == (outcome == "printed")
    assert counter.reports("ask")[-1].answer == outcome
    prints_sheet(counter, order_id)
    assert "release" in sign(counter, order_id).next


def test_a_signature_holds_for_the_attempts_that_follow(counter):
    """A blank that was spoiled says nothing about the content."""
    order_id = counter.arrives(a_proof(counter))
    prints_sheet(counter, order_id)
    sign(counter, order_id)
    counter.releases(order_id)
    counter.prints("proof-1")
    counter.acts.spoil(CLERK, order_id, attempt=1, blanks=["23000000101"], reason="smeared")
    counter.accepts(order_id)

    assert counter.order(order_id).next == ("print_check_sheet", "release", "return")


def test_a_held_order_prints_none(counter):
    """查封: no further paper of any kind, and what is queued waits."""
    order_id = counter.arrives(a_proof(counter))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)

    counter.control(Hold, order_id, reason="court")
    assert counter.has_to_print("plain-1") is None
    assert "print_check_sheet" not in counter.order(order_id).next
    counter.control(Resume, order_id, reason="court")

    assert counter.has_to_print("plain-1") is not None


def test_a_cancel_waits_for_the_sheet_that_is_under_way_and_calls_no_blank_stopped(counter):
    order_id = counter.arrives(a_proof(counter))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    begun = counter.begins("plain-1")

    counter.control(Cancel, order_id, reason="not needed")
    assert counter.order(order_id).state == "waiting" and counter.recalled == [begun.id]
    counter.book.done(begun.id, {})

    assert counter.order(order_id).state == "cancelled"
    assert [r.outcome for r in counter.reports("answer")] == ["pending", "cancelled"]


def test_a_late_order_expires_once_the_sheet_is_out_of_the_way(counter):
    order_id = counter.arrives(a_proof(counter))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)
    begun = counter.begins("plain-1")
    counter.clock.forward(days=5)

    counter.hall.pipeline.look()
    assert counter.order(order_id).state == "waiting"
    counter.book.done(begun.id, {})
    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "expired"


def test_the_policy_prints_the_sheet_once_and_waits_for_the_signature(make_counter):
    """A machine by itself: the sheet comes out, the certificate follows when somebody said that it was signed."""
    counter = make_counter(release="auto")
    order_id = counter.arrives(a_proof(counter))

    counter.hall.pipeline.look()
    counter.prints("plain-1")
    for _ in range(3):
        counter.hall.pipeline.look()
    assert counter.has_to_print("plain-1") is None and counter.has_to_print("proof-1") is None
    sign(counter, order_id)
    counter.hall.pipeline.look()

    assert counter.has_to_print("proof-1") is not None


def test_a_hall_without_white_paper_says_so(make_counter):
    """It waits for a printer that it will never have, and whoever looks is told."""
    counter = make_counter(printers=PRINTERS[:2])
    order_id = counter.arrives(a_proof(counter))

    seen = counter.order(order_id)
    assert (seen.next, seen.reasons) == (("return",), ("waiting-check", "waiting-stock"))
    with pytest.raises(DoesNotFit, match="no printer for plain"):
        counter.acts.print_check_sheet(CLERK, order_id, attempt=1)


def test_it_is_not_asked_for_twice_at_once(counter):
    order_id = counter.arrives(a_proof(counter))
    counter.acts.print_check_sheet(CLERK, order_id, attempt=1)

    with pytest.raises(DoesNotFit, match="being printed"):
        counter.acts.print_check_sheet(CLERK, order_id, attempt=1)


def test_it_survives_a_restart(counter):
    order_id = counter.arrives(a_proof(counter))
    prints_sheet(counter, order_id)
    sign(counter, order_id)

    counter.restart()

    assert counter.order(order_id).check_sheet.is_signed
    assert "release" in counter.order(order_id).next


@pytest.mark.parametrize(
    ("shapes", "sizes"),
    [
        ((passes(Check.OFFERED)[1].model_copy(update={"number": 1, "pages": (0,)}),), [A4]),
        (
            (
                passes(None)[0],
                passes(Check.REQUIRED)[1],
                passes(None)[1].model_copy(update={"number": 3, "pages": (2,), "name": "L1"}),
            ),
            [PROOF_SHEET, A4, A4],
        ),
        (
            (passes(None)[0], passes(Check.REQUIRED)[1].model_copy(update={"stock": Stock.PROOF})),
            [PROOF_SHEET, A4],
        ),
        ((passes(None)[0], passes(Check.REQUIRED)[1].model_copy(update={"pages": ()})), [PROOF_SHEET]),
    ],
    ids=["alone", "not the last", "on a blank", "empty"],
)
def test_a_sheet_out_of_its_place_is_refused(counter, shapes, sizes):
    """Nothing on a numbered blank may come in by the way that needs no second person."""
    timely = counter._timely({"kind": "proof", "template": "proof/1", "passes": shapes})
    order = counter.office.order(pdf=a_pdf(sizes), **timely)
    address = Address(order.ticket.registry, HALL, order.ticket.order_id, "k")

    with pytest.raises(Refusal):
        verify(order.contents, address, trust=counter.office.trust, hall=HALL, now=counter.clock())
