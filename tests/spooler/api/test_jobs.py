"""What became of a request: one job, lists, history, document, hand-over, cancelling."""

import json
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from time import monotonic
from uuid import uuid4

import pytest

from spooler.api import stream
from spooler.job import JobState
from spooler.wire.messages import Actor, Issued, PassReport, Printed, Received, Returned
from tests.spooler.api.hall_side import about, sealed
from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample

HOUSE = changed(sample("house"), "hall", "231282-01")
PROOF = sample("mortgage")


@pytest.fixture
def job(client):
    return post(client, HOUSE).json()


def events_of(client, job):
    return client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]


def test_a_job_that_does_not_exist_is_not_found(client):
    for path in (f"/v1/jobs/{uuid4()}", "/v1/jobs/nonsense", f"/v1/jobs/{uuid4()}/events", "/v1/jobs/%00/document"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_history_names_who_and_what_and_no_person(home, client, job):
    order = sealed(home, job)
    about(home, job, order, Received, "waiting", identity="0" * 64)
    clerk = Actor(id="clerk-7", role="clerk")
    about(home, job, order, PassReport, "printing", number=1, outcome="done", printer="booklet-1", actor=clerk)
    about(home, job, order, Printed, "printed", serial="23100000001")

    first, *_, passed, printed = events_of(client, job)

    assert (first["sequence"], first["side"], first["state"]) == (1, "home", "accepted")
    assert first["actor"] == {"id": "clerk", "role": "submit"}
    assert (passed["side"], passed["pass"], passed["printer"]) == ("hall", 1, "booklet-1")
    assert passed["actor"] == {"id": "clerk-7", "role": "clerk"}
    assert (printed["state"], printed["serial"]) == ("printed", "23100000001")
    assert "pass" not in first
    assert "孙二" not in json.dumps(events_of(client, job), ensure_ascii=False)


def test_the_job_shows_its_orders_serial_and_refusal(home, client, job):
    order = sealed(home, job)
    about(home, job, order, Received, "waiting", identity="0" * 64)
    about(home, job, order, Returned, "returned", reason="坐落有误", fields=("location",))

    shown = client.get(f"/v1/jobs/{job['job_id']}").json()

    assert (shown["state"], shown["refusal"]["code"]) == ("refused", "returned-by-hall")
    ((only),) = shown["orders"]
    assert {"order_id": order, "hall": job["hall"], "state": "returned"}.items() <= only.items()
    assert only["not_after"].endswith("Z")


def test_the_document_is_there_once_it_is_sealed(home, client, job):
    path = f"/v1/jobs/{job['job_id']}/document"
    assert client.get(path).status_code == 404

    sealed(home, job, b"%PDF-1.7 this one")

    answer = client.get(path)
    assert (answer.status_code, answer.content) == (200, b"%PDF-1.7 this one")
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/pdf", "no-store")


def test_who_took_it_is_told_by_role(home, client, job):
    path = f"/v1/jobs/{job['job_id']}/handover"
    assert client.get(path).status_code == 404
    order = sealed(home, job)
    for kind, state, more in (
        (Received, "waiting", {"identity": "0" * 64}),
        (PassReport, "printing", {"number": 1, "outcome": "done", "printer": "booklet-1"}),
        (Printed, "printed", {"serial": "23100000001"}),
        (Issued, "issued", {"recipient_role": "agent", "identity_method": "card", "identity_result": "match"}),
    ):
        about(home, job, order, kind, state, **more)

    taken = client.get(path).json()

    assert taken["recipient"] == {"role": "agent"}
    assert taken["identity"] == {"method": "card", "result": "match"}
    assert client.get(f"/v1/jobs/{job['job_id']}").json()["state"] == "issued"


@pytest.fixture
def three(client):
    """Three jobs, oldest first."""
    return [post(client, request).json() for request in (HOUSE, PROOF, sample("no-annex"))]


def ids(answer):
    return [job["job_id"] for job in answer.json()["jobs"]]


def test_jobs_are_listed_newest_first_page_by_page(client, three):
    """A page's cursor leads on, also when new jobs come in between."""
    first = client.get("/v1/jobs", params={"limit": 2})
    post(client, sample("rare-names"))
    second = client.get("/v1/jobs", params={"limit": 2, "cursor": first.json()["next"]})

    assert ids(first) == [three[2]["job_id"], three[1]["job_id"]]
    assert (ids(second), second.json()["next"]) == ([three[0]["job_id"]], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"registry": "231221"}, [1, 0]),
        ({"registry": "330212"}, []),
        ({"state": "accepted"}, [2, 1, 0]),
        ({"state": "printed"}, []),
        ({"hall": "231283-01"}, [1]),
        ({"case": "23122120250310101"}, [0]),
        ({"request_id": "sample-231221-0113"}, [1]),
        ({"number": "黑（2025）绥化市不动产权第0000108号"}, [2]),
        ({"serial": "23100000001"}, []),
        ({"reason": "held"}, []),
        ({"late": "false"}, [2, 1, 0]),
        ({"late": "true"}, []),
        ({"updated_after": "2020-01-01T00:00:00Z"}, [2, 1, 0]),
        ({"updated_after": "2999-01-01T00:00:00+08:00"}, []),
    ],
    ids=str,
)
def test_jobs_are_found_by(client, three, query, found):
    assert ids(client.get("/v1/jobs", params=query)) == [three[index]["job_id"] for index in found]


