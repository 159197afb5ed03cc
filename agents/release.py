"""Step 4: let a pass go to a printer, by a person's act or by the hall's policy.

The first release opens the attempt and reserves its blank. A later pass waits for a person where a page is turned by hand; where no
page is turned (plain lists), or the device turns it, it goes by itself.
"""

from collections.abc import Callable, Sequence

from agents.accounts import POLICY
from agents.blank import Blanks
from agents.errors import DoesNotFit
from agents.journal import Journal
from agents.ledger import Order, PassRow
from agents.ledger.rows import Attempt
from agents.order import OrderState, PassState
from agents.route import NoPrinter, PrinterFacts, choose
from agents.standing import is_out, keeps_blank, need_of, next_open
from spooler.wire.messages import Actor, PassReport, Stock, Turn


class Release:
    """Within the caller's transaction; the printer's worker is woken after it."""

    def __init__(self, *, journal: Journal, blanks: Blanks, wake: Callable[[str], None]) -> None:
        self._journal = journal
        self._blanks = blanks
        self._wake = wake

    def first(self, order: Order, by: Actor, *, printer: str | None = None, serial: str | None = None) -> Order:
        """Open the attempt at a printer that fits, with the blank that it feeds next."""
        passes = self._journal.passes(order)
        first = next_open(passes)
        if first is None:
            raise DoesNotFit(f"order {order.order_id} has nothing to print", fits=("return",))
        chosen = self._choose(order, passes, first, printer)
        self._let_the_sheet_be(order)
        if not keeps_blank(passes):
            self._blanks.reserve(self._open(order, passes, first, chosen, serial), by)
        moved = self._journal.move(order, OrderState.PRINTING, by=by, detail="released")
        self._go(first, chosen.name, by)
        return moved

    def check_sheet(self, order: Order, row: PassRow, by: Actor, *, printer: str | None = None) -> None:
        """Print the sheet that the applicant signs, once more if it was before: it is white paper without a seal."""
        chosen = self._choose(order, self._journal.passes(order), row, printer)
        if row.is_closed:
            row = self._journal.move_pass(row, PassState.READY, by=by, detail="once-more", released=None)
        self._go(row, chosen.name, by)

    def later(self, order: Order, row: PassRow, by: Actor) -> None:
        """Release a pass of an attempt that is open: on its blank's printer, or for plain paper on any that fits."""
        self._go(row, self._printer_of(order, row), by)

    def _let_the_sheet_be(self, order: Order) -> None:
        """A check sheet that still waits for its printer comes too late to be read before."""
        row = self._journal.check_sheet(order)
        if row is not None and row.state is PassState.READY and row.released is not None:
            self._journal.ledger.orders.set_pass(row, printer=None, released=None)

    def _printer_of(self, order: Order, row: PassRow) -> str:
        attempt = self._journal.attempt(order)
        if row.shape.stock is attempt.stock:
            return attempt.printer
        return self._choose(order, self._journal.passes(order), row, None).name

    def by_itself(self, order: Order, by: Actor) -> None:
        """Release the next pass if nobody has to turn a page for it. Without a printer it waits for the next look."""
        if order.state is not OrderState.PRINTING or order.held or order.cancelling is not None:
            return
        row = next_open(self._journal.passes(order))
        if row is None or row.released is not None or row.try_id is not None or not self._turns_by_itself(order, row):
            return
        if row.shape.stock is not self._journal.attempt(order).stock:
            facts = self._journal.board.facts()
            if isinstance(choose(need_of(order, self._journal.passes(order), row), facts), NoPrinter):
                return
        self.later(order, row, by)

    def by_policy(self, order: Order, printers: Sequence[PrinterFacts]) -> bool:
        """Release a waiting order if a printer stands idle for it; one that has to be signed first, its sheet."""
        sheet = self._journal.check_sheet(order)
        if is_out(sheet):
            return False
        if order.awaits_check:
            return sheet is not None and self._sheet_by_policy(order, sheet, printers)
        passes = self._journal.passes(order)
        first = next_open(passes)
        if first is None:
            return False
        choice = choose(need_of(order, passes, first), printers)
        if isinstance(choice, NoPrinter) or choice.queue:
            return False
        self.first(order, POLICY, printer=choice.name)
        return True

    def _sheet_by_policy(self, order: Order, sheet: PassRow, printers: Sequence[PrinterFacts]) -> bool:
        """Print it once; whoever wants it once more asks for it."""
        if sheet.is_closed or sheet.released is not None or sheet.try_id is not None:
            return False
        choice = choose(need_of(order, self._journal.passes(order), sheet), printers)
        if isinstance(choice, NoPrinter) or choice.queue:
            return False
        self.check_sheet(order, sheet, POLICY, printer=choice.name)
        return True

    def _turns_by_itself(self, order: Order, row: PassRow) -> bool:
        if row.shape.turn is Turn.NONE:
            return True
        return self._journal.board.section(self._journal.attempt(order).printer).turns_pages

    def _choose(self, order: Order, passes: tuple[PassRow, ...], row: PassRow, printer: str | None) -> PrinterFacts:
        if printer is not None:
            self._journal.board.section(printer)
        choice = choose(need_of(order, passes, row), self._journal.board.facts(), wanted=printer)
        if isinstance(choice, NoPrinter):
            raise DoesNotFit(choice.message, fits=(), code=choice.reason)
        return choice

    def _open(
        self, order: Order, passes: tuple[PassRow, ...], first: PassRow, chosen: PrinterFacts, serial: str | None
    ) -> Attempt:
        stock = first.shape.stock
        proposed = None if stock is Stock.PLAIN else chosen.next_serial
        if serial not in (None, proposed):
            raise DoesNotFit(
                f"打印机 {chosen.name} 下一张是 {proposed} · the next blank of {chosen.name} is {proposed}, not {serial}",
                code="serial",
            )
        attempt = Attempt(order.order_id, order.attempt, chosen.name, stock, proposed)
        self._journal.ledger.orders.add_attempt(attempt)
        return attempt

    def _go(self, row: PassRow, printer: str, by: Actor) -> None:
        self._journal.release(row, printer, by=by)
        self._journal.tell(
            row.order_id, PassReport, by=by, number=row.number, outcome="released", printer=printer, try_id=row.try_id
        )
        self._journal.ledger.afterwards(lambda: self._wake(printer))
