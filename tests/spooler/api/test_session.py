"""Logging in at home with a password: over real HTTP, with real accounts, as a person's browser would."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from spooler.api.auth import Callers
from spooler.daemon.guard import HEADERS
from spooler.daemon.login.records import AccountDesk
from spooler.logins import home_door
from spooler.metrics import Metrics
from spooler.store import Database, Store
from spooler.store.columns import metadata
from tests.spooler.api.conftest import CALLERS, a_home, generous, with_token
from tests.spooler.api.sending import post
from tests.spooler.daemon.login.build import HASHED, PASSWORD
from tests.spooler.intake.build import changed, sample

NORTH = changed(sample("house"), "hall", "231282-01")
SOUTH = changed(sample("no-annex"), "hall", "231283-01")


def a_place(directory, layout) -> Iterator[SimpleNamespace]:
    """A home with two accounts: one of a registry, one that approves everywhere."""
    # The same password again and again: it is hashed once.
    with pytest.MonkeyPatch.context() as hashed_before:
        hashed_before.setattr("spooler.daemon.login.records.hash_password", lambda password: HASHED)
        desk = AccountDesk(directory / "accounts.json", lambda: datetime.now(UTC))
        desk.add("zhang.201", PASSWORD, roles=("submit", "read", "operate"), registries=("231221",))
        desk.add("wang.3", PASSWORD, roles=("approve",), registries=("*",))
    metrics = Metrics()
    beside = Database(f"sqlite:///{directory / 'home.db'}")
    metadata.create_all(beside.engine)
    store = Store(beside, lambda: datetime.now(UTC))
    settings = SimpleNamespace(accounts=directory / "accounts.json", plain_http_sessions=True)
    door = home_door(settings, store, metrics)
    callers = Callers((with_token(one) for one in CALLERS.values()), generous(), door)
    home = a_home(directory, layout, callers=callers)
    yield SimpleNamespace(home=home, desk=desk, metrics=metrics, store=store, door=door)
    home.close()
    store.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory, layout) -> Iterator[SimpleNamespace]:
    """One for all who change nothing in it."""
    yield from a_place(tmp_path_factory.mktemp("home"), layout)


@pytest.fixture
def place(tmp_path, layout) -> Iterator[SimpleNamespace]:
    yield from a_place(tmp_path, layout)


@contextmanager
def browser(place, account: str = "zhang.201", password: str = PASSWORD) -> Iterator[httpx.Client]:
    """A client that is logged in, and says in its headers what our page would."""
    with httpx.Client(base_url=place.home.url, timeout=60, trust_env=False) as client:
        answer = client.post("/v1/session", json={"account": account, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf"]
        yield client


def test_a_person_does_by_session_what_a_token_with_the_same_words_may(place):
    """Her registry's jobs, and no others; her roles, and no others."""
    with place.home.client() as clerk:
        theirs = post(clerk, SOUTH).json()["job_id"]
    with browser(place) as zhang:
        mine = post(zhang, NORTH)
        assert mine.status_code == 201
        assert [job["job_id"] for job in zhang.get("/v1/jobs").json()["jobs"]] == [mine.json()["job_id"]]
        assert zhang.get(f"/v1/jobs/{theirs}").status_code == 404
        assert zhang.post(f"/v1/jobs/{theirs}/cancel", json={"reason": "x"}).status_code == 404
        events = zhang.get(f"/v1/jobs/{mine.json()['job_id']}/events").json()["events"]
        assert events[0]["actor"]["id"] == "zhang.201"
    with browser(place, "wang.3") as wang:
        assert post(wang, SOUTH).status_code == 403
        assert wang.get(f"/v1/jobs/{theirs}").status_code == 200


def test_the_answer_says_who_one_is_and_a_page_that_is_loaded_anew_asks_again(shared):
    with browser(shared) as zhang:
        again = zhang.get("/v1/session").json()

    assert (again["id"], again["roles"], again["registries"]) == (
        "zhang.201",
        ["submit", "read", "operate"],
        ["231221"],
    )
    assert again["csrf"] == zhang.headers["x-csrf-token"]
    assert 0 < again["seconds_left"] <= 12 * 3600


def test_a_token_has_no_session(shared):
    with shared.home.client("north") as north:
        assert north.get("/v1/session").json()["csrf"] is None
        assert north.get("/v1/session").json()["registries"] == ["231221"]
        assert north.delete("/v1/session").status_code == 404


@pytest.mark.attack_row("S34")
def test_the_cookie_alone_reads_and_changes_nothing(shared):
    with browser(shared) as zhang:
        job = post(zhang, NORTH).json()["job_id"]
        del zhang.headers["x-csrf-token"]
        assert zhang.get(f"/v1/jobs/{job}").status_code == 200
        for method, path in (("POST", f"/v1/jobs/{job}/cancel"), ("POST", "/v1/jobs"), ("DELETE", "/v1/session")):
            answer = zhang.request(method, path, json={"reason": "x"} if method == "POST" else None)
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf"), path


