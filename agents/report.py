"""Step 6: say what became of things, signed and chained, into the outbox, in the same transaction as the move it tells."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from agents.ledger import Binding, Ledger
from spooler.daemon.crash import crash_point
from spooler.wire import signed
from spooler.wire.addresses import headers
from spooler.wire.errors import WireError
from spooler.wire.keys import SigningKey
from spooler.wire.letters import Letter
from spooler.wire.messages import REPORT_TYPE as SIGNED_REPORT_TYPE
from spooler.wire.messages import ReportBase
from spooler.wire.topology import REPORT_TYPE, REPORTS, to_registry

_LONGEST_PAUSE_SECONDS = 60


class Reporter:
    """Builds, signs and chains reports; is the courier's outbox."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        binding: Binding,
        key: SigningKey,
        clock: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._ledger = ledger
        self._binding = binding
        self._key = key
        self._clock = clock
        self._wake = wake

    def rebind(self, binding: Binding) -> None:
        """What is told from here on belongs to this epoch."""
        self._binding = binding

    def tell(self, kind: type[ReportBase], registry: str, **fields: Any) -> None:
        """Lengthen the registry's chain by one report. Within the caller's transaction, the courier is woken after it."""
        sequence, previous = self._ledger.outbox.end_of_chain(registry)
        report = kind(
            hall=self._binding.hall,
            registry=registry,
            epoch=self._binding.epoch,
            sequence=sequence + 1,
            previous=previous,
            instance=self._binding.instance,
            at=self._clock(),
            **fields,
        )
        payload = report.to_bytes()
        self._ledger.outbox.add(
            uuid4(),
            registry=registry,
            kind=str(report.model_dump()["kind"]),
            epoch=report.epoch,
            sequence=report.sequence,
            digest=sha256(payload).hexdigest(),
            order_id=fields.get("order_id"),
            body=signed.sign(payload, SIGNED_REPORT_TYPE, self._key),
            at=report.at,
        )
        self._ledger.afterwards(self._wake)

    # What the courier asks

    def pending(self, limit: int) -> Sequence[Letter]:
        letters = [self._letter(row) for row in self._ledger.outbox.pending(limit, self._clock())]
        if letters:
            crash_point("agent.before-publish")
        return letters

    def sent(self, letter_id: str) -> None:
        crash_point("agent.after-confirm")
        self._ledger.outbox.sent(letter_id, self._clock())
        crash_point("agent.after-sent-commit")

    def failed(self, letter_id: str, error: WireError) -> None:
        self._ledger.outbox.failed(letter_id, error.code, self._due_at)

    def _due_at(self, failures: int) -> datetime:
        return self._clock() + timedelta(seconds=min(_LONGEST_PAUSE_SECONDS, 2 ** min(failures, 10)))

    def _letter(self, row: Any) -> Letter:
        registry, hall = row["registry"], self._binding.hall
        return Letter(
            id=row["id"],
            exchange=REPORTS,
            routing_key=to_registry(hall, registry),
            type=REPORT_TYPE,
            body=row["body"],
            headers=headers(registry=registry, hall=hall, order_id=row["order_id"], kid=self._key.kid),
        )
