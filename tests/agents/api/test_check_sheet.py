"""The check-and-sign sheet over HTTP: what the console shows, prints and says of it."""

from tests.agents.api.conftest import Desk
from tests.agents.counter.hall import Counter
from tests.agents.counter.test_check_sheet import a_proof


def test_it_is_printed_signed_and_then_the_certificate_is_released(desk: Desk, counter: Counter):
    order_id = counter.arrives(a_proof(counter))
    seen = desk.get(f"/v1/orders/{order_id}").json()
    assert seen["check_sheet"]["required"] is True and seen["check_sheet"]["signed"] is False
    assert (seen["check_sheet"]["pass"]["stock"], seen["check_sheet"]["pass"]["state"]) == ("plain", "ready")
    refused = desk.act(order_id, "release", attempt=1)
    assert (refused.status_code, refused.json()["code"]) == (409, "check-sheet")
    assert refused.json()["fits"] == ["print_check_sheet", "return"]

    assert desk.act(order_id, "check-sheet/print", attempt=1).status_code == 200
    counter.prints("plain-1")
    sheet = desk.get(f"/v1/orders/{order_id}").json()["check_sheet"]["pass"]
    assert desk.act(order_id, "check-sheet/sign", "approver", attempt=1, **{"try": sheet["try"]}).status_code == 403
    signed = desk.act(order_id, "check-sheet/sign", attempt=1, **{"try": sheet["try"]})

    assert (signed.status_code, signed.json()["check_sheet"]["signed"]) == (200, True)
    assert "release" in signed.json()["next"]
    again = desk.act(order_id, "check-sheet/sign", attempt=1, **{"try": sheet["try"]})
    assert (again.status_code, again.json()["code"]) == (409, "does-not-fit")
    assert desk.act(order_id, "release", attempt=1).status_code == 200


def test_what_was_not_seen_is_stale_and_what_is_unknown_is_a_mistake(desk: Desk, counter: Counter):
    order_id = counter.arrives(a_proof(counter))

    assert desk.act(order_id, "check-sheet/print", attempt=2).json()["code"] == "stale"
    assert desk.act(order_id, "check-sheet/print", attempt=1, copies=2).status_code == 422
    assert desk.act(order_id, "check-sheet/sign", attempt=1).status_code == 422


def test_an_order_without_one_says_so(desk: Desk, counter: Counter):
    order_id = counter.arrives(counter.proof())

    assert desk.get(f"/v1/orders/{order_id}").json()["check_sheet"] is None
    answer = desk.act(order_id, "check-sheet/print", attempt=1)
    assert (answer.status_code, answer.json()["code"]) == (409, "no-check-sheet")
