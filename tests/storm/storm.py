"""A storm over a real sandbox: jobs are posted, parts are struck and started again, and the checker judges what came of it."""

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from tests.crash.checker import ENDED, History, Request, Violation, judge, questions
from tests.crash.matrix import SIDES, posted
from tests.crash.place import HALL, REGISTRY, Place
from tests.crash.record import whole_history
from tests.journeys.build import a_certificate, a_proof
from tests.journeys.conftest import run as certspool
from tests.journeys.drive import Driver
from tests.storm import processes
from tests.storm.operators import Operator
from tests.storm.weather import DAEMONS, Strike

PARTS = {"agent": f"agent:{HALL}", "home": "home", "cups": f"cups:{HALL}", "broker": "broker"}
BUILD = {"certificate": a_certificate, "proof": a_proof}
SETTLE_SECONDS = 120.0
PASS_SECONDS = 30.0  # a strike at a process or job that is not there yet waits so long for one
CUPSD_SECONDS = 1.0  # then it is asked again which cupsd is the one running
LOOK_SECONDS = 0.2


@dataclass
class Outcome:
    """What a storm did, and what the checker says of it."""

    seed: int
    struck: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    sheets: int = 0
    asked: int = 0
    violations: list[Violation] = field(default_factory=list)

    def broken(self, invariant: str) -> int:
        return len({v.about for v in self.violations if v.invariant == invariant})

    def __str__(self) -> str:
        figures = {
            "jobs": self.jobs,
            "lost": self.broken("I2"),
            "twice": self.broken("I1"),
            "asked": self.asked,
            "false done": self.broken("I9"),
            "other": len({(v.invariant, v.about) for v in self.violations if v.invariant not in {"I1", "I2", "I9"}}),
        }
        lines = [f"seed {self.seed}: {self.struck.total()} faults, {self.sheets} sheets"]
        lines += [f"  {kind:<22}{many:>5}" for kind, many in sorted(self.struck.items())]
        lines += [f"  {'(found nothing to hit)':<22}{self.missed.total():>5}"]
        lines += ["  ".join(f"{name} {value}" for name, value in figures.items())]
        return "\n".join([*lines, *(f"BROKEN {v.invariant} {v.about}: {v.says}" for v in self.violations)])


