"""The hall's API: who may call, what each call answers, and what is said when it does not fit."""

import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from uuid import uuid4

import httpx
import pytest
from pypdf import PdfReader
from structlog.testing import capture_logs

from agents.changes import MOST_WAITING, Changes
from spooler.daemon.problem import MEDIA_TYPE
from spooler.wire.messages import Replaces
from tests.agents.api.conftest import TOKENS
from tests.sealing import HOLDER

IDENTITY = {"method": "id-card-reader", "result": "matched"}
NOBODYS = "00000000-0000-4000-8000-000000000000"


def problem_of(answer, status: int, code: str) -> dict:
    """Return the problem document, of the one shape that all have."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert problem["status"] == status and problem["type"].endswith(code) and problem["detail"]
    return problem


# ── who calls ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/approvals", "/v1/printers", "/v1/stock", "/v1/stock/movements"])
@pytest.mark.parametrize("token", [None, "", "a-token-of-nobody", "é", "x" * 2000])
def test_nobody_is_answered_without_a_login(desk, path, token):
    problem_of(desk.call("GET", path, by=token and token.encode()), 401, "not-authenticated")


@pytest.mark.attack_row("S34")
def test_a_token_in_the_query_is_no_login(desk):
    """It would stand in logs."""
    problem_of(desk.get("/v1/orders", by=None, token=TOKENS["clerk"]), 401, "not-authenticated")


def test_an_account_without_the_role_is_refused(desk, counter):
    """Whoever only approves does not print, and a clerk does not approve."""
    order_id = counter.arrives(counter.proof())

    problem_of(desk.act(order_id, "release", by="approver", attempt=1), 403, "not-allowed")
    problem_of(desk.post(f"/v1/approvals/{uuid4()}", accept=True), 403, "not-allowed")


def test_probes_need_no_login(desk):
    assert desk.get("/healthz", by=None).status_code == 200


# ── the main path ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_booklet_from_arrival_to_hand_over(desk, counter):
    """Release, turn the page, confirm by the serial on the paper, hand over: each call answers the order as it then is."""
    order_id = counter.arrives(counter.booklet())
    order = desk.get(f"/v1/orders/{order_id}").json()
    assert order["state"] == "waiting" and order["next"] == ["release", "return"]

    order = desk.act(order_id, "release", attempt=order["attempt"]).json()
    assert order["state"] == "printing" and order["proposed_serial"] == "D23000000101"
    counter.prints("booklet-1")
    second = desk.get(f"/v1/orders/{order_id}").json()["passes"][1]
    assert second["turn"] == "operator"
    assert desk.act(order_id, "passes/2/release", attempt=1, **{"try": second["try"]}).status_code == 200
    counter.prints("booklet-1")
    order = desk.act(order_id, "confirm", attempt=1, serials=["D23000000101"]).json()
    assert (order["state"], order["serial"]) == ("printed", "D23000000101")
    recipient = {"role": "holder", "party": 0, "id_last4": "0019"}
    order = desk.act(order_id, "issue", attempt=1, recipient=recipient, identity=IDENTITY).json()

    assert (order["state"], order["next"]) == ("issued", [])


def test_a_renewal_is_handed_over_for_the_old_paper(desk, counter):
    """409 says what is missing; the order shows which paper it is."""
    old = Replaces(issuance="renewal", number="黑（2019）1号", version=1, serial="D23000000077", take_back=True)
    order_id = counter.has_printed_proof(replaces=old)
    desk.act(order_id, "confirm", attempt=1, serials=["23000000101"])

    refused = problem_of(
        desk.act(order_id, "issue", recipient={"role": "holder"}, identity=IDENTITY), 409, "old-not-returned"
    )
    assert refused["fits"] == ["old_returned", "spoil", "return"]
    order = desk.act(order_id, "old-returned", attempt=1, serial="D23000000077").json()

    assert order["next"] == ["issue", "spoil", "return"]
    assert order["replaces"] == {
        "issuance": "renewal",
        "number": "黑（2019）1号",
        "version": 1,
        "serial": "D23000000077",
        "take_back": True,
        "returned": True,
    }
    assert desk.act(order_id, "issue", recipient={"role": "holder"}, identity=IDENTITY).json()["state"] == "issued"


def test_an_order_shows_what_design_says(desk, counter):
    """The names that consoles, machines and tests hold on to; and no person's name."""
    order_id = counter.arrives(counter.proof(lists=1))

    (order,) = desk.get("/v1/orders").json()["orders"]

    assert order.keys() >= {
        *("order_id", "job_id", "registry", "kind", "number", "holder_masked", "case", "window", "deadline", "state"),
        *("reasons", "attempt", "printer", "serial", "proposed_serial", "seal", "approvals", "next", "passes"),
    }
    assert order["order_id"] == str(order_id)
    assert order["passes"][0].keys() >= {"number", "name", "stock", "turn", "state", "try"}
    assert HOLDER not in str(order)


