"""A nursery whose parser of GeoJSON does what the annex says: what a file can do to a parser with a hole in it."""

import os
import signal
import time
from tempfile import TemporaryFile

from spooler.render.annex import normal
from spooler.render.annex.child import main as nursery
from spooler.render.annex.parcel import read_parcel
from spooler.render.annex.values import NormalAnnex, Role


def _eats() -> None:
    hoard = [bytearray(16 << 20) for _ in range(1 << 16)]
    raise AssertionError(len(hoard))


def _speaks_in_tongues() -> None:
    for name in os.listdir("/proc/self/fd"):
        try:
            os.write(int(name), b"\x00" * 64 + b"no answer of ours")
        except OSError:
            continue
    os._exit(0)


def _writes_a_file() -> None:
    with TemporaryFile(dir="/var/tmp", buffering=0) as file:
        file.write(b"x")
    time.sleep(600)  # it could: the test sees another code


DEEDS = {
    b"{hangs": lambda: time.sleep(600),
    b"{spins": lambda: [None for _ in iter(int, 1)],
    b"{crashes": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    b"{eats": _eats,
    b"{raises": lambda: 1 // 0,
    b"{lies": _speaks_in_tongues,
    b"{writes": _writes_a_file,
}


def misread(content: bytes, role: Role) -> NormalAnnex:
    deed = DEEDS.get(content)
    if deed is not None:
        deed()
    return read_parcel(content, role)


def main() -> None:
    normal._READERS["application/geo+json"] = misread
    nursery()
