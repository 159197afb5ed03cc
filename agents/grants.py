"""Grants at the hall: what was ever agreed or withdrawn is written down, and a registry is told once that a withdrawal is known here.

trust directory ─▶ here ─▶ ledger, and a report to the registry         a registry's control ─▶ inbox ─▶ ledger, and the same report
"""

import structlog

from agents.journal import Journal
from agents.ledger import Ledger
from spooler.wire.grants import Mark, Pair, Side
from spooler.wire.messages import GrantWithdrawn, WithdrawGrant
from spooler.wire.trust import Trust

_log = structlog.get_logger()


class GrantWatch:
    """Called at each look of the pipeline."""

    def __init__(self, *, hall: str, journal: Journal, trust: Trust) -> None:
        self._hall = hall
        self._journal = journal
        self._trust = trust

    def look(self) -> None:
        """Write down what the trust directory says and is not on disk yet."""
        kept = self._journal.ledger.grants.kept()
        for (registry, hall), mark in sorted(self._trust.marks.items()):
            known = kept.get(registry)
            if hall == self._hall and (known is None or known.mark.raised(mark) != known.mark):
                with self._journal.act():
                    keep(self._journal, registry, mark)


def take_withdrawal(journal: Journal, trust: Trust, control: WithdrawGrant) -> None:
    """The registry's word that its grant is withdrawn: from its commit on no first pass begins."""
    with journal.act():
        keep(journal, control.registry, Mark(withdrawn=control.up_to), asked=True)
        journal.ledger.afterwards(trust.recall)


def keep(journal: Journal, registry: str, mark: Mark, *, asked: bool = False) -> None:
    """Raise what is kept, and tell the registry of a withdrawal that it was not told of; one that asks is answered again."""
    before = journal.ledger.grants.keep(registry, mark)
    withdrawn = before.mark.raised(mark).withdrawn
    if withdrawn > before.told or (asked and withdrawn):
        by = Side.HALL if mark.by_hall >= withdrawn else Side.REGISTRY
        journal.tell_registry(GrantWithdrawn, registry, up_to=withdrawn, by=by)
        journal.ledger.grants.keep(registry, mark, told=withdrawn)
        _log.warning("grant withdrawn", registry=registry, sequence=withdrawn)


def remembered(ledger: Ledger, hall: str) -> dict[Pair, Mark]:
    """Return what the trust directory asks: what was ever agreed and withdrawn here."""
    return {(registry, hall): kept.mark for registry, kept in ledger.grants.kept().items()}
