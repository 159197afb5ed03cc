"""A storm over a real sandbox: jobs are posted, parts are struck and started again, and the checker judges what came of it."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import httpx

from tests.crash.checker import ENDED, Request
from tests.crash.place import HALL, REGISTRY, Place
from tests.crash.record import whole_history
from tests.crash.scene import SIDES, posted
from tests.journeys.build import a_certificate, a_proof
from tests.journeys.drive import Driver
from tests.storm.acts import Acts
from tests.storm.ground import Ground
from tests.storm.outcome import Outcome
from tests.storm.weather import Strike

BUILD = {"certificate": a_certificate, "proof": a_proof}
SETTLE_SECONDS = 120.0  # without any job coming to its end
LOOK_SECONDS = 0.2


class Storm:
    """One storm. Each strike has a thread of its own, so that one that waits for its moment holds up no other."""

    def __init__(
        self, driver: Driver, ground: Ground, seed: int, weather: Sequence[Strike], kinds: Sequence[str]
    ) -> None:
        self._place = Place(driver.directory, blanks=0)
        self._driver = driver
        self._weather = weather
        self._outcome = Outcome(seed)
        self._requests = [_request(kind) for kind in kinds]
        self._acts = Acts(driver, ground, self._is_over)
        self._listening = threading.Lock()
        self._began = 0.0

    def run(self, pace_seconds: float, settle_seconds: float = SETTLE_SECONDS) -> Outcome:
        """Post a job every `pace_seconds` while the weather lasts; let it settle; return the judgement."""
        self._began = time.monotonic()
        strikes = threading.Thread(target=self._blow)
        strikes.start()
        for number in range(len(self._requests)):
            _sleep_until(self._began + number * pace_seconds)
            self._post(number)
        strikes.join()
        self._outcome.violations += self._acts.calm()
        self._outcome.ended_in_time = len(self._ended())
        calm = time.monotonic()
        self._settle(settle_seconds)
        self._outcome.settled_seconds = time.monotonic() - calm
        return self._outcome.judged(whole_history(self._place, [request for request, _ in self._requests]))

    # ---- Jobs ----

    def _post(self, number: int) -> None:
        """As a registration system does: again, when there was no answer or `not now`."""
        request, body = self._requests[number]
        while not posted(request):
            try:
                answer = self._driver.post(body)
            except httpx.TransportError:
                time.sleep(LOOK_SECONDS)
                continue
            request = replace(request, answers=(*request.answers, (answer.status_code, _job_id(answer))))
            self._requests[number] = request, body
            if not posted(request):
                time.sleep(LOOK_SECONDS)

    def _settle(self, seconds: float) -> None:
        """Wait until each job has ended and its end was told; what is open when nothing moves any more is for the checker to name."""
        ended, end = -1, 0.0
        while not self._is_over() and (ended != len(self._ended()) or time.monotonic() < end):
            if ended != len(self._ended()):
                ended, end = len(self._ended()), time.monotonic() + seconds
            time.sleep(LOOK_SECONDS)
        _until(self._place.is_ready, 60)

    def _is_over(self) -> bool:
        """Whether each job has been posted, has ended, and its end was told."""
        return {posted(request) for request, _ in self._requests} <= self._ended()

    def _ended(self) -> set[str]:
        with self._listening:
            return {e["data"]["job_id"] for e in self._place.told() if e["data"]["state"] in ENDED}

    # ---- Weather ----

    def _blow(self) -> None:
        threads = []
        for strike in self._weather:
            _sleep_until(self._began + strike.at)
            threads.append(threading.Thread(target=self._strike, args=(strike,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _strike(self, strike: Strike) -> None:
        hit = self._acts.do(strike)
        (self._outcome.struck if hit else self._outcome.missed)[strike.kind] += 1
        since = time.monotonic() - self._began
        print(
            f"  {strike.at:6.1f} s  {strike.kind:<26}{'done' if hit else 'found nothing'} at {since:.1f} s", flush=True
        )


def _request(kind: str) -> tuple[Request, dict[str, Any]]:
    body = BUILD[kind](REGISTRY, HALL)
    return Request(body["request_id"], HALL, SIDES[kind], body["document"]["fields"]["location"], ()), body


def _job_id(answer: httpx.Response) -> str:
    return str(answer.json().get("job_id", "")) if "json" in answer.headers.get("content-type", "") else ""


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)


def setting(name: str, default: float) -> float:
    """Return a parameter of the long forms: STORM_SEED, STORM_MINUTES, STORM_JOBS, STORM_EVERY."""
    return float(os.environ.get(f"STORM_{name}", default))