@pytest.mark.parametrize(
    "query",
    [
        {"state": "done"},
        {"reason": "boredom"},
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "many"},
        {"cursor": "-1"},
        {"cursor": "x"},
        {"late": "perhaps"},
        {"updated_after": "yesterday"},
        {"updated_after": "2025-01-01T00:00:00"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_a_wrong_filter_is_named(client, query):
    """A misspelt filter must not list everything."""
    answer = client.get("/v1/jobs", params=query)

    assert answer.status_code == 422
    assert [field for field, _ in errors(answer)] == list(query)


def test_cancelling_before_it_left_ends_it_at_once(client, job):
    answer = client.post(f"/v1/jobs/{job['job_id']}/cancel", json={"reason": "typing error", "reference": "2025-17"})

    assert (answer.status_code, answer.json()["outcome"], answer.json()["state"]) == (200, "cancelled", "cancelled")
    last = events_of(client, job)[-1]
    assert (last["state"], last["actor"]) == ("cancelled", {"id": "clerk", "role": "operate"})


def test_cancelling_twice_says_the_same(client, job):
    path = f"/v1/jobs/{job['job_id']}/cancel"
    first, second = (client.post(path, json={"reason": "typing error"}) for _ in range(2))

    assert (first.status_code, first.json()) == (second.status_code, second.json())


def test_cancelling_what_is_handed_over_is_too_late(home, client, job):
    order = sealed(home, job)
    for state in ("waiting", "printing", "printed", "issued"):
        about(home, job, order, Printed, state, serial="23100000001")

    answer = client.post(f"/v1/jobs/{job['job_id']}/cancel", json={"reason": "typing error"})

    assert (answer.status_code, answer.json()["code"], answer.json()["outcome"]) == (409, "wrong-state", "too-late")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("reason", "missing")),
        ({"reason": ""}, ("reason", "empty")),
        ({"reason": 5}, ("reason", "wrong-type")),
        ({"reason": "x" * 201}, ("reason", "too-long")),
        ({"reason": "x", "force": True}, ("force", "unknown-field")),
    ],
)
def test_cancelling_needs_a_reason(client, job, body, expected):
    answer = client.post(f"/v1/jobs/{job['job_id']}/cancel", json=body)

    assert (answer.status_code, errors(answer)) == (422, [expected])


def test_events_are_streamed_as_they_happen(home, client, job):
    """A screen that watches a job sees the next event without asking again."""
    heading = {"accept": stream.MEDIA_TYPE}
    with client.stream("GET", f"/v1/jobs/{job['job_id']}/events", headers=heading) as answer:
        assert answer.headers["content-type"].startswith(stream.MEDIA_TYPE)
        threading.Timer(0.3, sealed, (home, job)).start()
        seen = []
        for line in answer.iter_lines():
            seen += [json.loads(line.removeprefix("data: "))] if line.startswith("data: ") else []
            if seen and seen[-1]["state"] == JobState.SEALED:
                break

    assert [event["sequence"] for event in seen] == [1, 2]


