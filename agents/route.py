"""Step 3: which printer a pass fits, by stock, window, colour and what it has in hand. No input or output."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from agents.calibration.correction import Side
from agents.doctor.findings import Finding
from spooler.wire.messages import Seal, Stock


@dataclass(frozen=True)
class PrinterFacts:
    """A printer as it stands now."""

    name: str
    stock: Stock
    colour: bool = True
    windows: tuple[str, ...] = ()  # none: it serves every window
    turns_pages: bool = False
    state: str = "unknown"  # the IPP printer-state: idle · processing · stopped · unknown (it cannot be asked)
    reasons: tuple[str, ...] = ()  # IPP printer-state-reasons
    troubles: tuple[str, ...] = ()  # what its people must do, as an order's reasons
    findings: tuple[Finding, ...] = ()  # the doctor's
    is_paused: bool = False
    serving: UUID | None = None  # the order that it is kept for, from first pass to last
    asked: UUID | None = None  # the order whose pass is unknown: nothing else until it is answered
    queue: int = 0  # released passes that are not closed
    next_serial: str | None = None
    blanks: int = 0
    calibration: Mapping[str, int | None] = field(default_factory=dict)  # by side of its stock: the version in force
    calibrated: tuple[Side, ...] | None = None  # which sides are; None: on this paper nothing has to meet a frame

    def lacks(self, sides: Iterable[Side]) -> tuple[str, ...]:
        """Return the spreads that it is not calibrated for."""
        calibrated = self.calibrated
        if calibrated is None:
            return ()
        return tuple(side.spread for side in sides if not any(side.is_like(one) for one in calibrated))


@dataclass(frozen=True)
class Need:
    """What the first or next pass of an order asks of a printer."""

    order_id: UUID
    stock: Stock
    seal: Seal
    window: str | None
    keeps_printer: bool = False  # a booklet: nobody else's paper until its last pass is closed
    blank: bool = True  # it starts a numbered blank
    sides: tuple[Side, ...] = ()  # of numbered stock that the attempt prints: all have to come out in their frames


@dataclass(frozen=True)
class NoPrinter:
    """Why none fits now, as the order's reason, and what a clerk can do."""

    reason: str
    message: str


NOT_CALIBRATED = "printer-not-calibrated"  # the order's reason


def choose(need: Need, printers: Iterable[PrinterFacts], *, wanted: str | None = None) -> PrinterFacts | NoPrinter:
    """Return the printer that fits best, or why none does."""
    fitting = [p for p in printers if _may(need, p) and wanted in (None, p.name)]
    if not fitting:
        return NoPrinter("waiting-stock", f"没有适用的打印机 · no printer for {need.stock} here fits")
    calibrated = [p for p in fitting if not p.lacks(need.sides)]
    if not calibrated:
        return NoPrinter(NOT_CALIBRATED, _lacking(need, fitting))
    with_paper = [p for p in calibrated if not need.blank or p.next_serial is not None]
    if not with_paper:
        return NoPrinter("waiting-stock", f"空白证书已用完 · no {need.stock} blank is loaded")
    present = [p for p in with_paper if not p.is_paused and not p.troubles]
    if not present:
        return NoPrinter(
            _absence(with_paper), "打印机暂停或离线 · each printer that fits is paused, stopped or offline"
        )
    free = [p for p in present if _is_free(need, p)]
    if not free:
        busy = ", ".join(p.name for p in present)
        return NoPrinter("waiting-release", f"打印机正在打印另一本证书 · {busy} has another order in hand")
    return min(free, key=lambda p: (need.window not in p.windows, p.queue, p.name))


def _may(need: Need, printer: PrinterFacts) -> bool:
    colours = printer.colour or need.seal is not Seal.PRINTED
    at_window = not printer.windows or need.window is None or need.window in printer.windows
    return printer.stock is need.stock and colours and at_window


def _lacking(need: Need, printers: Iterable[PrinterFacts]) -> str:
    found = "; ".join(f"{p.name} {', '.join(p.lacks(need.sides))}" for p in printers)
    return f"打印机未校准，请先校准：{found} · not calibrated yet: {found} (certspool-agent calibrate --help)"


def _is_free(need: Need, printer: PrinterFacts) -> bool:
    if printer.asked not in (None, need.order_id):
        return False
    if need.keeps_printer:
        return printer.queue == 0 or printer.serving == need.order_id
    return printer.serving in (None, need.order_id)


def _absence(printers: Iterable[PrinterFacts]) -> str:
    """What hinders the last one that could be helped by a hand; a pause is the hall's own will."""
    troubles = [p.troubles[0] for p in printers if p.troubles and not p.is_paused]
    return troubles[-1] if troubles else "waiting-release"
