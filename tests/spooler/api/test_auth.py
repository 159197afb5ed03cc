"""Who may do what: roles, registries, halls. What is not yours is not there."""

import json
import socket
from time import perf_counter
from urllib.parse import quote
from uuid import uuid4

import pytest

from spooler.api.auth import Callers
from spooler.daemon.guard import HEADERS
from spooler.daemon.limit import Limit
from tests.spooler.api.conftest import CALLERS, a_home, token_of
from tests.spooler.api.hall_side import sealed
from tests.spooler.api.sending import errors, inline, post
from tests.spooler.intake.build import changed, sample

NORTH = changed(sample("house"), "hall", "231282-01")
SOUTH = changed(sample("no-annex"), "hall", "231283-01")


@pytest.fixture(scope="module")
def home(tmp_path_factory, layout):
    """One home for all: who may do what changes nothing in it."""
    made = a_home(tmp_path_factory.mktemp("home"), layout)
    yield made
    made.close()


@pytest.fixture(scope="module")
def jobs(home):
    """A job of each registry, each at a hall of its own."""
    with home.client() as client:
        made = [post(client, request).json() for request in (NORTH, SOUTH)]
    for job in made:
        sealed(home, job)
    return [job["job_id"] for job in made]


CALLS = [
    ("POST", "/v1/jobs"),
    ("POST", "/v1/jobs/validate"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/jobs/{job}"),
    ("GET", "/v1/jobs/{job}/events"),
    ("GET", "/v1/jobs/{job}/document"),
    ("GET", "/v1/jobs/{job}/handover"),
    *(("POST", f"/v1/jobs/{{job}}/{act}") for act in ("cancel", "hold", "resume", "withdraw", "orders")),
    ("POST", "/v1/halls/{hall}/write-off"),
    ("GET", "/v1/enrolments"),
    ("POST", "/v1/enrolments/codes"),
    ("POST", "/v1/enrolments/{hall}/decision"),
    ("GET", "/v1/approvals"),
    ("POST", "/v1/approvals/{job}"),
    ("GET", "/v1/events"),
    ("GET", "/v1/halls"),
    ("GET", "/v1/blanks"),
    ("GET", "/v1/items"),
    ("GET", "/v1/electronic/{job}"),
    ("GET", "/v1/session"),
    ("DELETE", "/v1/session"),
]
PUBLIC = {("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/verify", "/verify/{code}")}
PUBLIC |= {("POST", "/v1/session")}  # where one comes in
PUBLIC |= {("POST", "/v1/enrolments"), ("POST", "/v1/enrolments/answer")}  # with a one-time code


NO_TOKENS = (None, "", "Bearer", "Bearer nonsense", "Basic Y2xlcms6Y2xlcms=", f"Bearer {'x' * 600}", token_of("clerk"))


@pytest.mark.attack_row("S33")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_known_token_nothing_is_told(home, method, path):
    with home.client(None) as nobody:
        for authorization in NO_TOKENS:
            headers = {} if authorization is None else {"Authorization": authorization}
            body = {} if method == "POST" else None
            answer = nobody.request(method, path.format(job="x", hall="231282-01"), headers=headers, json=body)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), authorization
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.attack_row("S34")
def test_a_token_in_the_address_is_no_token(home):
    """Addresses are logged on the way."""
    with home.client(None) as nobody:
        assert nobody.get("/v1/jobs", params={"access_token": token_of("clerk")}).status_code == 401


@pytest.mark.attack_row("S33")
def test_every_call_asks_who_calls(home):
    """A call that is added is found here, and must be in the list above, a probe, or the page for everybody."""
    paths = home.app.openapi()["paths"]
    offered = {(method.upper(), path) for path, calls in paths.items() for method in calls}
    listed = {
        (method, path.format(job="{job_id}", hall="{hall}").replace("approvals/{job_id}", "approvals/{approval_id}"))
        for method, path in CALLS
    }

    assert offered - listed == PUBLIC
    assert listed <= offered


