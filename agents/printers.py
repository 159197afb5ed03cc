"""CUPS as the spool uses it: held jobs, sent, read back, released; the only module that imports pycups (step 5).

One `Cups` belongs to one thread: a pycups connection shared by threads segfaults, and its settings are per thread. Whatever CUPS says
is a hint about a job; whether a pass was sent is the permit's to say.
"""

import os
import pwd
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import cups

POINTS_PER_MM = 72 / 25.4
SAME_SIZE_POINTS = 1.0
TITLE = re.compile(r"[0-9a-f-]{36}/\d+/\d+/\d+")
JOB_ATTRIBUTES = [
    "job-id",
    "job-uuid",
    "job-name",
    "job-state",
    "job-printer-uri",
    "number-of-documents",
    "job-k-octets",
]

QUEUE_ATTRIBUTES = [
    "device-uri",
    "printer-type",
    "printer-is-shared",
    "printer-error-policy",
    "printer-op-policy",
    "job-sheets-default",
    "copies-default",
]
CLASS_BIT = cups.CUPS_PRINTER_CLASS | cups.CUPS_PRINTER_IMPLICIT  # of printer-type


class PrinterError(Exception):
    """CUPS does not do what a pass needs; nothing was released."""


class CupsUnreachable(PrinterError):
    """Nobody answers, or the answer was lost: tried again."""


class CupsRefused(PrinterError):
    """CUPS answered no."""


class SizeMissing(PrinterError):
    """The queue knows no page of this size: an operator gave the printer another stock's description."""


class NotSpooled(PrinterError):
    """CUPS has not what was sent: another try."""


class JobState(StrEnum):
    """What CUPS says of a job; never the judge of whether it was sent."""

    PENDING = "pending"
    HELD = "held"
    PROCESSING = "processing"
    STOPPED = "stopped"
    CANCELED = "canceled"
    ABORTED = "aborted"
    COMPLETED = "completed"
    MISSING = "missing"

    @property
    def may_start(self) -> bool:
        """Whether the backend may start by itself."""
        return self in (JobState.PENDING, JobState.PROCESSING, JobState.STOPPED)


_STATES = dict(enumerate(list(JobState)[:7], start=3))


@dataclass(frozen=True)
class Job:
    """A CUPS job, read back."""

    number: int
    uuid: UUID | None
    title: str
    state: JobState
    queue: str
    documents: int
    kilobytes: int

    @property
    def is_left(self) -> bool:
        """Say whether it has ended and its document is still in the spool: cupsd says so itself, and nobody else may look there."""
        return self.state in (JobState.COMPLETED, JobState.CANCELED, JobState.ABORTED) and self.documents > 0


@dataclass(frozen=True)
class QueueFacts:
    """How a queue would treat a pass."""

    is_raw: bool  # without a description no filter runs: the backend gets the very bytes
    sizes: Mapping[str, tuple[float, float]]  # PageSize → points

    def page_size(self, width_mm: float, height_mm: float) -> str | None:
        """Return the queue's own name of this size; None on a raw queue. Never a size that is nearly it."""
        if self.is_raw:
            return None
        wanted = (width_mm * POINTS_PER_MM, height_mm * POINTS_PER_MM)
        for name, size in self.sizes.items():
            if all(abs(a - b) <= SAME_SIZE_POINTS for a, b in zip(size, wanted, strict=True)):
                return name
        raise SizeMissing(f"the queue has no page of {width_mm} × {height_mm} mm")


