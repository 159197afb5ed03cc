"""Letters that the broker does not take: after five minutes an operator is told which queue they are for, and why (F4, F7).

Nothing is lost by it: they stay in the outbox, and are tried again until they are taken.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from spooler.store import Store
from spooler.store.outbox import Stuck
from spooler.store.values import Alarm

STUCK_AFTER = timedelta(minutes=5)
LOOK_EVERY = timedelta(seconds=30)

_log = structlog.get_logger()


class StuckLetters:
    """Called every few seconds by `watch`. Each way is alarmed once, and again after it was free."""

    def __init__(self, *, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._next_look: datetime | None = None
        self._told: dict[str, Stuck] = {}

    def look(self) -> None:
        """Tell what has come to a stop, and what goes again."""
        now = self._clock()
        if self._next_look is not None and now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY
        stuck = {one.way: one for one in self._store.outbox.stuck(now - STUCK_AFTER)}
        for way in stuck.keys() - self._told.keys():
            self._tell(stuck[way])
        for way in self._told.keys() - stuck.keys():
            _log.info("letters go again", queue=way)
        self._told = stuck

    def _tell(self, stuck: Stuck) -> None:
        since = stuck.since.isoformat(timespec="seconds")
        detail = f"{stuck.way}: {stuck.letters} letters since {since}, {stuck.code}"
        with self._store.changing() as change:
            change.alarm(Alarm("letters-stuck", hall=stuck.hall, detail=detail))
