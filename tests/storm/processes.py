"""Finds the processes of one hall, below its own cupsd and daemons only: what belongs to nobody else may be struck."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

LOOK_SECONDS = 0.02
PROC = Path("/proc")


def belongs(pid: int, directory: Path) -> bool:
    """Say whether this process lives and runs in or from that directory: numbers are given out again."""
    own = os.fsencode(directory)
    try:
        here = os.fsencode(os.readlink(PROC / str(pid) / "cwd"))
        return own in here or own in (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False


def strike(pid: int, name: str) -> bool:
    """Send the signal of this name; the caller knows whose it is."""
    try:
        os.kill(pid, getattr(signal, name))
    except ProcessLookupError:
        return False
    return True


def seen(what: str, cupsd: int, seconds: float) -> int | None:
    """Wait until such a process of a pass is there, and return it: once, sender, backend or filter."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in below(cupsd):
            if is_a(what, pid):
                return pid
        time.sleep(LOOK_SECONDS)
    return None


def printing(cupsd: int, printer: str, seconds: float) -> tuple[int, str] | None:
    """Wait until the real backend of this queue has taken data; return it and its CUPS job."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for pid in below(cupsd):
            if is_a("backend", pid) and _prints_on(printer, pid):
                return pid, _job_of(pid)
        time.sleep(LOOK_SECONDS)
    return None


def _prints_on(printer: str, pid: int) -> bool:
    try:
        is_there = b"PRINTER=" + printer.encode() in (PROC / f"{pid}/environ").read_bytes().split(b"\0")
        return is_there and not (PROC / f"{pid}/fdinfo/0").read_text().startswith("pos:\t0\n")
    except OSError:
        return False


def _job_of(pid: int) -> str:
    words = (PROC / f"{pid}/cmdline").read_bytes().split(b"\0")
    program = next(place for place, word in enumerate(words) if word.endswith(b"/backend/virtual"))
    return words[program + 1].decode()


def sender_of(backend: int) -> int:
    """Return the sender that started this backend: the leader of its session."""
    return os.getsid(backend)


def below(pid: int) -> Iterator[int]:
    """Yield all descendants of a process. (Not every kernel has /proc/PID/task/TID/children.)"""
    children: dict[int, list[int]] = {}
    for child in (int(name) for name in os.listdir(PROC) if name.isdecimal()):
        children.setdefault(_parent(child), []).append(child)
    generation = [pid]
    while generation:
        generation = [child for parent in generation for child in children.get(parent, [])]
        yield from generation


def _parent(pid: int) -> int:
    try:
        return int((PROC / f"{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def is_a(what: str, pid: int) -> bool:
    """Say whether this is a process of that kind."""
    try:
        line = (PROC / f"{pid}/cmdline").read_bytes()
        if what == "filter":
            return os.readlink(PROC / f"{pid}/exe").endswith("/pdftopdf")
        if what == "backend":
            return b"/backend/virtual\0" in line and os.getsid(pid) != pid  # a session of its own has only the device
        return b"/backend/once\0" in line and (os.getsid(pid) == pid) == (what == "sender")
    except OSError:
        return False
