"""End a sandbox: all of it, and nothing else. What was printed and logged stays where it is."""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from spooler.sandbox import locks, parts
from spooler.sandbox.site import Site

GRACE_SECONDS = 15.0
_EVERY_SECONDS = 0.05


def down(site: Site) -> None:
    """End every part: first who gives work, then who does it, then what carries it."""
    names = parts.names(site)
    for kinds in (("clerk",), ("home", "agent", "receiver"), ("cups",)):
        _end(site, [name for name in names if name.partition(":")[0] in kinds])
    # RabbitMQ takes six seconds to say goodbye, and nobody is left to hear it; what it confirmed survives a kill.
    _end(site, ["broker"], politely=False)
    for pid in orphans(site):
        _signal(pid, signal.SIGKILL)
    _remove_socket_folders(site)


def _end(site: Site, names: Sequence[str], *, politely: bool = True) -> None:
    """Ask these parts to go, wait, and make those go that stay. Who holds the lock is the part: no pid can be out of date."""
    pids = [pid for name in names if (pid := locks.holder(site.lock(name))) is not None]
    for number in (signal.SIGTERM, signal.SIGKILL) if politely else (signal.SIGKILL,):
        for pid in filter(_is_there, pids):
            _signal(pid, number)
        give_up = time.monotonic() + GRACE_SECONDS
        while any(map(_is_there, pids)) and time.monotonic() < give_up:
            time.sleep(_EVERY_SECONDS)


def _is_there(pid: int) -> bool:
    """Say whether it still runs; what its parent has not collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # gone by itself in between


def orphans(site: Site) -> Iterator[int]:
    """Yield the filters and backends that outlived their cupsd: it gave each of them its ServerRoot."""
    marks = [f"CUPS_SERVERROOT={parts.cups_of(hall).directory}/".encode() for hall in site.halls]
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environ.read_bytes().split(b"\0")
        except OSError:
            continue  # another user's, or gone
        if any(variable.startswith(mark) for variable in variables for mark in marks):
            yield int(environ.parent.name)


def _remove_socket_folders(site: Site) -> None:
    """A sandbox that lies too deep for a socket has its sockets in folders of their own."""
    for hall in site.halls:
        cups = parts.cups_of(hall)
        if cups.socket.parent != cups.directory:
            shutil.rmtree(cups.socket.parent, ignore_errors=True)
