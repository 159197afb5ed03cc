"""Reports that the broker does not take: after five minutes the hall's operator is told which queue they are for, and why (step 6, F4).

Nothing is lost by it: they stay in the outbox, in order, and are tried again until they are taken.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from agents.ledger import Ledger
from spooler.wire.topology import registry_queue

STUCK_AFTER = timedelta(minutes=5)

_log = structlog.get_logger()


class StuckReports:
    """Called every few seconds by `pipeline`. Each registry is alarmed once, and again after its reports went."""

    def __init__(self, *, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._seen: dict[str, int] = {}
        self._told: set[str] = set()

    def look(self) -> None:
        """Tell what has come to a stop. Old reports that home asked for again go at once: one look more tells them apart."""
        rows = {row["registry"]: row for row in self._ledger.outbox.oldest(self._clock() - STUCK_AFTER)}
        for registry, row in rows.items():
            if self._seen.get(registry) == row["position"] and registry not in self._told:
                self._told.add(registry)
                _log.error(
                    "reports not taken",
                    queue=registry_queue(registry),
                    reports=row["reports"],
                    since=row["at"],
                    code=row["error"] or "broker-unreachable",
                    alarm=True,
                )
        for registry in self._told - rows.keys():
            _log.info("reports go again", queue=registry_queue(registry))
        self._told &= rows.keys()
        self._seen = {registry: row["position"] for registry, row in rows.items()}
