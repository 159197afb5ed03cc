"""Gaps in a hall's chain of reports: what does not come by itself is asked for again, by a signed control."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

import structlog

from spooler.ask_hall import HallAsker
from spooler.daemon.crash import crash_point
from spooler.store import Store
from spooler.store.gaps import Gap, note_ask
from spooler.store.values import Alarm
from spooler.wire.messages import Replay

_log = structlog.get_logger()


class GapWatch:
    """Called every few seconds by `watch`."""

    def __init__(self, *, store: Store, asker: HallAsker, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._asker = asker
        self._clock = clock

    def look(self) -> None:
        """Ask about every gap that has stayed."""
        for gap in self._store.gaps.due(self._clock()):
            self._ask(gap)

    def _ask(self, gap: Gap) -> None:
        control_id = uuid4()
        with self._store.changing() as change:
            if not note_ask(change, gap, str(control_id)):
                return
            control = Replay(
                control_id=control_id,
                registry=gap.registry,
                hall=gap.hall,
                at=change.now,
                epoch=UUID(gap.epoch),
                first=gap.first,
                last=gap.last,
            )
            self._asker.post(change, control)
            if gap.asks == 0:
                change.alarm(Alarm("reports-missing", hall=gap.hall, registry=gap.registry))
            crash_point("home.before-replay-asked-commit")
        crash_point("home.after-replay-asked-commit")
        _log.warning("reports missing", hall=gap.hall, registry=gap.registry, first=gap.first, last=gap.last)
