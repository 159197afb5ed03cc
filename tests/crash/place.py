"""One small real installation whose home, agent and backend can be killed at a point: RabbitMQ, cupsd, home, a hall, its clerk.

The home has one crash folder and the hall another, so that each can be armed for itself. Beside the hall stand some that exist on paper
only: they are known, granted, and nobody ever hears of them.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from agents import once
from spooler.daemon.crash import SWITCH, VARIABLE
from spooler.sandbox import site as sites
from spooler.sandbox.site import Site
from spooler.sandbox.virtual_printer import Printer
from spooler.seal import pki
from tests.crash.checker import Approval, Sheet
from tests.journeys.drive import Driver

REGISTRY, HALL = "231221", "231282-01"
CERTSPOOL = Path(sys.executable).with_name("certspool")
HOUSE = Path(__file__).parents[2]
DAEMONS = ("home", f"agent:{HALL}")
HOME, AGENT = DAEMONS
CRASH_FOLDERS = {"home": "home", "callback": "home", "agent": "hall", "once": "hall"}
DEAD_HALLS = [f"{county}-{window:02d}" for county in ("231202", "231283", "231281") for window in range(1, 61)]


class Place:
    """A sandbox whose home and agent come from the nursery, and whose `once` has the test switch in its first line."""

    def __init__(self, directory: Path, *, blanks: int) -> None:
        self.directory = directory
        self.crash_folder = directory / "crash"
        self._blanks = blanks
        self.driver = Driver(directory)
        self.driver.http.timeout = httpx.Timeout(20)
        self._away: set[str] = set()
        self.dead_halls = iter(DEAD_HALLS)
        self._seen: dict[Path, Sheet] = {}
        self._approvals: dict[str, Approval] = {}
        self._received = 0
        self._told: list[dict[str, Any]] = []

    def up(self) -> None:
        places = ["--registries", REGISTRY, "--halls", HALL]
        _certspool("sandbox", "up", "--dir", str(self.directory), *places, "--blanks", str(self._blanks))
        for folder in (self.crash_folder, *(self.crash_folder / name for name in set(CRASH_FOLDERS.values()))):
            folder.mkdir()
            folder.chmod(0o777)  # the backend runs as another user
        for part in (*DAEMONS, f"cups:{HALL}"):
            os.kill(self._pid(part), signal.SIGKILL)
        halls = [pki.NewHall(id=hall, name="一直没有消息的大厅") for hall in DEAD_HALLS]
        pki.init(self.site.pki, [], halls, now=datetime.now(UTC))
        self._instrument_backend()
        self.driver.restart(f"cups:{HALL}")
        self._nursery = subprocess.Popen(
            [sys.executable, "-X", SWITCH, "-m", "tests.crash.nursery", str(self.directory), str(self.crash_folder)],
            cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        self._hear()
        self._pids = {part: self._bear(part) for part in DAEMONS}
        self.until(self.is_ready, 60, "not ready")

    def down(self) -> None:
        if hasattr(self, "_nursery"):
            self._nursery.stdin.close()
            self._nursery.wait()
        _certspool("sandbox", "down", "--dir", str(self.directory))
        self.driver.http.close()

    def _instrument_backend(self) -> None:
        """The same file, with the switch in its first line; cupsd hands the variable on."""
        cups = Path(self.hall["cups_socket"]).parent
        _first, rest = Path(once.__file__).read_text().split("\n", 1)
        for copy in (cups / "bin/backend/once", self.directory / "once.py"):
            copy.write_text(f"#!/usr/bin/python3 -ISX{SWITCH}\n{rest}")
        with (cups / "cups-files.conf").open("a") as file:
            file.write(f"SetEnv {VARIABLE} {self.crash_folder / 'hall'}\n")

    def _bear(self, part: str) -> int:
        self._nursery.stdin.write(part + "\n")
        return int(self._hear())

    def _hear(self) -> str:
        line = self._nursery.stdout.readline().strip()
        assert line, "the nursery has ended"
        return line

    # ---- Crashing ----

    def arm(self, point: str, nth: int = 1) -> None:
        """Let the nth passing of this point from now on kill."""
        folder = self._folder(point)
        self.disarm(point)
        aside = folder / "aside"
        aside.write_text(f"{point}:{nth}")
        aside.replace(folder / "point")

    def disarm(self, like: str = "") -> None:
        """Let nobody be killed any more, or nobody on the side of this point."""
        for folder in [self._folder(like)] if like else [self.crash_folder / n for n in set(CRASH_FOLDERS.values())]:
            (folder / "point").unlink(missing_ok=True)
            for hit in folder.glob("hit.*"):
                hit.unlink(missing_ok=True)

    def has_struck(self, point: str, nth: int = 1) -> bool:
        return (self._folder(point) / f"hit.{nth}").exists()

    def _folder(self, point: str) -> Path:
        return self.crash_folder / CRASH_FOLDERS[point.partition(".")[0]]

    def dead(self) -> list[str]:
        """Which daemons were killed, without those that are to stay away."""
        gone = [part for part, pid in self._pids.items() if not Path(f"/proc/{pid}").exists()]
        return [part for part in gone if part not in self._away]

    def revive(self, dead: Sequence[str] | None = None) -> None:
        """Start again what was killed: these, or all that are dead by now."""
        for part in self.dead() if dead is None else dead:
            self._pids[part] = self._bear(part)

    def send_away(self, part: str) -> None:
        """Kill a daemon and let nobody start it."""
        self._away.add(part)
        if Path(f"/proc/{self._pids[part]}").exists():
            os.kill(self._pids[part], signal.SIGKILL)

    def call_back(self, part: str) -> None:
        self._away.discard(part)

    def bear_once(self, part: str) -> None:
        """Let the nursery do something that ends by itself."""
        self._bear(part)

    def fault(self, fault: str, stock: str = "") -> None:
        """At the numbered printers, or at the one of this stock alone."""
        for printer in self.hall["printers"]:
            if printer["stock"] in ({stock} if stock else {"certificate", "proof"}):
                Printer(Path(printer["sheets"]).parent).set_fault(fault)

    # ---- Looking ----

    @cached_property
    def site(self) -> Site:
        return sites.load(self.directory)

    @cached_property
    def hall(self) -> dict[str, Any]:
        return self.driver.hall(HALL)

    def _pid(self, part: str) -> int:
        if part == "home":
            return int(self.driver.plan["homes"][0]["pid"])
        return int(self.driver.hall(HALL)["pid" if part.startswith("agent") else "cups_pid"])

    def is_ready(self) -> bool:
        try:
            return all(
                self.driver.http.get(f"{api}/readyz").is_success for api in (self.driver.home["api"], self.hall["api"])
            )
        except httpx.TransportError:
            return False

    def get(self, path: str) -> Any:
        """What home says, or None while it does not answer."""
        try:
            answer = self.driver.call("GET", path)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    def ask_hall(self, path: str, account: str = "token") -> Any:
        answer = self.driver.http.get(
            self.hall["api"] + path, headers={"Authorization": f"Bearer {self.hall[account]}"}
        )
        answer.raise_for_status()
        return answer.json()

    def approvals(self) -> tuple[Approval, ...]:
        """Every answer of a second person so far, also those that the hall has lost with its journal."""
        for one in self.ask_hall("/v1/approvals?answered=true", "approver_token")["approvals"]:
            by, answered = one["asked_by"]["id"], one["answered_by"] and one["answered_by"]["id"]
            self._approvals[one["id"]] = Approval(one["order_id"], by, answered, one["accepted"])
        return tuple(self._approvals.values())

    def sheets(self) -> tuple[Sheet, ...]:
        """Every side that any printer has marked so far."""
        for printer in self.hall["printers"]:
            for note in sorted(Path(printer["sheets"]).glob("*.json")):
                if note not in self._seen:
                    self._seen[note] = _sheet(note)
        return tuple(self._seen.values())

    def told(self) -> list[dict[str, Any]]:
        """Every callback that the registration system has received."""
        received = Path(self.driver.home["callback"]["received"])
        if not received.exists():
            return []
        if received.is_dir():
            return self._told  # the registration system is deaf just now
        with received.open("rb") as file:
            file.seek(self._received)
            while (line := file.readline()).endswith(b"\n"):
                self._received += len(line)
                self._told.append(json.loads(line))
        return self._told

    def until(self, true: Any, seconds: float, otherwise: str) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, otherwise
            time.sleep(0.02)

    def files(self) -> Iterator[Path]:
        """Every file but those in which names belong: the paper, the keys, and the home's own documents."""
        for path in sorted(self.directory.rglob("*")):
            parts = path.relative_to(self.directory).parts
            belongs = parts[0] == "pki" or "sheets" in parts or parts[:2] == ("home", "documents")
            if path.is_file() and not path.is_symlink() and not belongs:
                yield path


def _sheet(note: Path) -> Sheet:
    told = json.loads(note.read_bytes())
    order_id, number, attempt, _ = told["title"].split("/")
    text = None
    if told["complete"]:
        done = subprocess.run(["pdftotext", note.with_suffix(".pdf"), "-"], capture_output=True, check=True, timeout=30)
        text = "".join(done.stdout.decode().split())
    return Sheet(
        HALL, order_id, int(number), int(attempt), told["job_uuid"], told["complete"], told["serial"], told["at"], text
    )


def _certspool(*arguments: str) -> None:
    done = subprocess.run([CERTSPOOL, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
