"""What nobody says but time: jobs that are late, halls that are silent or speak again, and whatever else wants a look now and then."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from spooler.daemon.worker import Worker
from spooler.job import Reason
from spooler.store import Store
from spooler.store.halls import note_silence
from spooler.store.values import Alarm, Update

MISSED_HEARTBEATS = 3
LOOK_SECONDS = 5.0


class Watch(Worker):
    """A thread that looks at the clock."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        heartbeat_seconds: float = 60.0,
        look_seconds: float = LOOK_SECONDS,
        also: Sequence[Callable[[], None]] = (),
    ) -> None:
        # The store failed (disk full): the next look sees the same.
        super().__init__("watch", trouble="watch failed", rest_seconds=look_seconds)
        self._store = store
        self._clock = clock
        self._silence = timedelta(seconds=MISSED_HEARTBEATS * heartbeat_seconds)
        self._look_seconds = look_seconds
        self._also = tuple(also)
        self._started_at: datetime | None = None

    def start(self) -> None:
        self._started_at = self._clock()
        super().start()

    def look(self) -> None:
        """Note what has become late or silent until now, and who is no longer silent."""
        now = self._clock()
        for job_id in self._store.jobs.overdue(now):
            self._call_late(job_id)
        if self._has_listened(now):
            for hall in self._store.halls.fallen_silent(now - self._silence):
                self._call_silent(hall)
            self._tell_unheard(now - self._silence)
        for job_id in self._store.halls.wrongly_silent():
            self._unsay_silent(job_id)
        for look in self._also:
            look()

    def _has_listened(self, now: datetime) -> bool:
        """A home that was away itself hears out what waits in the broker before it calls anybody silent."""
        return self._started_at is None or now - self._started_at >= self._silence

    def turn(self) -> float:
        if self._store.duty.is_ours():
            self.look()
        return self._look_seconds

    def _call_late(self, job_id: str) -> None:
        with self._store.changing() as change:
            change.move(job_id, Update(add=frozenset({Reason.LATE}), because="past its deadline"))

    def _call_silent(self, hall: str) -> None:
        with self._store.changing() as change:
            note_silence(change, hall)
            change.alarm(Alarm("hall-silent", hall=hall))

    def _tell_unheard(self, before: datetime) -> None:
        """Let every job say so that waits for a silent hall; also one sent there since, or to a hall that never spoke."""
        silent = frozenset({Reason.HALL_SILENT})
        unheard = self._store.halls.jobs_unheard(before)
        for job in unheard:
            with self._store.changing() as change:
                change.move(job.job_id, Update(add=silent, because="no word from the hall"))
        for hall in sorted({job.hall for job in unheard if job.never_spoke}):
            with self._store.changing() as change:
                change.alarm(Alarm("hall-silent", hall=hall, detail="it never spoke"))

    def _unsay_silent(self, job_id: str) -> None:
        with self._store.changing() as change:
            change.move(job_id, Update(drop=frozenset({Reason.HALL_SILENT}), because="the hall speaks again"))
