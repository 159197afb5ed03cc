#!/usr/bin/python3 -IS
"""A printer that exists in a folder: CUPS backend `virtual:DIR` and, with one argument, the probe program of that scheme.

Standard library only; both are copies of this file. The folder holds `tray.json` (the numbered blanks, next first; none for plain
paper), `fault.json` while it misbehaves, `misplacement.json` while it prints askew, and `sheets/`: NNNNNN.pdf for each side marked,
NNNNNN.json beside it, written last. These are the ground truth for tests: nothing of ours reads them but the simulated clerk.

What has attempt 0 in its title (a calibration sheet) is marked on plain paper, as if the clerk had put it in as he was told.
"""

import contextlib
import fcntl
import hashlib
import json
import math
import os
import pwd
import re
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SCHEME = "virtual"
FAULTS = ("jam", "out-of-stock", "offline", "stall", "cut", "drain", "answer-lost", "double-feed", "wrong-blank")
REASONS = {"jam": "media-jam-error", "out-of-stock": "media-empty-error", "offline": "offline"}
MISPLACED = "misplace"  # not a fault that stops anything: every mark lands elsewhere on the paper
PEEK_SECONDS = 0.05
_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")  # seen once, as pdftopdf writes: one page; else poppler is asked


class Stopped(Exception):
    """The device gave up on this job."""


