"""A person at the hall's computer who means well: restarts, disables, holds and resumes by CUPS' own commands, past the agent."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.storm.weather import Strike

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Operator:
    """Who may: the commands run as the user whom cupsd lets do everything."""

    socket: Path

    def act(self, strike: Strike, printer: str) -> bool:
        """Do it, take it back after a while; return whether there was anything to do it to. (CUPS may say no: that is its answer.)"""
        if strike.what == "disable-enable":
            self._disable_and_enable(printer, strike.lasts)
            return True
        job = self._a_job(strike.where)
        if job is None:
            return False
        if strike.what == "restart-job":
            self._run("lp", "-i", job, "-H", "restart")
        else:
            self._hold_and_resume(job, strike.lasts)
        return True

    def enable(self, printer: str) -> None:
        self._run("cupsenable", printer)

    def _disable_and_enable(self, printer: str, seconds: float) -> None:
        self._run("cupsdisable", printer)
        time.sleep(seconds)
        self._run("cupsenable", printer)

    def _hold_and_resume(self, job: str, seconds: float) -> None:
        self._run("lp", "-i", job, "-H", "hold")
        time.sleep(seconds)
        self._run("lp", "-i", job, "-H", "resume")

    def _a_job(self, where: float) -> str | None:
        """One that is under way, else one of all that CUPS remembers."""
        for which in ("not-completed", "completed"):
            if jobs := self._jobs(which):
                return jobs[int(where * len(jobs))]
        return None

    def _jobs(self, which: str) -> list[str]:
        done = subprocess.run(
            ["lpstat", "-h", str(self.socket), "-W", which, "-o"], capture_output=True, text=True,
            timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        return [line.split()[0] for line in done.stdout.splitlines() if line.strip()]

    def _run(self, command: str, *arguments: str) -> None:
        subprocess.run(
            [command, "-h", str(self.socket), *arguments], capture_output=True, timeout=PATIENCE_SECONDS, check=False
        )
