"""An order that is past its time at the hall: there by its number and its history, and nothing of it to be looked at."""

from tests.agents.counter.hall import CLERK


def test_a_destroyed_order_is_still_listed_and_its_preview_is_gone(desk, counter):
    order_id = counter.arrives(counter.proof(holder="王金丝雀"))
    counter.acts.return_to_home(CLERK, order_id, attempt=1, reason="wrong")
    for letter in counter.hall.reporter.pending(1000):
        counter.hall.reporter.sent(letter.id)
    assert desk.get(f"/v1/orders/{order_id}/preview").status_code == 200

    counter.clock.forward(days=7, minutes=1)
    counter.hall.pipeline.look()

    gone = desk.get(f"/v1/orders/{order_id}/preview")
    assert (gone.status_code, gone.json()["code"]) == (410, "document-destroyed")
    shown = desk.get(f"/v1/orders/{order_id}").json()
    assert (shown["state"], shown["holder_masked"]) == ("returned", "")
    assert desk.get("/v1/orders", q=shown["number"]).json()["orders"][0]["order_id"] == str(order_id)
    assert desk.get("/v1/orders", q="王金丝雀").json()["orders"] == []
