"""A network namespace of its own, whose kernel drops or resets what goes to a port. Nothing of the machine's own network is touched."""

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

CLONE_NEWNET = 0x40000000
SECONDS = 20
DROP, RESET = "drop", "reject with tcp reset"

T = TypeVar("T")


class Namespace:
    """Lives as long as the process that holds it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def enter(self) -> None:
        """From now on this thread's new sockets are of this namespace."""
        with open(f"/proc/{self._pid}/ns/net") as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def listener(self) -> socket.socket:
        """Return a socket that listens in there."""
        return self._in_there(lambda: socket.create_server(("127.0.0.1", 0)))

    def treat(self, port: int, how: str) -> None:
        """Let the kernel treat all that goes to this port, or comes from it, so."""
        back = DROP if how == DROP else "accept"
        rules = ["type filter hook input priority 0", f"tcp dport {port} {how}", f"tcp sport {port} {back}"]
        self._nft("\n".join(["table inet storm {", "chain input {", *rules, "}", "}", ""]))

    def heal(self) -> None:
        self._nft("flush ruleset\n")

    def _nft(self, rules: str) -> None:
        command = ["nsenter", f"--net=/proc/{self._pid}/ns/net", "nft", "-f", "-"]
        subprocess.run(command, input=rules.encode(), check=True, timeout=SECONDS, capture_output=True)

    def _in_there(self, make: Callable[[], T]) -> T:
        made: list[T] = []

        def run() -> None:
            self.enter()
            made.append(make())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(SECONDS)
        return made[0]


def hindrance() -> str | None:
    """Return why there can be none here."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    try:
        with a_namespace() as namespace:
            namespace.heal()
    except FileNotFoundError as e:
        return f"there is no program {e.filename}"
    except (subprocess.SubprocessError, OSError) as e:
        return f"this kernel does not let us: {e}"
    return None


@contextmanager
def a_namespace() -> Iterator[Namespace]:
    command = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            if holder.stdout.readline() != b"up\n":
                raise OSError("no namespace was made")
            yield Namespace(holder.pid)
        finally:
            holder.kill()
