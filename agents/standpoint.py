"""How far a hall in reconcile mode has come: who answered, what is known, what is missing, which blanks nobody counted. Reads only."""

from collections.abc import Iterator, Sequence

from agents.journal import Journal
from agents.ledger import Binding, Range
from agents.ledger.binding import code_of
from agents.ledger.past import Asked
from agents.serials import Serial
from agents.stock import range_view
from agents.views import AskedView, LeavingView, RangeView, ReconcileView, UnknownPassView

TO_BE_COUNTED = ("in-stock", "loaded")


class Standpoint:
    """Read within or outside a transaction."""

    def __init__(self, journal: Journal, registries: Sequence[str]) -> None:
        self._journal = journal
        self._ledger = journal.ledger
        self._registries = tuple(registries)

    def is_new_to_all(self) -> bool:
        """Say whether every registry has answered that it never heard of this hall."""
        asked = {one.registry: one for one in self._ledger.past.asked()}
        return all(r in asked and asked[r].is_answered and asked[r].is_first for r in self._registries)

    def hindrances(self, without: Sequence[str] = ()) -> list[str]:
        """Say what has to be done before the hall may print again."""
        found = [f"{registry} has not answered" for registry in self._silent() if registry not in without]
        missing = [order_id for order_id, registry in self._ledger.past.not_applied() if registry not in without]
        if missing:
            found.append(f"{len(missing)} orders have not come back yet, the first is {missing[0]}")
        unspoken = self._unspoken(without)
        if unspoken:
            found.append(
                f"{len(unspoken)} orders here that their registry did not speak of, the first is {unspoken[0]}"
            )
        uncounted = self._uncounted()
        if uncounted:
            found.append("blanks to be counted: " + ", ".join(_span(r) for r in uncounted[:5]))
        return found

    def view(self, binding: Binding) -> ReconcileView:
        leaving = self._ledger.past.leaving()
        in_doubt = not binding.may_print
        return ReconcileView(
            why=None if binding.reconcile is None else code_of(binding.reconcile),
            sentence=binding.reconcile,
            since=self._ledger.past.since() if in_doubt else None,
            epoch=binding.epoch,
            registries=tuple(map(_asked_view, self._ledger.past.asked())),
            orders=self._counts(),
            unknown=tuple(self._unknown()),
            missing=tuple(order_id for order_id, _ in self._ledger.past.not_applied()),
            strangers=tuple(one.try_id for one in self._ledger.past.strangers()),
            uncounted=tuple(map(range_view, self._uncounted())) if in_doubt else tuple[RangeView, ...](),
            hindered_by=tuple(self.hindrances(leaving.without if leaving else ())) if in_doubt else (),
            leaving=None
            if leaving is None
            else LeavingView(by=leaving.by, at=leaving.at, reason=leaving.reason, without=leaving.without),
        )

    def _silent(self) -> list[str]:
        answered = {one.registry for one in self._ledger.past.asked() if one.is_answered}
        return [registry for registry in self._registries if registry not in answered]

    def _unspoken(self, without: Sequence[str]) -> list[str]:
        """Orders that were here when the registry was asked, and that its answer left out."""
        asked = {one.registry: one for one in self._ledger.past.asked() if one.is_answered}
        return [
            str(order.order_id)
            for order in self._ledger.orders.active()
            if order.registry not in without
            and order.registry in asked
            and order.received_at < asked[order.registry].asked_at
            and self._ledger.past.known(order.order_id, order.registry) is None
        ]

    def _uncounted(self) -> list[Range]:
        """Ranges on hand that nobody counted since this began."""
        since = self._ledger.past.since()
        counted = [] if since is None else self._ledger.past.counted_since(since)
        on_hand = (r for r in self._ledger.blanks.all() if r.status in TO_BE_COUNTED)
        return [r for r in on_hand if not _is_covered(r, counted)]

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for (_, _, state), count in self._ledger.orders.counts().items():
            counts[state] = counts.get(state, 0) + count
        return counts

    def _unknown(self) -> Iterator[UnknownPassView]:
        for row in self._ledger.orders.unknown():
            yield UnknownPassView(order_id=row.order_id, attempt=row.attempt, number=row.number, printer=row.printer)


def _is_covered(blanks: Range, counted: Sequence[tuple[str, str, int, int]]) -> bool:
    """Say whether counts, put together, reach from the first to the last."""
    at = blanks.first
    for _, _, first, last in sorted(c for c in counted if (c[0], c[1]) == (blanks.stock, blanks.prefix)):
        if first <= at:
            at = max(at, last + 1)
    return at > blanks.last


def _span(blanks: Range) -> str:
    return f"{Serial(blanks.prefix, blanks.first)}…{Serial(blanks.prefix, blanks.last)}"


def _asked_view(one: Asked) -> AskedView:
    return AskedView(registry=one.registry, asked_at=one.asked_at, answered=one.is_answered)
