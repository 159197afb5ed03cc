"""How long documents are kept: what has ended long enough ago is destroyed, key first (docs/privacy.md).

    due ─▶ noted, in one transaction a job: given to nobody any more ─▶ each file's key overwritten, the file removed ─▶ forgotten

Whatever dies in between, the next look goes on: a file that is noted is destroyed until it is gone. What lies in the directory and no
row names (a crash, an earlier order's document) goes when it is as old as documents are kept.
"""

from array import array
from base64 import b64decode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Literal

import structlog

from spooler.daemon.worker import Worker
from spooler.documents import DocumentDamaged, Documents, destroy_file
from spooler.store import Store
from spooler.store.kept import Due
from spooler.store.values import Hall
from spooler.wire import strict
from spooler.wire.errors import WireError
from spooler.wire.messages import read_ticket

LOOK_SECONDS, FIRST_LOOK_SECONDS = 3_600.0, 600.0
PAUSE_SECONDS = 1.0
AT_ONCE = 200
LEFT_OVER_EVERY = timedelta(days=1)
# A request that comes in may use a file that is there already; a minute later a job says so.
YOUNG = timedelta(hours=1)
# A clock that is a day off is no clock for this; a jump of an hour wants a hall's word.
MOST_OFF_SECONDS, MOST_AHEAD_SECONDS, HEARD_SECONDS = 86_400.0, 3_600.0, 600.0

Days = int | Literal["forever"]

_log = structlog.get_logger()


class Retention(Worker):
    """A thread that destroys what is past its time, in small batches."""

    def __init__(
        self,
        *,
        store: Store,
        documents: Documents,
        keep_days: Days,
        keep_electronic_days: Days,
        clock: Callable[[], datetime],
        steady: Callable[[], float] = monotonic,
        young: timedelta = YOUNG,
    ) -> None:
        super().__init__("retention", trouble="documents not destroyed", rest_seconds=LOOK_SECONDS)
        self._store = store
        self._kept = store.kept
        self._documents = documents
        self._keep_days = keep_days
        self._keep_electronic_days = keep_electronic_days
        self._clock = clock
        self._steady = steady
        self._young = young
        self._began = (clock(), steady())
        self._is_first_turn = True
        self._is_in_doubt = False
        self._left_over_at: datetime | None = None
        self._has_told = False

    def turn(self) -> float:
        if self._is_first_turn:
            self._is_first_turn = False
            return FIRST_LOOK_SECONDS  # halls speak first: they know what time it is
        if not self._store.duty.is_ours():
            return LOOK_SECONDS
        return PAUSE_SECONDS if self.look() else LOOK_SECONDS

    def look(self) -> bool:
        """Destroy some of what is due; say whether there may be more."""
        now = self._clock()
        if self._is_in_grace(now) or self._doubts(now):
            return False
        is_more = self._note_papers(now) | self._note_electronic(now)
        if not is_more:
            self._destroy(now)  # once for all: to know what else is wanted every job is looked at
        return is_more

    def _is_in_grace(self, now: datetime) -> bool:
        """A home that was there before its retention is given time to say otherwise."""
        not_before = self._kept.not_before()
        if not_before is None or now >= not_before:
            return False
        if not self._has_told:
            _log.warning(
                "documents past their time will be destroyed: home.keep_documents_days",
                keep_documents_days=self._keep_days,
                first_on=not_before.date().isoformat(),
            )
        self._has_told = True
        return True

    def _doubts(self, now: datetime) -> bool:
        """What a wrong clock destroys is gone: it must agree with the halls, or where none speaks with the time that has passed."""
        heard = [hall.clock_offset_seconds for hall in self._store.halls.all() if _was_heard(hall, now)]
        ahead = (now - self._began[0]).total_seconds() - (self._steady() - self._began[1])
        is_off = any(abs(offset or 0.0) > MOST_OFF_SECONDS for offset in heard)
        doubts = is_off or (not heard and abs(ahead) > MOST_AHEAD_SECONDS)
        if doubts and not self._is_in_doubt:
            _log.error("the clock is in doubt: no document is destroyed", alarm=True, code="clock")
        self._is_in_doubt = doubts
        return doubts

    def _note_papers(self, now: datetime) -> bool:
        if isinstance(self._keep_days, str):
            return False
        found = self._kept.due(now - timedelta(days=self._keep_days), AT_ONCE)
        for due in found:
            if self._kept.destroy(due.job_id, self._sealed(due)):
                _log.info("documents destroyed", job_id=due.job_id, ended_at=due.since.isoformat())
        return len(found) == AT_ONCE

    def _note_electronic(self, now: datetime) -> bool:
        if isinstance(self._keep_electronic_days, str):
            return False
        found = self._kept.electronic_due(now - timedelta(days=self._keep_electronic_days), AT_ONCE)
        for due in found:
            if self._kept.destroy_electronic(due.job_id):
                _log.info("electronic certificate destroyed", job_id=due.job_id, ended_at=due.since.isoformat())
        return len(found) == AT_ONCE

    def _sealed(self, due: Due) -> set[str]:
        """Return the documents that the tickets of its orders name."""
        found = set[str]()
        for name in due.tickets:
            with suppress(DocumentDamaged, WireError):  # what cannot be read names nothing, and goes all the same
                envelope = strict.parse(self._documents.read(name))
                found.add(read_ticket(b64decode(envelope["payload"])).document_sha256)
        return found

    def _destroy(self, now: datetime) -> None:
        """What a job that is kept wants too stays: the same plan may belong to several certificates of a case."""
        noted = set(self._kept.to_destroy())
        if noted:
            shared = {name for name in self._kept.wanted() if name in noted}
            gone = self._documents.destroy(sorted(noted - shared), unless_used_within=self._young)
            self._kept.destroyed([*shared, *gone])
        if not isinstance(self._keep_days, str) and self._is_time_for_left_over(now):
            self._destroy_left_over(Names(self._kept.wanted()), now)

    def _is_time_for_left_over(self, now: datetime) -> bool:
        return self._left_over_at is None or now - self._left_over_at >= LEFT_OVER_EVERY

    def _destroy_left_over(self, wanted: "Names", now: datetime) -> None:
        assert not isinstance(self._keep_days, str)
        before = now - timedelta(days=self._keep_days)
        count = 0
        for place, name in self._documents.left_over(before):
            if name not in wanted:
                count += destroy_file(place, before.timestamp())
        if count:
            _log.info("left-over documents destroyed", count=count)
        self._left_over_at = now


def _was_heard(hall: Hall, now: datetime) -> bool:
    return hall.heartbeat_at is not None and abs((now - hall.heartbeat_at).total_seconds()) < HEARD_SECONDS


class Names:
    """Many names in little room: eight bytes of each. Two that begin alike keep each other, which does no harm."""

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = array("Q", sorted(array("Q", _firsts(names))))

    def __contains__(self, name: str) -> bool:
        if not name:
            return False
        (first,) = _firsts([name])
        at = bisect_left(self._sorted, first)
        return at < len(self._sorted) and self._sorted[at] == first


def _firsts(names: Iterable[str]) -> Iterator[int]:
    for name in names:
        yield int(name[:16], 16)
