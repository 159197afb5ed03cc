"""A person at the hall's computer who means well: restarts, disables, holds, moves by CUPS' own commands, past the agent."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Operator:
    """Who may: the commands run as the user whom cupsd lets do everything. (CUPS may still say no: that is its answer.)"""

    socket: Path

    def restart_job(self, where: float) -> bool:
        """Any job that CUPS knows; return whether there was one."""
        job = self._a_job(where)
        if job is not None:
            self._run("lp", "-i", job, "-H", "restart")
        return job is not None

    def restart(self, job: str) -> None:
        self._run("lp", "-i", job, "-H", "restart")

    def disable_and_enable(self, printer: str, seconds: float) -> None:
        self.disable(printer)
        time.sleep(seconds)
        self.enable(printer)

    def disable(self, printer: str) -> None:
        self._run("cupsdisable", printer)

    def enable(self, printer: str) -> None:
        self._run("cupsenable", printer)

    def hold(self, job: str) -> None:
        self._run("lp", "-i", job, "-H", "hold")

    def resume(self, job: str) -> None:
        self._run("lp", "-i", job, "-H", "resume")

    def move(self, job: str, printer: str) -> None:
        self._run("lpmove", job, printer)

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
