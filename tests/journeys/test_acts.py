"""查封, 注销, cancel and a hall that is given up, on real parts: what the answers say is what lies in the tray.

No simulated clerk here: the test stands at the counter itself, so that each act meets the paper where it is meant to.
"""

import os
import signal
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.build import a_certificate, a_proof
from tests.journeys.conftest import a_sandbox, run
from tests.journeys.drive import Driver, assert_printed_once, eventually

HALL, OTHER = "231282-01", "231283-01"
LONG = 120


class Counter:
    """A hall's API in a clerk's hands."""

    def __init__(self, driver: Driver, hall: str) -> None:
        self.driver, self.hall = driver, hall

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        known = self.driver.hall(self.hall)
        headers = {"Authorization": f"Bearer {known['token']}"}
        return self.driver.http.request(method, known["api"] + path, headers=headers, **more)

    def order(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job's order as this hall has it, once it has arrived."""
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            orders = self.driver.job(job["job_id"])["orders"]
            answers = [self.call("GET", f"/v1/orders/{order['order_id']}") for order in orders[-1:]]
            found[:] = [answer.json() for answer in answers if answer.status_code == 200]
            return bool(found)

        eventually(arrived, LONG, lambda: f"{job['job_id']} never came to {self.hall}")
        return found[0]

    def until_may(self, job: dict[str, Any], act: str) -> dict[str, Any]:
        eventually(lambda: act in self.order(job)["next"], LONG, lambda: f"{act} never came: {self.order(job)}")
        return self.order(job)

    def does(self, job: dict[str, Any], act: str, body: dict[str, Any] | None = None) -> httpx.Response:
        order = self.until_may(job, act)
        path = "passes/2/release" if act == "release_pass" else act
        seen = {"attempt": order["attempt"]}
        if act == "release_pass":
            seen["try"] = order["passes"][1]["try"]
        answer = self.call("POST", f"/v1/orders/{order['order_id']}/{path}", json=(body or {}) | seen)
        assert answer.status_code == 200, answer.text
        return answer

    def confirms(self, job: dict[str, Any]) -> str:
        serial = self.until_may(job, "confirm")["proposed_serial"]
        self.does(job, "confirm", {"serials": [serial]})
        return serial

    def hands_over(self, job: dict[str, Any]) -> None:
        order = self.until_may(job, "issue")
        body = {"recipient": {"role": "holder"}, "identity": {"method": "id-card", "result": "match"}}
        answer = self.call("POST", f"/v1/orders/{order['order_id']}/issue", json=body)
        assert answer.status_code == 200, answer.text

    def prints_all(self, job: dict[str, Any]) -> str:
        self.does(job, "release")
        if len(self.order(job)["passes"]) > 1:
            self.does(job, "release_pass")
        return self.confirms(job)

    def blank(self, stock: str, serial: str) -> str:
        return self.call("GET", f"/v1/stock/{stock}/{serial}").json()["status"]


@pytest.fixture(scope="module")
def halls(request: pytest.FixtureRequest) -> Iterator[Driver]:
    options = ("--registries", "231221", "--halls", f"{HALL},{OTHER}", "--clerk", "none", "--blanks", "20")
    with a_sandbox(request.session, *options) as driver:
        yield driver


def acts(driver: Driver, job: dict[str, Any], act: str) -> httpx.Response:
    return driver.call("POST", f"/v1/jobs/{job['job_id']}/{act}", json={"reason": "court", "reference": "(2026)88"})


def reasons(driver: Driver, job: dict[str, Any]) -> list[str]:
    return driver.job(job["job_id"])["reasons"]


def test_a_certificate_held_between_its_passes_stands_still_and_goes_on(halls: Driver):
    """查封 after pass A: no pass B until 解封, and then the same blank is finished."""
    counter, request = Counter(halls, HALL), a_certificate("231221", HALL)
    job = halls.accepted(request)
    counter.does(job, "release")
    counter.until_may(job, "release_pass")

    assert acts(halls, job, "hold").status_code == 202
    eventually(lambda: "held" in reasons(halls, job), LONG, lambda: "never held")
    order = counter.order(job)
    assert "release_pass" not in order["next"]
    seen = {"attempt": 1, "try": order["passes"][1]["try"]}
    assert counter.call("POST", f"/v1/orders/{order['order_id']}/passes/2/release", json=seen).status_code == 409
    assert len(halls.sheets_of(halls.job(job["job_id"]))) == 1

    assert acts(halls, job, "resume").status_code == 202
    counter.does(job, "release_pass")
    counter.confirms(job)
    counter.hands_over(job)
    issued = halls.until([job["job_id"]], {"issued"}, LONG)[job["job_id"]]
    assert_printed_once(halls, issued, request)


def test_a_certificate_that_was_handed_over_is_withdrawn_and_listed(halls: Driver):
    """注销: from the command line, as an operator does it."""
    counter = Counter(halls, HALL)
    job = halls.accepted(a_proof("231221", HALL))
    serial = counter.prints_all(job)
    counter.hands_over(job)
    halls.until([job["job_id"]], {"issued"}, LONG)

    token = halls.directory / "token"
    token.write_text(halls.home["token"])
    call = ["--api", halls.home["api"], "--token-file", str(token), "--json"]
    run(["withdraw", job["job_id"], "--reason", "revoked", *call])

    withdrawn = halls.job(job["job_id"])
    assert (withdrawn["state"], withdrawn["reasons"], withdrawn["serial"]) == ("withdrawn", ["to-recover"], serial)
    wanted = halls.call("GET", "/v1/blanks", params={"status": "to-recover"}).json()["blanks"]
    assert serial in {blank["serial"] for blank in wanted}


def test_a_cancel_in_the_middle_of_a_pass_lets_it_end_and_voids_the_blank(halls: Driver):
    """The device has taken half of pass A: nothing is broken off, home is told nothing but `pending`, and pass B never comes."""
    counter = Counter(halls, HALL)
    job = halls.accepted(a_certificate("231221", HALL))
    counter.until_may(job, "release")
    run(["sandbox", "fault", "--dir", str(halls.directory), f"{HALL}/booklet-1", "stall"])
    counter.does(job, "release")
    serial = counter.order(job)["proposed_serial"]
    eventually(lambda: _has_begun(halls, counter.order(job)), LONG, lambda: "the pass never began")

    answer = acts(halls, job, "cancel")
    assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    eventually(lambda: "cancel-requested" in counter.order(job)["reasons"], LONG, lambda: "the hall never heard of it")
    assert halls.job(job["job_id"])["state"] == "printing"

    run(["sandbox", "fault", "--dir", str(halls.directory), f"{HALL}/booklet-1", "clear"])
    ended = halls.until([job["job_id"]], {"cancelled"}, LONG)[job["job_id"]]
    assert len(halls.sheets_of(ended)) == 1
    assert counter.blank("certificate", serial) == "void"
    events = halls.call("GET", f"/v1/jobs/{job['job_id']}/events").json()["events"]
    assert any(event.get("detail") == f"cancel: stopped, void: {serial}" for event in events)


def test_what_a_dead_hall_had_is_printed_at_another(halls: Driver):
    """Nobody there can sign any more: two people write the hall off, and only then another order opens."""
    request = a_proof("231221", HALL)
    job = halls.accepted(request)
    Counter(halls, HALL).order(job)
    os.kill(halls.hall(HALL)["pid"], signal.SIGKILL)
    elsewhere = {"hall": OTHER, "reason": "burnt down"}
    path = f"/v1/jobs/{job['job_id']}/orders"
    refused = halls.call("POST", path, json=elsewhere)
    assert (refused.status_code, refused.json()["code"]) == (409, "order-open")

    asked = halls.call("POST", f"/v1/halls/{HALL}/write-off", json={"reason": "burnt down"}).json()
    approval = f"/v1/approvals/{asked['approval_id']}"
    chief = halls.home["approver_token"]
    assert halls.call("POST", approval, json={"accept": True}).status_code == 403
    assert halls.call("POST", approval, json={"accept": True, "reason": "seen"}, token=chief).status_code == 200
    opened = halls.call("POST", path, json=elsewhere)
    assert opened.status_code == 201, opened.text

    counter = Counter(halls, OTHER)
    serial = counter.prints_all(job)
    counter.hands_over(job)
    issued = halls.until([job["job_id"]], {"issued"}, LONG)[job["job_id"]]
    assert issued["serial"] == serial
    assert_printed_once(halls, issued, {**request, "hall": OTHER})
    told = [event["type"] for event in halls.callbacks() if event["data"]["job_id"] == job["job_id"]]
    assert "job.order-opened" in told


def _has_begun(driver: Driver, order: dict[str, Any]) -> bool:
    """Say whether the sender of pass A has begun: from then on nobody wins the permit back."""
    settings = tomllib.loads(Path(driver.hall(HALL)["config"]).read_text())
    attempt = order["passes"][0]["try"]
    return attempt is not None and (Path(settings["hall"]["permit_directory"]) / "first" / attempt).exists()
