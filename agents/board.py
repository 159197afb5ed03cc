"""How the printers stand: what hall.toml says of them, what they last said themselves, and what the ledger knows they have in hand."""

from collections.abc import Callable, Sequence
from threading import Lock

from agents.device import NOT_ASKED, Standing
from agents.doctor.findings import Finding, unsafe_for
from agents.errors import NotFound
from agents.ledger import Ledger, PassRow
from agents.order import PassState
from agents.route import PrinterFacts
from agents.serials import Serial
from agents.settings import PrinterSection
from spooler.wire.messages import Turn


class Board:
    """Thread-safe. States are told by the printers' workers; until one is told it is `unknown`, which hinders nothing."""

    def __init__(self, printers: Sequence[PrinterSection], ledger: Ledger) -> None:
        self._printers = {p.name: p for p in printers}
        self._ledger = ledger
        self._lock = Lock()
        self._standings: dict[str, Standing] = {}
        self._findings: tuple[Finding, ...] = ()
        self._listeners: list[Callable[[], None]] = []

    def listen(self, call: Callable[[], None]) -> None:
        """Let this be called whenever a printer stands otherwise than before."""
        self._listeners.append(call)

    def told(self, printer: str, standing: Standing) -> None:
        with self._lock:
            changed = self._standings.get(printer, NOT_ASKED) != standing
            self._standings[printer] = standing
        if changed:
            self._tell()

    def diagnosed(self, findings: tuple[Finding, ...]) -> None:
        """Take what the doctor found: an unsafe printer counts as stopped until it finds it safe."""
        with self._lock:
            changed, self._findings = self._findings != findings, findings
        if changed:
            self._tell()

    def _tell(self) -> None:
        for call in self._listeners:
            call()

    def section(self, name: str) -> PrinterSection:
        if name not in self._printers:
            raise NotFound(f"没有这台打印机 · there is no printer {name} here")
        return self._printers[name]

    def names(self) -> Sequence[str]:
        return list(self._printers)

    def facts(self) -> list[PrinterFacts]:
        return [self.facts_of(name) for name in self._printers]

    def facts_of(self, name: str) -> PrinterFacts:
        section = self.section(name)
        with self._lock:
            standing = self._standings.get(name, NOT_ASKED)
            findings = tuple(f for f in self._findings if f.printer in (None, name))
        is_unsafe = bool(unsafe_for(name, findings))
        under_way = self._ledger.orders.under_way(name)
        served = self._ledger.orders.served(name)
        loaded = [r for r in self._ledger.blanks.at_printer(name) if r.status == "loaded"]
        return PrinterFacts(
            name=name,
            stock=section.stock,
            colour=section.colour,
            windows=section.windows,
            turns_pages=section.turns_pages,
            state="stopped" if is_unsafe else standing.state,
            reasons=(*dict.fromkeys(f.code for f in findings), *standing.reasons),
            troubles=standing.order_reasons or (("printer-offline",) if is_unsafe else ()),
            findings=findings,
            is_paused=self._ledger.is_paused(name),
            serving=next((p.order_id for p in served if p.shape.turn is Turn.PAGE), None),
            asked=next((p.order_id for p in under_way if p.state is PassState.UNKNOWN), None),
            queue=self._queue(name, served, under_way),
            next_serial=str(Serial(loaded[0].prefix, loaded[0].first)) if loaded else None,
            blanks=sum(len(r) for r in loaded),
        )

    def _queue(self, name: str, served: Sequence[PassRow], under_way: Sequence[PassRow]) -> int:
        """Count passes in hand: released, under way, or later ones of an attempt that is here."""
        every = [*served, *under_way, *self._ledger.orders.queued(name)]
        return len({(p.order_id, p.attempt, p.number) for p in every})
