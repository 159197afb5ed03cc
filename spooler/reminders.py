"""Questions that wait for a person: who does not answer is reminded, every hour, and at the end of the day all that is open is listed.

Nothing is decided by time: an unknown outcome stays unknown until somebody has looked.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from spooler.store import Store
from spooler.store.asks import WAITS_FOR_A_PERSON, OpenAsk
from spooler.store.values import Alarm

CHINA = ZoneInfo("Asia/Shanghai")
REMINDED_AFTER = timedelta(minutes=30)
REMINDED_AGAIN_AFTER = timedelta(hours=1)
DAY_ENDS = time(17, 30)
UNANSWERED = "unanswered"

_log = structlog.get_logger()


class Reminders:
    """Called every few seconds by `watch`."""

    def __init__(self, *, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._reminded: dict[OpenAsk, datetime] = {}
        self._last_day: date | None = None

    def look(self) -> None:
        """Remind of what has waited too long, and list what is open when the day ends."""
        now = self._clock()
        waiting = self._store.asks.open(before=now - REMINDED_AFTER)
        self._reminded = {ask: at for ask, at in self._reminded.items() if ask in waiting}
        for ask in waiting:
            self._remind(ask, now)
        self._list_at_the_days_end(now)

    def _remind(self, ask: OpenAsk, now: datetime) -> None:
        reminded_at = self._reminded.get(ask)
        if reminded_at is not None and now - reminded_at < REMINDED_AGAIN_AFTER:
            return
        with self._store.changing() as change:
            detail = f"{ask.reason} since {ask.since.isoformat()}"
            change.alarm(Alarm(UNANSWERED, ask.hall, ask.registry, job_id=ask.job_id, detail=detail))
        self._reminded[ask] = now

    def _list_at_the_days_end(self, now: datetime) -> None:
        here = now.astimezone(CHINA)
        if here.time() < DAY_ENDS or self._last_day == here.date():
            return
        self._last_day = here.date()
        asks = self._store.asks.open(before=now)
        _log.info(
            "end of day",
            day=str(here.date()),
            open=len(asks),
            waiting_for=list(WAITS_FOR_A_PERSON),
            jobs=[
                {"job_id": ask.job_id, "hall": ask.hall, "reason": ask.reason, "since": ask.since.isoformat()}
                for ask in asks
            ],
        )
