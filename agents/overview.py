"""From the ledger's rows to what a person sees, and which acts fit now."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.accounts import Account, Role
from agents.board import Board
from agents.journal import Journal
from agents.ledger import Approval, Order, PassRow
from agents.order import OrderState, PassState
from agents.route import NoPrinter, PrinterFacts, choose
from agents.standing import has_begun, is_out, need_of, next_open
from agents.views import (
    ApprovalView,
    CheckSheetView,
    EvidenceView,
    FindingView,
    OrderView,
    PassView,
    PrinterView,
    ReplacesView,
)
from spooler.wire.messages import Check, Turn


class Overview:
    """Reads only."""

    def __init__(self, *, journal: Journal, board: Board) -> None:
        self._journal = journal
        self._board = board

    def orders(self, orders: Sequence[Order], by: Account) -> tuple[OrderView, ...]:
        """The printers are looked at once for all of them."""
        printers = self._board.facts()
        return tuple(self.order(order, by, printers) for order in orders)

    def order(self, order: Order, by: Account, printers: Sequence[PrinterFacts] | None = None) -> OrderView:
        passes = self._journal.passes(order)
        attempt = self._journal.ledger.orders.attempt(order.order_id, order.attempt)
        approval = self._journal.ledger.approvals.open_for(order.order_id)
        return OrderView(
            order_id=order.order_id,
            job_id=order.job_id,
            registry=order.registry,
            kind=order.kind,
            number=order.number,
            holder_masked=order.holder_masked,
            case=order.case,
            window=order.window,
            deadline=order.deadline,
            not_after=order.not_after,
            state=order.state,
            reasons=order.reasons,
            attempt=order.attempt,
            printer=None if attempt is None else attempt.printer,
            serial=order.serial,
            proposed_serial=None if attempt is None else attempt.proposed,
            seal=order.seal,
            approvals=() if approval is None else (approval_view(approval),),
            next=tuple(self._next(order, by, printers)),
            passes=tuple(self._pass(row, None if attempt is None else attempt.printer) for row in passes),
            check_sheet=self._check_sheet(order),
            replaces=replaces_view(order),
        )

    def _next(self, order: Order, by: Account, printers: Sequence[PrinterFacts] | None) -> list[str]:
        """Return the acts that fit this order now, and that this account may do."""
        approval = self._journal.ledger.approvals.open_for(order.order_id)
        if approval is not None:
            may = Role.APPROVE in by.roles and approval.asked_by.id != by.id
            return ["approve"] if may else []
        return self.fitting(order, printers) if Role.CLERK in by.roles else []

    def fitting(self, order: Order, printers: Sequence[PrinterFacts] | None = None) -> list[str]:
        """Return the acts that the state allows."""
        fitting = self._by_state(order, printers)
        if not order.awaits_old or not fitting or _is_stopped(order):
            return fitting
        # The old paper may be taken back as soon as somebody brings it, and is before the new one leaves.
        return ["old_returned", *(act for act in fitting if act != "issue")]

    def _by_state(self, order: Order, printers: Sequence[PrinterFacts] | None) -> list[str]:
        if order.state is OrderState.WAITING:
            return self._while_waiting(order, printers)
        if order.state is OrderState.PRINTING:
            return self._while_printing(order)
        if order.state is OrderState.PRINTED:
            return ([] if _is_stopped(order) else ["issue"]) + ["spoil", "return"]
        return []

    def _while_waiting(self, order: Order, printers: Sequence[PrinterFacts] | None) -> list[str]:
        sheet = self._journal.check_sheet(order)
        if sheet is not None and sheet.state is PassState.UNKNOWN:
            return ["resolve"]
        if is_out(sheet):
            return []
        release = [] if order.awaits_check else self._release(order, printers)
        return [*self._about_sheet(order, sheet, printers), *release, "return"]

    def _about_sheet(self, order: Order, sheet: PassRow | None, printers: Sequence[PrinterFacts] | None) -> list[str]:
        """Return what fits the check sheet: that it was signed, and to print it, once more too."""
        if sheet is None or _is_stopped(order):
            return []
        signs = ["sign_check_sheet"] if sheet.is_closed and not order.checked else []
        need = need_of(order, self._journal.passes(order), sheet)
        is_asked = sheet.released is not None and not sheet.is_closed
        fits = not is_asked and not isinstance(choose(need, printers or self._board.facts()), NoPrinter)
        return [*signs, *(["print_check_sheet"] if fits else [])]

    def _release(self, order: Order, printers: Sequence[PrinterFacts] | None) -> list[str]:
        passes = self._journal.passes(order)
        first = next_open(passes)
        if first is None or _is_stopped(order):
            return []
        fits = not isinstance(choose(need_of(order, passes, first), printers or self._board.facts()), NoPrinter)
        return ["release"] if fits else []

    def _while_printing(self, order: Order) -> list[str]:
        passes = self._journal.passes(order)
        current = next_open(passes)
        if current is None:
            return ([] if _is_stopped(order) else ["confirm"]) + ["spoil", "return"]
        if current.state is PassState.UNKNOWN:
            return ["resolve"]
        if current.state is not PassState.READY:
            return []
        acts = [] if _is_stopped(order) or current.released is not None else ["release_pass"]
        return acts + (["spoil"] if has_begun(passes) else []) + ["return"]

    def _pass(self, row: PassRow, printer: str | None) -> PassView:
        turns = printer is not None and self._board.section(printer).turns_pages
        return PassView(
            number=row.number,
            name=row.shape.name,
            stock=row.shape.stock,
            turn="operator" if row.shape.turn is Turn.PAGE and not turns else "device",
            state=row.state,
            try_id=row.try_id,
            printer=row.printer,
            evidence=self._evidence(row),
        )

    def _check_sheet(self, order: Order) -> CheckSheetView | None:
        row = self._journal.check_sheet(order)
        if row is None:
            return None
        seen = self._pass(row, None)
        return CheckSheetView(is_required=order.check_sheet is Check.REQUIRED, is_signed=order.checked, sheet=seen)

    def _evidence(self, row: PassRow) -> EvidenceView | None:
        if row.state is not PassState.UNKNOWN or row.try_id is None:
            return None
        return evidence_view(self._journal.ledger.tries.evidence(row.try_id) or {})


def evidence_view(evidence: Mapping[str, Any]) -> EvidenceView:
    """Read what the spool wrote down; a pass that home remembers for us has none of it."""
    done = (evidence.get("permit") or {}).get("done") or {}
    device = evidence.get("device") or {}
    return EvidenceView(
        why=evidence.get("why", "not-known-here"),
        sent_bytes=_number(done.get("bytes")),
        of_bytes=_number(done.get("length")),
        printer_reasons=tuple(device.get("seen", device.get("reasons", ()))),
    )


def _number(value: object) -> int | None:
    """A backend wrote it: anything else says nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def replaces_view(order: Order) -> ReplacesView | None:
    if order.replaces is None:
        return None
    return ReplacesView(**order.replaces.model_dump(), returned=order.old_returned)


def _is_stopped(order: Order) -> bool:
    return order.held or order.cancelling is not None


def approval_view(approval: Approval) -> ApprovalView:
    return ApprovalView(
        id=approval.id,
        order_id=approval.order_id,
        act=approval.act,
        attempt=approval.attempt,
        reason=approval.reason,
        details=approval.details,
        asked_by=approval.asked_by,
        asked_at=approval.asked_at,
        accepted=approval.accepted,
        answered_by=approval.answered_by,
        answered_at=approval.answered_at,
    )


def printer_view(facts: PrinterFacts) -> PrinterView:
    return PrinterView(
        name=facts.name,
        stock=facts.stock,
        colour=facts.colour,
        windows=facts.windows,
        state="paused" if facts.is_paused else facts.state,
        reasons=facts.reasons,
        findings=tuple(FindingView(code=f.code, severity=f.severity, message=f.message) for f in facts.findings),
        calibrated=facts.calibration,
        serving=facts.serving,
        next_serial=facts.next_serial,
        blanks=facts.blanks,
    )
