"""Logging in at a hall with a password: a second person is a second login."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from agents.logins import Reception, hall_door
from spooler.daemon.login.records import AccountDesk
from tests.agents.api.conftest import TOKENS, api_of
from tests.spooler.daemon.login.build import HASHED, PASSWORD

COOKIE = "certspool-hall-231282-01"


@pytest.fixture
def hall(counter, tmp_path, monkeypatch):
    """A hall with a clerk and her chief."""
    monkeypatch.setattr("spooler.daemon.login.records.hash_password", lambda password: HASHED)
    desk = AccountDesk(tmp_path / "accounts.json", lambda: datetime.now(UTC))
    desk.add("li.7", PASSWORD, roles=("clerk",))
    desk.add("chen.1", PASSWORD, roles=("approve", "clerk"))
    settings = SimpleNamespace(id="231282-01", accounts=tmp_path / "accounts.json", plain_http_sessions=True)
    reception = Reception(counter.hall.ledger, lambda: datetime.now(UTC))
    app = api_of(counter, hall_door(settings, reception))
    return SimpleNamespace(app=app, counter=counter, reception=reception)


def browser(hall, account):
    client = TestClient(hall.app, base_url="http://127.0.0.1:8700", raise_server_exceptions=False)
    answer = client.post("/v1/session", json={"account": account, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["x-csrf-token"] = answer.json()["csrf"]
    return client


def test_each_halls_cookie_has_a_name_of_its_own(hall):
    assert list(browser(hall, "li.7").cookies) == [COOKIE]


@pytest.mark.attack_row("S31")
def test_what_one_login_asks_another_login_approves(hall):
    """Both by password, both in browsers of the same machine."""
    li, chen = browser(hall, "li.7"), browser(hall, "chen.1")
    order_id = hall.counter.has_printed_booklet()

    asked = li.post(f"/v1/orders/{order_id}/spoil", json={"attempt": 1, "blanks": ["D23000000101"], "reason": "torn"})
    assert asked.status_code == 202, asked.text
    approval = chen.get("/v1/approvals").json()["approvals"][0]["id"]
    body = {"accept": True, "reason": "seen"}
    assert li.post(f"/v1/approvals/{approval}", json=body).status_code == 403
    assert chen.post(f"/v1/approvals/{approval}", json=body).status_code == 200


@pytest.mark.attack_row("S31")
def test_nobody_is_her_own_second_person_by_coming_in_twice(hall):
    """Two browsers, one account."""
    one, other = browser(hall, "chen.1"), browser(hall, "chen.1")
    order_id = hall.counter.has_printed_booklet()
    one.post(f"/v1/orders/{order_id}/spoil", json={"attempt": 1, "blanks": ["D23000000101"], "reason": "torn"})
    approval = other.get("/v1/approvals").json()["approvals"][0]["id"]

    answer = other.post(f"/v1/approvals/{approval}", json={"accept": True, "reason": "seen"})

    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


@pytest.mark.attack_row("S34")
def test_the_cookie_alone_changes_nothing(hall):
    li = browser(hall, "li.7")
    order_id = hall.counter.arrives(hall.counter.proof())
    del li.headers["x-csrf-token"]

    for path, body in (
        (f"/v1/orders/{order_id}/release", {"attempt": 1}),
        ("/v1/printers/proof-1/pause", None),
        ("/v1/reconcile", {"act": "ask", "reason": "", "without": []}),
    ):
        answer = li.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf"), path
    assert li.get(f"/v1/orders/{order_id}").json()["state"] == "waiting"


def test_without_a_session_and_without_a_token_nothing_is_told(hall):
    client = TestClient(hall.app, base_url="http://127.0.0.1:8700", cookies={COOKIE: "x" * 43})

    assert client.get("/v1/orders").status_code == 401
    assert client.get("/v1/orders", headers={"authorization": f"Bearer {TOKENS['clerk']}"}).status_code == 200


@pytest.mark.attack_row("S39")
def test_logins_stand_in_the_halls_audit_log(hall):
    li = browser(hall, "li.7")
    li.post("/v1/session", json={"account": "li.7", "password": "wrong"})
    li.post("/v1/session", json={"account": "who?", "password": "wrong"})
    hall.app.state.door.flush()
    li.delete("/v1/session")
    ledger = hall.counter.hall.ledger
    rows = ledger._db.rows("SELECT account, what FROM logins ORDER BY sequence")

    assert [tuple(row) for row in rows] == [("li.7", "logged-in"), ("li.7", "refused"), ("li.7", "logged-out")]
    assert hall.reception.counts() == {"logged-in": 1, "refused": 2, "logged-out": 1}
    assert ledger.audit.verify().fault is None
