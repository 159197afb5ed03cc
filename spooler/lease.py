"""Leases: an order may be begun until its `not_after`, so that one which home no longer knows ends by itself; home renews it in time.

The policy is simple. When less than half of the ticket's days are left, an order that is open, granted, at a hall that speaks, and whose
end nobody asked for, gets the same number of working days from now. What is not renewed expires at the hall, by its own word.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from spooler.ask_hall import HallAsker
from spooler.daemon.crash import crash_point
from spooler.prepare import add_working_days
from spooler.store import Store
from spooler.store.controls import open_control
from spooler.store.orders import Ending
from spooler.store.values import MACHINE
from spooler.wire.messages import Lease
from spooler.wire.trust import Trust


class Leases:
    """Called every few seconds by `watch`."""

    def __init__(
        self, *, store: Store, asker: HallAsker, trust: Trust, order_days: int, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._asker = asker
        self._trust = trust
        self._order_days = order_days
        self._clock = clock

    def look(self) -> None:
        """Renew what ends soon."""
        soon = self._clock() + timedelta(days=self._order_days) / 2
        for ending in self._store.orders.ending_before(soon):
            if self._trust.may_print(ending.registry, ending.hall, ending.kind):
                self._renew(ending)

    def _renew(self, ending: Ending) -> None:
        with self._store.changing() as change:
            if open_control(change.connection, ending.job_id, "lease") is not None:
                return
            control = Lease(
                control_id=uuid4(),
                registry=ending.registry,
                hall=ending.hall,
                order_id=UUID(ending.order_id),
                at=change.now,
                not_after=add_working_days(change.now, self._order_days),
            )
            self._asker.ask(change, control, ending.job_id, "renewed in time", MACHINE)
            crash_point("home.before-lease-commit")
        crash_point("home.after-lease-commit")
