"""Every move of an order or a pass: checked against the table, written with its actor, and told, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.accounts import MACHINE
from agents.board import Board
from agents.errors import NotFound
from agents.ledger import Ledger, Order, PassRow
from agents.ledger.database import Value
from agents.ledger.rows import Attempt
from agents.order import BEFORE_THE_FIRST, MOVES, OrderState, PassState, pass_moves
from agents.report import Reporter
from agents.route import PrinterFacts
from agents.standing import HOMES_OWN, reasons_of
from spooler.wire.messages import Actor, OrderReport, Standing


class IllegalMove(Exception):
    """The table of moves does not have it: a fault of ours, never of a person."""


class Journal:
    """Used within `with journal.act():`, which is one durable transaction."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        reporter: Reporter,
        board: Board,
        clock: Callable[[], datetime],
        is_granted: Callable[[Order], bool] = lambda order: True,
    ) -> None:
        self.is_granted = is_granted  # its registry may print this kind here, as of now
        self.ledger = ledger
        self.board = board
        self.clock = clock
        self._reporter = reporter
        self.act = ledger.transaction

    def order(self, order_id: UUID) -> Order:
        order = self.ledger.orders.get(order_id)
        if order is None:
            raise NotFound(f"没有这份订单 · there is no order {order_id} here")
        return order

    def passes(self, order: Order) -> tuple[PassRow, ...]:
        """The passes of the current attempt."""
        return self.ledger.orders.passes(order.order_id, order.attempt)

    def check_sheet(self, order: Order) -> PassRow | None:
        """The pass of the sheet that the applicant signs before the first attempt, if the order has one."""
        if order.check_sheet is None:
            return None
        return next(iter(self.ledger.orders.passes(order.order_id, BEFORE_THE_FIRST)), None)

    def attempt(self, order: Order) -> Attempt:
        """The current attempt, which was opened by its first release."""
        attempt = self.ledger.orders.attempt(order.order_id, order.attempt)
        if attempt is None:
            raise NotFound(f"order {order.order_id} has no attempt {order.attempt} under way")
        return attempt

    def move(self, order: Order, to: OrderState, *, by: Actor, detail: str | None = None, **columns: Value) -> Order:
        """Bring the order into another state."""
        if to not in MOVES[order.state]:
            raise IllegalMove(f"order {order.order_id}: {order.state} → {to}")
        self.ledger.orders.set(order.order_id, state=to, **columns)
        moved = self.order(order.order_id)
        self._note(moved, by, detail=detail, serial=moved.serial)
        return moved

    def change(self, order: Order, *, by: Actor, detail: str, **columns: Value) -> Order:
        """Write down something about the order that is not its state."""
        if columns:
            self.ledger.orders.set(order.order_id, **columns)
        changed = self.order(order.order_id)
        self._note(changed, by, detail=detail)
        return changed

    def move_pass(
        self, row: PassRow, to: PassState, *, by: Actor, detail: str | None = None, **columns: Value
    ) -> PassRow:
        """Bring a pass into another state."""
        if to not in pass_moves(row.attempt)[row.state]:
            raise IllegalMove(f"pass {row.number} of order {row.order_id}: {row.state} → {to}")
        self.ledger.orders.set_pass(row, state=to, **columns)
        self._note(
            self.order(row.order_id),
            by,
            number=row.number,
            printer=row.printer,
            detail=to if detail is None else detail,
        )
        return self.pass_row(row.order_id, row.attempt, row.number)

    def release(self, row: PassRow, printer: str, *, by: Actor) -> PassRow:
        """Put a pass into a printer's queue; its place is the number of the event that says so."""
        order = self.order(row.order_id)
        place = self._note(order, by, number=row.number, printer=printer, detail="released")
        self.ledger.orders.set_pass(row, printer=printer, released=place)
        return replace(row, printer=printer, released=place)

    def pass_row(self, order_id: UUID, attempt: int, number: int) -> PassRow:
        for row in self.ledger.orders.passes(order_id, attempt):
            if row.number == number:
                return row
        raise NotFound(f"没有这一面 · order {order_id} has no pass {number} in attempt {attempt}")

    def tell(self, order_id: UUID, kind: type[OrderReport], *, by: Actor = MACHINE, **fields: Any) -> None:
        """Report about the order as it now stands, its reasons included."""
        order = self.settle_reasons(order_id)
        self._reporter.tell(
            kind,
            order.registry,
            order_id=order.order_id,
            job_id=order.job_id,
            state=order.state,
            reasons=tuple(r for r in order.reasons if r not in HOMES_OWN),
            attempt=order.attempt,
            serial=order.serial,
            actor=by,
            **fields,
        )

    def tell_registry(self, kind: Any, registry: str, **fields: Any) -> None:
        """Report what is not about an order that is kept here."""
        self._reporter.tell(kind, registry, **fields)

    def refresh(self, order_id: UUID, by: Actor = MACHINE) -> None:
        """Tell the order's reasons if they are others by now."""
        before = self.order(order_id).reasons
        after = self.settle_reasons(order_id)
        if after.reasons != before:
            self._note(after, by, detail="reasons")
            self.tell(order_id, Standing, by=by)

    def settle_reasons(self, order_id: UUID) -> Order:
        """Write down which reasons stand now."""
        order = self.order(order_id)
        reasons = self.reasons_now(order, self.board.facts())
        if reasons == order.reasons:
            return order
        self.ledger.orders.set(order_id, reasons=" ".join(reasons))
        return replace(order, reasons=reasons)

    def reasons_now(self, order: Order, printers: Sequence[PrinterFacts]) -> tuple[str, ...]:
        return reasons_of(
            order,
            self.passes(order),
            check_sheet=self.check_sheet(order),
            has_approval=self.ledger.approvals.open_for(order.order_id) is not None,
            printers=printers,
        )

    def _note(self, order: Order, by: Actor, **more: Any) -> int:
        return self.ledger.orders.note(
            order.order_id,
            at=self.clock(),
            state=order.state,
            reasons=order.reasons,
            attempt=order.attempt,
            actor=by,
            **more,
        )