class Cups:
    """A connection to cupsd's domain socket, made when first needed and again after an error. Of one thread."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._connection: cups.Connection | None = None

    def queue_facts(self, queue: str) -> QueueFacts:
        """Read the queue's description from this very cupsd (`getPPD` would look into the machine's own folder first)."""
        with tempfile.TemporaryDirectory() as folder, self._errors():
            connection, description = self._connected(), Path(folder, "description.ppd")
            about = connection.getPrinterAttributes(queue, requested_attributes=["printer-make-and-model"])
            if str(about.get("printer-make-and-model", "")).endswith("Raw Printer"):
                return QueueFacts(is_raw=True, sizes={})
            description.touch()  # getFile writes only into a file that is there, and removes it when it fails
            connection.getFile(f"/printers/{queue}.ppd", filename=str(description))
            return read_description(description.read_text(encoding="latin-1"))

    def queue_is_stopped(self, queue: str) -> bool:
        """Whether the queue itself, not the device, was stopped by somebody."""
        with self._errors():
            attributes = self._connected().getPrinterAttributes(queue, requested_attributes=["printer-state"])
        return bool(attributes.get("printer-state") == cups.IPP_PRINTER_STOPPED)

    def create(self, queue: str, uuid: UUID, title: str, page_size: str | None) -> int:
        """Create a held job and return its number. Only options of ours, never one out of a message."""
        if not TITLE.fullmatch(title):
            raise ValueError("a title holds ids only")
        options = {
            "job-uuid": uuid.urn,
            "job-hold-until": "indefinite",
            "copies": "1",
            "job-sheets": "none,none",
            "number-up": "1",
            "sides": "one-sided",
            "print-scaling": "none",
            **({"PageSize": page_size} if page_size else {}),
        }
        with self._errors():
            return int(self._connected().createJob(queue, title, options))

    def send(self, queue: str, job: int, document: bytes) -> None:
        """Send the document. An answer of OK proves nothing: read back with `check_spooled`."""
        with self._errors():
            connection = self._connected()
            connection.startDocument(queue, job, "pass", "application/pdf", 1)
            # pycups reads beyond a buffer shorter than it is told, so the number is always taken from it.
            for start in range(0, len(document), 65536):
                piece = document[start : start + 65536]
                connection.writeRequestData(piece, len(piece))
            connection.finishDocument(queue)

    def check_spooled(self, queue: str, job: int, uuid: UUID, length: int) -> None:
        """Raise NotSpooled unless CUPS holds this one whole document under this uuid in this queue."""
        found = self.job(job)
        expected = (uuid, JobState.HELD, queue, 1, -(-length // 1024))
        if (found.uuid, found.state, found.queue, found.documents, found.kilobytes) != expected:
            raise NotSpooled(f"CUPS job {job} is {found.state}, {found.documents} documents, {found.kilobytes} KiB")

    def release(self, job: int) -> None:
        """Let the job go. When the answer is lost it may have gone all the same."""
        with self._errors():
            self._connected().setJobHoldUntil(job, "no-hold")

    def job(self, number: int) -> Job:
        """Return the job as CUPS has it, `missing` when it has forgotten it."""
        with self._errors():
            try:
                attributes = self._connected().getJobAttributes(number, JOB_ATTRIBUTES)
            except cups.IPPError as e:
                if e.args[0] == cups.IPP_NOT_FOUND:
                    return Job(number, None, "", JobState.MISSING, "", 0, 0)
                raise
        return _job({"job-id": number, **attributes})

    def cancel(self, uuid: UUID) -> None:
        """Cancel every job of this uuid that has not ended. It is tidying up: cancelling is not revoking."""
        for job in self.waiting_jobs():
            if job.uuid == uuid:
                self.cancel_job(job.number)

    def cancel_job(self, number: int) -> None:
        """Cancel one job; that it has ended meanwhile is as good."""
        with self._errors():
            try:
                self._connected().cancelJob(number)
            except cups.IPPError as e:
                if e.args[0] not in (cups.IPP_NOT_POSSIBLE, cups.IPP_NOT_FOUND):
                    raise

    def waiting_jobs(self) -> list[Job]:
        """All jobs that have not ended, of every queue."""
        with self._errors():
            found = self._connected().getJobs(which_jobs="not-completed", requested_attributes=JOB_ATTRIBUTES)
        return [_job({"job-id": number, **attributes}) for number, attributes in found.items()]

    def ended_jobs(self, since: float) -> list[Job]:
        """The newest jobs that have ended and were created since then (seconds of the epoch), of every queue."""
        wanted = [*JOB_ATTRIBUTES, "time-at-creation"]
        with self._errors():
            found = self._connected().getJobs(which_jobs="completed", requested_attributes=wanted)
        late = {number: job for number, job in found.items() if int(job.get("time-at-creation") or 0) >= since}
        return [_job({"job-id": number, **attributes}) for number, attributes in late.items()]

    def queues(self) -> Mapping[str, str]:
        """Every queue and class of this cupsd with its device."""
        with self._errors():
            found = self._connected().getPrinters()
        return {name: str(attributes.get("device-uri", "")) for name, attributes in found.items()}

    def attributes(self, queue: str) -> Mapping[str, object]:
        """What the queue does with a job unless it is told otherwise."""
        with self._errors():
            return dict(self._connected().getPrinterAttributes(queue, requested_attributes=QUEUE_ATTRIBUTES))

    def make_safe(self, queue: str, device: str) -> None:
        """Give a queue this device, no banners, one copy, no sharing, and no second chance for a failed job."""
        with self._errors():
            connection = self._connected()
            connection.addPrinter(queue, device=device)
            connection.setPrinterErrorPolicy(queue, "abort-job")
            connection.setPrinterJobSheets(queue, "none", "none")
            connection.setPrinterShared(queue, False)
            connection.addPrinterOptionDefault(queue, "copies", "1")

    def set_policy(self, queue: str, policy: str) -> None:
        """Put a queue under a policy of cupsd.conf, which cupsd must have read already."""
        with self._errors():
            self._connected().setPrinterOpPolicy(queue, policy)

    def _connected(self) -> cups.Connection:
        if self._connection is None:
            cups.setEncryption(cups.HTTP_ENCRYPT_NEVER)  # the argument of Connection is ignored
            cups.setServer(str(self._socket))
            cups.setUser(pwd.getpwuid(os.geteuid()).pw_name)  # what the socket's other end sees, whatever $USER says
            self._connection = cups.Connection(host=str(self._socket))
        return self._connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """pycups ends here. After an error a new connection is made, since the old may be in mid-answer."""
        try:
            yield
        except (RuntimeError, cups.HTTPError) as e:
            self._connection = None
            raise CupsUnreachable(f"CUPS does not answer ({type(e).__name__})") from e
        except cups.IPPError as e:
            self._connection = None
            # 1280 is said for a lost answer, for a server that is down and for an unknown queue alike.
            kind = CupsUnreachable if e.args[0] >= cups.IPP_INTERNAL_ERROR else CupsRefused
            raise kind(f"CUPS answered {e.args[0]}") from e


def read_description(text: str) -> QueueFacts:
    """Return the page sizes of a PPD."""
    found = re.findall(r'^\*PaperDimension ([^:/\s]+)[^:]*:\s*"([\d.]+) ([\d.]+)"', text, re.MULTILINE)
    return QueueFacts(is_raw=False, sizes={name: (float(width), float(height)) for name, width, height in found})


def _job(attributes: Mapping[str, object]) -> Job:
    urn = str(attributes.get("job-uuid", ""))
    return Job(
        number=int(str(attributes["job-id"])),
        uuid=UUID(urn) if re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", urn) else None,
        title=str(attributes.get("job-name", "")),
        state=_STATES[int(str(attributes["job-state"]))],
        queue=str(attributes.get("job-printer-uri", "")).rpartition("/")[2],
        documents=int(str(attributes.get("number-of-documents", 0))),
        kilobytes=int(str(attributes.get("job-k-octets", 0))),
    )
