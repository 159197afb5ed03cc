"""Approvals, the events feed, halls and blanks, probes, and errors that are nobody's fault."""

import errno
import json
from uuid import uuid4

import pytest

from spooler.wire.keys import SigningKey
from spooler.wire.messages import (
    Actor,
    ApprovalReport,
    BlankCount,
    Heartbeat,
    PrinterStanding,
    Received,
    Stock,
    StockMoved,
)
from tests.spooler.api.conftest import a_home
from tests.spooler.api.hall_side import about, report, sealed
from tests.spooler.api.sending import errors, inline, post
from tests.spooler.intake.build import BlankLayout, changed, sample

HOUSE = changed(sample("house"), "hall", "231282-01")


@pytest.fixture
def asked(tmp_path, layout):
    """A home where a hall asks for a second person."""
    home = a_home(tmp_path, layout, keys={"231221": SigningKey.generate()})
    with home.client() as client:
        job = post(client, HOUSE).json()
    order = sealed(home, job)
    about(home, job, order, Received, "waiting", identity="0" * 64)
    approval = uuid4()
    clerk = Actor(id="clerk-7", role="clerk")
    about(home, job, order, ApprovalReport, "waiting", approval_id=approval, act="spoil", reason="torn", actor=clerk)
    yield home, str(approval), job
    home.close()


def test_what_waits_for_a_second_person_is_listed(asked):
    home, approval, job = asked
    with home.client("approver") as client:
        (found,) = client.get("/v1/approvals").json()["approvals"]

    assert (found["approval_id"], found["job_id"], found["act"]) == (approval, job["job_id"], "spoil")
    assert found["actor"] == {"id": "clerk-7", "role": "clerk"}
    assert found["opened_at"].endswith("Z")


def test_the_second_persons_answer_goes_to_the_hall(asked):
    """202: the hall acts on it, and its word comes as an event. Deciding twice is a conflict."""
    home, approval, _ = asked
    with home.client("approver") as client:
        first = client.post(f"/v1/approvals/{approval}", json={"accept": True, "reason": "seen it"})
        second = client.post(f"/v1/approvals/{approval}", json={"accept": False})

    assert (first.status_code, first.json()["outcome"]) == (202, "pending")
    assert [letter.type for letter in home.store.outbox.pending(10)].count("control") == 1
    assert (second.status_code, second.json()["code"]) == (409, "wrong-state")


def test_only_an_approver_decides_and_only_what_is_there(asked):
    home, approval, _ = asked
    with home.client("clerk") as clerk, home.client("approver") as approver:
        assert clerk.post(f"/v1/approvals/{approval}", json={"accept": True}).status_code == 403
        assert approver.post(f"/v1/approvals/{uuid4()}", json={"accept": True}).status_code == 404
        wrong = approver.post(f"/v1/approvals/{approval}", json={"accept": "yes"})

    assert errors(wrong) == [("accept", "wrong-type")]


def test_the_feed_is_read_on_from_where_one_was(client):
    """For those who can only poll: the same events as the callbacks, in order, each once."""
    for name in ("house", "mortgage", "no-annex"):
        post(client, sample(name))

    first = client.get("/v1/events", params={"limit": 2}).json()
    rest = client.get("/v1/events", params={"after": first["next"]}).json()
    nothing = client.get("/v1/events", params={"after": rest["next"]}).json()

    assert [len(page["events"]) for page in (first, rest, nothing)] == [2, 1, 0]
    assert nothing["next"] == rest["next"]
    event = first["events"][0]
    assert {"type", "timestamp", "data"} <= set(event)
    assert set(event["data"]) == {"job_id", "request_id", "state", "reasons", "sequence", "attempt", "serial"}


def test_a_hall_is_shown_as_its_last_heartbeat_says(home, client):
    printer = PrinterStanding(name="booklet-1", stock=Stock.CERTIFICATE, state="idle")
    count = BlankCount(stock=Stock.CERTIFICATE, status="on-hand", count=500)
    report(home, Heartbeat, agent_version="0.1.0", printers=(printer,), blanks=(count,), open_asks=1)

    seen, unseen = client.get("/v1/halls").json()["halls"]

    assert (seen["hall"], seen["agent_version"], seen["open_asks"], seen["is_silent"]) == (
        "231282-01",
        "0.1.0",
        1,
        False,
    )
    assert seen["printers"][0]["name"] == "booklet-1"
    assert seen["blanks"][0]["count"] == 500
    assert (unseen["hall"], unseen["last_report_at"], unseen["printers"]) == ("231283-01", None, [])


def test_a_blank_is_found_where_its_hall_last_said(home, client):
    blanks = {"stock": Stock.CERTIFICATE, "first": "23100000001", "last": "23100000003", "status": "on-hand"}
    report(home, StockMoved, **blanks)

    (found,) = client.get("/v1/blanks", params={"serial": "23100000002"}).json()["blanks"]

    assert (found["hall"], found["status"], found["stock"]) == ("231282-01", "on-hand", "certificate")
    assert len(client.get("/v1/blanks", params={"hall": "231282-01"}).json()["blanks"]) == 3
    assert client.get("/v1/blanks", params={"serial": "2310000000x"}).status_code == 422


def test_probes_need_no_token(home):
    with home.client(None) as nobody:
        assert {nobody.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")} == {200}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/v1/jobs", 405, "method-not-allowed"),
        ("GET", "/docs", 404, "not-found"),
    ],
)
def test_every_error_is_a_problem_document(client, method, path, status, code):
    answer = client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


class BrokenLayout(BlankLayout):
    def print_document(self, content):
        raise RuntimeError(f"cannot draw {content.fields['holder']}")


def test_an_error_of_ours_tells_no_value_to_anybody(tmp_path, logged, capfd):
    """The text of an exception may hold a name: neither the answer nor the log repeats it."""
    broken = a_home(tmp_path, BrokenLayout())
    with broken.client() as client:
        answer = client.post("/v1/jobs", json=inline(HOUSE))
    broken.close()

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "RuntimeError" in logged.getvalue()
    told = answer.text + logged.getvalue() + "".join(capfd.readouterr())
    assert "孙二" not in told


class FullDisk(BlankLayout):
    def print_document(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_when_the_disk_is_full_the_answer_is_later(tmp_path, logged):
    """Nothing was answered as kept: the caller sends the same again."""
    full = a_home(tmp_path, FullDisk())
    with full.client() as client:
        answer = client.post("/v1/jobs", json=inline(HOUSE))
    full.close()

    assert (answer.status_code, answer.json()["code"]) == (503, "try-later")
    assert "retry-after" in answer.headers


def test_openapi_describes_the_request_and_the_problems(client):
    described = client.get("/openapi.json").json()

    body = described["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "multipart/form-data"}
    schemas = described["components"]["schemas"]
    assert {"Request", "DocumentIn", "PartyIn", "AnnexIn", "Problem", "JobView"} <= set(schemas)
    references = set(find_references(described))
    assert references <= {f"#/components/schemas/{name}" for name in schemas}


def find_references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for below in value.values():
            yield from find_references(below)
    elif isinstance(value, list):
        for below in value:
            yield from find_references(below)


def test_nothing_of_a_person_is_in_what_is_logged_or_counted(home, client, logged, capfd):
    post(client, sample("all-fields"))
    post(client, changed(sample("all-fields"), "parties.0.id_number", "232324199003074010"))

    out = logged.getvalue() + "".join(capfd.readouterr()) + json.dumps(home.requests)
    assert "孙二" not in out and "23232419900307" not in out
