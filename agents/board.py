"""How the printers stand: what hall.toml says of them, what they last said themselves, and what the ledger knows they have in hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from agents.calibration.correction import Calibrated, Side
from agents.calibration.reach import first_lost
from agents.device import NOT_ASKED, Standing
from agents.doctor.findings import NOT_CALIBRATED, Finding, unsafe_for
from agents.errors import NotFound
from agents.ledger import Ledger, PassRow
from agents.order import PassState
from agents.route import PrinterFacts
from agents.serials import Serial
from agents.settings import PrinterSection
from agents.templates import Templates
from spooler.wire.messages import Stock, Turn


@dataclass(frozen=True)
class _InForce:
    """What a printer's calibrations come to; worked out once: it is asked with every look at the printers."""

    found: tuple[Calibrated, ...] | None
    counting: tuple[Calibrated, ...]  # without those that would push a field of ours off the sheet
    versions: Mapping[str, int | None]  # by the spreads of its stock; None: not calibrated


_NOT_WORKED_OUT = _InForce(None, (), {})


class Board:
    """Thread-safe. States are told by the printers' workers; until one is told it is `unknown`, which hinders nothing."""

    def __init__(self, printers: Sequence[PrinterSection], ledger: Ledger, templates: Templates | None = None) -> None:
        self._printers = {p.name: p for p in printers}
        self._ledger = ledger
        self._templates = templates or Templates()
        self._lock = Lock()
        self._standings: dict[str, Standing] = {}
        self._findings: tuple[Finding, ...] = ()
        self._listeners: list[Callable[[], None]] = []
        self._in_forces: dict[str, _InForce] = {}

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
            found = [f for f in self._findings if f.printer in (None, name) and f.code != NOT_CALIBRATED]
        in_force = self._in_force(section)
        calibration = in_force.versions
        findings = (*found, *_lacks(name, calibration))
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
            reasons=tuple(dict.fromkeys((*(f.code for f in findings), *standing.reasons))),
            troubles=standing.order_reasons or (("printer-offline",) if is_unsafe else ()),
            findings=findings,
            is_paused=self._ledger.is_paused(name),
            serving=next((p.order_id for p in served if p.shape.turn is Turn.PAGE), None),
            asked=next((p.order_id for p in under_way if p.state is PassState.UNKNOWN), None),
            queue=self._queue(name, served, under_way),
            next_serial=str(Serial(loaded[0].prefix, loaded[0].first)) if loaded else None,
            blanks=sum(len(r) for r in loaded),
            calibration=calibration,
            calibrated=None if section.stock is Stock.PLAIN else tuple(one.side for one in in_force.counting),
        )

    def sides(self, name: str) -> tuple[Side, ...]:
        """Return the sides that this printer has to be calibrated for."""
        return self._templates.sides(self.section(name).stock)

    def calibrated(self, name: str, side: Side) -> Calibrated | None:
        """Return what is in force at a printer for a side; None: it is not calibrated, nothing may be printed there."""
        return _like(side, self._in_force(self.section(name)).counting)

    def _in_force(self, section: PrinterSection) -> _InForce:
        found = self._ledger.calibrations.in_force(section.name, section.stock, section.device)
        known = self._in_forces.get(section.name, _NOT_WORKED_OUT)
        if found != known.found:
            known = self._in_forces[section.name] = self._worked_out(section.stock, found)
        return known

    def _worked_out(self, stock: Stock, found: tuple[Calibrated, ...]) -> _InForce:
        counting = tuple(one for one in found if self._keeps_all(stock, one))
        versions = {side.spread: _version_of(side, counting) for side in self._templates.sides(stock)}
        return _InForce(found, counting, versions)

    def _keeps_all(self, stock: Stock, one: Calibrated) -> bool:
        return first_lost(one.correction, one.side, self._templates.fields(stock, one.side)) is None

    def _queue(self, name: str, served: Sequence[PassRow], under_way: Sequence[PassRow]) -> int:
        """Count passes in hand: released, under way, or later ones of an attempt that is here."""
        every = [*served, *under_way, *self._ledger.orders.queued(name)]
        return len({(p.order_id, p.attempt, p.number) for p in every})


def _like(side: Side, those: Sequence[Calibrated]) -> Calibrated | None:
    return next((one for one in those if one.side.is_like(side)), None)


def _version_of(side: Side, those: Sequence[Calibrated]) -> int | None:
    found = _like(side, those)
    return None if found is None else found.version


def _lacks(printer: str, calibration: Mapping[str, int | None]) -> Sequence[Finding]:
    """What the doctor would find; the ledger knows it without waiting for his next round."""
    missing = [spread for spread, version in calibration.items() if version is None]
    return [Finding(NOT_CALIBRATED, printer, ", ".join(missing))] if missing else []
