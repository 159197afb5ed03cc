"""What a target may do with an input: read it, or refuse it as it says, within a second and its memory. All else is a crash."""

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Protocol

TARGETS = ("annex", "callback", "document", "envelope", "report", "request", "ticket")
MOST_SECONDS = 1.0
_FORGET_THE_MOST = "5"
CORPUS = Path(__file__).parent / "corpus"


class Target(Protocol):
    REFUSES: tuple[type[Exception], ...]
    MOST_MEGABYTES: int  # beside what the process had before
    LONGEST: int  # bytes; longer ones are refused by their length, which is tested elsewhere

    def read(self, data: bytes) -> None: ...

    def seeds(self) -> Iterator[tuple[str, bytes]]: ...


class Hung(Exception):
    """It took longer than a second of CPU: whoever sends such bytes stops the others."""


class TooLarge(Exception):
    """It took more memory than its limit."""


class Judge:
    """Gives one target its inputs."""

    def __init__(self, target: Target) -> None:
        self._target = target
        with suppress(OSError):  # where the kernel does not forget it, what was there before counts as had
            Path("/proc/self/clear_refs").write_text(_FORGET_THE_MOST)
        self._before = _megabytes()

    def __call__(self, data: bytes) -> bool:
        """Say whether the target accepted it, or raise what is a crash."""
        began = process_time()
        try:
            self._target.read(data)
            is_read = True
        except self._target.REFUSES:
            is_read = False
        took, grown = process_time() - began, _megabytes() - self._before
        if took > MOST_SECONDS:
            raise Hung(f"{took:.1f} s of CPU for {len(data)} bytes")
        if grown > self._target.MOST_MEGABYTES:
            raise TooLarge(f"{grown} MB more, after {len(data)} bytes")
        return is_read


def load(name: str) -> Target:
    target: Target = import_module(f"tests.fuzz.targets.{name}")  # type: ignore[assignment]
    return target


def corpus(name: str) -> list[bytes]:
    """Return what is committed, in the same order everywhere."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def _megabytes() -> int:
    """Return the most that this process had (what the system says of its usage counts whoever started it)."""
    with open("/proc/self/status", "rb") as status:
        return int(next(line.split()[1] for line in status if line.startswith(b"VmHWM"))) >> 10
