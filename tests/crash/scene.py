"""A scene in steps, each of which is tried until it is seen to be done; and the plainest: a job that is printed and handed over.

A step may die with the daemon that it asks, and is then made again: so a scene goes on whatever is killed, as people would.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import httpx

from tests.crash.checker import ENDED, Request
from tests.crash.mischief import Mischief
from tests.crash.place import HALL, REGISTRY, Place
from tests.journeys.build import a_certificate, a_proof

SIDES = {"certificate": 2, "proof": 1}
BUILD = {"certificate": a_certificate, "proof": a_proof}

Step = Callable[[], bool]


class Scene:
    """A job that is printed and handed over, and nothing else. The others are this with something between."""

    points: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[int] = 0  # that it needs by itself

    def __init__(self, place: Place, kind: str = "proof") -> None:
        self.place = place
        self.mischief = Mischief(place)
        self.kind = kind
        self._bodies: dict[str, dict[str, Any]] = {}
        self._requests: dict[str, Request] = {}
        self.wrong: list[str] = []  # what no history of jobs would show
        self._steps = list(self.steps())
        self.first = self.wants(HALL)

    def steps(self) -> Sequence[Step]:
        return [self.is_posted, self.is_over]

    @property
    def requests(self) -> list[Request]:
        return list(self._requests.values())

    @property
    def has_ended(self) -> bool:
        return not self._steps

    def go_on(self) -> bool:
        """Take the steps that can be taken now; return whether that was the last."""
        try:
            while self._steps and self._steps[0]():
                self._steps.pop(0)
        except httpx.HTTPError:
            return False  # whoever was asked is dead, or does not know of it yet
        return self.has_ended

    # a job

    def wants(self, hall: str) -> str:
        """Want a document at a hall; return the request's id."""
        body = BUILD[self.kind](REGISTRY, hall)
        request_id: str = body["request_id"]
        self._bodies[request_id] = body
        self._requests[request_id] = Request(
            request_id, hall, SIDES[self.kind], body["document"]["fields"]["location"], ()
        )
        return request_id

    def is_posted(self, request_id: str = "") -> bool:
        request_id = request_id or self.first
        request = self._requests[request_id]
        answer = self.place.driver.post(self._bodies[request_id])
        given = (answer.status_code, answer.json().get("job_id", ""))
        self._requests[request_id] = replace(request, answers=(*request.answers, given))
        return bool(posted(self._requests[request_id]))

    @property
    def job_id(self) -> str:
        return posted(self._requests[self.first])

    def job(self) -> dict[str, Any]:
        answer = self.place.driver.call("GET", f"/v1/jobs/{self.job_id}")
        return dict(answer.raise_for_status().json())

    def is_in(self, *states: str) -> bool:
        return self.job()["state"] in states

    def is_received(self) -> bool:
        return self.is_in("received")

    def is_over(self) -> bool:
        """All of its jobs have ended, and the registration system was told."""
        ended = {e["data"]["job_id"] for e in self.place.told()[-60:] if e["data"]["state"] in ENDED}
        return all(posted(request) in ended for request in self._requests.values())

    def has(self, reason: str) -> bool:
        return reason in self.job()["reasons"]

    def ask(self, act: str, **more: Any) -> bool:
        """Ask something of home about the job; whatever it says, it was heard."""
        body = {"reason": "a scene", **more}
        return self.place.driver.call("POST", f"/v1/jobs/{self.job_id}/{act}", json=body).status_code < 500

    def order_id(self) -> str:
        return str(self.job()["orders"][-1]["order_id"])

    # at the hall

    def order(self) -> dict[str, Any]:
        return dict(self.place.ask_hall(f"/v1/orders/{self.order_id()}"))

    def at_hall(self, path: str, body: dict[str, Any], account: str = "token") -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.place.hall[account]}"}
        return self.place.driver.http.post(self.place.hall["api"] + path, json=body, headers=headers)

    def clerk_goes(self) -> bool:
        self.mischief.clerk_goes()
        return True

    def clerk_comes(self) -> bool:
        self.mischief.clerk_comes()
        return True


def posted(request: Request) -> str:
    """Return the job that the request was answered with; empty while it was not."""
    return next((job_id for status, job_id in request.answers if status in (200, 201)), "")
