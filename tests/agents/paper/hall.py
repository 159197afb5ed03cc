"""A hall's paper side on real parts: a private cupsd, virtual printers behind `once`, a permit directory."""

import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from pypdf import PdfWriter

from agents.permit import Claim, Permit, PermitDirectory
from agents.printers import Cups
from spooler.sandbox.cups import PrivateCups, Queue
from spooler.sandbox.virtual_printer import Printer

SPREAD = (332.0, 239.0)
A4 = (210.0, 297.0)
SIZES = {"Spread": SPREAD, "A4": A4}
POINTS_PER_MM = 72 / 25.4

T = TypeVar("T")


def a_document(*sizes_mm: tuple[float, float]) -> bytes:
    """A PDF of empty pages of these sizes, one spread if none is given."""
    writer, out = PdfWriter(), io.BytesIO()
    for width, height in sizes_mm or (SPREAD,):
        writer.add_blank_page(width * POINTS_PER_MM, height * POINTS_PER_MM)
    writer.write(out)
    return out.getvalue()


def a_title(order: UUID | None = None, number: int = 1, attempt: int = 1, sequence: int = 1) -> str:
    return f"{order or uuid4()}/{number}/{attempt}/{sequence}"


def until(probe: Callable[[], T], seconds: float = 60, why: str = "") -> T:
    """Return the first true answer; fail after a while."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"waited in vain {why}"
        time.sleep(0.02)
    return answer


@dataclass
class PaperHall:
    """What a test holds in its hands."""

    directory: Path
    permits: PermitDirectory
    cups: PrivateCups
    printers: dict[str, Printer] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _connection: Cups | None = None

    @property
    def connection(self) -> Cups:
        self._connection = self._connection or Cups(self.cups.socket)
        return self._connection

    @property
    def booklet(self) -> Printer:
        return self.printers["booklet-1"]

    def start_cups(self) -> None:
        self.process = subprocess.Popen(self.cups.argv, env=self.cups.environment)
        until(self.cups.is_ready, why="for cupsd")

    def kill_cups(self, how: int = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()
        self.process = None

    def add_printer(
        self, name: str, blanks: list[str] | None, *, sizes: dict[str, tuple[float, float]] = SIZES
    ) -> Printer:
        printer = Printer(self.directory / name)
        printer.create(blanks, "lp" if os.geteuid() == 0 else None)
        self.printers[name] = printer
        self.cups.add_queue(Queue(name, printer.device, sizes))
        return printer

    def sheets(self, name: str = "booklet-1") -> list[dict[str, Any]]:
        """What the device says that it marked: the only judge."""
        return [json.loads(path.read_bytes()) for path in sorted(self.printers[name].sheets.glob("[0-9]*.json"))]

    def command(self, *arguments: str) -> str:
        """Run one of CUPS's own commands against this cupsd, as anybody could."""
        environment = {**os.environ, "CUPS_SERVER": str(self.cups.socket)}
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr

    # ---- One pass by hand, step by step as the spool does it ----

    def spool(
        self, title: str | None = None, *, queue: str = "booklet-1", document: bytes | None = None
    ) -> tuple[UUID, int]:
        """A held job with its whole document, and no permit yet."""
        uuid, content = uuid4(), document or a_document()
        job = self.connection.create(
            queue, uuid, title or a_title(), self.connection.queue_facts(queue).page_size(*SPREAD)
        )
        self.connection.send(queue, job, content)
        return uuid, job

    def permit(self, uuid: UUID, job: int, *, queue: str = "booklet-1", **varied: Any) -> None:
        device = self.printers[queue].device if queue in self.printers else ""
        values = {"uuid": uuid, "job": job, "queue": queue, "device": device, "pages": 1, **varied}
        self.permits.issue(Permit(**values))

    def begin(self, **varied: Any) -> tuple[UUID, int]:
        """Spool, permit and release a pass."""
        uuid, job = self.spool()
        self.permit(uuid, job, **varied)
        self.connection.release(job)
        return uuid, job

    def wait_until_claimed(self, uuid: UUID) -> None:
        until(lambda: self.permits.fate(uuid).is_first, why="for the claim")

    def wait_until_sent(self, uuid: UUID) -> None:
        until(lambda: self.permits.fate(uuid).claim is Claim.FREE, why="for the sender's end")

    def wait_until_ended(self, job: int) -> None:
        """CUPS starts nothing more of this job by itself."""
        until(lambda: not self.connection.job(job).state.may_start, why="for the job's end")

    def wait_until_stalled(self, uuid: UUID) -> None:
        """The device has taken some bytes and stands."""
        self.wait_until_claimed(uuid)
        until(lambda: any(map(has_read, self.processes("virtual"))), why="for the real backend")

    def processes(self, backend: str) -> list[int]:
        """Running processes of one of this cupsd's backends."""
        program = os.fsencode(self.cups.directory / "bin/backend" / backend)
        return [pid for pid, words in command_lines() if program in words]

    def wrapper(self) -> int:
        """The `once` that cupsd started and waits for."""
        return next(pid for pid in self.processes("once") if os.getsid(pid) != pid)

    def sender(self) -> int:
        """The `once` in a session of its own."""
        return next(pid for pid in self.processes("once") if os.getsid(pid) == pid)

    def clear_up(self) -> None:
        if self.process is not None:
            self.kill_cups(signal.SIGTERM)
        for backend in ("once", "virtual", "socket", "ipp"):
            for pid in self.processes(backend):
                os.kill(pid, signal.SIGKILL)


def command_lines() -> Iterator[tuple[int, list[bytes]]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield int(path.parent.name), path.read_bytes().split(b"\0")
        except OSError:
            continue


def has_read(pid: int) -> bool:
    """Whether a process has taken something of the document on its descriptor 0."""
    try:
        return not Path(f"/proc/{pid}/fdinfo/0").read_text().startswith("pos:\t0\n")
    except OSError:
        return False


@contextmanager
def a_hall(directory: Path, blanks: int = 20) -> Iterator[PaperHall]:
    """A hall with one booklet printer; its folders are traversable, for lp has to enter them."""
    permits = PermitDirectory.open(directory / "permits", in_memory=True)
    hall = PaperHall(directory, permits, PrivateCups(directory / "cups", directory / "permits"))
    hall.cups.prepare()
    hall.start_cups()
    try:
        hall.add_printer("booklet-1", [f"231{n:08}" for n in range(1, blanks + 1)])
        yield hall
    finally:
        hall.clear_up()
