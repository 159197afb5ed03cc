"""A list on plain paper that is torn or lost: printed again beside the good certificate, after two persons said so, and never else."""

from uuid import UUID

import pytest

from spooler.wire.messages import Cancel
from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import CLERK, Counter

BLANK = "23000000101"
IDENTITY = {"method": "id-card-reader", "result": "matched"}


@pytest.fixture
def printed(counter: Counter) -> UUID:
    """A proof with two pages of a list, all printed and nothing confirmed."""
    return prints(counter, counter.arrives(counter.proof(lists=2)))


def prints(counter: Counter, order_id: UUID) -> UUID:
    counter.releases(order_id)
    counter.prints("proof-1")
    counter.prints("plain-1")
    counter.prints("plain-1")
    return order_id


def order_of(desk: Desk, order_id: UUID) -> dict:
    return desk.get(f"/v1/orders/{order_id}").json()


def spoils(desk: Desk, order_id: UUID, **body: object) -> dict:
    """The clerk asks, her chief agrees; return the order after it."""
    order = order_of(desk, order_id)
    asked = desk.act(order_id, "spoil", **{"attempt": order["attempt"], "blanks": [], "reason": "torn", **body})
    assert asked.status_code == 202, asked.text
    return desk.post(f"/v1/approvals/{asked.json()['approval']['id']}", by="approver", accept=True).json()


def states(order: dict) -> list[str]:
    return [one["state"] for one in order["passes"]]


def status(counter: Counter, serial: str = BLANK) -> str:
    return counter.stock.blank(CLERK, "proof", serial).status


def test_a_torn_list_alone_is_printed_again_and_the_certificate_is_handed_over(desk, counter, printed):
    assert desk.act(printed, "spoil", attempt=1, blanks=[], reason="torn", passes=[3]).status_code == 202
    assert counter.has_to_print("plain-1") is None
    (approval,) = order_of(desk, printed)["approvals"]
    assert approval["details"] == {"blanks": [], "passes": [3]}

    order = desk.post(f"/v1/approvals/{approval['id']}", by="approver", accept=True).json()

    assert (order["state"], order["attempt"], order["proposed_serial"]) == ("waiting", 2, BLANK)
    assert states(order) == ["done", "done", "ready"]
    assert desk.act(printed, "release", attempt=2).status_code == 200
    assert counter.has_to_print("proof-1") is None
    assert counter.prints("plain-1").released.number == 3
    assert desk.act(printed, "confirm", attempt=2, serials=[BLANK]).json()["serial"] == BLANK
    assert desk.act(printed, "issue", recipient={"role": "holder"}, identity=IDENTITY).json()["state"] == "issued"
    assert status(counter) == "used"


def test_without_a_second_person_no_list_is_printed_again(desk, counter, printed):
    desk.act(printed, "spoil", attempt=1, blanks=[], reason="torn", passes=[2])
    (approval,) = order_of(desk, printed)["approvals"]

    desk.post(f"/v1/approvals/{approval['id']}", by="approver", accept=False)

    assert counter.has_to_print("plain-1") is None
    assert states(order_of(desk, printed)) == ["done", "done", "done"]


def test_where_there_is_one_list_it_need_not_be_named(desk, counter):
    order_id = counter.arrives(counter.proof(lists=1))
    counter.releases(order_id)
    counter.prints("proof-1")
    counter.prints("plain-1")

    assert states(spoils(desk, order_id)) == ["done", "ready"]


def test_of_several_lists_the_lost_one_is_named(desk, printed):
    refused = desk.act(printed, "spoil", attempt=1, blanks=[], reason="torn")

    assert refused.status_code == 422
    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [("passes", "missing")]


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"passes": [9]}, "passes", "not-printed"),
        ({"passes": [2], "blanks": [BLANK]}, "blanks", "not-empty"),
    ],
)
def test_what_cannot_be_lost_is_refused(desk, printed, body, field, code):
    refused = desk.act(printed, "spoil", **{"attempt": 1, "blanks": [], "reason": "torn", **body})

    assert [(e["field"], e["code"]) for e in refused.json()["errors"]] == [(field, code)]


