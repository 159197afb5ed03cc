"""The short form of the matrix: each point once, many crashes to a job, judged as a whole at the end."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import httpx

from spooler.daemon.crash import ASKING, POINTS
from tests.crash.checker import ENDED, History, Request, Violation, judge, questions
from tests.crash.matrix import AFTER_A_CRASH, AFTER_A_TORN_SHEET, PAUSE_SECONDS, SIDES, posted
from tests.crash.place import HALL, REGISTRY, Place
from tests.crash.record import whole_history
from tests.journeys.build import a_certificate, a_proof

LONGEST_SECONDS = 45.0  # from a point to the next


class Tour:
    """One place, one job of each kind at a time, and the next point armed before what died is started again."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.requests: dict[str, Request] = {}
        self.bodies: dict[str, dict[str, Any]] = {}
        self.unreached: list[str] = []
        self.seconds: dict[str, float] = {}

    def through(self, points: Sequence[str]) -> History:
        """Crash at each point in turn, then let everything end."""
        for point in steps(points):
            if not self._crash_at(point):
                self.unreached.append(point)
                break  # what stands still stays so
        self.place.disarm()
        self._until(self._is_quiet)
        return whole_history(self.place, list(self.requests.values()))

    def _crash_at(self, point: str) -> bool:
        is_torn = point in AFTER_A_TORN_SHEET
        if is_torn:
            self.place.fault("cut:3000")
        self.place.arm(point)
        began = time.monotonic()
        struck = self._until(lambda dead: self.place.has_struck() and (point.startswith("once.") or bool(dead)))
        self.seconds[point] = round(time.monotonic() - began, 2)
        if is_torn:
            self.place.fault("clear")
        return struck

    def _until(self, true: Callable[[list[str]], bool]) -> bool:
        end = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < end:
            dead = self.place.dead()  # looked at first: what died by the point has left its hit
            if true(dead):
                return True
            self.place.revive(dead)
            self._keep_busy()
            time.sleep(PAUSE_SECONDS)
        return False

    def _keep_busy(self) -> None:
        """Post what was not answered; when all is over and a point is still armed, post anew."""
        unanswered = [r for r in self.requests.values() if not posted(r)]
        if not unanswered and not self._open() and self.place.is_armed():
            for build, kind in ((a_certificate, "certificate"), (a_proof, "proof")):
                body = build(REGISTRY, HALL)
                mark = body["document"]["fields"]["location"]
                self.bodies[body["request_id"]] = body
                self.requests[body["request_id"]] = Request(body["request_id"], HALL, SIDES[kind], mark, ())
        for request in unanswered[:1]:
            try:
                answer = self.place.driver.post(self.bodies[request.request_id])
            except httpx.TransportError:
                continue
            given = (answer.status_code, answer.json().get("job_id", ""))
            self.requests[request.request_id] = replace(request, answers=(*request.answers, given))

    def _open(self) -> list[Request]:
        ended = {e["data"]["job_id"] for e in self.place.told() if e["data"]["state"] in ENDED}
        return [r for r in self.requests.values() if posted(r) not in ended]

    def _is_quiet(self, dead: list[str]) -> bool:
        return not dead and not self._open() and self.place.is_ready()


def steps(points: Sequence[str]) -> Iterator[str]:
    """Yield the points, before some of them the crash that leads there.

    The backend's come one by one between the agent's: failed tries in a row make the agent pause ever longer, and a restart forgets that.
    """
    backend = iter([point for point in points if point.startswith("once.")])
    for point in points:
        if point.startswith("once."):
            continue
        if point in AFTER_A_CRASH:
            yield AFTER_A_CRASH[point]
        yield point
        if point.startswith("agent.") and point not in AFTER_A_CRASH:
            yield from islice(backend, 1)
    yield from backend


def broken(history: History, points: Sequence[str]) -> list[Violation]:
    """What the checker says, and questions beyond those that were needed."""
    asked, needed = len(questions(history)), len({*points} & {*ASKING, *AFTER_A_TORN_SHEET})
    too_many = [Violation("ASK", "all", f"{asked} questions, {needed} needed")] if asked > needed else []
    return [*judge(history), *too_many]


ALL = tuple(POINTS)
