"""The heartbeat: each so many seconds, to every registry that may print here, how the hall stands."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from importlib.metadata import version
from time import monotonic

from agents.board import Board
from agents.journal import Journal
from spooler.wire.messages import BlankCount, Heartbeat, PrinterStanding

# So long a registry may ask for one again, to close a gap in the chain.
_KEPT = timedelta(days=7)


class Heart:
    """Beats when asked often enough; one that was not sent yet is not followed by another."""

    def __init__(
        self,
        *,
        journal: Journal,
        board: Board,
        registries: Callable[[], Iterable[str]],
        every_seconds: float,
        monotonic: Callable[[], float] = monotonic,
        clock_offset: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._board = board
        self._registries = registries
        self._every_seconds = every_seconds
        self._monotonic = monotonic
        self._clock_offset = clock_offset
        self._next = float("-inf")

    def due_in_seconds(self) -> float:
        return max(0.0, self._next - self._monotonic())

    def beat_if_due(self) -> None:
        if self.due_in_seconds() == 0:
            self._next = self._monotonic() + self._every_seconds
            self.beat()

    def beat(self) -> None:
        with self._journal.act():
            for registry in sorted(self._registries()):
                if not self._journal.ledger.outbox.has_pending(registry, "heartbeat"):
                    self._tell(registry)
            self._journal.ledger.outbox.forget_heartbeats(self._journal.clock() - _KEPT)

    def _tell(self, registry: str) -> None:
        self._journal.tell_registry(
            Heartbeat,
            registry,
            agent_version=version("certspool"),
            printers=tuple(
                PrinterStanding(
                    name=p.name, stock=p.stock, state="paused" if p.is_paused else p.state, reasons=_codes(p.reasons)
                )
                for p in self._board.facts()
            ),
            blanks=tuple(
                BlankCount(stock=stock, status=status, count=count)
                for (stock, status), count in sorted(self._journal.ledger.blanks.counts().items())
            ),
            open_asks=len(self._journal.ledger.orders.unknown()),
            clock_offset_seconds=self._clock_offset(),
            audit=self._journal.ledger.audit.head(),
            home_audit=self._journal.ledger.audit.kept(registry, "home"),
        )


def _codes(reasons: Iterable[str]) -> tuple[str, ...]:
    """Only what the wire takes for a code: a device may say anything."""
    return tuple(r for r in reasons if r and r[0].isalpha() and r.isascii() and r == r.lower() and len(r) <= 64)
