"""What a person may do with an order here, one method an act. The API only translates.

Every act names the attempt (and try) that the person saw: `Stale` if it is another by now. What does not fit the state raises
`DoesNotFit`, whose `fits` says what would. An act that needs a second person returns its open approval and changes nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from agents.accounts import Account, Role
from agents.approvals import Act, Approvals
from agents.blank import Blanks
from agents.documents import Documents
from agents.errors import DoesNotFit, Invalid, Stale
from agents.journal import Journal
from agents.ledger import Order, PassRow
from agents.order import OrderState
from agents.outcomes import Outcomes
from agents.overview import Overview, approval_view, printer_view
from agents.release import Release
from agents.search import Words
from agents.views import Answered, ApprovalView, OrderView, PrinterView
from spooler.wire.messages import Actor, Issued, Party, Stock

Outcome = Literal["printed", "spoiled", "nothing_printed"]
_LONGEST_REASON = 500
_NOT_IDENTIFIED = frozenset({"failed", "mismatch", "no-match", "rejected"})


@dataclass(frozen=True)
class Recipient:
    """Who takes it: by role; `party` is the index or role of a party of the ticket, `id_last4` is compared and not kept."""

    role: Literal["holder", "agent", "courier"]
    party: int | str | None = None
    id_last4: str | None = None


@dataclass(frozen=True)
class Identity:
    """How the recipient was identified, and with what result."""

    method: str
    result: str


class Acts:
    """Acts and views of orders, approvals and printers. Thread-safe."""

    def __init__(
        self,
        *,
        journal: Journal,
        release: Release,
        blanks: Blanks,
        outcomes: Outcomes,
        approvals: Approvals,
        documents: Documents,
        words: Words,
        may_print: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._release = release
        self._blanks = blanks
        self._outcomes = outcomes
        self._approvals = approvals
        self._documents = documents
        self._words = words
        self._may_print = may_print
        self._changed = changed
        self._overview = Overview(journal=journal, board=journal.board)

    # What a person sees

    def orders(
        self, by: Account, *, state: str | None = None, q: str | None = None, limit: int = 200
    ) -> tuple[OrderView, ...]:
        """List orders, most urgent first. `q`: number, case, serial, id, or a party's name or last four of the ID number."""
        word = self._words.hashed(q) if q else None
        found = self._journal.ledger.orders.find(state=state, q=q, word=word, limit=limit)
        return self._overview.orders(found, by)

    def order(self, by: Account, order_id: UUID) -> OrderView:
        return self._overview.order(self._journal.order(order_id), by)

    def document(self, by: Account, order_id: UUID) -> bytes:
        """Return the signed document (PDF), for a look before a numbered blank is used."""
        by.acting_as(Role.CLERK)
        return self._documents.document(self._journal.order(order_id))

    def approvals(self, by: Account, *, answered: bool = False) -> tuple[ApprovalView, ...]:
        """List open approvals, oldest first; with `answered` also those that have been answered."""
        return tuple(approval_view(a) for a in self._journal.ledger.approvals.all(answered=answered))

    def printers(self, by: Account) -> tuple[PrinterView, ...]:
        return tuple(printer_view(facts) for facts in self._journal.board.facts())

    # Printing

    def release(
        self, by: Account, order_id: UUID, *, attempt: int, printer: str | None = None, serial: str | None = None
    ) -> Answered:
        """Release the first pass: a printer is chosen, its next blank is reserved."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_state(order, {OrderState.WAITING})
            self._check_may_print(order)
            self._release.first(order, actor, printer=printer, serial=serial)
            return self._answered(order_id, by)

    def release_pass(
        self, by: Account, order_id: UUID, number: int, *, attempt: int, try_id: UUID | None = None
    ) -> Answered:
        """Release a later pass, after the page is turned; or a pass again of which nothing was printed."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_fits(order, "release_pass")
            self._check_may_print(order)
            row = self._current_pass(order, number, try_id)
            self._release.later(order, row, actor)
            return self._answered(order_id, by)

    # What became of the paper

    def confirm(
        self, by: Account, order_id: UUID, *, attempt: int, serials: Sequence[str], reason: str | None = None
    ) -> Answered:
        """All passes are good: say which serial is on the paper. Another than the proposed one needs a second person."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_fits(order, "confirm")
            proposed = self._check_serials(order, serials)
            if list(serials) != proposed:
                return self._ask(order, "serial", {"blanks": list(serials)}, actor, (reason or "").strip(), by)
            self._outcomes.confirm(order, actor, serials)
            return self._answered(order_id, by)

    def spoil(self, by: Account, order_id: UUID, *, attempt: int, blanks: Sequence[str], reason: str) -> Answered:
        """The paper is wrong: void the blanks, print again on another. Needs a second person."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_fits(order, "spoil")
            self._check_blanks(order, blanks)
            return self._ask(order, "spoil", {"blanks": list(blanks)}, actor, _reason(reason), by)

    def return_to_home(
        self,
        by: Account,
        order_id: UUID,
        *,
        attempt: int,
        reason: str,
        fields: Sequence[str] = (),
        blanks: Sequence[str] = (),
    ) -> Answered:
        """The content is wrong: the order ends, blanks are voided, home corrects."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_fits(order, "return")
            self._check_blanks(order, blanks)
            self._outcomes.send_back(order, actor, reason=_reason(reason), fields=fields, blanks=blanks)
            return self._answered(order_id, by)

    def resolve(
        self,
        by: Account,
        order_id: UUID,
        *,
        attempt: int,
        number: int,
        try_id: UUID,
        outcome: Outcome,
        blanks: Sequence[str] = (),
        reason: str | None = None,
    ) -> Answered:
        """Say what became of an unknown pass. Spoiled and nothing printed need a second person."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_fits(order, "resolve")
            row = self._current_pass(order, number, try_id)
            self._check_resolution(order, row, outcome, blanks)
            if outcome == "printed" and self._is_as_proposed(order, blanks):
                self._outcomes.printed(order, row, actor, ())
                return self._answered(order_id, by)
            details = {"pass": number, "try": str(try_id), "outcome": outcome, "blanks": list(blanks)}
            return self._ask(order, "resolve", details, actor, reason or outcome, by)

    def issue(
        self, by: Account, order_id: UUID, *, recipient: Recipient, identity: Identity, attempt: int | None = None
    ) -> Answered:
        """Hand over."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._seen(order_id, attempt)
            self._check_fits(order, "issue")
            self._check_recipient(order, recipient, identity)
            self._journal.move(order, OrderState.ISSUED, by=actor, detail=recipient.role)
            self._journal.tell(
                order_id,
                Issued,
                by=actor,
                recipient_role=recipient.role,
                identity_method=identity.method,
                identity_result=identity.result,
            )
            return self._answered(order_id, by)

    # A second person

    def answer(self, by: Account, approval_id: UUID, *, accept: bool, reason: str = "") -> Answered:
        """Accept or decline what another account asked; needs the role `approve`."""
        actor = by.acting_as(Role.APPROVE)
        with self._journal.act():
            approval = self._approvals.open(approval_id)
            self._approvals.check_second(approval, actor)
            self._approvals.answer(approval, accept=accept, by=actor, reason=reason)
            return self._answered(approval.order_id, by)

    # Printers

    def pause_printer(self, by: Account, name: str) -> PrinterView:
        """Nothing more is sent to it until it is resumed; what is under way goes on."""
        return self._pause(by, name, True)

    def resume_printer(self, by: Account, name: str) -> PrinterView:
        return self._pause(by, name, False)

    def _pause(self, by: Account, name: str, paused: bool) -> PrinterView:
        by.acting_as(Role.CLERK)
        self._journal.board.section(name)
        self._journal.ledger.pause(name, paused)
        self._changed()
        return printer_view(self._journal.board.facts_of(name))

    # Checks

    def _seen(self, order_id: UUID, attempt: int | None) -> Order:
        order = self._journal.order(order_id)
        if attempt is not None and attempt != order.attempt:
            raise Stale(f"订单已是第 {order.attempt} 次 · the order is at attempt {order.attempt}, not {attempt}")
        return order

    def _check_fits(self, order: Order, act: str) -> None:
        if self._journal.ledger.approvals.open_for(order.order_id) is not None:
            raise DoesNotFit("正在等待审批 · an approval is open, it comes first", fits=("approve",))
        fitting = self._overview.fitting(order)
        if act not in fitting:
            raise DoesNotFit(f"现在不能做：{act} · {act} does not fit an order that is {order.state}", fits=fitting)

    def _check_state(self, order: Order, states: set[OrderState]) -> None:
        if order.state not in states or order.held or order.cancelling is not None:
            fitting = [] if order.held else self._overview.fitting(order)
            raise DoesNotFit(f"订单状态为 {order.state} · the order is {order.state}", fits=fitting)

    def _check_may_print(self, order: Order) -> None:
        if not self._may_print():
            raise DoesNotFit("本厅须先核对 · this hall prints nothing until it is reconciled", code="reconcile")
        if order.state is OrderState.WAITING and order.not_after < self._journal.clock():
            raise DoesNotFit("订单已过期 · the order has expired", code="expired")

    def _current_pass(self, order: Order, number: int, try_id: UUID | None) -> PassRow:
        row = self._journal.pass_row(order.order_id, order.attempt, number)
        if row.try_id != try_id and (try_id is not None or row.try_id is not None):
            raise Stale(f"本面的最近一次是 {row.try_id} · the pass is at try {row.try_id}")
        if row.is_closed or (row.is_under_way and row.state != "unknown"):
            raise DoesNotFit(f"这一面是 {row.state} · pass {number} is {row.state}", fits=self._overview.fitting(order))
        before = [p for p in self._journal.passes(order) if p.number < number and not p.is_closed]
        if before:
            raise DoesNotFit(f"先完成第 {before[0].number} 面 · pass {before[0].number} comes first")
        return row

    def _check_serials(self, order: Order, serials: Sequence[str]) -> list[str]:
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
        self._check_each(order, serials, "serials")
        return [] if attempt.proposed is None else [attempt.proposed]

    def _check_blanks(self, order: Order, blanks: Sequence[str]) -> None:
        if order.serial is not None and order.serial not in blanks:
            raise DoesNotFit(f"须注明已用的 {order.serial} · {order.serial} carries the print and is to be named")
        if blanks and self._journal.ledger.orders.attempt(order.order_id, order.attempt) is None:
            raise DoesNotFit("尚未使用空白证书 · no blank was used yet")
        self._check_each(order, blanks, "blanks")

    def _check_each(self, order: Order, blanks: Sequence[str], field: str) -> None:
        if len(set(blanks)) != len(blanks):
            raise Invalid(field, "duplicate", "编号重复 · a serial stands twice")
        for serial in blanks:
            self._blanks.check_usable(self._journal.attempt(order), serial, also_used=order.serial is not None)

    def _check_resolution(self, order: Order, row: PassRow, outcome: Outcome, blanks: Sequence[str]) -> None:
        if outcome == "nothing_printed" and blanks:
            raise Invalid("blanks", "not-empty", "未打印则没有用掉证书 · if nothing was printed, no blank was used")
        if row.shape.stock is Stock.PLAIN and blanks:
            raise Invalid("blanks", "not-empty", "白纸没有编号 · plain paper has no serial")
        self._check_each(order, blanks, "blanks")

    def _is_as_proposed(self, order: Order, blanks: Sequence[str]) -> bool:
        return not blanks or list(blanks) == [self._journal.attempt(order).proposed]

    def _check_recipient(self, order: Order, recipient: Recipient, identity: Identity) -> None:
        if identity.result in _NOT_IDENTIFIED:
            raise DoesNotFit("身份未核实，不能发证 · the recipient was not identified", code="not-identified")
        if recipient.party is None and recipient.id_last4 is None:
            return
        parties = self._parties(order, recipient)
        if recipient.id_last4 is not None and not any(_ends_so(p, recipient.id_last4) for p in parties):
            raise Invalid("recipient.id_last4", "mismatch", "证件号后四位不符 · no such party has these last four")

    def _parties(self, order: Order, recipient: Recipient) -> Sequence[Party]:
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

    def _ask(
        self, order: Order, act: Act, details: dict[str, object], actor: Actor, reason: str, by: Account
    ) -> Answered:
        approval = self._approvals.ask(order, act, details, by=actor, reason=reason)
        answered = self._answered(order.order_id, by)
        return answered.model_copy(update={"approval": approval_view(approval)})

    def _answered(self, order_id: UUID, by: Account) -> Answered:
        self._journal.ledger.afterwards(self._changed)
        self._journal.settle_reasons(order_id)
        return Answered(order=self._overview.order(self._journal.order(order_id), by))


def _ends_so(party: Party, last_four: str) -> bool:
    return len(last_four) == 4 and party.id_number.upper().endswith(last_four.upper())


def _reason(reason: str | None) -> str:
    if not (reason or "").strip():
        raise Invalid("reason", "missing", "请写明原因 · a reason is needed")
    if len(reason or "") > _LONGEST_REASON:
        raise Invalid("reason", "too-long", f"原因过长 · at most {_LONGEST_REASON} characters")
    return (reason or "").strip()
