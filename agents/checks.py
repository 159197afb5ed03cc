"""What must hold before an act of a person: that it is about what is now, that it fits, that the serials can be. Reads only."""

from collections.abc import Callable, Sequence
from uuid import UUID

from agents.blank import Blanks
from agents.documents import Documents
from agents.errors import DoesNotFit, Invalid, Stale
from agents.journal import Journal
from agents.ledger import Order, PassRow
from agents.order import OrderState
from agents.overview import Overview
from agents.people import Identity, Outcome, Recipient
from agents.standing import is_out, keeps_blank
from spooler.wire.messages import Party, Stock

_LONGEST_REASON = 500
# What a person says of paper that lies there is true, whatever the journal has forgotten.
FIT_IN_DOUBT = frozenset({"resolve"})
_NOT_IDENTIFIED = frozenset({"failed", "mismatch", "no-match", "rejected"})


class Checks:
    """Each returns what the act needs, or raises why it cannot be."""

    def __init__(
        self,
        *,
        journal: Journal,
        overview: Overview,
        blanks: Blanks,
        documents: Documents,
        may_print: Callable[[], bool],
    ) -> None:
        self._journal = journal
        self._overview = overview
        self._blanks = blanks
        self._documents = documents
        self._may_print = may_print

    def seen(self, order_id: UUID, attempt: int | None) -> Order:
        order = self._journal.order(order_id)
        if attempt is not None and attempt != order.attempt:
            raise Stale(f"订单已是第 {order.attempt} 次 · the order is at attempt {order.attempt}, not {attempt}")
        return order

    def fits(self, order: Order, act: str) -> None:
        if act not in FIT_IN_DOUBT and not self._may_print():
            raise DoesNotFit("本厅须先核对 · first this hall is reconciled with home", code="reconcile")
        self.no_approval(order)
        fitting = self._overview.fitting(order)
        if act not in fitting:
            raise DoesNotFit(f"现在不能做：{act} · {act} does not fit an order that is {order.state}", fits=fitting)

    def no_approval(self, order: Order) -> None:
        if self._journal.ledger.approvals.open_for(order.order_id) is not None:
            raise DoesNotFit("正在等待审批 · an approval is open, it comes first", fits=("approve",))

    def state(self, order: Order, states: set[OrderState]) -> None:
        if order.state not in states or order.held or order.cancelling is not None:
            fitting = [] if order.held else self._overview.fitting(order)
            raise DoesNotFit(f"订单状态为 {order.state} · the order is {order.state}", fits=fitting)

    def may_print(self, order: Order) -> None:
        if not self._may_print():
            raise DoesNotFit("本厅须先核对 · this hall prints nothing until it is reconciled", code="reconcile")
        is_first = order.state is OrderState.WAITING and not keeps_blank(self._journal.passes(order))
        if is_first and not self._journal.is_granted(order):
            raise DoesNotFit(
                f"登记机构 {order.registry} 在本厅的授权已撤回 · {order.registry} may no longer print this here",
                fits=("return",),
                code="grant-withdrawn",
            )
        is_late = order.state is OrderState.WAITING and order.not_after < self._journal.clock()
        if is_late and not keeps_blank(self._journal.passes(order)):
            raise DoesNotFit("订单已过期 · the order has expired", code="expired")

    def check_sheet(self, order: Order) -> PassRow:
        """Return the pass of the order's check sheet, or raise that it has none."""
        row = self._journal.check_sheet(order)
        if row is None:
            raise DoesNotFit("此证没有核对签收单 · the order has no check sheet", code="no-check-sheet")
        return row

    def sheet_is_free(self, order: Order, row: PassRow) -> None:
        """Raise while a printing of it is asked for or on its way."""
        self.no_approval(order)
        if row.is_under_way:
            raise DoesNotFit(
                "核对签收单正在打印 · the check sheet is being printed",
                fits=self._overview.fitting(order),
                code="check-sheet",
            )

    def is_checked(self, order: Order) -> None:
        """Raise while the applicant has still to sign, or the sheet for it is on its way to paper."""
        if is_out(self._journal.check_sheet(order)):
            raise DoesNotFit(
                "核对签收单正在打印 · the check sheet is being printed",
                fits=self._overview.fitting(order),
                code="check-sheet",
            )
        if order.awaits_check:
            raise DoesNotFit(
                "申请人须先核对签字 · the applicant checks and signs the check sheet before a blank is used",
                fits=self._overview.fitting(order),
                code="check-sheet",
            )

    def seen_sheet(self, row: PassRow, try_id: UUID) -> None:
        if row.try_id != try_id:
            raise Stale(f"核对签收单的最近一次是 {row.try_id} · the check sheet was printed last as try {row.try_id}")

    def current_pass(self, order: Order, number: int, try_id: UUID | None) -> PassRow:
        sheet = self._journal.check_sheet(order)
        is_sheet = sheet is not None and sheet.number == number
        row = sheet if sheet is not None and is_sheet else self._journal.pass_row(order.order_id, order.attempt, number)
        if row.try_id != try_id and (try_id is not None or row.try_id is not None):
            raise Stale(f"本面的最近一次是 {row.try_id} · the pass is at try {row.try_id}")
        if row.is_closed or (row.is_under_way and row.state != "unknown"):
            raise DoesNotFit(f"这一面是 {row.state} · pass {number} is {row.state}", fits=self._overview.fitting(order))
        if is_sheet:
            return row
        before = [p for p in self._journal.passes(order) if p.number < number and not p.is_closed]
        if before:
            raise DoesNotFit(f"先完成第 {before[0].number} 面 · pass {before[0].number} comes first")
        return row

    def serials(self, order: Order, serials: Sequence[str]) -> list[str]:
        """Return what would need no second person."""
        attempt = self._journal.attempt(order)
        if attempt.stock is Stock.PLAIN:
            if serials:
                raise Invalid("serials", "serial", "白纸没有编号 · plain paper has no serial")
            return []
        if not serials:
            raise DoesNotFit(
                "证书须按纸上编号确认 · it is confirmed by the serial on the paper; on a plain sheet it is spoiled, blanks: []",
                fits=("spoil", "return"),
            )
        self.each(order, serials, "serials")
        return [] if attempt.proposed is None else [attempt.proposed]

    def again(self, order: Order, blanks: Sequence[str], passes: Sequence[int]) -> tuple[int, ...]:
        """Return the passes whose paper is wrong. A blank's passes go together; a list on plain paper can go alone."""
        attempt = self._journal.attempt(order)
        rows = self._journal.passes(order)
        printed = {p.number: p for p in rows if p.is_closed and not p.shape.is_empty}
        if unprinted := set(passes) - set(printed):
            raise Invalid(
                "passes", "not-printed", f"未打印的面：{min(unprinted)} · pass {min(unprinted)} is not printed"
            )
        lists = {n for n, p in printed.items() if p.shape.stock is not attempt.stock}
        wrong = set(passes) or (lists if lists and not blanks else set())
        if not passes and len(wrong) > 1:
            raise Invalid("passes", "missing", "请指明哪一页作废 · name the passes whose sheets are lost or spoiled")
        if wrong and wrong <= lists:
            if blanks:
                raise Invalid("blanks", "not-empty", "白纸没有编号 · a plain sheet has no serial")
            return tuple(sorted(wrong))
        self.blanks(order, blanks)
        return tuple(sorted(wrong | {p.number for p in rows if p.shape.stock is attempt.stock}))

    def blanks(self, order: Order, blanks: Sequence[str]) -> None:
        attempt = self._journal.ledger.orders.attempt(order.order_id, order.attempt)
        if attempt is not None and attempt.stock is Stock.PLAIN and blanks:
            raise Invalid("blanks", "not-empty", "白纸没有编号 · plain paper has no serial")
        if (printed := self._carries(order)) is not None and printed not in blanks:
            raise DoesNotFit(f"须注明已用的 {printed} · {printed} carries the print and is to be named")
        if blanks and attempt is None:
            raise DoesNotFit("尚未使用空白证书 · no blank was used yet")
        self.each(order, blanks, "blanks")

    def _carries(self, order: Order) -> str | None:
        """Return the blank of which a person has said that the print on it is good."""
        if order.serial is not None or not keeps_blank(self._journal.passes(order)):
            return order.serial
        return self._journal.attempt(order).proposed

    def each(self, order: Order, blanks: Sequence[str], field: str) -> None:
        if len(set(blanks)) != len(blanks):
            raise Invalid(field, "duplicate", "编号重复 · a serial stands twice")
        for serial in blanks:
            self._blanks.check_usable(self._journal.attempt(order), serial, also_used=order.serial is not None)

    def resolution(self, order: Order, row: PassRow, outcome: Outcome, blanks: Sequence[str]) -> None:
        if outcome == "nothing_printed" and blanks:
            raise Invalid("blanks", "not-empty", "未打印则没有用掉证书 · if nothing was printed, no blank was used")
        if row.shape.stock is Stock.PLAIN and blanks:
            raise Invalid("blanks", "not-empty", "白纸没有编号 · plain paper has no serial")
        self.each(order, blanks, "blanks")

    def is_as_proposed(self, order: Order, blanks: Sequence[str]) -> bool:
        return not blanks or list(blanks) == [self._journal.attempt(order).proposed]

    def old_is_back(self, order: Order) -> None:
        """换发, 更正: no second genuine paper is out, not for a moment."""
        is_stopped = order.held or order.cancelling is not None
        if order.state is OrderState.PRINTED and order.replaces is not None and order.awaits_old and not is_stopped:
            number = order.replaces.number
            raise DoesNotFit(
                f"先收回旧证 {number}，再发证 · the old paper {number} is taken back first",
                fits=self._overview.fitting(order),
                code="old-not-returned",
            )

    def old_serial(self, order: Order, serial: str | None) -> None:
        """The paper that was brought is the one that home named, where both are known."""
        named = None if order.replaces is None else order.replaces.serial
        if serial is not None and named is not None and serial != named:
            raise Invalid("serial", "mismatch", f"旧证编号应为 {named} · the old paper is {named}")

    def recipient(self, order: Order, recipient: Recipient, identity: Identity) -> None:
        if identity.result in _NOT_IDENTIFIED:
            raise DoesNotFit("身份未核实，不能发证 · the recipient was not identified", code="not-identified")
        if recipient.party is None and recipient.id_last4 is None:
            return
        parties = self.parties(order, recipient)
        if recipient.id_last4 is not None and not any(_ends_so(p, recipient.id_last4) for p in parties):
            raise Invalid("recipient.id_last4", "mismatch", "证件号后四位不符 · no such party has these last four")

    def parties(self, order: Order, recipient: Recipient) -> Sequence[Party]:
        parties = self._documents.ticket(order).parties
        if recipient.party is None:
            return parties
        if isinstance(recipient.party, int):
            chosen = parties[recipient.party : recipient.party + 1] if recipient.party >= 0 else ()
        else:
            chosen = tuple(p for p in parties if p.role == recipient.party)
        if not chosen:
            raise Invalid("recipient.party", "unknown", "没有这一方 · the order names no such party")
        return chosen


def _ends_so(party: Party, last_four: str) -> bool:
    return len(last_four) == 4 and party.id_number.upper().endswith(last_four.upper())


def a_reason(reason: str | None) -> str:
    if not (reason or "").strip():
        raise Invalid("reason", "missing", "请写明原因 · a reason is needed")
    if len(reason or "") > _LONGEST_REASON:
        raise Invalid("reason", "too-long", f"原因过长 · at most {_LONGEST_REASON} characters")
    return (reason or "").strip()