MAY = {
    # call: who may, of those who see the job
    ("POST", "/v1/jobs"): {"clerk", "north", "submitter"},
    ("POST", "/v1/jobs/validate"): {"clerk", "north", "submitter"},
    ("GET", "/v1/jobs"): {"clerk", "north", "reader", "approver", "hall"},
    ("GET", "/v1/jobs/{job}"): {"clerk", "north", "reader", "approver", "hall"},
    ("GET", "/v1/jobs/{job}/events"): {"clerk", "north", "reader", "approver", "hall"},
    ("GET", "/v1/jobs/{job}/document"): {"clerk", "north", "reader"},
    ("POST", "/v1/jobs/{job}/cancel"): {"clerk", "north"},
    ("GET", "/v1/approvals"): {"clerk", "north", "reader", "approver"},
    ("GET", "/v1/events"): {"clerk", "north", "reader", "approver"},
    ("GET", "/v1/halls"): set(CALLERS),
    ("GET", "/v1/items"): set(CALLERS),
    ("GET", "/v1/blanks"): {"clerk", "north", "reader", "approver", "hall"},
}


@pytest.mark.parametrize("who", CALLERS)
def test_each_role_may_do_its_own(home, jobs, who):
    with home.client(who) as client:
        for (method, path), callers in MAY.items():
            body = inline(NORTH) if "{" not in path else {"reason": "typing error"}
            answer = client.request(method, path.format(job=jobs[0]), json=body if method == "POST" else None)
            may = answer.status_code not in {401, 403, 404}
            assert may == (who in callers), (method, path, answer.status_code, answer.text)


@pytest.mark.attack_row("S33")
@pytest.mark.parametrize("path", ["", "/events", "/document", "/handover"])
def test_another_registrys_job_is_not_there(home, jobs, path):
    """403 would say that it exists."""
    with home.client("north") as north:
        mine, theirs = (north.get(f"/v1/jobs/{job}{path}") for job in jobs)

    assert theirs.status_code == 404
    assert mine.status_code == (404 if path == "/handover" else 200)


@pytest.mark.attack_row("S33")
def test_another_registrys_job_cannot_be_cancelled(home, jobs):
    with home.client("north") as north:
        assert north.post(f"/v1/jobs/{jobs[1]}/cancel", json={"reason": "x"}).status_code == 404


@pytest.mark.parametrize("who", ["north", "hall"])
def test_lists_show_what_is_yours(home, jobs, who):
    """A registry sees its own jobs, a hall those that are printed there; filters do not widen that."""
    with home.client(who) as client:
        for query in ({}, {"registry": "231202"}, {"hall": "231283-01"}):
            shown = [job["job_id"] for job in client.get("/v1/jobs", params=query).json()["jobs"]]
            assert shown == ([jobs[0]] if not query else [])


def test_requests_are_made_for_your_own_registry_only(home):
    with home.client("north") as north:
        answer = north.post("/v1/jobs", json=SOUTH)

    assert (answer.status_code, errors(answer)) == (403, [("registry", "forbidden")])


def test_the_events_feed_shows_your_own_registries(home, jobs):
    with home.client("north") as north, home.client("reader") as reader:
        mine, all_ = (one.get("/v1/events").json()["events"] for one in (north, reader))

    assert {event["data"]["job_id"] for event in mine} == {jobs[0]}
    assert {event["data"]["job_id"] for event in all_} == set(jobs)


def test_a_hall_sees_its_own_hall(home):
    with home.client("hall") as hall, home.client("reader") as reader:
        assert [one["hall"] for one in hall.get("/v1/halls").json()["halls"]] == ["231282-01"]
        assert len(reader.get("/v1/halls").json()["halls"]) == 2