def test_orders_are_found_by_state_and_words(desk, counter):
    waiting, printing = counter.arrives(counter.proof()), counter.arrives(counter.booklet())
    counter.releases(printing)

    def found(**query) -> set[str]:
        return {order["order_id"] for order in desk.get("/v1/orders", **query).json()["orders"]}

    assert found() == found(state="") == {str(waiting), str(printing)}
    assert found(state="waiting") == {str(waiting)}
    assert found(state=["waiting", "printing"]) == {str(waiting), str(printing)}
    assert found(q=HOLDER) == {str(waiting), str(printing)}
    assert found(q="nobody") == set()
    problem_of(desk.get("/v1/orders", state="lost"), 422, "refused")


def test_the_document_can_be_looked_at_before_a_blank_is_used(desk, counter):
    """Every side, the empty one too, with the document's text; the signed document itself is not given out."""
    order = counter.booklet()
    answer = desk.get(f"/v1/orders/{counter.arrives(order)}/preview")
    shown = PdfReader(BytesIO(answer.content))

    assert answer.headers["content-type"] == "application/pdf"
    assert len(shown.pages) == 3
    assert "0001234" in shown.pages[0].extract_text()
    assert answer.content != order.document
    assert "/AcroForm" not in shown.trailer["/Root"]


# ── a second person ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.attack_row("S31")
def test_spoiling_waits_for_a_second_login(desk, counter):
    """202 with the approval, the order as it was; another account accepts, and the order waits for its next attempt."""
    order_id = counter.has_printed_booklet()

    asked = desk.act(order_id, "spoil", attempt=1, blanks=["D23000000101"], reason="smeared")
    assert asked.status_code == 202
    assert asked.json()["state"] == "printing"
    (approval,) = desk.get("/v1/approvals", by="approver").json()["approvals"]
    assert asked.json()["approval"]["id"] == approval["id"] == asked.json()["approvals"][0]["id"]
    order = desk.post(f"/v1/approvals/{approval['id']}", by="approver", accept=True).json()

    assert (order["state"], order["attempt"]) == ("waiting", 2)
    assert desk.get("/v1/stock/certificate/D23000000101").json()["status"] == "void"
    assert desk.get("/v1/approvals").json()["approvals"] == []


@pytest.mark.attack_row("S31")
def test_nobody_approves_what_she_asked_herself(desk, counter):
    """A login with both roles is still one person."""
    order_id = counter.has_printed_booklet()
    asked = desk.act(order_id, "spoil", by="both", attempt=1, blanks=["D23000000101"], reason="smeared").json()

    problem_of(desk.post(f"/v1/approvals/{asked['approval']['id']}", by="both", accept=True), 403, "not-allowed")


@pytest.mark.attack_row("S31")
def test_another_serial_than_proposed_waits_for_a_second_login(desk, counter):
    order_id = counter.has_printed_booklet()

    asked = desk.act(order_id, "confirm", attempt=1, serials=["D23000000102"], reason="wrong blank fed")
    declined = desk.post(
        f"/v1/approvals/{asked.json()['approval']['id']}", by="approver", accept=False, reason="look again"
    )

    assert asked.status_code == 202
    assert declined.json()["state"] == "printing"
    assert declined.json()["serial"] is None


def test_an_unknown_pass_is_resolved_by_name_of_its_try(desk, counter):
    """`pass` and `try` are what was seen; nothing printed needs a second person, printed well does not."""
    order_id = counter.arrives(counter.proof())
    counter.releases(order_id)
    begun = counter.goes_unknown("proof-1")
    seen = {"attempt": 1, "pass": 1, "try": str(begun.id)}
    assert desk.get(f"/v1/orders/{order_id}").json()["next"] == ["resolve"]

    stale = desk.act(order_id, "resolve", **{**seen, "try": str(uuid4())}, outcome="printed")
    problem_of(stale, 409, "stale")
    assert desk.act(order_id, "resolve", **seen, outcome="nothing_printed", reason="tray full").status_code == 202
    counter.accepts(order_id)
    again = counter.goes_unknown("proof-1") if counter.has_to_print("proof-1") else None
    assert again is None, "a person releases it anew"


