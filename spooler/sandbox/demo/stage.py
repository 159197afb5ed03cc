"""Plays the demo: posts the requests as a registration system does, and follows the jobs until the last one is handed over."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from spooler.electronic.identifier import TYPES
from spooler.sandbox.demo import paper
from spooler.sandbox.demo.script import Errand
from spooler.sandbox.site import Site

EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 240.0
MOST_JOBS = 100
ENDED = frozenset({"issued", "refused", "cancelled", "withdrawn", "superseded"})


class NotAsExpected(Exception):
    """The demo did not go as it must; the sentence says where."""


@dataclass
class Run:
    """What happened so far: each errand's job as last seen."""

    errands: Sequence[Errand]
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)  # by request_id
    refusals: list[tuple[Errand, str]] = field(default_factory=list)
    sides: int = 0
    started: float = field(default_factory=time.monotonic)

    def job(self, errand: Errand) -> dict[str, Any] | None:
        return self.jobs.get(errand.request_id)

    @property
    def issued(self) -> int:
        return sum(job["state"] == "issued" for job in self.jobs.values())

    @property
    def is_over(self) -> bool:
        return len(self.jobs) == len(self.errands) and all(job["state"] in ENDED for job in self.jobs.values())


class Stage:
    """The registration systems of both counties."""

    def __init__(self, site: Site) -> None:
        self._site = site
        headers = {"Authorization": f"Bearer {site.token}"}
        self._home = httpx.Client(base_url=site.home_api, headers=headers, timeout=60)

    def post_wrong(self, run: Run, errand: Errand, field: str) -> None:
        """Post what must be refused, naming that field or one below it."""
        answer = self._home.post("/v1/jobs", json=errand.body)
        named = [error["field"] for error in answer.json().get("errors", [])] if answer.is_client_error else []
        if not any(name == field or name.startswith(f"{field}.") for name in named):
            raise NotAsExpected(f"{errand.name}: {answer.status_code} names {named}, not {field}")
        run.refusals.append((errand, ", ".join(named)))

    def play(self, run: Run) -> Iterator[None]:
        """Post one request after another, and look at all of them in between and until they have ended."""
        for errand in run.errands:
            self._post(run, errand)
            self._look(run)
            yield
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not run.is_over and time.monotonic() < give_up:
            time.sleep(EVERY_SECONDS)
            self._look(run)
            yield

    def _post(self, run: Run, errand: Errand) -> None:
        answer = self._home.post("/v1/jobs", json=errand.body)
        if answer.status_code != httpx.codes.CREATED:
            raise NotAsExpected(f"{errand.name}: {answer.status_code} {answer.text}")
        run.jobs[errand.request_id] = answer.json()

    def _look(self, run: Run) -> None:
        page = self._home.get("/v1/jobs", params={"limit": MOST_JOBS}).raise_for_status().json()
        run.jobs |= {job["request_id"]: job for job in page["jobs"]}
        run.sides = paper.count(self._site)

    def electronic(self, run: Run) -> tuple[int, str]:
        """Return how many electronic certificates can be fetched, and where anybody may check the first of them."""
        issued = [job["job_id"] for job in run.jobs.values() if job["kind"] in TYPES]
        found = [self._home.get(f"/v1/electronic/{job_id}") for job_id in issued]
        good = [answer for answer in found if answer.status_code == httpx.codes.OK]
        if len(good) < len(found):
            raise NotAsExpected(f"electronic certificates: {len(good)} of {len(found)}")
        page = good[0].links["alternate"]["url"]
        checked = httpx.get(f"{self._site.home_api}{page}", trust_env=False)
        if "真实有效" not in checked.text:
            raise NotAsExpected(f"{page}: {checked.status_code}")
        return len(good), page

    def history(self, job: dict[str, Any]) -> dict[str, datetime]:
        """Return when this job first was in each state."""
        events = self._home.get(f"/v1/jobs/{job['job_id']}/events").raise_for_status().json()["events"]
        first: dict[str, datetime] = {}
        for event in events:
            first.setdefault(event["state"], datetime.fromisoformat(event["at"]))
        return first