class Storm:
    """One storm. Each strike has a thread of its own, so that one that waits for its moment holds up no other."""

    def __init__(self, driver: Driver, seed: int, weather: Sequence[Strike], kinds: Sequence[str]) -> None:
        self._place = Place(driver.directory, blanks=0)
        self._driver = driver
        self._weather = weather
        self._outcome = Outcome(seed)
        self._requests = [_request(kind) for kind in kinds]
        self._operator = Operator(Path(driver.hall(HALL)["cups_socket"]))
        self._locks = {part: threading.Lock() for part in DAEMONS}
        self._listening = threading.Lock()
        self._children: list[subprocess.Popen[bytes]] = []
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
        self._calm()
        self._settle(settle_seconds)
        return self._judged(whole_history(self._place, [request for request, _ in self._requests]))

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
        """Wait until each job has ended and its end was told; what is open after that is for the checker to name."""
        self._until(self._is_over, seconds)
        self._until(self._place.is_ready, 60)

    def _is_over(self) -> bool:
        """Whether each job has been posted, has ended, and its end was told."""
        return {posted(request) for request, _ in self._requests} <= self._ended()

    def _ended(self) -> set[str]:
        with self._listening:
            return {e["data"]["job_id"] for e in self._place.told() if e["data"]["state"] in ENDED}

    def _until(self, true: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true() and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)

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
        act = {"kill": self._kill, "printer": self._printer_fault, "operator": self._operate}[strike.group]
        hit = act(strike)
        (self._outcome.struck if hit else self._outcome.missed)[strike.kind] += 1
        since = time.monotonic() - self._began
        print(
            f"  {strike.at:6.1f} s  {strike.kind:<18}{'done' if hit else 'found nothing'} at {since:.1f} s", flush=True
        )

    def _kill(self, strike: Strike) -> bool:
        if strike.what in DAEMONS:
            return self._kill_daemon(strike.what, strike.signal)
        return self._kill_in_a_pass(strike)

    def _kill_in_a_pass(self, strike: Strike) -> bool:
        """Wait for such a process, then its lead; when it was gone by then, wait for the next."""
        end = time.monotonic() + PASS_SECONDS
        while time.monotonic() < end and not self._is_over():
            pid = processes.seen(strike.what, self._pid("cups"), CUPSD_SECONDS)
            time.sleep(strike.lead)
            if pid is not None and processes.is_a(strike.what, pid) and processes.strike(pid, strike.signal):
                return True
        return False

    def _kill_daemon(self, part: str, signal_name: str) -> bool:
        """Kill it and start it again by its own argv; return when it is the one running."""
        with self._locks[part]:
            before = self._pid(part)
            is_ours = processes.belongs(before, self._driver.directory)
            if not is_ours or not processes.strike(before, signal_name):
                return False
            self._start(part, before)
            return True

    def _start(self, part: str, before: int) -> None:
        self._children.append(self._driver.restart(PARTS[part]))
        self._until(lambda: self._pid(part) != before, 70)
        for child in self._children:
            child.poll()  # reaps what has been killed since

    def _pid(self, part: str) -> int:
        plan = self._driver.plan
        hall = next(hall for hall in plan["halls"] if hall["hall"] == HALL)
        pids = {"home": plan["homes"][0], "broker": plan["broker"], "agent": hall}
        return int(hall["cups_pid"] if part == "cups" else pids[part]["pid"])

    def _printer_fault(self, strike: Strike) -> bool:
        printer = self._printer(strike)
        fault = f"cut:{strike.amount}" if strike.what == "cut" else strike.what
        self._fault(printer, fault)
        time.sleep(strike.lasts)
        self._fault(printer, "clear")
        return True

    def _fault(self, printer: str, fault: str) -> None:
        certspool(["sandbox", "fault", "--dir", str(self._driver.directory), f"{HALL}/{printer}", fault])

    def _operate(self, strike: Strike) -> bool:
        end = time.monotonic() + PASS_SECONDS
        while not (took := self._operator.act(strike, self._printer(strike))):
            if time.monotonic() > end or self._is_over():
                break
            time.sleep(LOOK_SECONDS)
        return took

    def _printer(self, strike: Strike) -> str:
        return self._printers()[int(strike.where * len(self._printers()))]

    def _printers(self) -> list[str]:
        return [p["name"] for p in self._driver.hall(HALL)["printers"] if p["stock"] != "plain"]

    def _calm(self) -> None:
        """The storm is over: printers are seen to and enabled. A part that fell without being struck is a finding."""
        for part in DAEMONS:
            pid = self._pid(part)
            if not processes.belongs(pid, self._driver.directory):
                self._outcome.violations.append(Violation("ALIVE", part, "ended without being struck"))
                self._start(part, pid)
        for printer in self._printers():
            self._fault(printer, "clear")
            self._operator.enable(printer)

    def _judged(self, history: History) -> Outcome:
        outcome = self._outcome
        outcome.jobs, outcome.sheets = len(history.jobs), len(history.sheets)
        outcome.asked = len(questions(history))
        outcome.violations += judge(history)
        return outcome


def _request(kind: str) -> tuple[Request, dict[str, Any]]:
    body = BUILD[kind](REGISTRY, HALL)
    return Request(body["request_id"], HALL, SIDES[kind], body["document"]["fields"]["location"], ()), body


def _job_id(answer: httpx.Response) -> str:
    return str(answer.json().get("job_id", "")) if "json" in answer.headers.get("content-type", "") else ""


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def setting(name: str, default: float) -> float:
    """Return a parameter of the long forms: STORM_SEED, STORM_MINUTES, STORM_JOBS, STORM_EVERY."""
    return float(os.environ.get(f"STORM_{name}", default))