def test_returning_to_home_ends_the_order(desk, counter):
    order_id = counter.arrives(counter.booklet())

    order = desk.act(order_id, "return", attempt=1, reason="the name is wrong", fields=["holder"]).json()

    assert order["state"] == "returned"


# ── what does not fit ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_older_attempt_is_stale(desk, counter):
    order_id = counter.arrives(counter.proof())

    problem_of(desk.act(order_id, "release", attempt=2), 409, "stale")


def test_a_call_that_does_not_fit_says_what_would(desk, counter):
    order_id = counter.arrives(counter.proof())

    problem = problem_of(desk.act(order_id, "confirm", attempt=1, serials=["23000000101"]), 409, "does-not-fit")

    assert problem["fits"] == ["release", "return"]


def test_two_clerks_at_once_release_once(desk, counter):
    """One wins, the other reads 409; the pass is released once."""
    order_id = counter.arrives(counter.proof())

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: desk.act(order_id, "release", attempt=1).status_code, range(8)))

    assert sorted(answers) == [200] + [409] * 7


@pytest.mark.parametrize(
    ("act", "body", "field", "code"),
    [
        ("release", {}, "attempt", "missing"),
        ("release", {"attempt": 1, "copies": 2}, "copies", "unknown-field"),
        ("release", {"attempt": "one"}, "attempt", "wrong-type"),
        ("confirm", {"attempt": 1, "serials": "D23000000101"}, "serials", "wrong-type"),
        ("confirm", {"attempt": 1, "serials": ["x" * 99]}, "serials.0", "too-long"),
        ("resolve", {"attempt": 1, "pass": 1, "try": "x", "outcome": "lost"}, "outcome", "not-a-choice"),
        ("resolve", {"attempt": 1, "pass": 0, "try": "x", "outcome": "printed"}, "pass", "out-of-range"),
        ("spoil", {"attempt": 1, "blanks": []}, "reason", "missing"),
        ("old-returned", {"attempt": 1, "serial": "77"}, "serial", "bad-format"),
        ("old-returned", {"serial": "D23000000077"}, "attempt", "missing"),
        ("issue", {"recipient": {"role": "friend"}, "identity": IDENTITY}, "recipient.role", "not-a-choice"),
        (
            "issue",
            {"recipient": {"role": "holder", "name": "x"}, "identity": IDENTITY},
            "recipient.name",
            "unknown-field",
        ),
        (
            "issue",
            {"recipient": {"role": "holder", "id_last4": "19"}, "identity": IDENTITY},
            "recipient.id_last4",
            "bad-format",
        ),
    ],
)
def test_a_wrong_body_names_the_field(desk, counter, act, body, field, code):
    """As the caller wrote it, and never its value."""
    order_id = counter.arrives(counter.proof())

    errors = problem_of(desk.act(order_id, act, **body), 422, "refused")["errors"]

    assert (field, code) in {(error["field"], error["code"]) for error in errors}


def test_what_is_no_json_is_refused(desk, counter):
    order_id = counter.arrives(counter.proof())

    problem_of(desk.call("POST", f"/v1/orders/{order_id}/release", content=b"{"), 400, "malformed")


def test_a_body_that_no_act_needs_is_refused(desk, counter):
    order_id = counter.arrives(counter.proof())

    problem_of(desk.act(order_id, "release", attempt=1, printer="x" * 400_000), 413, "too-large")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/orders/nothing",
        f"/v1/orders/{NOBODYS}",
        f"/v1/orders/{NOBODYS}/preview",
        "/v1/nothing",
        "/docs",
        "/v1/stock/x/1",
    ],
)
def test_what_is_not_there_is_404(desk, path):
    problem_of(desk.get(path), 404, "not-found")


def test_an_error_of_ours_is_told_without_its_values(desk, counter):
    """A 500 is a problem document too; neither it nor the log's line names anything of what was asked."""
    counter.ledger.close()

    with capture_logs() as told:
        problem = problem_of(desk.get("/v1/orders", q=HOLDER), 500, "internal")

    assert HOLDER not in str(problem)
    assert [(line["event"], line["path"]) for line in told] == [("request failed", "/v1/orders")]


# ── printers and stock ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_printer_is_paused_and_resumed(desk, counter):
    order_id = counter.arrives(counter.proof())

    assert desk.post("/v1/printers/proof-1/pause").json()["state"] == "paused"
    assert "release" not in desk.get(f"/v1/orders/{order_id}").json()["next"]
    assert desk.post("/v1/printers/proof-1/resume").json()["state"] != "paused"
    assert desk.act(order_id, "release", attempt=1).status_code == 200
    problem_of(desk.post("/v1/printers/none/pause"), 404, "not-found")


