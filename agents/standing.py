"""Which reasons stand beside an order's state, from what is known of it and of the printers. No input or output."""

from collections.abc import Iterable, Sequence

from agents.calibration.correction import Side
from agents.ledger.rows import Order, PassRow
from agents.order import OrderState, PassState
from agents.route import NOT_CALIBRATED, Need, NoPrinter, PrinterFacts, choose
from spooler.wire.messages import Seal, Stock, Turn

# These the home gives by itself; they stand in the hall's own view and in none of its reports.
HOMES_OWN = frozenset({"held", "cancel-requested"})


def need_of(order: Order, passes: Sequence[PassRow], of: PassRow) -> Need:
    """Return what this pass asks of a printer."""
    starts = of.shape.stock is not Stock.PLAIN and not has_begun(passes)
    return Need(
        order_id=order.order_id,
        stock=of.shape.stock,
        # A list beside a certificate bears no seal; a query result on the same white paper does.
        seal=order.seal if of.shape.stock is passes[0].shape.stock else Seal.STAMPED,
        window=order.window,
        keeps_printer=of.shape.stock is not Stock.PLAIN and any(p.shape.turn is Turn.PAGE for p in passes),
        blank=starts,
        sides=tuple(side_of(p) for p in passes if p.shape.stock is of.shape.stock and is_framed(p)),
    )


def is_framed(row: PassRow) -> bool:
    """Say whether what is printed has to meet the frames of a blank."""
    return row.shape.stock is not Stock.PLAIN and not row.shape.is_empty


def side_of(row: PassRow) -> Side:
    return Side(row.shape.name, row.shape.width_mm, row.shape.height_mm)


def has_begun(passes: Iterable[PassRow]) -> bool:
    """Say whether a pass of this attempt may have reached paper. A list kept from the attempt before begins nothing."""
    return any(p.state is not PassState.READY and not p.shape.is_empty for p in passes if not _is_kept_list(p))


def keeps_blank(passes: Iterable[PassRow]) -> bool:
    """Say whether this attempt goes on with the blank of the one before, its print good: only a plain sheet was lost."""
    return any(p.is_kept and p.shape.stock is not Stock.PLAIN for p in passes)


def _is_kept_list(row: PassRow) -> bool:
    return row.is_kept and row.shape.stock is Stock.PLAIN


def next_open(passes: Iterable[PassRow]) -> PassRow | None:
    """Return the first pass that is not closed."""
    return next((p for p in passes if not p.is_closed), None)


def is_out(row: PassRow | None) -> bool:
    """Say whether a pass is on its way to paper, or nobody knows whether it came there."""
    return row is not None and row.state is not PassState.READY and not row.is_closed


def reasons_of(
    order: Order,
    passes: Sequence[PassRow],
    *,
    has_approval: bool,
    printers: Sequence[PrinterFacts],
    check_sheet: PassRow | None = None,
) -> tuple[str, ...]:
    """Return them sorted, so that equal ones compare equal."""
    found = set[str]()
    if order.held:
        found.add("held")
    if order.cancelling is not None:
        found.add("cancel-requested")
    if has_approval:
        found.add("waiting-approval")
    if check_sheet is not None and check_sheet.state is PassState.UNKNOWN:
        found.add("outcome-unknown")
    if order.state is OrderState.WAITING and not order.held:
        found |= (
            _unsigned(order, passes, check_sheet, printers) if order.awaits_check else _waiting(order, passes, printers)
        )
    if order.state is OrderState.PRINTING:
        found |= _printing(passes, printers)
    return tuple(sorted(found))


def _unsigned(
    order: Order, passes: Sequence[PassRow], sheet: PassRow | None, printers: Sequence[PrinterFacts]
) -> set[str]:
    """The applicant has to sign; and where the sheet cannot even be printed, why not."""
    if sheet is None or sheet.is_closed:
        return {"waiting-check"}
    choice = choose(need_of(order, passes, sheet), printers)
    hindered = {choice.reason} if isinstance(choice, NoPrinter) else set[str]()
    return {"waiting-check"} | (hindered - {"waiting-release"})


def _waiting(order: Order, passes: Sequence[PassRow], printers: Sequence[PrinterFacts]) -> set[str]:
    first = next_open(passes)
    if first is None:
        return set()
    choice = choose(need_of(order, passes, first), printers)
    if isinstance(choice, NoPrinter):
        # Whoever waits for a printer to come back still waits for a release too.
        return {choice.reason} if choice.reason == "waiting-stock" else {choice.reason, "waiting-release"}
    return {"waiting-release"}


def _printing(passes: Sequence[PassRow], printers: Sequence[PrinterFacts]) -> set[str]:
    current = next_open(passes)
    if current is None:
        return set()
    if current.state is PassState.UNKNOWN:
        return {"outcome-unknown"}
    if current.released is None:
        return {"waiting-turn"} if current.shape.turn is Turn.PAGE else {"waiting-release"}
    return {r for p in printers if p.name == current.printer for r in (*p.troubles, *_lack(current, p))}


def _lack(row: PassRow, printer: PrinterFacts) -> tuple[str, ...]:
    return (NOT_CALIBRATED,) if is_framed(row) and printer.lacks([side_of(row)]) else ()
