"""Grants at home: what was ever agreed or withdrawn is written down, and a hall is told at once of a withdrawal that it may not know.

trust directory ─▶ here ─▶ store, and a control to the hall         a hall's own withdrawal ─▶ collect ─▶ store
"""

from collections.abc import Callable, Collection, Mapping
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from spooler.ask_hall import HallAsker
from spooler.store import Change, Store
from spooler.store.grants import keep_mark
from spooler.store.values import Alarm, Refusal
from spooler.wire.grants import Mark, Pair, Side
from spooler.wire.messages import GrantWithdrawn, WithdrawGrant
from spooler.wire.trust import Trust

GRANT_WITHDRAWN = Refusal(
    "grant-withdrawn",
    "该登记机构已无权在该大厅打印此类证书 / the registry is no longer granted to print this kind at that hall",
)
BY_HALL = "grant-withdrawn"

_log = structlog.get_logger()


class GrantWatch:
    """Called every few seconds by `watch`."""

    def __init__(self, *, store: Store, asker: HallAsker, trust: Trust, registries: Collection[str]) -> None:
        self._store = store
        self._asker = asker
        self._trust = trust
        self._registries = frozenset(registries)

    def look(self) -> None:
        """Write down what is new, and tell the hall of each withdrawal that it has not heard of."""
        kept = self._store.grants.kept()
        for pair, mark in sorted(self._trust.marks.items()):
            before = kept.get(pair)
            is_known = before is not None and before.mark.raised(mark) == before.mark
            is_told = before is not None and before.told >= max(mark.withdrawn, before.mark.withdrawn)
            if pair[0] in self._registries and not (is_known and is_told):
                self._keep(pair, mark)

    def _keep(self, pair: Pair, mark: Mark) -> None:
        with self._store.changing() as change:
            before = keep_mark(change, pair, mark)
            withdrawn = before.mark.raised(mark).withdrawn
            if withdrawn > before.told:
                self._tell(change, pair, withdrawn)
                keep_mark(change, pair, mark, told=withdrawn)

    def _tell(self, change: Change, pair: Pair, up_to: int) -> None:
        registry, hall = pair
        control = WithdrawGrant(control_id=uuid4(), registry=registry, hall=hall, at=change.now, up_to=up_to)
        self._asker.post(change, control)
        _log.warning("grant withdrawn, the hall is told", registry=registry, hall=hall, sequence=up_to)


def note_withdrawn(change: Change, report: GrantWithdrawn) -> None:
    """A hall says that it knows of a withdrawal: its own, which somebody here should hear of, or ours."""
    pair = report.registry, report.hall
    before = keep_mark(change, pair, Mark(withdrawn=report.up_to), told=report.up_to)
    if report.up_to > before.mark.withdrawn and report.by is Side.HALL:
        detail = f"the hall withdrew what was agreed up to {report.up_to}"
        change.alarm(Alarm(BY_HALL, hall=report.hall, registry=report.registry, detail=detail))


def remembered(store: Store) -> Callable[[], Mapping[Pair, Mark]]:
    """Return how the trust directory asks what was ever agreed and withdrawn; with the database away, what it said last holds."""
    last: dict[Pair, Mark] = dict(store.grants.marks())

    def ask() -> Mapping[Pair, Mark]:
        try:
            last.update(store.grants.marks())
        except SQLAlchemyError as e:
            _log.warning("what is remembered of grants cannot be read, the last reading holds", error=type(e).__name__)
        return last

    return ask
