"""Who may do what: roles, registries, halls. What is not yours is not there."""

import pytest

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
    ("GET", "/v1/approvals"),
    ("POST", "/v1/approvals/{job}"),
    ("GET", "/v1/events"),
    ("GET", "/v1/halls"),
    ("GET", "/v1/blanks"),
    ("GET", "/v1/items"),
    ("GET", "/v1/electronic/{job}"),
]
PUBLIC = {("GET", path) for path in ("/healthz", "/readyz", "/metrics", "/verify", "/verify/{code}")}


NO_TOKENS = (None, "", "Bearer", "Bearer nonsense", "Basic Y2xlcms6Y2xlcms=", f"Bearer {'x' * 600}", token_of("clerk"))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_known_token_nothing_is_told(home, method, path):
    with home.client(None) as nobody:
        for authorization in NO_TOKENS:
            headers = {} if authorization is None else {"Authorization": authorization}
            body = {} if method == "POST" else None
            answer = nobody.request(method, path.format(job="x", hall="231282-01"), headers=headers, json=body)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), authorization
            assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_in_the_address_is_no_token(home):
    """Addresses are logged on the way."""
    with home.client(None) as nobody:
        assert nobody.get("/v1/jobs", params={"access_token": token_of("clerk")}).status_code == 401


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


@pytest.mark.parametrize("path", ["", "/events", "/document", "/handover"])
def test_another_registrys_job_is_not_there(home, jobs, path):
    """403 would say that it exists."""
    with home.client("north") as north:
        mine, theirs = (north.get(f"/v1/jobs/{job}{path}") for job in jobs)

    assert theirs.status_code == 404
    assert mine.status_code == (404 if path == "/handover" else 200)


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
