"""`make bench-faults`: the naive agent and certspool under the same kills, printer and pace; both rows, the printer the only judge.

python -m tests.storm.beside [--jobs 40] [--pace 0.1] [--seconds 40] [--seed 1]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from spooler.sandbox.virtual_printer import Printer
from tests.crash.place import HALL, REGISTRY
from tests.journeys.build import a_proof
from tests.journeys.conftest import CERTSPOOL, a_sandbox
from tests.storm.ground import STILL
from tests.storm.naive_hall import fresh, measure
from tests.storm.slow import slowly
from tests.storm.storm import Storm
from tests.storm.weather import kills

LINE = "{:<36}{:>6}{:>6}{:>7}{:>7}"


@dataclass
class Findings:
    """Stands for a test session: the sandbox is kept when something failed."""

    testsfailed: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=40)
    parser.add_argument("--pace", type=float, default=0.1, help="seconds from one job to the next")
    parser.add_argument("--seconds", type=float, default=40.0, help="how long the killing lasts")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    weather = kills(options.seed, options.seconds)
    times = f"{len(weather)} times in {options.seconds:.0f} s"
    print(f"seed {options.seed}: {options.jobs} jobs, one in {options.pace} s; agent or cupsd killed {times}")
    print(LINE.format("", "jobs", "lost", "twice", "asked"), flush=True)
    findings = Findings()
    with (
        tempfile.TemporaryDirectory(prefix="certspool-naive-", dir="/var/tmp") as folder,
        a_sandbox(findings, "--registries", REGISTRY, "--halls", HALL) as driver,
    ):
        Path(folder).chmod(0o755)
        pdf, url = _a_document(Path(folder)), driver.plan["broker"]["url"]
        for seconds, name in ((30, "naive, stock cupsd"), (0, "naive, DirtyCleanInterval 0")):
            row = measure(
                fresh(Path(folder) / f"hall-{seconds}"), url, pdf, dirty_clean_seconds=seconds,
                jobs=options.jobs, pace_seconds=options.pace, weather=weather,
            )  # fmt: skip
            print(LINE.format(name, row.jobs, row.lost, row.twice, "-"), flush=True)
        printer = next(p for p in driver.hall(HALL)["printers"] if p["name"] == "proof-1")
        with slowly(Printer(Path(printer["sheets"]).parent)):
            storm = Storm(driver, STILL, options.seed, weather, ["proof"] * options.jobs)
            outcome = storm.run(options.pace)
        findings.testsfailed = len(outcome.violations)
        name = "certspool"
        print(LINE.format(name, outcome.jobs, outcome.broken("I2"), outcome.broken("I1"), outcome.asked), flush=True)
        print(outcome)
    return min(1, findings.testsfailed)


def _a_document(folder: Path) -> Path:
    """The same page that certspool prints."""
    request, pdf = folder / "request.json", folder / "document.pdf"
    request.write_text(json.dumps(a_proof(REGISTRY, HALL)))
    subprocess.run([CERTSPOOL, "render", str(request), "-o", str(pdf)], check=True, timeout=60, capture_output=True)
    pdf.chmod(0o644)
    return pdf


if __name__ == "__main__":
    sys.exit(main())