def test_a_list_lost_after_the_serial_was_read_is_printed_again_and_the_serial_read_anew(desk, counter, printed):
    """The certificate lies at the counter, confirmed: it keeps its blank, and is handed over only once the list is there."""
    desk.act(printed, "confirm", attempt=1, serials=[BLANK])

    order = spoils(desk, printed, passes=[2])
    assert (order["state"], order["serial"], order["proposed_serial"]) == ("waiting", None, BLANK)
    assert status(counter) == "reserved"
    desk.act(printed, "release", attempt=2)
    assert desk.act(printed, "issue", recipient={"role": "holder"}, identity=IDENTITY).status_code == 409
    counter.prints("plain-1")

    assert desk.act(printed, "confirm", attempt=2, serials=[BLANK]).json()["state"] == "printed"
    assert status(counter) == "used"


def test_a_certificate_and_a_list_spoiled_together_are_both_printed_again(desk, counter, printed):
    order = spoils(desk, printed, blanks=[BLANK], passes=[1, 2])

    assert states(order) == ["ready", "ready", "done"]
    assert status(counter) == "void"


def test_a_certificate_torn_while_its_list_is_printed_again_takes_the_next_blank(desk, counter, printed):
    spoils(desk, printed, passes=[2])
    desk.act(printed, "release", attempt=2)
    counter.prints("plain-1")

    order = spoils(desk, printed, blanks=[BLANK])

    assert (order["attempt"], states(order)) == (3, ["ready", "done", "done"])
    assert status(counter) == "void"
    assert desk.act(printed, "release", attempt=3).json()["proposed_serial"] == "23000000102"


def test_the_good_certificate_beside_a_lost_list_is_returned_only_by_name(desk, counter, printed):
    """Else its blank would count as one that lies in the tray."""
    spoils(desk, printed, passes=[2])

    assert desk.act(printed, "return", attempt=2, reason="wrong name").status_code == 409
    assert desk.act(printed, "return", attempt=2, reason="wrong name", blanks=[BLANK]).status_code == 200
    assert status(counter) == "void"


def test_a_cancel_voids_the_certificate_whose_list_was_lost(desk, counter, printed):
    spoils(desk, printed, passes=[2])

    counter.control(Cancel, printed, reason="")

    assert [(r.outcome, r.blanks) for r in counter.reports("answer")] == [("stopped", (BLANK,))]
    assert status(counter) == "void"


def test_an_order_whose_certificate_is_good_does_not_expire_for_want_of_a_list(desk, counter, printed):
    """`expired` says that there is no usable paper; another order would print it twice."""
    spoils(desk, printed, passes=[2])
    counter.clock.forward(days=9)

    counter.hall.pipeline.look()

    assert order_of(desk, printed)["next"] == ["release", "return"]
    assert desk.act(printed, "release", attempt=2).status_code == 200
    assert counter.prints("plain-1").released.number == 2


def test_a_kept_list_does_not_lengthen_the_time_to_begin_the_next_blank(desk, counter, printed):
    """`not_after` binds the first claim of each attempt; that a list was printed with the one before begins nothing."""
    spoils(desk, printed, blanks=[BLANK])
    desk.act(printed, "release", attempt=2)
    counter.clock.forward(days=9)

    assert counter.has_to_print("proof-1") is None


def test_the_next_order_takes_the_next_blank(desk, counter, printed):
    """What carries a good certificate does not lie in the tray."""
    spoils(desk, printed, passes=[2])

    assert counter.order(counter.has_printed_proof()).proposed_serial == "23000000102"


def test_home_is_told_what_is_kept(desk, counter, printed):
    """A hall that loses its journal hears from home that these are on paper."""
    spoils(desk, printed, passes=[2])

    told = [(r.number, r.outcome, r.attempt) for r in counter.reports("pass")][-3:]
    assert told == [(2, "spoiled", 2), (1, "kept", 2), (3, "kept", 2)]
