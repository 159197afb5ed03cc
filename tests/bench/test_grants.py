"""How soon a withdrawn grant holds on the other side, whose own trust directory nobody touches; run by `make bench`."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.journeys.build import a_certificate
from tests.journeys.conftest import CERTSPOOL, a_sandbox, run
from tests.journeys.drive import Driver, eventually

REGISTRY, HALL = "231221", "231282-01"
LONGEST_SECONDS = 60
AGENT = CERTSPOOL.with_name("certspool-agent")

pytestmark = pytest.mark.bench


class Apart:
    """A sandbox whose hall has a trust directory of its own, as a hall elsewhere has."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.pki = driver.directory / "pki"
        self.trust = driver.directory / "trust-of-the-hall"
        self.config = Path(self.hall["config"])
        shutil.copytree(self.pki / "trust", self.trust)
        self.config.write_text(self.config.read_text().replace(str(self.pki / "trust"), str(self.trust)))
        self.agent_stops()
        self.agent_starts()

    @property
    def hall(self) -> dict:
        return self.driver.hall(HALL)

    def agent_stops(self) -> None:
        os.kill(self.hall["pid"], signal.SIGKILL)

    def agent_starts(self) -> None:
        self.driver.restart(f"agent:{HALL}")
        eventually(self._is_agent_ready, 60, lambda: "the agent is not ready")

    def _is_agent_ready(self) -> bool:
        try:
            return self.driver.http.get(self.hall["api"] + "/readyz").is_success
        except httpx.TransportError:
            return False

    def withdraws_at_home(self) -> None:
        run(["grant", "withdraw", "--dir", str(self.pki), "--registry", REGISTRY, "--hall", HALL])

    def withdraws_at_the_hall(self) -> None:
        agent("withdraw", "--config", str(self.config), "--registry", REGISTRY)

    def agree_anew(self) -> None:
        """Both sign the next one, and somebody carries it to the hall."""
        offer = json.loads(
            run(["grant", "offer", "--dir", str(self.pki), "--registry", REGISTRY, "--hall", HALL, "--json"])
        )
        key = str(self.pki / "halls" / HALL / "grant.pem")
        agent("accept", offer["file"], "--config", str(self.config), "--registry", REGISTRY, "--key", key)
        shutil.copy(self.trust / "grants" / Path(offer["file"]).name, offer["file"])

    def home_takes(self) -> bool:
        """Ask whether a request would be taken; nothing is kept."""
        answer = self.driver.call("POST", "/v1/jobs/validate", json=a_certificate(REGISTRY, HALL))
        if answer.status_code == 422:
            assert {error["code"] for error in answer.json()["errors"]} == {"not-granted"}
        return answer.status_code == 200

    def hall_knows(self, sequence: int) -> bool:
        with sqlite3.connect(f"file:{self.config.parent}/agent/ledger.sqlite?mode=ro", uri=True) as ledger:
            found = ledger.execute("SELECT withdrawn FROM grant_marks WHERE registry = ?", (REGISTRY,)).fetchone()
        return found is not None and found[0] >= sequence

    def releases(self, job: dict) -> httpx.Response:
        (order,) = self.driver.job(job["job_id"])["orders"]
        return self.driver.http.post(
            f"{self.hall['api']}/v1/orders/{order['order_id']}/release",
            json={"attempt": 1},
            headers={"Authorization": f"Bearer {self.hall['token']}"},
        )


def agent(*arguments: str) -> None:
    done = subprocess.run([AGENT, "grant", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def seconds_until(is_so: Callable[[], bool]) -> float:
    began = time.monotonic()
    eventually(is_so, 2 * LONGEST_SECONDS, lambda: "it never held")
    return time.monotonic() - began


@pytest.fixture
def apart(request: pytest.FixtureRequest) -> Iterator[Apart]:
    options = ("--registries", REGISTRY, "--halls", HALL, "--clerk", "none", "--blanks", "5")
    with a_sandbox(request.session, *options) as driver:
        yield Apart(driver)


def test_a_withdrawn_grant_holds_on_the_other_side_within_a_minute(apart: Apart, capsys: pytest.CaptureFixture[str]):
    """Withdrawn at home the hall begins nothing; withdrawn at the hall home takes nothing; cut off, at the next contact."""
    driver, told = apart.driver, []
    first, second, third = (driver.accepted(a_certificate(REGISTRY, HALL)) for _ in range(3))
    driver.until([job["job_id"] for job in (first, second, third)], {"received"}, 60)

    apart.withdraws_at_home()
    told.append(("home withdraws: home answers 422", seconds_until(lambda: not apart.home_takes())))
    told.append(("                the hall begins nothing (after that)", seconds_until(lambda: apart.hall_knows(1))))
    assert (apart.releases(first).status_code, apart.releases(first).json()["code"]) == (409, "grant-withdrawn")

    apart.agree_anew()
    seconds_until(apart.home_takes)
    seconds_until(lambda: apart.releases(first).status_code == 200)

    apart.withdraws_at_the_hall()
    told.append(("hall withdraws: home answers 422", seconds_until(lambda: not apart.home_takes())))
    assert apart.releases(second).json()["code"] == "grant-withdrawn"
    apart.agree_anew()
    seconds_until(apart.home_takes)

    apart.agent_stops()
    apart.withdraws_at_home()
    seconds_until(lambda: not apart.home_takes())
    apart.agent_starts()
    told.append(("cut off, home withdraws: from the agent's readiness", seconds_until(lambda: apart.hall_knows(3))))
    assert apart.releases(third).json()["code"] == "grant-withdrawn"

    with capsys.disabled():
        print("\n" + "\n".join(f"{what:<55} {seconds:6.1f} s" for what, seconds in told))
    assert max(seconds for _, seconds in told) <= LONGEST_SECONDS
