"""Who runs which part of a sandbox: a record lock that belongs to one process, stays with it over exec, and goes with it.

Unlike `flock`, a record lock is not inherited by children. A print that outlives its cupsd does not keep the next cupsd waiting, and the
kernel can say who holds a lock: no pid is ever read from a file that may be out of date.
"""

import fcntl
import os
import struct
import time
from pathlib import Path

_FLOCK = "hhqqi4x"  # struct flock on 64-bit Linux: type, whence, start, length, pid
_EVERY_SECONDS = 0.05


class StillHeld(Exception):
    """The predecessor has not gone."""


def take(path: Path, timeout_seconds: float) -> int:
    """Return a descriptor whose lock is this process's until it ends, over exec too; StillHeld when another one stays."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    give_up = time.monotonic() + timeout_seconds
    while not _try(descriptor):
        if time.monotonic() > give_up:
            os.close(descriptor)
            raise StillHeld(f"{path.stem} has been running for {timeout_seconds:.0f} s more, as process {holder(path)}")
        time.sleep(_EVERY_SECONDS)
    os.set_inheritable(descriptor, True)
    return descriptor


def _try(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def holder(path: Path) -> int | None:
    """Return the pid of the other process that holds this lock, or None. The caller's own lock is not seen."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else int(pid)
    finally:
        os.close(descriptor)
