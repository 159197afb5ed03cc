"""Finds the processes of one hall, below its own cupsd and daemons only: what belongs to nobody else may be struck."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

LOOK_SECONDS = 0.01
PROC = Path("/proc")


def belongs(pid: int, directory: Path) -> bool:
    """Say whether this process lives and runs in or from that directory: numbers are given out again."""
    own = os.fsencode(directory)
    try:
        here = os.fsencode(os.readlink(PROC / str(pid) / "cwd"))
        return own in here or own in (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False


def strike(pid: int, name: str, directory: Path) -> bool:
    """Send the signal of this name, if that process is still there and ours."""
    if not belongs(pid, directory):
        return False
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
            if _is(what, pid):
                return pid
        time.sleep(LOOK_SECONDS)
    return None


def below(pid: int) -> Iterator[int]:
    """Yield all descendants of a process."""
    try:
        children = [int(word) for word in (PROC / f"{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield child
        yield from below(child)


def _is(what: str, pid: int) -> bool:
    try:
        line = (PROC / f"{pid}/cmdline").read_bytes()
        if what == "filter":
            return os.readlink(PROC / f"{pid}/exe").endswith("/pdftopdf")
        if what == "backend":
            return b"/backend/virtual\0" in line
        return b"/backend/once\0" in line and (os.getsid(pid) == pid) == (what == "sender")
    except OSError:
        return False
