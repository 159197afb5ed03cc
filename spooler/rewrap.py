"""A hall's key was changed while orders were on their way: what it could open no more is sealed again, for the key that it has now."""

import structlog

from spooler.another_order import AnotherOrder, Opened
from spooler.store import Store
from spooler.store.values import MACHINE

_log = structlog.get_logger()


class Rewrapper:
    """Called every few seconds by `watch`."""

    def __init__(self, *, store: Store, another_order: AnotherOrder) -> None:
        self._store = store
        self._another_order = another_order

    def look(self) -> None:
        """Open the next order of every job whose last one the hall had no key for."""
        for unopened in self._store.orders.unopened():
            opened = self._another_order.open(unopened.job_id, unopened.hall, None, "wrapped for a former key", MACHINE)
            if isinstance(opened, Opened):
                _log.info("order sealed again", job_id=unopened.job_id, order_id=opened.order_id)
            else:
                _log.warning("order not sealed again", job_id=unopened.job_id, why=type(opened).__name__)
