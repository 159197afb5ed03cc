"""The acts over HTTP: outcome at once or pending, what does not fit, and who may."""

from collections.abc import Iterator
from typing import Any

import pytest

from spooler.wire.keys import SigningKey
from spooler.wire.messages import Printed, Standing
from tests.spooler.api.conftest import Home, a_home
from tests.spooler.api.hall_side import about, sealed
from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample

HOUSE = changed(sample("house"), "hall", "231282-01")
BECAUSE = {"reason": "court order", "reference": "(2026)88"}
SERIAL = "23100000001"


@pytest.fixture
def home(tmp_path, layout) -> Iterator[Home]:
    made = a_home(tmp_path, layout, keys={"231221": SigningKey.generate()})
    yield made
    made.close()


@pytest.fixture
def job(client) -> dict[str, Any]:
    return post(client, HOUSE).json()


def at_the_hall(home: Home, job: dict[str, Any], *states: str) -> str:
    order = sealed(home, job)
    for state in states:
        about(home, job, order, Printed, state, serial=SERIAL)
    return order


def act(client: Any, job: dict[str, Any], name: str, body: dict[str, Any] | None = None) -> Any:
    return client.post(f"/v1/jobs/{job['job_id']}/{name}", json=BECAUSE if body is None else body)


@pytest.mark.parametrize(("name", "outcome"), [("hold", "held"), ("resume", "resumed"), ("withdraw", "withdrawn")])
def test_what_home_can_do_by_itself_is_done_at_once(client, job, name, outcome):
    answer = act(client, job, name)

    assert (answer.status_code, answer.json()["outcome"]) == (200, outcome)


@pytest.mark.parametrize("name", ["cancel", "hold", "withdraw"])
def test_what_the_hall_must_answer_is_pending(home, client, job, name):
    at_the_hall(home, job, "waiting")

    answer = act(client, job, name)

    assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    assert answer.json()["control_id"]


@pytest.mark.parametrize("name", ["cancel", "hold", "resume"])
def test_after_hand_over_it_is_too_late(home, client, job, name):
    at_the_hall(home, job, "waiting", "printing", "printed", "issued")

    answer = act(client, job, name)

    assert (answer.status_code, answer.json()["outcome"], answer.json()["state"]) == (409, "too-late", "issued")


def test_a_withdrawal_after_hand_over_lists_the_paper(home, client, job):
    at_the_hall(home, job, "waiting", "printing", "printed", "issued")

    answer = act(client, job, "withdraw")

    assert (answer.status_code, answer.json()["outcome"]) == (200, "withdrawn")
    listed = client.get("/v1/jobs", params={"reason": "to-recover"}).json()["jobs"]
    assert [(one["job_id"], one["serial"]) for one in listed] == [(job["job_id"], SERIAL)]
    blanks = client.get("/v1/blanks", params={"status": "to-recover"}).json()["blanks"]
    assert [blank["serial"] for blank in blanks] == [SERIAL]


@pytest.mark.parametrize("name", ["hold", "resume", "withdraw"])
def test_an_act_needs_a_reason(client, job, name):
    answer = act(client, job, name, {})

    assert (answer.status_code, errors(answer)) == (422, [("reason", "missing")])


@pytest.mark.parametrize("name", ["hold", "resume", "withdraw", "orders"])
def test_only_operators_act(home, client, job, name):
    body = {"hall": "231283-01", "reason": "x"} if name == "orders" else BECAUSE
    for who in ("reader", "submitter", "approver", "hall"):
        with home.client(who) as other:
            assert act(other, job, name, body).status_code in {403, 404}, who


def test_while_the_last_order_is_open_there_is_no_other(home, client, job):
    order = at_the_hall(home, job, "waiting")

    answer = act(client, job, "orders", {"hall": "231283-01", "reason": "elsewhere"})

    assert (answer.status_code, answer.json()["code"], answer.json()["order_id"]) == (409, "order-open", order)


@pytest.mark.parametrize(("hall", "code"), [("231282-01", "not-granted"), ("999999-99", "unknown-hall")])
def test_another_order_goes_where_the_registry_may_print(home, client, job, hall, code):
    order = at_the_hall(home, job, "waiting")
    about(home, job, order, Standing, "expired")
    with home.client("approver") as chief:
        asked = client.post("/v1/halls/231282-01/write-off", json={"reason": "burnt down"}).json()
        chief.post(f"/v1/approvals/{asked['approval_id']}", json={"accept": True})

    answer = act(client, job, "orders", {"hall": hall, "reason": "elsewhere"})

    assert (answer.status_code, errors(answer)) == (422, [("hall", code)])


# Writing a hall off


def test_a_hall_is_written_off_by_two(home, client, job):
    asked = client.post("/v1/halls/231282-01/write-off", json={"reason": "burnt down"})
    assert (asked.status_code, asked.json()["outcome"]) == (202, "pending")
    path = f"/v1/approvals/{asked.json()['approval_id']}"
    assert client.post(path, json={"accept": True}).status_code == 403
    waiting = client.get("/v1/approvals").json()["approvals"]
    assert [(one["act"], one["hall"], one["actor"]["id"]) for one in waiting] == [("write-off", "231282-01", "clerk")]

    with home.client("approver") as chief:
        answer = chief.post(path, json={"accept": True, "reason": "seen"})

    assert (answer.status_code, answer.json()["outcome"]) == (200, "accepted")
    assert client.get("/v1/approvals").json()["approvals"] == []
    assert client.post("/v1/halls/231282-01/write-off", json={"reason": "again"}).status_code == 409


def test_a_hall_of_many_registries_is_not_written_off_by_one(home):
    with home.client("north") as north:
        assert north.post("/v1/halls/231282-01/write-off", json={"reason": "mine"}).status_code == 403
        assert north.get("/v1/approvals").json()["approvals"] == []


# Documents of a request that came too late


def test_a_refused_request_leaves_nothing_on_disk(home, client, job):
    """Names and ID numbers of a request that is no job are nobody's to keep."""
    before = kept(home)
    again = changed(changed(HOUSE, "request_id", "the-same-right-again"), "document.fields.notes", "other words")

    answer = post(client, again)

    assert (answer.status_code, answer.json()["code"]) == (409, "already-requested")
    assert kept(home) == before


def kept(home: Home) -> set[str]:
    return {path.name for path in home.documents._directory.rglob("*") if path.is_file()}