@dataclass(frozen=True)
class Printer:
    """The folder of one printer."""

    directory: Path

    @property
    def sheets(self) -> Path:
        return self.directory / "sheets"

    @property
    def device(self) -> str:
        return f"{SCHEME}:{self.directory}"

    def create(self, blanks: Sequence[str] | None, owner: str | None = None) -> None:
        """Make the folder, loaded; `None` means plain paper. `owner` is the user whom the backends run as."""
        self.sheets.mkdir(parents=True, exist_ok=True)
        self.sheets.chmod(0o700)  # what is printed here is somebody's
        if not (self.directory / "tray.json").exists():
            self.load(blanks)
        (self.directory / "busy").touch()
        if owner is not None:
            for path in (self.directory, self.sheets, self.directory / "tray.json", self.directory / "busy"):
                os.chown(path, pwd.getpwnam(owner).pw_uid, -1)

    def load(self, blanks: Sequence[str] | None) -> None:
        """Put these blanks into the tray, instead of what is there."""
        tray = {"blanks": None if blanks is None else list(blanks), "job": None, "serial": None}
        _write(self.directory / "tray.json", tray)

    def tray(self) -> dict[str, Any]:
        return dict(json.loads((self.directory / "tray.json").read_bytes()))

    def fault(self) -> tuple[str | None, int]:
        """The fault that is on, and the number of bytes that `cut` lets through."""
        with contextlib.suppress(FileNotFoundError):
            fault = json.loads((self.directory / "fault.json").read_bytes())
            return fault["fault"], int(fault.get("bytes", 0))
        return None, 0

    def set_fault(self, text: str) -> None:
        """Turn a fault on by its word (`cut:BYTES` has a number), or off with `clear`."""
        word, _, number = text.partition(":")
        if word == "clear":
            (self.directory / "fault.json").unlink(missing_ok=True)
            (self.directory / "misplacement.json").unlink(missing_ok=True)
        elif word == MISPLACED:
            _write(self.directory / "misplacement.json", vars(read_misplacement(number)))
        elif word not in FAULTS or (word == "cut") != number.isdecimal():
            raise ValueError(f"no such fault: {text}")
        else:
            _write(self.directory / "fault.json", {"fault": word, **({"bytes": int(number)} if number else {})})

    def misplacement(self) -> "Misplacement":
        """How far off it prints."""
        with contextlib.suppress(FileNotFoundError):
            return Misplacement(**json.loads((self.directory / "misplacement.json").read_bytes()))
        return Misplacement()

    def standing(self) -> dict[str, Any]:
        """How it stands, in IPP words."""
        if reason := self.stopped_by():
            return {"state": "stopped", "reasons": [reason]}
        with open(self.directory / "busy", "rb") as busy:
            try:
                fcntl.flock(busy, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return {"state": "processing", "reasons": []}
        return {"state": "idle", "reasons": []}

    def stopped_by(self) -> str | None:
        """Why it takes nothing. The last booklet of an empty tray still lies in the works for its further passes."""
        tray = self.tray()
        is_empty = tray["blanks"] == [] and tray["serial"] is None
        return REASONS.get(self.fault()[0] or "") or (REASONS["out-of-stock"] if is_empty else None)

    def has_blank_for(self, job: "Job") -> bool:
        """Whether a side of this job can be marked; a booklet of another attempt is taken out of the works if not."""
        tray = self.tray()
        if job.is_on_plain or tray["blanks"] != [] or tray["job"] == job.blank_key:
            return True
        self.load([])
        return False


@dataclass(frozen=True)
class Job:
    """What CUPS says of the data that comes."""

    title: str
    uuid: str | None

    @property
    def blank_key(self) -> str:
        """Order and attempt of `<order>/<pass>/<attempt>/<try>`: the passes of one attempt go on one blank."""
        parts = self.title.split("/")
        return f"{parts[0]}/{parts[2]}" if len(parts) == 4 else self.title

    @property
    def is_on_plain(self) -> bool:
        """An attempt is a numbered blank; attempt 0 is none."""
        parts = self.title.split("/")
        return len(parts) == 4 and parts[2] == "0"


@dataclass(frozen=True)
class Misplacement:
    """What a printer does to a page, about the middle of the sheet: scaled, turned clockwise, moved."""

    right: float = 0.0  # mm
    down: float = 0.0  # mm
    wider: float = 0.0  # per cent
    taller: float = 0.0  # per cent
    turn: float = 0.0  # degrees

    def matrix(self, width: float, height: float) -> tuple[float, float, float, float, float, float]:
        """Return the operands of PDF's `cm` for a page of this size in points: y goes up there."""
        sine, cosine = math.sin(math.radians(self.turn)), math.cos(math.radians(self.turn))
        wide, tall = 1 + self.wider / 100, 1 + self.taller / 100
        a, b, c, d = wide * cosine, -wide * sine, tall * sine, tall * cosine
        x, y = width / 2, height / 2
        return a, b, c, d, x - a * x - c * y + self.right * 72 / 25.4, y - b * x - d * y - self.down * 72 / 25.4


def read_misplacement(text: str) -> Misplacement:
    """Return RIGHT,DOWN[,WIDER,TALLER[,TURN]] in mm, mm, per cent, per cent, degrees."""
    try:
        numbers = [float(word) for word in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 4, 5) or not all(map(math.isfinite, numbers)):
        raise ValueError(f"no such fault: {MISPLACED}:{text} (RIGHT,DOWN,WIDER,TALLER,TURN in mm, mm, %, %, degrees)")
    return Misplacement(*numbers)


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    """Answer the probe (one argument, the device), or print what a backend is given."""
    if len(argv) == 1:
        return 0
    device = argv[1] if len(argv) == 2 else environment["DEVICE_URI"]
    printer = Printer(Path(device.partition(":")[2]))
    if len(argv) == 2:
        print(json.dumps(printer.standing()))
        return 0
    if len(argv) == 7:  # so cupsd calls a backend behind no filter
        os.dup2(os.open(argv[6], os.O_RDONLY), 0)
    return run(printer, read_job(argv))


def read_job(argv: Sequence[str]) -> Job:
    """Return title and job-uuid of a backend's arguments."""
    words = [word for word in shlex.split(argv[5]) if word.startswith("job-uuid=urn:uuid:")]
    return Job(argv[3], words[0][18:] if words else None)


def run(printer: Printer, job: Job) -> int:
    """Take what stands on descriptor 0 and mark it on paper."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with open(printer.directory / "busy", "rb") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if printer.stopped_by() or not printer.has_blank_for(job):
            return 1
        if printer.fault()[0] == "drain":
            return drain(printer, job, busy.fileno())
        data = bytearray()
        try:
            for piece in pieces(printer):
                data += piece
        except (Stopped, SystemExit):
            mark(printer, job, bytes(data), complete=False)
            return 1
        mark(printer, job, bytes(data), complete=data.rstrip().endswith(b"%%EOF"))
        return 1 if printer.fault()[0] == "answer-lost" else 0


def drain(printer: Printer, job: Job, busy: int) -> int:
    """Hand the data to a device with a memory of its own: it marks what it got once it is cleared, whoever has died by then."""
    from_backend, to_device = os.pipe()
    device = os.fork()
    if device == 0:
        try:
            _become_device(from_backend, busy)
            data = b"".join(iter(lambda: os.read(0, 65536), b""))
            while printer.fault()[0] == "drain":
                time.sleep(PEEK_SECONDS)
            mark(printer, job, data, complete=data.rstrip().endswith(b"%%EOF"))
        finally:
            os._exit(0)
    os.close(from_backend)
    with open(to_device, "wb", buffering=0) as memory:
        while piece := os.read(0, 16384):
            memory.write(piece)
    os.waitpid(device, 0)
    return 0


def _become_device(source: int, busy: int) -> None:
    """Be nobody's child any more: of what the backend held, keep the data and being busy, above all none of its locks."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    busy, source = os.dup(busy), os.dup(source)
    for place, descriptor in enumerate((source, nothing, nothing, busy)):
        os.dup2(descriptor, place)
    os.closerange(4, 1024)


def pieces(printer: Printer) -> Iterator[bytes]:
    """Yield the data as the device takes it: to its end, or to where the fault stops it."""
    taken = 0
    while True:
        fault, cut = printer.fault()
        if fault in REASONS or (fault == "cut" and taken >= cut):
            raise Stopped
        if fault == "stall" and taken:
            time.sleep(PEEK_SECONDS)
            continue
        piece = os.read(0, min(16384, cut - taken) if fault == "cut" else 16384)
        if not piece:
            return
        taken += len(piece)
        yield piece


def mark(printer: Printer, job: Job, data: bytes, *, complete: bool) -> None:
    """Write a sheet for each side that is marked; without any data no blank is fed."""
    if not data:
        return
    serial = feed(printer, job)
    sides = split(data) if complete else [data]
    if complete and (misplacement := printer.misplacement()) != Misplacement():
        sides = [misplace(side, misplacement) for side in sides]
    number = 1 + max((int(path.stem) for path in printer.sheets.glob("[0-9]*.json")), default=0)
    for offset, side in enumerate(sides):
        place = printer.sheets / f"{number + offset:06}.pdf"
        place.write_bytes(side)
        note = {
            "title": job.title,
            "job_uuid": job.uuid,
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        note |= {"complete": complete, "serial": serial, "at": datetime.now(UTC).isoformat()}
        _write(place.with_suffix(".json"), note)


def feed(printer: Printer, job: Job) -> str | None:
    """Return the serial of the blank that this side is marked on: the one in the works, or the next of the tray."""
    tray = printer.tray()
    if tray["blanks"] is None or job.is_on_plain:
        return None
    if tray["job"] != job.blank_key:
        _write(printer.directory / "tray.json", tray := take_blank(tray, printer.fault()[0]) | {"job": job.blank_key})
    return str(tray["serial"]) if tray["serial"] is not None else None


def take_blank(tray: Mapping[str, Any], fault: str | None) -> dict[str, Any]:
    """Return the tray without the blank fed: two at once and the upper marked (double-feed), or not the one in turn (wrong-blank)."""
    blanks = list(tray["blanks"])
    if fault == "wrong-blank" and len(blanks) > 1:
        serial = blanks.pop(1)
    else:
        serial = blanks.pop(0)
        del blanks[: 1 if fault == "double-feed" else 0]
    return {**tray, "blanks": blanks, "serial": serial}


def split(data: bytes) -> list[bytes]:
    """Return the sides of a document, one PDF each. (No PDF library here; poppler's own tool does it.)"""
    if len(_PAGE.findall(data)) == 1:
        return [data]
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole.pdf")
        whole.write_bytes(data)
        subprocess.run(
            ["pdfseparate", whole, Path(folder, "side-%06d.pdf")], check=True, capture_output=True, timeout=60
        )
        sides = [path.read_bytes() for path in sorted(Path(folder).glob("side-*.pdf"))]
    return [data] if len(sides) == 1 else sides


_NUMBER = rb"[-+]?[0-9.]+"
_MEDIA_BOX = re.compile(rb"/MediaBox\s*\[\s*(%s)\s+(%s)\s+(%s)\s+(%s)\s*\]" % ((_NUMBER,) * 4))
_CONTENTS = re.compile(rb"/Contents\s*(?:\[([^\]]*)\]|(\d+\s+\d+\s+R))")


def misplace(side: bytes, how: Misplacement) -> bytes:
    """Return a PDF of one page with all its marks elsewhere, by an update at its end: a matrix before what it draws."""
    page = max(re.finditer(rb"(\d+)\s+0\s+obj\b", side[: _last_page(side)]), key=lambda found: found.start())
    dictionary = side[page.end() : side.index(b"endobj", page.end())]
    box, drawn = _MEDIA_BOX.search(dictionary), _CONTENTS.search(dictionary)
    trailer = side[side.rindex(b"trailer") :]
    size, root = re.search(rb"/Size\s+(\d+)", trailer), re.search(rb"/Root\s+\d+\s+\d+\s+R", trailer)
    if drawn is None:  # a page that marks nothing
        return side
    if box is None or size is None or root is None:
        raise ValueError("a page of another make")
    first = int(size[1])
    matrix = how.matrix(float(box[3]) - float(box[1]), float(box[4]) - float(box[2]))
    before = b"q " + b" ".join(b"%.7f" % number for number in matrix) + b" cm"
    contents = b"/Contents [ %d 0 R %s %d 0 R ]" % (first, drawn[1] or drawn[2], first + 1)
    dictionary = dictionary[: drawn.start()] + contents + dictionary[drawn.end() :]
    new = {int(page[1]): dictionary, first: _stream(before), first + 1: _stream(b"Q")}
    return _updated(side, new, first + 2, root[0])


def _last_page(side: bytes) -> int:
    *_, found = _PAGE.finditer(side)
    return found.start()


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream\n" % (len(content) + 2, b"\n" + content + b"\n")


def _updated(pdf: bytes, objects: Mapping[int, bytes], size: int, root: bytes) -> bytes:
    """Return a PDF with these objects new or in the place of old ones (ISO 32000-1 §7.5.6)."""
    before = re.findall(rb"startxref\s+(\d+)", pdf)[-1]
    out, table = bytearray(pdf.rstrip() + b"\n"), b"xref\n"
    for number, content in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content.strip())
    trailer = b"trailer\n<< /Size %d %s /Prev %s >>\n" % (size, root, before)
    return bytes(out + table + trailer + b"startxref\n%d\n%%%%EOF\n" % len(out))


def _write(path: Path, value: object) -> None:
    """Write aside, then rename: whoever reads it reads the whole of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(value), encoding="utf-8")
    beside.chmod(0o644)
    owner = os.stat(path.parent)
    if os.geteuid() == 0:
        os.chown(beside, owner.st_uid, owner.st_gid)
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv, os.environ))
