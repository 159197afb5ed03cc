"""The TCP sockets of a process, as the kernel tells them (proc(5), /proc/net/tcp)."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ESTABLISHED, LISTENING = "01", "0A"


@dataclass(frozen=True)
class TcpSocket:
    """Addresses are HEX:PORT in hexadecimal, an address in the byte order of the machine."""

    local: str
    remote: str
    state: str

    @property
    def remote_port(self) -> int:
        return int(self.remote.partition(":")[2], 16)


def sockets_of(pid: int) -> Iterator[TcpSocket]:
    """Yield a process's TCP sockets; the tables are no snapshot, one may be missing."""
    links = set(_links(pid))
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, remote, state, *rest = line.split()
            if f"socket:[{rest[5]}]" in links:
                yield TcpSocket(local, remote, state)


def _links(pid: int) -> Iterator[str]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            yield os.readlink(descriptor)
