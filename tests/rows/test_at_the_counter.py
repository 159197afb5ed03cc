"""What comes twice or is loaded wrongly, at a hall with a real ledger: F11, F21, F22, F23 of docs/fault-rows.md."""

import pytest
import structlog

from agents.device import DeviceState
from agents.errors import DoesNotFit
from agents.stock import Movement
from spooler.wire.messages import Stock
from tests.agents.counter.conftest import counter, make_counter, office
from tests.agents.counter.hall import CLERK, Counter

__all__ = ["counter", "make_counter", "office"]
SECOND_BLANK = "D23000000102"


@pytest.mark.fault_row("F11")
def test_the_same_order_id_with_other_bytes_is_put_aside_with_both_hashes_and_never_printed(counter: Counter) -> None:
    """Alarmed and quarantined; the first goes on as if the second had never come."""
    first = counter.proof()
    order_id = counter.arrives(first)
    second = counter.proof(order_id=order_id, number="黑（2024）望奎县不动产证明第0009999号")

    with structlog.testing.capture_logs() as logged:
        counter.arrives(second)
    counter.releases(order_id)
    begun = counter.prints("proof-1")

    (told,) = [one for one in logged if one.get("alarm")]
    assert told["order_id"] == str(order_id)
    assert len({told["kept"], told["came"]}) == 2 and all(len(told[name]) == 64 for name in ("kept", "came"))
    assert counter.ledger.quarantine.counts() == {"other-content": 1}
    assert counter.book.document(begun.released.order_id) == first.document
    assert counter.has_to_print("proof-1") is None


@pytest.mark.fault_row("F21")
def test_who_is_asked_sees_what_the_printer_said_and_how_much_it_took(counter: Counter) -> None:
    order_id = counter.arrives(counter.proof())
    counter.releases(order_id)
    begun = counter.begins("proof-1")
    done = {"exit": 1, "bytes": 300, "length": 4000}
    counter.book.unknown(
        begun.id,
        {
            "why": "not-proven",
            "permit": {"done": done},
            "device": {"state": "idle", "reasons": [], "seen": ["media-jam"]},
        },
    )

    view = counter.order(order_id)

    assert (view.reasons, view.next) == (("outcome-unknown",), ("resolve",))
    evidence = view.passes[0].evidence
    assert evidence is not None
    assert (evidence.why, evidence.sent_bytes, evidence.of_bytes) == ("not-proven", 300, 4000)
    assert evidence.printer_reasons == ("media-jam",)


@pytest.mark.fault_row("F22")
def test_without_paper_an_order_waits_says_so_and_keeps_its_attempt(counter: Counter) -> None:
    """The printer says that its tray is empty: no release, no attempt, no blank; when there is paper it is the first attempt still."""
    order_id = counter.arrives(counter.proof())
    counter.stands("proof-1", DeviceState.STOPPED, "media-empty-error")
    counter.hall.pipeline.look()

    assert counter.order(order_id).reasons == ("printer-out-of-stock", "waiting-release")
    with pytest.raises(DoesNotFit) as refused:
        counter.releases(order_id)
    assert refused.value.code == "printer-out-of-stock"
    assert (counter.order(order_id).attempt, counter.order(order_id).proposed_serial) == (1, None)

    counter.stands("proof-1", DeviceState.IDLE)
    assert counter.releases(order_id).attempt == 1
    assert counter.prints("proof-1").sequence == 1


@pytest.mark.fault_row("F23")
def test_blanks_of_another_stock_are_not_loaded_and_nothing_is_released_onto_them(counter: Counter) -> None:
    """Proof paper declared for the booklet printer: refused with what it takes; with its own blanks out the order waits for stock."""
    counter.stock.move(CLERK, Movement.RECEIVE, stock=Stock.PROOF, first="23000000501", last="23000000510")
    counter.stock.move(CLERK, Movement.UNLOAD, stock=Stock.CERTIFICATE, first="D23000000101", last="D23000000110")
    order_id = counter.arrives(counter.booklet())

    with pytest.raises(DoesNotFit, match="booklet-1 takes certificate"):
        counter.stock.move(
            CLERK, Movement.LOAD, stock=Stock.PROOF, first="23000000501", last="23000000510", printer="booklet-1"
        )

    with pytest.raises(DoesNotFit) as refused:
        counter.releases(order_id)
    assert refused.value.code == "waiting-stock"
    assert counter.order(order_id).reasons == ("waiting-stock",)
    assert counter.has_to_print("booklet-1") is None


@pytest.mark.fault_row("F23")
def test_a_blank_that_is_not_the_next_of_the_tray_is_not_printed_on_and_the_clerk_is_told_which_is(
    counter: Counter,
) -> None:
    """What the clerk sees in the tray is not what the ledger says lies there: not released, asked, no attempt spent."""
    order_id = counter.arrives(counter.booklet())

    with pytest.raises(DoesNotFit, match="D23000000101") as refused:
        counter.releases(order_id, serial=SECOND_BLANK)

    assert refused.value.code == "serial"
    assert (counter.order(order_id).state, counter.order(order_id).attempt) == ("waiting", 1)
    assert counter.has_to_print("booklet-1") is None
    counter.stock.move(CLERK, Movement.UNLOAD, stock=Stock.CERTIFICATE, first="D23000000101", last="D23000000101")
    assert counter.releases(order_id, serial=SECOND_BLANK).proposed_serial == SECOND_BLANK