class History:
    """Two events, then silence."""

    def events(self, job_id, after=0):
        from spooler.store.values import Event, Side

        every = [Event(n, datetime(2025, 1, 1, tzinfo=UTC), Side.HOME, JobState.ACCEPTED, (), 1, None) for n in (1, 2)]
        return tuple(event for event in every if event.sequence > after)


def test_a_stream_goes_on_where_the_watcher_lost_it():
    lines = list(stream.follow(History(), "job", 1, longest_seconds=0.05, look_seconds=0.01))

    assert [line for line in lines if line.startswith("id:")] == [lines[1]]
    assert lines[1].startswith("id: 2\nevent: job\ndata: {")


def test_a_quiet_stream_says_that_it_is_still_there():
    """A proxy in between would cut a connection on which nothing is said."""
    clock = iter(range(0, 100_000, 20))

    lines = list(stream.follow(History(), "job", 2, longest_seconds=100, look_seconds=0, now=lambda: next(clock)))

    assert ": still here\n\n" in lines


def test_open_streams_do_not_delay_the_stop(home, job):
    """They held it up for the three seconds that an answer may take."""
    with home.client("reader") as client, ExitStack() as watching:
        for _ in range(3):
            opened = client.stream("GET", f"/v1/jobs/{job['job_id']}/events", headers={"accept": stream.MEDIA_TYPE})
            assert next(watching.enter_context(opened).iter_lines())
        began = monotonic()

        home.server.stop()

        assert monotonic() - began < 2


def test_too_many_watchers_are_asked_to_come_later(home, job):
    """Watchers hold threads; the API must go on answering."""
    path, heading = f"/v1/jobs/{job['job_id']}/events", {"accept": stream.MEDIA_TYPE}
    with home.client("reader") as client:
        watching = [client.stream("GET", path, headers=heading) for _ in range(stream.MOST_STREAMS)]
        try:
            opened = [one.__enter__() for one in watching]
            assert {answer.status_code for answer in opened} == {200}
            assert client.get(path, headers=heading).status_code == 503
            assert client.get(path).status_code == 200
        finally:
            for one in watching:
                one.__exit__(None, None, None)


def test_a_number_beyond_every_history_is_refused(client):
    """The database cannot be asked for it."""
    job = post(client, sample("house")).json()

    answer = client.get(f"/v1/jobs/{job['job_id']}/events", params={"after": 1 << 80})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")


def test_a_document_past_its_time_is_gone_and_said_so(home, client, job):
    """410 with a code of its own; the job answers as before, and the same request is known by the hash of its content."""
    order = sealed(home, job)
    about(home, job, order, Received, "waiting", identity="0" * 64)
    about(home, job, order, Returned, "returned", reason="孙二的名字有误", fields=("holder",))
    assert client.get(f"/v1/jobs/{job['job_id']}").json()["refusal"]["message"].startswith("孙二")
    for letter in home.store.outbox.pending(100):
        home.store.outbox.sent(letter.id)
    assert home.store.kept.destroy(job["job_id"], ())

    gone = client.get(f"/v1/jobs/{job['job_id']}/document")
    assert (gone.status_code, gone.json()["code"], gone.json()["job_id"]) == (410, "document-destroyed", job["job_id"])
    shown = client.get(f"/v1/jobs/{job['job_id']}").json()
    assert shown["refusal"] == {"code": "returned-by-hall", "message": ""}
    assert {**shown, "refusal": None, "state": "accepted"}.keys() == job.keys()
    assert events_of(client, job)[-1]["detail"] == "documents destroyed"
    again = post(client, HOUSE)
    assert (again.status_code, again.json()["job_id"]) == (200, job["job_id"])
    other = post(client, changed(HOUSE, "document.fields.notes", "另一内容"))
    assert (other.status_code, other.json()["code"]) == (409, "request-id-taken")
