"""Many jobs through a whole sandbox without any fault, as fast as it takes them, each part's CPU measured; the checker judges."""

import json
import os
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.client import SERVICE_UNAVAILABLE
from pathlib import Path
from typing import Any

from spooler.sandbox import site, up
from tests.crash.checker import ENDED, RULES, Blanks, Callback, Event, History, Job, Request, Sheet, Violation
from tests.journeys.build import a_certificate, a_proof
from tests.journeys.drive import Driver

SIDES = {"certificate": 2, "proof": 1}
CERTIFICATE_EVERY = 5  # one of so many is a certificate, the others are proofs
IN_FLIGHT = 80
CLIENTS = 2
TELL_SECONDS = 30.0
BREATH_SECONDS = 10.0  # for the answer to the last request
READ_EVERY = 10  # of so many orders one is read, to see that it is its own document
GROUP = 100  # jobs that are judged together


@dataclass
class Outcome:
    """What came of it."""

    jobs: int
    seconds: float = 0.0
    sheets: int = 0
    asked: int = 0
    put_off: int = 0  # answers that a request is to come again later: so it does
    cpu: dict[str, float] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    sent_after: list[float] = field(default_factory=list)  # seconds from sealed to the broker's confirm, of each order

    def broken(self, invariant: str) -> int:
        return len({v.about for v in self.violations if v.invariant == invariant})

    def __str__(self) -> str:
        cpu = "  ".join(f"{part} {1000 * seconds / self.jobs:.0f}" for part, seconds in sorted(self.cpu.items()))
        return "\n".join(
            (
                f"{self.jobs} jobs, {self.sheets} sheets in {self.seconds:.0f} s ({self.jobs / self.seconds:.2f} jobs a second)",
                f"lost {self.broken('I2')}  twice {self.broken('I1')}  asked {self.asked}  put off {self.put_off}"
                f"  other {len(self.violations) - self.broken('I1') - self.broken('I2')}",
                f"CPU milliseconds a job: {cpu}  all {1000 * sum(self.cpu.values()) / self.jobs:.0f}",
                *(f"BROKEN {v.invariant} {v.about}: {v.says}" for v in self.violations[:50]),
            )
        )


