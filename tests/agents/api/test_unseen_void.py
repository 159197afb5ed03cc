"""A stop from home voids a blank that nobody has looked at; what lies in the tray is what people find there."""

from uuid import UUID

import pytest

from spooler.wire.messages import Cancel, Withdraw
from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import CLERK, Counter

TOP, NEXT = "D23000000101", "D23000000102"


def status(counter: Counter, serial: str = TOP) -> str:
    return counter.stock.blank(CLERK, "certificate", serial).status


@pytest.fixture
def stopped(counter: Counter) -> UUID:
    """All said that pass A was done, and the device swallowed it; then home stopped the order."""
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    counter.prints("booklet-1")
    counter.control(Cancel, order_id, reason="")
    assert status(counter) == "void"
    return order_id


def agreed(desk: Desk, asked: object) -> dict:
    assert asked.status_code == 202, asked.text  # type: ignore[attr-defined]
    approval = asked.json()["approval"]["id"]  # type: ignore[attr-defined]
    return desk.post(f"/v1/approvals/{approval}", by="approver", accept=True).json()


def has_printed(counter: Counter) -> UUID:
    return counter.has_printed_booklet()


def test_a_blank_that_was_called_void_unseen_is_listed_to_be_looked_at(desk, stopped):
    assert desk.get("/v1/stock").json()["unseen"] == [TOP]


def test_found_in_the_tray_by_two_persons_it_is_fed_first_again(desk, counter, stopped):
    assert counter.hall.board.facts_of("booklet-1").next_serial == NEXT

    asked = desk.post("/v1/stock/found", stock="certificate", serial=TOP, reason="it lies on top, blank")
    assert status(counter) == "void"
    agreed(desk, asked)

    assert status(counter) == "loaded"
    assert desk.get("/v1/stock").json()["unseen"] == []
    assert counter.hall.board.facts_of("booklet-1").next_serial == TOP
    order_id = has_printed(counter)
    assert desk.act(order_id, "confirm", attempt=1, serials=[TOP]).json()["state"] == "printed"
    assert [(r.first, r.status) for r in counter.reports("stock")] == [(TOP, "void"), (TOP, "loaded"), (TOP, "used")]
    assert desk.get("/v1/stock").json()["balanced"]


def test_one_person_alone_finds_nothing(desk, counter, stopped):
    asked = desk.post("/v1/stock/found", "both", stock="certificate", serial=TOP, reason="it lies on top").json()

    assert desk.post(f"/v1/approvals/{asked['approval']['id']}", by="both", accept=True).status_code == 403
    assert status(counter) == "void"


def test_the_next_order_that_is_printed_on_it_is_confirmed_by_the_serial_on_the_paper(desk, counter, stopped):
    """Nobody looked before: the paper itself shows it, and a second person agrees, as with any serial that was not proposed."""
    order_id = has_printed(counter)

    view = agreed(desk, desk.act(order_id, "confirm", attempt=1, serials=[TOP], reason="it was in the tray"))

    assert (view["state"], view["serial"]) == ("printed", TOP)
    assert (status(counter), status(counter, NEXT)) == ("used", "loaded")
    assert desk.get("/v1/stock").json()["balanced"]


def test_the_next_order_that_is_spoiled_on_it_is_printed_again_on_the_one_below(desk, counter, stopped):
    order_id = has_printed(counter)

    view = agreed(desk, desk.act(order_id, "spoil", attempt=1, blanks=[TOP], reason="torn"))

    assert (view["state"], view["attempt"]) == ("waiting", 2)
    assert desk.act(order_id, "release", attempt=2).json()["proposed_serial"] == NEXT
    assert desk.get("/v1/stock").json()["unseen"] == []


@pytest.mark.parametrize("movement", ["void", "used"])
def test_what_a_person_has_seen_is_not_found_again(desk, counter, movement):
    order_id = has_printed(counter)
    if movement == "used":
        counter.confirms(order_id)
    else:
        agreed(desk, desk.act(order_id, "spoil", attempt=1, blanks=[TOP], reason="torn"))

    refused = desk.post("/v1/stock/found", stock="certificate", serial=TOP, reason="it lies on top")

    assert (refused.status_code, refused.json()["code"]) == (409, f"blank-{movement}")


def test_a_confirmed_certificate_that_is_stopped_was_seen(desk, counter):
    order_id = has_printed(counter)
    counter.confirms(order_id)

    counter.control(Withdraw, order_id, reason="")

    assert status(counter) == "void"
    assert desk.get("/v1/stock").json()["unseen"] == []


@pytest.mark.parametrize(
    ("said", "void", "loaded"),
    [([NEXT], [NEXT], [TOP]), ([TOP, NEXT], [TOP, NEXT], []), ([], [], [TOP, NEXT])],
    ids=["another blank", "two at once", "a plain sheet"],
)
def test_what_a_clerk_said_of_the_paper_holds_when_the_stop_comes_before_the_second_person(
    desk, counter, said, void, loaded
):
    order_id = has_printed(counter)
    desk.act(order_id, "spoil", attempt=1, blanks=said, reason="torn")

    counter.control(Cancel, order_id, reason="")

    assert [status(counter, serial) for serial in void] == ["void"] * len(void)
    assert [status(counter, serial) for serial in loaded] == ["loaded"] * len(loaded)
    assert desk.get("/v1/stock").json()["unseen"] == []


def test_a_blank_that_no_pass_reached_goes_back(counter, desk):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    begun = counter.begins("booklet-1")
    counter.control(Cancel, order_id, reason="")
    counter.book.again(begun.id, "revoked", {})

    assert status(counter) == "loaded"


def test_a_count_of_what_is_on_hand_does_not_close_the_question(desk, counter, stopped):
    desk.post("/v1/stock/count", stock="certificate", first=TOP, last="D23000000110")

    assert desk.get("/v1/stock").json()["unseen"] == [TOP]
    assert desk.post("/v1/stock/found", stock="certificate", serial=TOP, reason="on top").status_code == 202


def test_destroyed_it_is_gone(desk, counter, stopped):
    desk.post("/v1/stock/destroy", stock="certificate", first=TOP, last=TOP, reason="shredded")

    assert desk.get("/v1/stock").json()["unseen"] == []
    assert desk.post("/v1/stock/found", stock="certificate", serial=TOP, reason="on top").status_code == 409
