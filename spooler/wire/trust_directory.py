"""The trust directory in use: what it says now, read again when its files have changed, so that a withdrawn grant needs no restart.

A record that cannot be read changes nothing: the last good reading holds, an alarm says so, and each look tries again. A signed grant that
is not as it must be is no grant, and an alarm names it; one that was ever agreed or withdrawn is remembered by whoever uses this.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from time import monotonic

import structlog
from pydantic import ValidationError

from spooler.wire import grant_files
from spooler.wire.grants import Fault, GrantFile, Judged, Mark, Pair, SignedGrant, judge
from spooler.wire.trust import (
    HallRecord,
    RegistryRecord,
    Trust,
    grant_keys,
    holding,
    load_records,
    plain_grants,
    with_grants,
)

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
        signed: bool = False,
        wanted: Callable[[Pair], bool] = lambda pair: True,
        remembered: Callable[[], Mapping[Pair, Mark]] = dict,
        on_fault: Callable[[Fault], None] = lambda fault: None,
        time: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read it; OSError, pydantic.ValidationError or Unfit if it cannot be used at all.

        With `signed` it goes by the signed grants of `wanted` pairs; `remembered` says what was ever agreed and withdrawn.
        """
        self._directory = directory
        self._check = check
        self._on_trouble = on_trouble
        self._look_seconds = look_seconds
        self._clock = clock
        self._signed = signed
        self._wanted = wanted
        self._remembered = remembered
        self._on_fault = on_fault
        self._time = time
        self._looking = Lock()
        self._files: tuple[GrantFile, ...] = ()
        self._faults: tuple[Fault, ...] = ()
        self._known: Mapping[Pair, Mark] = {}
        self._seen = self._fingerprint()
        self._looked_at = clock()
        self._good = Trust()
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

    @property
    def agreed(self) -> Mapping[Pair, SignedGrant] | None:
        return self.now().agreed

    @property
    def marks(self) -> Mapping[Pair, Mark]:
        return self.now().marks

    def recall(self) -> None:
        """Ask what is remembered at the next look, which comes at once."""
        self._looked_at = float("-inf")

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
            seen = self._fingerprint()
            if seen == self._seen:
                self._good = self._as_time_goes(self._good)
                return
            self._good = self._read()
        except (OSError, ValidationError, Unfit) as e:
            _log.error("trust directory unreadable, the last good one holds", why=why(e), alarm=True)
            self._good = self._as_time_goes(self._good)
            self._on_trouble()
            return
        self._seen = seen
        _log.info("trust directory read again", grants=len(self._good.grants))

    def _read(self) -> Trust:
        records = load_records(self._directory)
        if not self._signed:
            found = replace(records, grants=plain_grants(self._directory))
            self._check(found)
            return found
        self._check(records)
        self._files = tuple(grant_files.read(self._directory, self._wanted))
        self._known = dict(self._remembered())
        return self._judged(records, self._known)

    def _as_time_goes(self, good: Trust) -> Trust:
        """A grant begins or ends, or one side has withdrawn it by wire."""
        if good.agreed is None:
            return good
        known = dict(self._remembered())
        if known != self._known:
            self._known = known
            return self._judged(good, known)
        return replace(good, grants=holding(good.agreed, self._time()))

    def _judged(self, records: Trust, remembered: Mapping[Pair, Mark]) -> Trust:
        """What this process has seen counts too, before it is on disk."""
        earlier = self._good.marks
        both = {
            pair: remembered.get(pair, Mark()).raised(earlier.get(pair, Mark())) for pair in {*remembered, *earlier}
        }
        judged = judge(self._files, grant_keys(records), both)
        self._tell_faults(judged)
        return with_grants(records, judged, self._time())

    def _tell_faults(self, judged: Judged) -> None:
        for fault in judged.faults:
            if fault not in self._faults:
                _log.error("grant not believed", file=fault.file, code=fault.code, why=fault.why, alarm=True)
                self._on_fault(fault)
        self._faults = judged.faults

    def _fingerprint(self) -> Print:
        return tuple(_facts(file) for file in self._watched())

    def _watched(self) -> Iterator[Path]:
        for folder in ("registries", "halls"):
            yield from sorted((self._directory / folder).glob("*.json"))
        if self._signed:
            yield from grant_files.paths(self._directory, self._wanted)
        else:
            yield self._directory / grant_files.PLAIN
        yield self._directory / "ca.pem"


def _facts(file: Path) -> tuple[str, int, int, int]:
    status = file.stat()
    return str(file), status.st_ino, status.st_mtime_ns, status.st_size


def why(error: Exception) -> str:
    """Say in one line what is wrong with the files. Without values: a key may stand in the wrong place."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return str(error)
