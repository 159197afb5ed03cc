"""The hall's API towards callers that mean ill: headers on every answer, problem documents, unknown tokens, logs."""

import io
import json
import logging
from urllib.parse import quote

import pytest
import structlog

from spooler.daemon import logs
from spooler.daemon.guard import HEADERS
from spooler.daemon.limit import Limit
from tests.agents.api.conftest import TOKENS


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nowhere", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
        ("DELETE", "/v1/orders", 405),
        ("GET", "/v1/orders?limit=x", 422),
        ("GET", "/v1/orders", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200),
    ],
)
def test_every_answer_has_the_headers_and_every_error_is_a_problem_document(desk, method, path, status):
    answer = desk.call(method, path)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    if status == 405:
        assert answer.headers["allow"] == "GET"


@pytest.mark.attack_row("S33")
@pytest.mark.parametrize("by", [None, "", "x" * 600, "token-of-nobody", "tökën"])
def test_without_a_known_token_nothing_is_told(desk, by):
    headers = {} if by is None else {"Authorization": f"Bearer {by}".encode()}
    for path in ("/v1/orders", "/v1/approvals", "/v1/printers", "/v1/stock", "/v1/reconcile"):
        answer = desk.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not-authenticated")


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
def test_a_token_in_the_address_is_no_token(desk, name):
    assert desk.get("/v1/orders", by=None, **{name: TOKENS["clerk"]}).status_code == 401


@pytest.mark.attack_row("S35")
def test_unknown_tokens_are_taken_so_often_and_known_ones_always(desk):
    desk.http.app.state.wrong_tokens = Limit(a_minute=6, at_once=3, all_a_second=100)

    answers = [desk.get("/v1/orders", by="nobody") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert (answers[-1].json()["code"], answers[-1].headers["retry-after"]) == ("too-often", "10")
    assert desk.get("/v1/orders").status_code == 200
    assert desk.get("/v1/orders", by=None).status_code == 401


@pytest.mark.attack_row("S38")
def test_what_a_caller_writes_makes_no_line_of_its_own_in_the_log(desk, counter, monkeypatch):
    evil = 'x\n{"event":"forged"}\r\x1b[31m\x9b31m\u2028王小明'
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    logs.set_up(stream=stream)
    monkeypatch.setattr(counter.stock, "blank", _broken)
    try:
        assert desk.get(f"/v1/stock/certificate/{quote(evil)}", q=evil).status_code == 500
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()

    failed = [json.loads(line)["path"] for line in stream.getvalue().splitlines() if "request failed" in line]
    assert failed == ["/v1/stock/{stock}/{serial}"]
    assert "forged" not in stream.getvalue() and "王小明" not in stream.getvalue()


def _broken(*_: object) -> None:
    raise RuntimeError("王小明")


def test_a_number_beyond_the_ledger_is_refused(desk, counter):
    """Or there is no such pass: never an error of ours."""
    order_id = counter.arrives(counter.proof())
    beyond = 1 << 80

    assert desk.get("/v1/stock/movements", after=beyond).status_code == 422
    assert desk.act(order_id, "release", attempt=beyond).status_code == 422
    assert desk.act(order_id, f"passes/{beyond}/release", attempt=0).status_code in (404, 409)
    assert desk.post("/v1/printers/booklet-1/calibration", act="accept", spread="A", version=beyond).status_code == 422