class Many:
    """One run over a sandbox with any number of halls."""

    def __init__(self, driver: Driver, count: int, *, pace_seconds: float = 0.0) -> None:
        self._driver = driver
        self._pace_seconds = pace_seconds
        self._halls = [hall["hall"] for hall in driver.plan["halls"]]
        self._registries = driver.home["registries"]
        self._requests: list[Request] = []
        self._bodies = (self._body(n) for n in range(count))
        self._outcome = Outcome(count)
        self._turn = threading.Lock()
        self._has_ended = False
        self._told = Told(Path(driver.home["callback"]["received"]))

    def run(self, longest_seconds: float, *, posting_seconds: float | None = None) -> Outcome:
        """Post all, or what `posting_seconds` let; wait until the end of each was told (or the time is over); judge."""
        before, began = self._cpu(), time.monotonic()
        self._told.look()
        with ThreadPoolExecutor(CLIENTS) as clients:
            last = began + (posting_seconds or longest_seconds)
            posting = [clients.submit(self._post_all, last) for _ in range(CLIENTS)]
            try:
                self._watch(began, last, began + longest_seconds)
            finally:
                self._has_ended = True  # also by Ctrl-C: a client that is told to come again later does not go on
        for one in posting:
            one.result()
        after = self._cpu()
        self._outcome.seconds, self._outcome.jobs = time.monotonic() - began, len(self._requests)
        self._outcome.cpu = {part: after[part] - before.get(part, 0.0) for part in after}
        self._judge()
        return self._outcome

    # ---- Jobs ----

    def _body(self, n: int) -> dict[str, Any]:
        build = a_certificate if n % CERTIFICATE_EVERY == 0 else a_proof
        return build(self._registries[n % len(self._registries)], self._halls[n % len(self._halls)])

    def _post_all(self, give_up: float) -> None:
        while time.monotonic() < give_up and not self._has_ended:
            with self._turn:
                body = next(self._bodies, None)
            if body is None:
                return
            self._post(body)
            time.sleep(self._pace_seconds * CLIENTS)
            while self._are_enough_in_flight() and time.monotonic() < give_up:
                time.sleep(0.1)

    def _are_enough_in_flight(self) -> bool:
        return not self._has_ended and len(self._requests) - len(self._told.ended) >= IN_FLIGHT

    def _post(self, body: dict[str, Any]) -> None:
        while (answer := self._driver.post(body)).status_code == SERVICE_UNAVAILABLE and not self._has_ended:
            with self._turn:
                self._outcome.put_off += 1
            time.sleep(float(answer.headers["retry-after"]))
        document = body["document"]
        request = Request(
            body["request_id"],
            body["hall"],
            SIDES[document["kind"]],
            document["fields"]["location"],
            ((answer.status_code, answer.json().get("job_id", "")),),
        )
        with self._turn:
            self._requests.append(request)

    def _watch(self, began: float, last: float, give_up: float) -> None:
        tell = began + TELL_SECONDS
        while time.monotonic() < give_up and not self._is_over(last):
            self._told.look()
            if time.monotonic() > tell:
                tell += TELL_SECONDS
                print(
                    f"  {time.monotonic() - began:6.0f} s  posted {len(self._requests)}  ended {len(self._told.ended)}",
                    flush=True,
                )
            time.sleep(0.5)

    def _is_over(self, last: float) -> bool:
        posted = len(self._requests)
        is_all_posted = posted == self._outcome.jobs or time.monotonic() > last + BREATH_SECONDS
        return is_all_posted and len(self._told.ended) >= posted

    def _cpu(self) -> dict[str, float]:
        """Return the CPU seconds of each kind of part, its ended children's too."""
        found: Counter[str] = Counter()
        for part, pid in up.running(site.load(self._driver.directory)).items():
            times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
            found[part.partition(":")[0]] += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        return dict(found)

    # ---- Judgement ----

    def _judge(self) -> None:
        """In groups, for the checker looks through all of a history for each of its events."""
        told = self._told.callbacks
        by_job: dict[str, list[Callback]] = defaultdict(list)
        for callback in told:
            by_job[callback.job_id].append(callback)
        sheets = self._sheets()
        self._outcome.sheets = sum(map(len, sheets.values()))
        for start in range(0, len(self._requests), GROUP):
            self._judge_group(self._requests[start : start + GROUP], sheets, by_job)
        # What is left belongs to no job, and the blanks are looked at as a whole.
        strangers = tuple(sheet for left in sheets.values() for sheet in left)
        self._note(History(sheets=strangers), ("I1", "I3"))
        self._note(History(blanks=tuple(self._blanks()), sheets=tuple(self._all_sheets)), ("I6",))

    def _judge_group(
        self, requests: Sequence[Request], sheets: dict[str, list[Sheet]], told: dict[str, list[Callback]]
    ) -> None:
        ids = [request.answers[0][1] for request in requests]
        jobs = tuple(self._job(job_id) for job_id in ids if job_id)
        orders = [order_id for job in jobs for order_id, _ in job.orders]
        events = tuple(event for job in jobs for event in self._events(job.job_id))
        self._outcome.sent_after += [_seconds_to_sent(events, job.job_id) for job in jobs]
        self._outcome.asked += sum(event.detail == "a person is asked" for event in events)
        history = History(
            requests=tuple(requests),
            jobs=jobs,
            events=events,
            sheets=tuple(sheet for order_id in orders for sheet in sheets.pop(order_id, ())),
            told=tuple(callback for job in jobs for callback in told.get(job.job_id, ())),
        )
        self._note(history, tuple(RULES))
        for request, job in zip(requests, jobs, strict=True):
            if request.answers[0][0] != 201 or job.state != "issued":
                self._outcome.violations.append(Violation("I2", job.job_id, f"without a fault it ended {job.state}"))

    def _note(self, history: History, rules: Sequence[str]) -> None:
        self._outcome.violations += [found for rule in rules for found in RULES[rule](history)]

    def _job(self, job_id: str) -> Job:
        job = self._driver.job(job_id)
        orders = tuple((order["order_id"], order["hall"]) for order in job["orders"])
        return Job(job_id, job["request_id"], job["state"], tuple(job["reasons"]), None, job["serial"], orders)

    def _events(self, job_id: str) -> Iterator[Event]:
        for e in self._driver.call("GET", f"/v1/jobs/{job_id}/events").json()["events"]:
            at = e["at"].replace("Z", "+00:00")
            more = (tuple(e["reasons"]), e["attempt"], e.get("pass"), e.get("detail", ""))
            yield Event(job_id, e["sequence"], at, e["state"], e["side"], *more)

    def _sheets(self) -> dict[str, list[Sheet]]:
        """Return every side that any printer marked, by order."""
        found: dict[str, list[Sheet]] = defaultdict(list)
        self._all_sheets = []
        notes = (
            (hall["hall"], note)
            for hall in self._driver.plan["halls"]
            for printer in hall["printers"]
            for note in sorted(Path(printer["sheets"]).glob("*.json"))
        )
        for hall, note in notes:
            sheet = _sheet(hall, note)
            self._all_sheets.append(sheet)
            found[sheet.order_id].append(sheet)
        return found

    def _blanks(self) -> Iterator[Blanks]:
        for hall in self._driver.plan["halls"]:
            ranges = self._ask_hall(hall, "/v1/stock")["ranges"]
            movements, after = [], 0
            while page := self._ask_hall(hall, f"/v1/stock/movements?after={after}&limit=1000")["movements"]:
                movements += page
                after = page[-1]["sequence"]
            for stock in ("certificate", "proof"):
                yield Blanks(
                    hall["hall"],
                    stock,
                    sum(m["count"] for m in movements if (m["stock"], m["movement"]) == (stock, "receive")),
                    tuple((r["first"], r["last"], r["count"], r["status"]) for r in ranges if r["stock"] == stock),
                    tuple(m["first"] for m in movements if (m["stock"], m["movement"]) == (stock, "use")),
                )

    def _ask_hall(self, hall: dict[str, Any], path: str) -> Any:
        answer = self._driver.http.get(hall["api"] + path, headers={"Authorization": f"Bearer {hall['token']}"})
        answer.raise_for_status()
        return answer.json()