def test_blanks_move_by_range_and_their_life_is_told(desk):
    """All or nothing; each blank's whole life can be read."""
    blanks = {"stock": "proof", "first": "23000000201", "last": "23000000210"}

    assert desk.post("/v1/stock/receive", **blanks).json()["count"] == 10
    assert desk.post("/v1/stock/load", **blanks, printer="proof-1").status_code == 200
    assert desk.post("/v1/stock/void", **{**blanks, "first": "23000000210"}, reason="torn").status_code == 200

    life = desk.get("/v1/stock/proof/23000000210").json()
    assert life["status"] == "void"
    assert [movement["movement"] for movement in life["movements"]] == ["receive", "load", "void"]
    assert life["movements"][-1]["actor"] == {"id": "clerk", "role": "clerk"}
    assert desk.get("/v1/stock").json()["balanced"] is True
    told = desk.get("/v1/stock/movements", stock="proof", after=life["movements"][1]["sequence"]).json()["movements"]
    assert [movement["movement"] for movement in told] == ["void"]


def test_blanks_that_are_not_here_do_not_move(desk):
    problem_of(
        desk.post("/v1/stock/load", stock="proof", first="23000000901", last="23000000902", printer="proof-1"),
        409,
        "blank-not-received",
    )
    problem_of(desk.post("/v1/stock/shred", stock="proof", first="23000000901", last="23000000902"), 404, "not-found")


# ── waiting for a change ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_can_be_waited_for(served, counter):
    """One call that answers when something changes, instead of asking again and again."""
    headers = {"Authorization": f"Bearer {TOKENS['clerk']}"}
    with httpx.Client(base_url=served(), headers=headers, trust_env=False) as http, ThreadPoolExecutor(1) as pool:
        version = http.get("/v1/orders").json()["version"]
        waiting = pool.submit(http.get, "/v1/orders", params={"wait": 10, "since": version}, timeout=15)
        time.sleep(0.2)
        assert not waiting.done()
        start = time.monotonic()
        counter.arrives(counter.proof())
        page = waiting.result().json()

    assert time.monotonic() - start < 5
    assert len(page["orders"]) == 1
    assert page["version"] != version


def test_an_old_version_is_answered_at_once(desk):
    """A version from before a restart looks like none that there is."""
    start = time.monotonic()

    assert desk.get("/v1/orders", wait=20, since="another-7").status_code == 200
    assert time.monotonic() - start < 5


def test_stopping_answers_all_who_wait():
    """The daemon goes down at once, whoever polls."""
    changes = Changes()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(changes.wait, changes.wait("", 0), 30) for _ in range(2)]
        changes.stop()
        assert {one.result(timeout=5) for one in waiting} == {changes.wait("", 0)}


def test_only_so_many_wait():
    """Each who waits holds a thread of the server; the rest are answered at once."""
    changes = Changes()
    version = changes.wait("", 0)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        waiting = [pool.submit(changes.wait, version, 30) for _ in range(MOST_WAITING)]
        time.sleep(0.2)
        start = time.monotonic()
        changes.wait(version, 30)
        took = time.monotonic() - start
        changes.tell()
        assert {one.result(timeout=5) for one in waiting} != {version}

    assert took < 5


def test_a_body_sent_in_pieces_is_limited_too(served, counter):
    order_id = counter.arrives(counter.proof())
    headers = {"Authorization": f"Bearer {TOKENS['clerk']}", "content-type": "application/json"}

    pieces = (b" " * 65536 for _ in range(8))
    answer = httpx.post(f"{served()}/v1/orders/{order_id}/release", content=pieces, headers=headers, trust_env=False)

    problem_of(answer, 413, "too-large")


def test_the_api_describes_itself(desk):
    """OpenAPI names every call of design §6."""
    paths = desk.get("/openapi.json", by=None).json()["paths"]

    order = "/v1/orders/{order_id}"
    acts = [
        "release",
        "passes/{number}/release",
        "confirm",
        "spoil",
        "return",
        "resolve",
        "old-returned",
        "issue",
        "preview",
        "check-sheet/print",
        "check-sheet/sign",
    ]
    assert {"/v1/orders", order, *(f"{order}/{act}" for act in acts)} <= paths.keys()
    assert {"/v1/approvals", "/v1/approvals/{approval_id}", "/v1/printers", "/v1/stock"} <= paths.keys()
    assert {"/v1/stock/{stock}/{serial}", "/v1/stock/movements", "/v1/stock/{movement}"} <= paths.keys()
    assert {"/healthz", "/readyz", "/metrics"} <= paths.keys()
