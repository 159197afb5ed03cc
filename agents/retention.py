"""How long orders are kept at the hall: what has ended and was told to home long enough ago is destroyed, its key first (docs/privacy.md).

    ended, all its reports taken ─▶ after so many days: the wrapped order's key overwritten, the file removed ─▶ names out of the ledger

The file goes first: an agent that dies in between finds the order again at the next look, and nothing where the file was.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import structlog

from agents.accounts import MACHINE
from agents.documents import Documents
from agents.journal import Journal

EVERY = timedelta(minutes=10)
AT_ONCE = 100
DESTROYED = "destroyed"

_log = structlog.get_logger()


class Retention:
    """Called every few seconds by `pipeline`; looks every ten minutes, and at once while there is more."""

    def __init__(
        self,
        *,
        journal: Journal,
        documents: Documents,
        keep_days: int | Literal["forever"],
        is_sure: Callable[[], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._orders = journal.ledger.orders
        self._documents = documents
        self._keep_days = keep_days
        self._is_sure = is_sure
        self._clock = clock
        self._next_look: datetime | None = None

    def look(self) -> None:
        """Destroy what is due. A ledger that is not to be believed cannot say what has ended, nor a clock when."""
        now = self._clock()
        is_early = self._next_look is not None and self._next_look - EVERY <= now < self._next_look
        if isinstance(self._keep_days, str) or is_early or not self._is_sure():
            return
        before = now - timedelta(days=self._keep_days)
        found = self._orders.ended_before(before, AT_ONCE)
        for order in found:
            self._documents.destroy(order.order_id)
            with self._journal.act():
                self._orders.forget_persons(order.order_id, now)
                self._journal.change(self._journal.order(order.order_id), by=MACHINE, detail=DESTROYED)
            _log.info("order destroyed", order_id=str(order.order_id))
        self._destroy_left_over(before)
        if len(found) < AT_ONCE:
            self._next_look = now + EVERY
        if found:
            self._journal.ledger.empty_log()

    def _destroy_left_over(self, before: datetime) -> None:
        """A file without an order: the agent died before it was written down, or the ledger was lost."""
        for order_id in self._documents.left_over(before):
            if self._orders.get(order_id) is None:
                self._documents.destroy(order_id)
                _log.info("left-over order destroyed", order_id=str(order_id))