@pytest.mark.attack_row("S35")
def test_unknown_tokens_are_taken_so_often_and_known_ones_always(tmp_path, layout):
    """Guessing is slowed down; nobody behind the same address is locked out by it."""
    home = a_home(tmp_path, layout, wrong=Limit(a_minute=6, at_once=3, all_a_second=100))
    with home.client(None) as nobody, home.client() as clerk:
        wrong = {"Authorization": "Bearer nonsense"}
        answers = [nobody.get("/v1/jobs", headers=wrong) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert (answers[-1].json()["code"], answers[-1].headers["retry-after"]) == ("too-often", "10")
        assert clerk.get("/v1/jobs").status_code == 200
        assert nobody.get("/v1/jobs").status_code == 401  # who has none is told so
        assert nobody.get("/healthz").status_code == 200
    home.close()


def test_without_a_word_in_the_settings_unknown_tokens_are_limited():
    limit = Callers(())._wrong

    assert [limit.allows("10.0.0.1") for _ in range(21)] == [True] * 20 + [False]


@pytest.mark.attack_row("S33")
def test_another_registrys_job_answers_as_one_that_is_not_there(home, jobs):
    """Same status, same words, and the same time: an id that somebody overheard is not even confirmed."""
    foreign, nowhere = f"/v1/jobs/{jobs[1]}", f"/v1/jobs/{uuid4()}"
    with home.client("north") as north:
        answers = {path: north.get(path) for path in (foreign, nowhere)}
        assert [(a.status_code, a.content) for a in answers.values()] == [(404, answers[nowhere].content)] * 2
        # The quickest of each, and five times: what the machine does beside it is not what is asked.
        assert any(_apart_by(north, foreign, nowhere) < 0.005 for _ in range(5))


def _apart_by(client, one, other):
    took = [(_seconds(client, one), _seconds(client, other)) for _ in range(30)]
    return abs(min(a for a, _ in took) - min(b for _, b in took))


def _seconds(client, path):
    began = perf_counter()
    client.get(path)
    return perf_counter() - began


@pytest.mark.attack_row("S34")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nowhere", 404),
        ("GET", "/docs", 404),
        ("GET", "/redoc", 404),
        ("DELETE", "/v1/jobs", 405),
        ("GET", "/v1/jobs?limit=x", 422),
        ("GET", "/v1/jobs", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/metrics", 200),
    ],
)
def test_every_answer_has_the_headers_and_every_error_is_a_problem_document(home, method, path, status):
    with home.client() as client:
        answer = client.request(method, path)

    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in answer.headers
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    if status == 405:
        assert set(answer.headers["allow"].split(", ")) <= {"GET", "POST", "HEAD"}


@pytest.mark.attack_row("S35")
def test_a_large_body_without_a_token_is_not_read(home):
    """100 MB: announced, and never sent."""
    with socket.create_connection(("127.0.0.1", home.server.port), 5) as client:
        client.sendall(b"POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: 104857600\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 401 ")


@pytest.mark.attack_row("S35")
@pytest.mark.parametrize(
    ("path", "megabytes"),
    [("/v1/jobs/x/cancel", 1), ("/v1/approvals/x", 1), ("/v1/jobs", 18), ("/v1/jobs/validate", 18)],
)
def test_more_than_is_taken_is_answered_413(home, path, megabytes):
    with home.client() as client:
        answer = client.post(path, content=b" " * (megabytes << 20), headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.attack_row("S38")
def test_what_a_caller_writes_makes_no_line_of_its_own_in_the_log(home, logged, monkeypatch):
    """Newlines and colours of a terminal in path, query, header and body; a line of the log stays one line of JSON."""
    evil = 'x\n{"event":"forged"}\r\x1b[31m\x9b31m\u2028\u202e王小明'
    monkeypatch.setattr(home.store.jobs, "job", _broken)
    with home.client() as client:
        client.get(f"/v1/jobs/{quote(evil)}", params={"q": evil}, headers={"x-evil": quote(evil)})
    lines = logged.getvalue().splitlines()

    assert [json.loads(line)["path"] for line in lines if "request failed" in line] == ["/v1/jobs/{job_id}"]
    assert "forged" not in logged.getvalue()
    assert "王小明" not in logged.getvalue()
    assert not set(logged.getvalue()) & set("\x1b\x9b\u2028\u202e\r")


def _broken(*_: object) -> None:
    raise RuntimeError("王小明")
