"""Step 4: the sealed order is wrapped for its hall and kept as a letter, which the courier sends.

May run twice: the letter has the order's id, and an order has one letter.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from spooler.daemon.crash import crash_point
from spooler.documents import Documents
from spooler.prepare import refuse_for_grant
from spooler.store import Outgoing, Store
from spooler.store.change import RANK_ORDER
from spooler.store.values import OpenOrder, Work
from spooler.wire.addresses import headers
from spooler.wire.envelope import Address, Contents, wrap
from spooler.wire.keys import KeyRecord
from spooler.wire.topology import ORDER_TYPE, ORDERS, to_hall
from spooler.wire.trust import Trust


class NoWrapKey(Exception):
    """The trust directory holds no key now valid to wrap for this hall: an operator must bring one."""

    code = "no-wrap-key"


class Dispatcher:
    """Puts sealed orders into the outbox."""

    def __init__(
        self,
        *,
        store: Store,
        documents: Documents,
        trust: Trust,
        clock: Callable[[], datetime],
        seal_again: Callable[[Work, str], None] = lambda work, stale: None,
    ) -> None:
        self._store = store
        self._documents = documents
        self._trust = trust
        self._clock = clock
        self._seal_again = seal_again

    def __call__(self, work: Work) -> None:
        """Wrap the job's open order and keep the letter."""
        order = self._store.orders.open_order(work.job_id)
        if order is None or work.document_sha256 is None:
            return
        if not self._trust.may_print(order.registry, order.hall, work.kind):
            refuse_for_grant(self._store, work)
            return
        if order.not_after <= self._clock():
            # Held at home for days: a hall would refuse it, and it has never left. The next turn sends the new one.
            self._seal_again(work, order.order_id)
            return
        contents = Contents(
            signed_ticket=self._documents.read(order.ticket_sha256),
            document=self._documents.read(work.document_sha256),
        )
        key = wrap_key(self._trust, order.hall, self._clock())
        letter = order_letter(order, contents, key)
        crash_point("home.after-wrap")
        self._store.orders.post(order.order_id, letter)
        crash_point("home.after-letter-commit")


def wrap_key(trust: Trust, hall: str, now: datetime) -> KeyRecord:
    """Return the hall's newest key that is valid now, or raise NoWrapKey."""
    record = trust.halls.get(hall)
    serving = [key for key in record.wrap_keys if key.serves("wrap", now)] if record else []
    if not serving:
        raise NoWrapKey(f"hall {hall} has no wrap key valid now: see the trust directory")
    return max(serving, key=lambda key: key.not_before)


def order_letter(order: OpenOrder, contents: Contents, key: KeyRecord, rank: int = RANK_ORDER) -> Outgoing:
    """Return the wrapped order, addressed with ids only."""
    address = Address(order.registry, order.hall, UUID(order.order_id), key.kid)
    return Outgoing(
        exchange=ORDERS,
        routing_key=to_hall(order.registry, order.hall),
        type=ORDER_TYPE,
        body=wrap(contents, address, key),
        headers=headers(registry=order.registry, hall=order.hall, order_id=order.order_id, kid=key.kid),
        rank=rank,
        letter_id=order.order_id,
        order_id=order.order_id,
        job_id=order.job_id,
    )
