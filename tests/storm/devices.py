"""Two printers that nobody can mistake for ours: a raw TCP port, and CUPS' own IPP printer (`ippeveprinter`), with a mains plug."""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents import once
from spooler.sandbox.ports import LOOPBACK, free_ports

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
RESET = struct.pack("ii", 1, 0)


class Sink:
    """A port 9100: takes what comes until the sender is done, or is switched off after some bytes of it."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0))
        self._cut_after: int | None = None
        self.received: list[bytes] = []  # of each connection that carried anything
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def device(self) -> str:
        return f"socket://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def switch_off_after(self, count: int | None) -> None:
        self._cut_after = count

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._take, args=(self._listener.accept()[0],), daemon=True).start()

    def _take(self, sender: socket.socket) -> None:
        got = b""
        with sender, contextlib.suppress(ConnectionError):
            while piece := sender.recv(64):
                got += piece
                if self._cut_after is not None and len(got) >= self._cut_after:
                    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    break
        if got:
            self.received.append(got)


class EvePrinter:
    """`ippeveprinter`, which keeps each document that it is given in a folder. Without its plug it has forgotten everything."""

    def __init__(self, folder: Path, bus: Path) -> None:
        self._folder, self._bus = folder, bus
        self._port = free_ports(1)[0]
        self._process: subprocess.Popen[bytes] | None = None
        self._paper = folder / "paper"
        self._gate = folder / "open"
        self._paper.mkdir()
        self._works = folder / "print"
        self._works.write_text(
            f'#!/bin/sh\nwhile [ ! -e {self._gate} ]; do sleep 0.05; done\ncp "$1" {self._paper}/$$.pdf\n'
        )
        self._works.chmod(0o755)
        self._gate.touch()

    @property
    def device(self) -> str:
        return f"ipp://{LOOPBACK}:{self._port}/ipp/print"

    @property
    def sheets(self) -> list[Path]:
        """What came out."""
        return list(self._paper.iterdir())

    @property
    def documents(self) -> list[Path]:
        """What it was ever given, before and after a power cut."""
        return [path for path in self._folder.glob("spool-*/*.pdf") if path.stat().st_size]

    def jam(self) -> None:
        """It takes a document and does not come to its end."""
        self._gate.unlink()

    def plug_in(self) -> None:
        spool = self._folder / f"spool-{time.monotonic_ns()}"
        spool.mkdir()
        command = [
            "/usr/sbin/ippeveprinter", "-r", "off", "-n", "localhost", "-p", str(self._port), "-d", str(spool), "-k",
            "-K", str(self._folder), "-f", "application/pdf", "-c", str(self._works), "eve",
        ]  # fmt: skip
        environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self._bus}"}
        self._process = subprocess.Popen(
            command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 20
        while (once.probe(self.device, None) or {})["state"] != "idle":
            assert time.monotonic() < end and self._process.poll() is None, "the printer does not come up"
            time.sleep(0.05)

    def pull_the_plug(self) -> None:
        """At once, with all that works in it."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def a_bus(folder: Path) -> Iterator[Path]:
    """`ippeveprinter` looks for a system bus, to be announced; here is one with nobody on it."""
    path = folder / "bus"
    command = ["dbus-daemon", "--session", "--nofork", f"--address=unix:path={path}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as bus:
        try:
            end = time.monotonic() + 20
            while not path.exists():
                assert time.monotonic() < end and bus.poll() is None, "no bus"
                time.sleep(0.02)
            yield path
        finally:
            bus.terminate()


def hindrance() -> str | None:
    """Return why there can be no `ippeveprinter` here."""
    missing = [name for name in ("dbus-daemon", "ippeveprinter") if shutil.which(name, path=PATH) is None]
    return f"`make setup` installs what is missing: {missing}" if missing else None
