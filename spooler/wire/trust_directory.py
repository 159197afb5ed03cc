"""The trust directory in use: what it says now, read again when its files have changed, so that a withdrawn grant needs no restart.

A file that cannot be read changes nothing: the last good reading holds, an alarm says so, and each look tries again.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Lock
from time import monotonic

import structlog
from pydantic import ValidationError

from spooler.wire.trust import HallRecord, RegistryRecord, Trust, load_trust

LOOK_SECONDS = 10.0
Print = tuple[tuple[str, int, int, int], ...]

_log = structlog.get_logger()


class Unfit(Exception):
    """A trust directory that reads well and cannot be used here."""


class TrustDirectory(Trust):
    """A Trust whose parts are those of now. May be asked by any thread; at most every few seconds it looks at the files."""

    def __init__(
        self,
        directory: Path,
        *,
        check: Callable[[Trust], None] = lambda trust: None,
        on_trouble: Callable[[], None] = lambda: None,
        look_seconds: float = LOOK_SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Read it; OSError, pydantic.ValidationError or Unfit if it cannot be used at all."""
        self._directory = directory
        self._check = check
        self._on_trouble = on_trouble
        self._look_seconds = look_seconds
        self._clock = clock
        self._looking = Lock()
        self._seen = _fingerprint(directory)
        self._looked_at = clock()
        self._good = self._read()

    @property
    def registries(self) -> Mapping[str, RegistryRecord]:
        return self.now().registries

    @property
    def halls(self) -> Mapping[str, HallRecord]:
        return self.now().halls

    @property
    def grants(self) -> frozenset[tuple[str, str, str]]:
        return self.now().grants

    @property
    def roots_pem(self) -> bytes:
        return self.now().roots_pem

    def now(self) -> Trust:
        """Return what the directory says now, or said when it could last be read."""
        is_due = self._clock() - self._looked_at >= self._look_seconds
        if is_due and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._good

    def _look(self) -> None:
        self._looked_at = self._clock()
        try:
            seen = _fingerprint(self._directory)
            if seen == self._seen:
                return
            self._good = self._read()
        except (OSError, ValidationError, Unfit) as e:
            _log.error("trust directory unreadable, the last good one holds", why=why(e), alarm=True)
            self._on_trouble()
            return
        self._seen = seen
        _log.info("trust directory read again", grants=len(self._good.grants))

    def _read(self) -> Trust:
        found = load_trust(self._directory)
        self._check(found)
        return found


def _fingerprint(directory: Path) -> Print:
    return tuple(_facts(file) for file in _files(directory))


def _files(directory: Path) -> Iterator[Path]:
    for folder in ("registries", "halls"):
        yield from sorted((directory / folder).glob("*.json"))
    yield from (directory / "grants.json", directory / "ca.pem")


def _facts(file: Path) -> tuple[str, int, int, int]:
    status = file.stat()
    return str(file), status.st_ino, status.st_mtime_ns, status.st_size


def why(error: Exception) -> str:
    """Say in one line what is wrong with the files. Without values: a key may stand in the wrong place."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return str(error)
