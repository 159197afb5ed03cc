"""How long from a request's 201 to the first byte at the printer, on an idle sandbox; run by `make bench`.

Beside it, in the same run, bare CUPS: the same page sent by `lp` through the same cupsd and filter, without certspool.
"""

import os
import statistics
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from spooler.sandbox.virtual_printer import Printer
from tests.journeys.build import a_certificate, a_proof
from tests.journeys.drive import Driver, eventually

ROUNDS = 60

pytestmark = pytest.mark.bench


def test_from_accepted_to_the_first_byte_at_the_printer(sandbox: Driver, capsys: pytest.CaptureFixture[str]):
    """Target: p50 ≤ 1 s, p99 ≤ 3 s, automatic release."""
    seconds = sorted(one_round(sandbox, n) for n in range(ROUNDS))
    p50, p99 = statistics.median(seconds), seconds[int(len(seconds) * 0.99)]

    with capsys.disabled():
        print(
            f"\naccepted → first byte at the printer, {ROUNDS} requests, idle: p50 {p50:.3f} s, p99 {p99:.3f} s, most {seconds[-1]:.3f} s"
        )
    assert p50 <= 1.0
    assert p99 <= 3.0


def one_round(sandbox: Driver, n: int) -> float:
    """Post one request, wait until it is issued, and return seconds from its acceptance to its first sheet's first byte."""
    job = sandbox.accepted([a_certificate, a_proof][n % 2]())
    accepted = datetime.fromisoformat(job["created_at"]).timestamp()
    ended = sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]
    return min(datetime.fromisoformat(sheet.at).timestamp() for sheet in sandbox.sheets_of(ended)) - accepted


def test_beside_bare_cups(sandbox: Driver, capsys: pytest.CaptureFixture[str]):
    """The floor nobody can go below: the same pages by `lp` through the same cupsd and filter to a printer of the same kind, no `once`."""
    hall = sandbox.plan["halls"][0]
    printer = Printer(Path(hall["config"]).parent / "printers" / "bare")
    printer.create(None, owner="lp" if os.geteuid() == 0 else None)
    pages = document_of(sandbox)
    bare = sorted(by_lp(hall["cups_socket"], printer, pages, n) for n in range(20))
    whole = sorted(one_round(sandbox, n) for n in range(20))

    with capsys.disabled():
        floor, ours = statistics.median(bare), statistics.median(whole)
        print(
            f"\nmedian of 20, one run: bare `lp` {floor:.3f} s, certspool from its 201 {ours:.3f} s, ratio {ours / floor:.1f}"
        )


def document_of(sandbox: Driver) -> bytes:
    job = sandbox.accepted(a_proof())
    sandbox.until([job["job_id"]], {"issued"}, 60)
    return sandbox.call("GET", f"/v1/jobs/{job['job_id']}/document").content


def by_lp(socket: str, printer: Printer, pages: bytes, n: int) -> float:
    """Print one document with plain `lp`, and return seconds until its sheet."""
    environment = {**os.environ, "CUPS_SERVER": socket}
    if n == 0:
        model = Path(socket).parent / "proof-1.ppd"
        command = ["/usr/sbin/lpadmin", "-p", "bare", "-E", "-v", printer.device, "-P", str(model)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    sheet = printer.sheets / f"{n + 1:06}.json"
    started = time.time()
    subprocess.run(
        ["lp", "-d", "bare", "-o", "print-scaling=none"], input=pages, env=environment, check=True, capture_output=True
    )
    eventually(sheet.exists, 30, lambda: "lp printed nothing", every_seconds=0.005)
    return time.time() - started