class Told:
    """What the registration system was told so far, read on as it grows."""

    def __init__(self, received: Path) -> None:
        self._received = received
        self._read = 0
        self.callbacks: list[Callback] = []
        self.ended: set[str] = set()

    def look(self) -> None:
        if not self._received.exists():
            return
        with self._received.open("rb") as file:
            file.seek(self._read)
            while (line := file.readline()).endswith(b"\n"):
                self._read += len(line)
                self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        data = event["data"]
        self.callbacks.append(Callback(event["id"], data["job_id"], data["sequence"]))
        if data["state"] in ENDED:
            self.ended.add(data["job_id"])


def _seconds_to_sent(events: Sequence[Event], job_id: str) -> float:
    """When a confirm is lost with its node, the hall's word comes first: then the order was sent, too."""
    first: dict[str, datetime] = {}
    for event in events:
        if event.job_id == job_id and event.side == "home":
            first.setdefault(event.state, datetime.fromisoformat(event.at))
    sent = [first[state] for state in ("sent", "received") if state in first]
    return (min(sent) - first["sealed"]).total_seconds() if sent else float("inf")


def _sheet(hall: str, note: Path) -> Sheet:
    told = json.loads(note.read_bytes())
    order_id, number, attempt, _ = told["title"].split("/")
    sheet = Sheet(
        hall, order_id, int(number), int(attempt), told["job_uuid"], told["complete"], told["serial"], told["at"]
    )
    if int(order_id[:8], 16) % READ_EVERY:
        return sheet
    done = subprocess.run(["pdftotext", note.with_suffix(".pdf"), "-"], capture_output=True, check=True, timeout=30)
    return replace(sheet, text="".join(done.stdout.decode().split()))
