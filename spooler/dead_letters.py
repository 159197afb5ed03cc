"""The dead-letter queues of our registries: what a hall, the broker or we ourselves gave up is kept, counted, and told to its job (F13).

Nothing here is believed for what it says: only the outside of the letter is read, and only an order that stands in our own books, for
that hall, is touched. Whoever reads this queue cannot reject, so all of it is kept.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import UUID

import structlog

from spooler.collect import Collector
from spooler.daemon.crash import crash_point
from spooler.store import Store
from spooler.store.values import DeadLetter
from spooler.wire.letters import Delivery
from spooler.wire.topology import CONTROL_TYPE, ORDER_TYPE, REPORT_TYPE, dead_queue

_TYPES = frozenset({ORDER_TYPE, CONTROL_TYPE, REPORT_TYPE})
MOST_KEPT_BYTES = 1 << 16

_log = structlog.get_logger()


class DeadLetterReader:
    """Keeps what died."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def handle(self, delivery: Delivery) -> None:
        """Return when it is durable."""
        dead = _read(delivery)
        if self._store.dead.keep(dead):
            crash_point("home.after-dead-letter-commit")
            _log.error("dead letter", type=dead.type, hall=dead.hall, order_id=dead.order_id, why=dead.why, alarm=True)


class HomeInbox:
    """The home's one way in (the wire's Inbox): reports to the collector, dead letters to their reader."""

    def __init__(self, collector: Collector, dead: DeadLetterReader) -> None:
        self._collector = collector
        self._dead = dead

    def handle(self, delivery: Delivery) -> None:
        if delivery.queue.startswith(dead_queue("")):
            self._dead.handle(delivery)
        else:
            self._collector.handle(delivery)


def _read(delivery: Delivery) -> DeadLetter:
    registry = delivery.queue.removeprefix(dead_queue(""))
    kind = delivery.type if delivery.type in _TYPES else "other"
    first, _, second = delivery.routing_key.partition(".")
    hall = first if second == registry else second
    keeps = kind != ORDER_TYPE and len(delivery.body) <= MOST_KEPT_BYTES
    return DeadLetter(
        letter_id=delivery.id[:64],
        registry=registry,
        hall=hall if len(hall) <= len("231282-01") else None,
        type=kind,
        order_id=_uuid(delivery.headers.get("order_id")),
        why=_word(delivery.headers, "x-first-death-reason", "unknown")[:64],
        queue=_word(delivery.headers, "x-first-death-queue", "")[:255],
        sha256=sha256(delivery.body).hexdigest(),
        body=delivery.body if keeps else None,
    )


def _word(headers: Mapping[str, Any], name: str, otherwise: str) -> str:
    value = headers.get(name)
    return value if isinstance(value, str) and value.isprintable() else otherwise


def _uuid(value: object) -> str | None:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return None
