"""Writes down, by the stable surface alone, what happened to some jobs or to all, for the checker to judge."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tests.crash.checker import Blanks, Callback, Event, History, Job, Request
from tests.crash.place import HALL, Place

NAMES = ("张三", "李四", "绥化分行")  # of the holders


def history_of(place: Place, requests: Sequence[Request]) -> History:
    """The history of these requests alone: cheap enough for each kill."""
    wanted = {job_id for request in requests for _, job_id in request.answers if job_id}
    jobs = [_job(job) for job_id in wanted if (job := place.get(f"/v1/jobs/{job_id}"))]
    orders = {order_id for job in jobs for order_id, _ in job.orders}
    events = [event for job_id in sorted(wanted) for event in _events(place, job_id)]
    asked = any(event.detail == "a person is asked" for event in events)
    return History(
        requests=tuple(requests),
        jobs=tuple(jobs),
        events=tuple(events),
        sheets=tuple(sheet for sheet in place.sheets() if sheet.order_id in orders),
        approvals=place.approvals() if asked else (),
        told=tuple(c for c in _told(place) if c.job_id in wanted),
    )


def whole_history(place: Place, requests: Sequence[Request]) -> History:
    """Everything: all jobs at home, all sheets, all callbacks, the blanks, and names found where none belong."""
    jobs, cursor = [], ""
    while cursor is not None:
        page = place.get(f"/v1/jobs?limit=200{cursor and '&cursor=' + cursor}")
        jobs += [_job(job) for job in page["jobs"]]
        cursor = page["next"]
    return History(
        requests=tuple(requests),
        jobs=tuple(jobs),
        events=tuple(event for job in jobs for event in _events(place, job.job_id)),
        sheets=place.sheets(),
        approvals=place.approvals(),
        due=tuple(_feed(place)),
        told=tuple(_told(place)),
        blanks=_blanks(place),
        leaks=tuple(leaks(place, [request.mark for request in requests])),
    )


def _job(job: dict[str, Any]) -> Job:
    return Job(
        job["job_id"],
        job["request_id"],
        job["state"],
        tuple(job["reasons"]),
        job["refusal"] and job["refusal"]["code"],
        job["serial"],
        tuple((order["order_id"], order["hall"]) for order in job["orders"]),
    )


def _events(place: Place, job_id: str) -> list[Event]:
    return [
        Event(
            job_id,
            e["sequence"],
            _comparable(e["at"]),
            e["state"],
            e["side"],
            tuple(e["reasons"]),
            e["attempt"],
            e.get("pass"),
            e.get("detail", ""),
        )
        for e in place.get(f"/v1/jobs/{job_id}/events")["events"]
    ]


def _feed(place: Place) -> Iterable[Callback]:
    after = 0
    while events := place.get(f"/v1/events?after={after}&limit=1000")["events"]:
        yield from (Callback(e["id"], e["data"]["job_id"], e["data"]["sequence"]) for e in events)
        after = events[-1]["place"]


def _told(place: Place) -> Iterable[Callback]:
    return (Callback(e["id"], e["data"]["job_id"], e["data"]["sequence"]) for e in place.told())


def _blanks(place: Place) -> tuple[Blanks, ...]:
    ranges = place.ask_hall("/v1/stock")["ranges"]
    movements, after = [], 0
    while page := place.ask_hall(f"/v1/stock/movements?after={after}&limit=1000")["movements"]:
        movements += page
        after = page[-1]["sequence"]
    return tuple(
        Blanks(
            HALL,
            stock,
            sum(m["count"] for m in movements if (m["stock"], m["movement"]) == (stock, "receive")),
            tuple((r["first"], r["last"], r["count"], r["status"]) for r in ranges if r["stock"] == stock),
            tuple(m["first"] for m in movements if (m["stock"], m["movement"]) == (stock, "use")),
        )
        for stock in ("certificate", "proof")
    )


def leaks(place: Place, marks: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Look for the marks (parts of addresses) and the names of the holders in every file where none may be."""
    # Marks begin alike: as one expression thousands of them cost one look at each file.
    known = ["|".join(map(re.escape, marks))] if marks else []
    words = [re.compile(word.encode()) for word in (*known, *NAMES)]
    for path in place.files():
        content = path.read_bytes()
        if found := next(filter(None, (word.search(content) for word in words)), None):
            yield str(path.relative_to(place.directory)), found[0].decode()


def _comparable(at: str) -> str:
    """The same shape as the sheets' times."""
    return at.replace("Z", "+00:00")
