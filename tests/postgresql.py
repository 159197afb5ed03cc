"""A private PostgreSQL for tests: a cluster of its own on a free port, and a fresh database for whoever asks."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from spooler.sandbox.ports import free_ports

_PROGRAMS = max(
    Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=Path("/usr/bin")
)
_numbers = count(1)
READY_SECONDS = 120.0  # after a fall it first looks through its whole directory


@dataclass
class PostgreSQL:
    """One running server. It refuses to run as root: then it is the Debian package's user's."""

    directory: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    def url(self, database: str, port: int | None = None) -> str:
        return f"postgresql://certspool@127.0.0.1:{port or self.port}/{database}"

    def fresh(self) -> str:
        """Return the name of a new, empty database."""
        name = f"home_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        return name

    def start(self) -> None:
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= -c max_connections=150"
        )
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [_PROGRAMS / "postgres", "-D", str(self.directory / "data"), *options.split()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=_user(),
                group=_user(),
                extra_groups=[] if _user() else None,
                cwd="/",
            )
        self._wait()

    def _wait(self) -> None:
        give_up = time.monotonic() + READY_SECONDS
        while time.monotonic() < give_up:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=1).close()
                return
            except psycopg.OperationalError:
                if self.process is None or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
        raise AssertionError((self.directory / "log").read_text()[-2000:])

    def kill(self) -> None:
        """What a machine that falls over does to it: no checkpoint, no goodbye."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)


def _user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None


@contextmanager
def private_postgresql() -> Iterator[PostgreSQL]:
    """Make a cluster, run it, and remove it."""
    directory = Path(mkdtemp(prefix="certspool-pg-", dir="/var/tmp"))
    (port,) = free_ports(1)
    server = PostgreSQL(directory, port)
    try:
        _make(directory)
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        shutil.rmtree(directory, ignore_errors=True)


def _make(directory: Path) -> None:
    if (name := _user()) is not None:
        user = pwd.getpwnam(name)
        os.chown(directory, user.pw_uid, user.pw_gid)
    subprocess.run(
        [
            _PROGRAMS / "initdb",
            "-D",
            str(directory / "data"),
            "-U",
            "certspool",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "-N",
        ],
        check=True,
        capture_output=True,
        user=_user(),
        group=_user(),
        extra_groups=[] if _user() else None,
        cwd="/",
    )
