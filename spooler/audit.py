"""What home and halls tell each other of their audit logs, so that neither can be cut off or made anew without the other's word against it.

A hall's heartbeat says the end of its log and what it keeps of ours; once an hour a hall is told the end of ours and what we keep of its.
Whoever hears of an entry of its own that it does not have says so at once (alarm `audit-broken`).
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import uuid4

from spooler.ask_hall import HallAsker
from spooler.store import Change, Store
from spooler.store.audit import Keeper, is_ours, keep_anchor, newest_of_hall
from spooler.store.audit_chain import head_of
from spooler.store.halls import was_alarmed
from spooler.store.values import Alarm
from spooler.wire.messages import Anchor, AuditHead, Heartbeat

BROKEN = "audit-broken"
_HEARD_WITHIN = timedelta(minutes=5)
_TOLD_EVERY = timedelta(hours=1)


def heard(change: Change, report: Heartbeat) -> None:
    """Keep what a heartbeat says of either log."""
    keeper = Keeper(report.hall, report.registry)
    if report.audit is not None:
        before = newest_of_hall(change, keeper)
        if before is not None and _is_older(report.audit, before):
            _alarm(change, report, f"its log ends at {report.audit.sequence}, it was at {before.sequence} before")
            return
        keep_anchor(change, keeper, "hall", report.audit)
    if report.home_audit is not None:
        if not is_ours(change, report.home_audit):
            _alarm(change, report, f"our log lacks entry {report.home_audit.sequence} as the hall keeps it")
        keep_anchor(change, keeper, "home", report.home_audit)


def _is_older(told: AuditHead, before: AuditHead) -> bool:
    """Say whether the same log ends earlier than it did, or otherwise at the same entry."""
    is_shorter = told.sequence < before.sequence
    return told.log == before.log and (is_shorter or (told.sequence == before.sequence and told != before))


def _alarm(change: Change, report: Heartbeat, detail: str) -> None:
    if not was_alarmed(change, BROKEN, report.hall, change.now - _TOLD_EVERY):
        change.alarm(Alarm(BROKEN, hall=report.hall, registry=report.registry, detail=detail))


class AuditAnchors:
    """Called every few seconds by `watch`; tells each hall that speaks once an hour, and after a start."""

    def __init__(
        self, *, store: Store, asker: HallAsker, registries: Collection[str], clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._asker = asker
        self._registries = frozenset(registries)
        self._clock = clock
        self._told: dict[str, datetime] = {}

    def look(self) -> None:
        now = self._clock()
        for keeper in self._store.audit.keepers(now - _HEARD_WITHIN):
            if keeper.registry in self._registries and self._is_due(keeper.hall, now):
                self._tell(keeper)
                self._told[keeper.hall] = now

    def _is_due(self, hall: str, now: datetime) -> bool:
        last = self._told.get(hall)
        return last is None or not last <= now < last + _TOLD_EVERY

    def _tell(self, keeper: Keeper) -> None:
        with self._store.changing() as change:
            head = head_of(change.connection)
            if head is not None:
                self._asker.post(
                    change,
                    Anchor(
                        control_id=uuid4(),
                        registry=keeper.registry,
                        hall=keeper.hall,
                        at=change.now,
                        audit=head,
                        hall_audit=newest_of_hall(change, keeper),
                    ),
                )