@pytest.mark.attack_row("S34")
def test_a_form_of_another_site_logs_nobody_in_and_cancels_nothing(place):
    """What a browser sends with it: the form's own type, the origin, and (were it not SameSite) the cookie."""
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "content-type": "text/plain"}
    with browser(place) as zhang:
        job = post(zhang, NORTH).json()["job_id"]
        body = '{"account": "wang.3", "password": "' + PASSWORD + '"}'
        assert zhang.post("/v1/session", content=body, headers=evil).status_code in {403, 422}
        answer = zhang.post(f"/v1/jobs/{job}/cancel", content='{"reason": "x"}', headers=evil)
        assert answer.status_code == 403
        assert zhang.get("/v1/session").json()["id"] == "zhang.201"


@pytest.mark.attack_row("S34")
def test_answers_about_a_session_are_kept_and_framed_by_nobody(shared):
    with browser(shared) as zhang:
        answer = zhang.get("/v1/session")

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.attack_row("S33")
def test_a_cookie_is_none_of_the_tokens_and_a_token_is_no_cookie(shared):
    """With a wrong token the right cookie does not help: a call is judged by one of them."""
    with browser(shared) as zhang:
        assert zhang.get("/v1/jobs", headers={"authorization": "Bearer nonsense"}).status_code == 401
        token = zhang.cookies["certspool-home"]
    with httpx.Client(base_url=shared.home.url, trust_env=False) as nobody:
        assert nobody.get("/v1/jobs", headers={"authorization": f"Bearer {token}"}).status_code == 401
        assert nobody.get("/v1/jobs", params={"certspool-home": token}).status_code == 401


def test_a_new_password_and_disabling_end_every_session_at_once(place):
    with browser(place) as one, browser(place) as other, browser(place, "wang.3") as wang:
        place.desk.set_password("zhang.201", "seven new lanterns, no boat")
        assert [client.get("/v1/jobs").status_code for client in (one, other, wang)] == [401, 401, 200]
        place.desk.disable("wang.3")
        assert wang.get("/v1/jobs").status_code == 401
    with httpx.Client(base_url=place.home.url, trust_env=False) as nobody:
        for account, password in (("zhang.201", PASSWORD), ("wang.3", PASSWORD)):
            answer = nobody.post("/v1/session", json={"account": account, "password": password})
            assert (answer.status_code, answer.json()["code"]) == (401, "wrong-login")


def test_logging_out_ends_the_session(shared):
    with browser(shared) as zhang:
        kept = zhang.cookies["certspool-home"]
        assert zhang.delete("/v1/session").status_code == 204
        assert "certspool-home" not in zhang.cookies
        answer = zhang.get("/v1/jobs", headers={"cookie": f"certspool-home={kept}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.attack_row("S35")
def test_guessing_is_slowed_down_counted_and_hinders_nobody_with_a_token_or_a_session(place):
    with browser(place, "wang.3") as wang, place.home.client() as clerk:
        with httpx.Client(base_url=place.home.url, trust_env=False) as nobody:
            wrong = {"account": "zhang.201", "password": "guess"}
            answers = [nobody.post("/v1/session", json=wrong) for _ in range(7)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
        assert answers[-1].headers["retry-after"] == "30"
        assert wang.get("/v1/jobs").status_code == 200
        assert clerk.get("/v1/jobs").status_code == 200

    place.door.flush()
    counted = {
        outcome: place.metrics.registry.get_sample_value("certspool_logins_total", {"outcome": outcome})
        for outcome in ("logged-in", "refused", "limited")
    }
    assert counted == {"logged-in": 1, "refused": 5, "limited": 2}
    assert place.metrics.registry.get_sample_value("certspool_sessions") == 1


@pytest.mark.attack_row("S39")
def test_who_came_and_who_was_refused_stands_in_the_audit_log(place):
    """With the account alone; a row that is changed afterwards is named."""
    from sqlalchemy import text

    with browser(place) as zhang:
        post(zhang, NORTH)
        zhang.post("/v1/session", json={"account": "zhang.201", "password": "wrong"})
        zhang.post("/v1/session", json={"account": "no such account", "password": "wrong"})
        place.door.flush()
        zhang.delete("/v1/session")
    with place.store.transactions.reading() as connection:
        rows = connection.execute(text("SELECT account, what FROM logins ORDER BY place")).all()
    assert [tuple(row) for row in rows] == [
        ("zhang.201", "logged-in"),
        ("zhang.201", "refused"),
        ("zhang.201", "logged-out"),
    ]
    assert place.store.audit.verify().fault is None
    assert place.store.audit.entries() == 1 + 3 + 1

    with place.store.changing() as change:
        change.connection.execute(text("UPDATE logins SET account = 'wang.3' WHERE what = 'refused'"))
    assert place.store.audit.verify().fault.code == "edited"
    with place.store.changing() as change:
        change.connection.execute(text("DELETE FROM logins WHERE what = 'refused'"))
    assert place.store.audit.verify().fault.code == "removed"


NO_LOGINS = (
    None,
    {},
    [],
    {"account": "zhang.201"},
    {"account": 1, "password": PASSWORD},
    {"account": "zhang.201", "password": "x" * 513},
    {"account": "zhang.201", "password": PASSWORD, "role": "approve"},
)


def test_what_is_no_login_is_told_without_a_word_of_what_was_typed(shared):
    with httpx.Client(base_url=shared.home.url, trust_env=False) as nobody:
        answers = [nobody.post("/v1/session", json=body) for body in NO_LOGINS]

    assert {answer.status_code for answer in answers} <= {400, 422}
    assert not any(PASSWORD in answer.text or "zhang.201" in answer.text for answer in answers)
