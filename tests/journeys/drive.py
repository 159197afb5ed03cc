"""Drives a sandbox from outside, by its stable surface only: sandbox.json, HTTP, and what lies in the printers' trays.

Nothing here imports the product, so that what these journeys hold is what a registration system and a clerk can hold on to.
"""

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageChops

PASSES_ON_BLANKS = {"certificate": 3, "proof": 1}
PAPER = {"certificate": "certificate", "proof": "proof", "record": "plain"}
ENDED = {"issued", "refused", "cancelled", "withdrawn", "superseded"}


@dataclass(frozen=True)
class Sheet:
    """One side that a virtual printer marked: the only judge of what came out."""

    hall: str
    printer: str
    stock: str
    pdf: Path
    title: str
    complete: bool
    serial: str | None
    at: str

    @property
    def order_id(self) -> str:
        return self.title.split("/")[0]

    @property
    def pass_number(self) -> str:
        return self.title.split("/")[1]

    @cached_property
    def text(self) -> str:
        """What a reader reads on it, without white space."""
        out = subprocess.run(["pdftotext", str(self.pdf), "-"], capture_output=True, check=True, timeout=30).stdout
        return squeezed(out.decode())


class Driver:
    """One sandbox."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.http = httpx.Client(timeout=60)

    @property
    def plan(self) -> dict[str, Any]:
        """sandbox.json as it is now: pids change at each restart."""
        return json.loads((self.directory / "sandbox.json").read_text())

    @cached_property
    def home(self) -> dict[str, Any]:
        return self.plan["homes"][0]

    def hall(self, hall: str) -> dict[str, Any]:
        return next(h for h in self.plan["halls"] if h["hall"] == hall)

    # home
    def call(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.home['token']}"}
        return self.http.request(method, self.home["api"] + path, headers=headers, **more)

    def post(self, request: dict[str, Any]) -> httpx.Response:
        return self.call("POST", "/v1/jobs", json=request)

    def accepted(self, request: dict[str, Any]) -> dict[str, Any]:
        """Post a request that must be taken, and return its job."""
        answer = self.post(request)
        assert answer.status_code == 201, (answer.status_code, answer.text)
        return answer.json()

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.call("GET", f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, job_ids: Iterable[str], states: set[str], seconds: float) -> dict[str, dict[str, Any]]:
        """Wait until each of these jobs is in one of `states`, and return them all."""
        jobs: dict[str, dict[str, Any]] = {}
        waiting = set(job_ids)

        def all_there() -> bool:
            for job_id in sorted(waiting):
                job = self.job(job_id)
                if job["state"] in states:
                    jobs[job_id] = job
            waiting.difference_update(jobs)
            return not waiting

        eventually(
            all_there,
            seconds,
            lambda: f"still not in {sorted(states)}: {[self._brief(j) for j in sorted(waiting)[:5]]}",
        )
        return jobs

    def _brief(self, job_id: str) -> tuple[str, str, list[str]]:
        job = self.job(job_id)
        return job_id, job["state"], job["reasons"]

    def is_home_ready(self) -> bool:
        try:
            return self.http.get(self.home["api"] + "/readyz").status_code == 200
        except httpx.TransportError:
            return False

    # the paper
    def sheets(self) -> list[Sheet]:
        return [
            Sheet(
                hall["hall"],
                printer["name"],
                printer["stock"],
                path.with_suffix(".pdf"),
                (told := json.loads(path.read_text()))["title"],
                told["complete"],
                told["serial"],
                told["at"],
            )
            for hall in self.plan["halls"]
            for printer in hall["printers"]
            for path in sorted(Path(printer["sheets"]).glob("*.json"))
        ]

    def sheets_of(self, job: dict[str, Any]) -> list[Sheet]:
        orders = {order["order_id"] for order in job["orders"]}
        return [sheet for sheet in self.sheets() if sheet.order_id in orders]

    def callbacks(self) -> list[dict[str, Any]]:
        """What the registration system was told, oldest first; its end has checked each signature."""
        return [json.loads(line) for line in Path(self.home["callback"]["received"]).read_text().splitlines()]

    # faults
    def kill(self, pid: int, name: str) -> None:
        """SIGKILL a part and start it again by its own argv."""
        os.kill(pid, signal.SIGKILL)
        self.restart(name)

    def restart(self, name: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.plan["restart"][name],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def assert_printed_once(driver: Driver, job: dict[str, Any], request: dict[str, Any]) -> None:
    """The paper of one job is as the promises say: right hall, right stock, one sheet a pass, its serial, its text."""
    kind = request["document"]["kind"]
    sheets = driver.sheets_of(job)
    if PAPER[kind] == "plain":
        assert_slip_printed_once(job, request, sheets)
        return
    faces = [s for s in sheets if s.stock != "plain"]
    has_image = any(a["role"] in {"parcel_map", "unit_plan"} for a in request.get("annexes", []))
    expected = PASSES_ON_BLANKS[kind] - (kind == "certificate" and not has_image)

    assert {s.hall for s in sheets} == {request["hall"]}
    assert {s.stock for s in faces} == {kind}
    assert all(s.complete for s in sheets)
    assert len(faces) == len({s.pass_number for s in faces}) == expected
    assert {s.serial for s in faces} == {job["serial"]}
    read = "".join(s.text for s in faces)
    missing = [name for name, value in request["document"]["fields"].items() if squeezed(value) not in read]
    assert missing == []
    lists = [a for a in request.get("annexes", []) if a["role"] in {"collateral_list", "attachment"}]
    plain = [s for s in sheets if s.stock == "plain"]
    rows = request["document"].get("collateral") or []
    assert bool(lists or rows) == bool(plain)
    listed = "".join(s.text for s in plain)
    assert [row["unit_number"] for row in rows if squeezed(row["unit_number"]) not in listed] == []


def assert_slip_printed_once(job: dict[str, Any], request: dict[str, Any], sheets: list[Sheet]) -> None:
    """One sheet of white paper, whole, at the right hall, and no serial anywhere."""
    (slip,) = sheets
    assert (slip.hall, slip.stock, slip.complete) == (request["hall"], "plain", True)
    assert (slip.serial, job["serial"]) == (None, None)
    missing = [name for name, value in request["document"]["fields"].items() if squeezed(value) not in slip.text]
    assert missing == []


def assert_looks_like(document: bytes, sheets: list[Sheet], folder: Path) -> None:
    """Each sheet shows what its page of the document shows: nothing scaled, shifted, lost or laid over another on the way to paper.

    At 40 dpi one pixel is 0.6 mm; edges may be smoothed otherwise, so a few pixels may differ a little.
    """
    whole = folder / "document.pdf"
    whole.write_bytes(document)
    for page, sheet in enumerate(sheets, 1):
        meant, came = pixels(whole, page, folder), pixels(sheet.pdf, 1, folder)
        assert meant.size == came.size, (sheet.title, meant.size, came.size)
        differs = ImageChops.difference(meant, came).point(lambda value: 255 if value > 96 else 0)
        assert sum(differs.histogram()[1:]) <= 0.0005 * meant.width * meant.height, sheet.title


def pixels(pdf: Path, page: int, folder: Path) -> Image.Image:
    command = [
        "pdftoppm",
        "-r",
        "40",
        "-gray",
        "-f",
        str(page),
        "-l",
        str(page),
        "-singlefile",
        str(pdf),
        str(folder / "page"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return Image.open(folder / "page.pgm").copy()


def with_content(request: dict[str, Any], annexes: Path) -> dict[str, Any]:
    """Put the annexes' bytes into the request, as a client does that posts JSON."""
    inline = [
        {**a, "content": base64.b64encode((annexes / a["name"]).read_bytes()).decode()}
        for a in request.get("annexes", [])
    ]
    return {**request, "annexes": inline}


def squeezed(text: str) -> str:
    return "".join(text.split())


def eventually(
    true: Callable[[], bool], seconds: float, otherwise: Callable[[], str], every_seconds: float = 0.2
) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, otherwise()
        time.sleep(every_seconds)
