"""Orders and controls that the broker has confirmed and that never arrive, though their hall speaks: its queue was emptied or lost (S24).

After five minutes that is an alarm, and it is sent again. A hall that had it all the same knows it, an order by its hash and a control by
its id, and does nothing twice; a hall that says nothing at all has an alarm of its own (`hall-silent`), and its five minutes begin when it
speaks again. A control is there when any answer to it is, also `pending`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from spooler.ask_hall import HallAsker
from spooler.dispatch import NoWrapKey, order_letter, wrap_key
from spooler.documents import Documents
from spooler.store import Store
from spooler.store.controls import Control, is_unheard, unheard
from spooler.store.orders import UnreceivedOrder, send_again
from spooler.store.values import Alarm
from spooler.wire.envelope import Contents
from spooler.wire.trust import Trust

PATIENCE = timedelta(minutes=5)
LONGEST_PATIENCE = timedelta(hours=1)
LOOK_EVERY = timedelta(seconds=30)
NOT_RECEIVED, NOT_ANSWERED = "not-received", "not-answered"

_log = structlog.get_logger()


@dataclass(frozen=True)
class _Wait:
    """Since when it was missed, and how often it was sent again."""

    since: datetime
    times: int = 0

    def is_over(self, now: datetime) -> bool:
        return now - self.since >= min(LONGEST_PATIENCE, PATIENCE * (1 << min(self.times, 10)))


class Unreceived:
    """Called every few seconds by `watch`."""

    def __init__(
        self, *, store: Store, documents: Documents, trust: Trust, asker: HallAsker, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._documents = documents
        self._trust = trust
        self._asker = asker
        self._clock = clock
        self._next_look: datetime | None = None
        self._waits: dict[str, _Wait] = {}

    def look(self) -> None:
        """Tell of what has been missed for too long, and send it again."""
        now = self._clock()
        if self._next_look is not None and now < self._next_look:
            return
        self._next_look = now + LOOK_EVERY
        missed = self._missed()
        self._waits = {letter_id: self._waits.get(letter_id, _Wait(now)) for letter_id in missed}
        for letter_id, once_more in missed.items():
            wait = self._waits[letter_id]
            if wait.is_over(now):
                once_more()
                self._waits[letter_id] = replace(wait, since=now, times=wait.times + 1)

    def _missed(self) -> dict[str, Callable[[], None]]:
        """Return by id how each is sent again. Orders first: what is asked about them is asked of a hall that has them."""
        with self._store.transactions.reading() as connection:
            controls = unheard(connection)
        return {
            **{one.order.order_id: partial(self._send_again, one) for one in self._store.orders.unreceived()},
            **{one.control_id: partial(self._ask_again, one) for one in controls},
        }

    def _send_again(self, missed: UnreceivedOrder) -> None:
        order = missed.order
        about = {"hall": order.hall, "registry": order.registry, "job_id": order.job_id, "order_id": order.order_id}
        if order.not_after <= self._clock() or not self._trust.may_print(order.registry, order.hall, missed.kind):
            return  # the hall would refuse it; whoever looks at the job sees why it waits
        try:
            key = wrap_key(self._trust, order.hall, self._clock())
        except NoWrapKey as e:
            _log.error("order not received and not sent again", code=e.code, **about)
            return
        contents = Contents(
            signed_ticket=self._documents.read(order.ticket_sha256),
            document=self._documents.read(missed.document_sha256),
        )
        with self._store.changing() as change:
            if send_again(change, order.order_id, order_letter(order, contents, key)):
                change.alarm(Alarm(NOT_RECEIVED, **about))

    def _ask_again(self, missed: Control) -> None:
        about = {"hall": missed.hall, "registry": missed.registry, "job_id": missed.job_id, "order_id": missed.order_id}
        if not (self._asker.speaks_for(missed.registry) and self._trust.are_partners(missed.registry, missed.hall)):
            return  # of a registry that was here once, or there is no way to that hall any more
        with self._store.changing() as change:
            if is_unheard(change, missed.control_id):
                self._asker.again(change, missed)
                change.alarm(Alarm(NOT_ANSWERED, detail=missed.kind, **about))
