"""A hall whose journal is an old copy, and a hall that runs twice: nothing is printed until people have led it out, and nothing twice."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.build import a_proof
from tests.journeys.conftest import CERTSPOOL, a_sandbox
from tests.journeys.drive import Driver, assert_printed_once, eventually

HALL = "231282-01"
AGENT = CERTSPOOL.with_name("certspool-agent")


@pytest.fixture(scope="module")
def county(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """One registry, one hall, its clerk: what is done to this hall is done to no other test's."""
    with a_sandbox(request.session, "--registries", "231221", "--halls", HALL, "--blanks", "30") as driver:
        config = Path(driver.hall(HALL)["config"])
        config.write_text(config.read_text().replace("[hall]\n", "[hall]\nheartbeat_seconds = 2\n"))
        kill_agent(driver)
        start_agent(driver)
        yield driver


def test_an_old_copy_of_the_journal_prints_nothing_until_two_people_say_so(county: Driver) -> None:
    """F27: what was printed after the copy was made is never printed again."""
    hall = Path(county.hall(HALL)["config"]).parent
    print_one(county)
    kill_agent(county)
    shutil.copytree(hall / "agent", hall / "backup")
    start_agent(county)
    request = a_proof(hall=HALL)
    after_the_copy = county.accepted(request)
    county.until([after_the_copy["job_id"]], {"issued"}, 60)
    kill_agent(county)
    shutil.rmtree(hall / "agent")
    (hall / "backup").rename(hall / "agent")
    before = county.sheets()

    start_agent(county)
    waiting = county.accepted(a_proof(hall=HALL))

    eventually(lambda: reconciling(county)["why"] == "rolled-back", 90, lambda: str(reconciling(county)))
    eventually(lambda: standing(county)["standing"] == "reconcile", 90, lambda: str(standing(county)))
    eventually(lambda: "undeliverable" in county.job(waiting["job_id"])["reasons"], 90, lambda: "the job says nothing")
    assert county.sheets() == before
    lead_out(county)
    county.until([waiting["job_id"]], {"issued"}, 60)
    assert_printed_once(county, county.job(after_the_copy["job_id"]), request)
    assert len(county.sheets()) == len(before) + 1
    assert standing(county)["standing"] == "ok"


def test_a_hall_that_runs_twice_stops_twice(county: Driver, tmp_path: Path) -> None:
    """F28: the copy notices by itself, the original is told by home; a person switches one off and leads the other out."""
    before = county.sheets()
    with Clone(county) as api:
        eventually(lambda: reconciling(county, api)["why"] == "another-permits", 90, lambda: "the copy prints")
        eventually(lambda: reconciling(county)["why"] == "two-agents", 120, lambda: str(reconciling(county)))
        assert standing(county)["standing"] == "cloned"
        job = county.accepted(a_proof(hall=HALL))
        eventually(lambda: "undeliverable" in county.job(job["job_id"])["reasons"], 90, lambda: "it was sent")
        assert county.sheets() == before

    ask_again = [AGENT, "reconcile", "--ask", "--api", county.hall(HALL)["api"], "--json"]
    subprocess.run(ask_again, env=os.environ | {"CERTSPOOL_TOKEN": county.hall(HALL)["token"]}, check=True, timeout=60)
    eventually(lambda: standing(county)["standing"] == "reconcile", 90, lambda: str(standing(county)))
    lead_out(county)
    county.until([job["job_id"]], {"issued"}, 60)
    assert len(county.sheets()) == len(before) + 1


def print_one(county: Driver) -> None:
    county.until([county.accepted(a_proof(hall=HALL))["job_id"]], {"issued"}, 60)


def standing(county: Driver) -> dict[str, Any]:
    return next(h for h in county.call("GET", "/v1/halls").json()["halls"] if h["hall"] == HALL)


def at_hall(county: Driver, method: str, path: str, *, api: str = "", token: str = "token", **more: Any) -> Any:
    hall = county.hall(HALL)
    headers = {"Authorization": f"Bearer {hall[token]}"}
    return county.http.request(method, (api or hall["api"]) + path, headers=headers, **more)


def reconciling(county: Driver, api: str = "") -> dict[str, Any]:
    try:
        return at_hall(county, "GET", "/v1/reconcile", api=api).json()
    except httpx.TransportError:
        return {"why": "does not answer yet"}


def lead_out(county: Driver) -> None:
    """The clerk counts what lies there and proposes; the second person agrees."""
    for one in at_hall(county, "GET", "/v1/reconcile").json()["uncounted"]:
        counted = {"stock": one["stock"], "first": one["first"], "last": one["last"]}
        assert at_hall(county, "POST", "/v1/stock/count", json=counted).is_success
    eventually(lambda: not reconciling(county)["hindered_by"], 90, lambda: str(reconciling(county)["hindered_by"]))
    leave = {"act": "leave", "reason": "blanks counted, all sheets looked at"}
    assert at_hall(county, "POST", "/v1/reconcile", json=leave).status_code == 202
    assert at_hall(county, "POST", "/v1/reconcile", json=leave).status_code == 403
    assert at_hall(county, "POST", "/v1/reconcile", token="approver_token", json=leave).status_code == 200


def kill_agent(county: Driver) -> None:
    pid = county.hall(HALL)["pid"]
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: not Path(f"/proc/{pid}/stat").exists() or " Z " in stat(pid), 10, lambda: "the agent lives")


def stat(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return " Z "


def start_agent(county: Driver) -> None:
    county.restart(f"agent:{HALL}")
    eventually(lambda: reconciling(county)["why"] != "does not answer yet", 90, lambda: "the agent does not answer")


class Clone:
    """A copy of the hall's whole directory, and an agent that runs in it."""

    def __init__(self, county: Driver) -> None:
        config = Path(county.hall(HALL)["config"])
        self._copy = config.parent.with_name("copied")
        subprocess.run(["cp", "-a", str(config.parent), str(self._copy)], check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._listen = "{}:{}".format(*free.getsockname())
        own = county.hall(HALL)["api"].removeprefix("http://")
        text = (self._copy / config.name).read_text()
        text = text.replace(own, self._listen)
        for part in ("agent", "permits"):
            text = text.replace(str(config.parent / part), str(self._copy / part))
        (self._copy / config.name).write_text(text)
        self._config = self._copy / config.name

    def __enter__(self) -> str:
        self._agent = subprocess.Popen(
            [AGENT, "serve", "--config", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return f"http://{self._listen}"

    def __exit__(self, *_: object) -> None:
        self._agent.terminate()
        self._agent.wait(30)
        shutil.rmtree(self._copy)
