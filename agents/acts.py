"""What a person may do with an order here, one method an act. The API only translates.

Every act names the attempt (and try) that the person saw: `Stale` if it is another by now. What does not fit the state raises
`DoesNotFit`, whose `fits` says what would. An act that needs a second person returns its open approval and changes nothing else.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

from agents.accounts import Account, Role
from agents.approvals import Act, Approvals
from agents.blank import Blanks
from agents.checks import Checks, a_reason
from agents.documents import Documents
from agents.errors import Destroyed, DoesNotFit
from agents.journal import Journal
from agents.ledger import Order
from agents.ledger.calibration_prints import LAPSED
from agents.order import BEFORE_THE_FIRST, OrderState
from agents.outcomes import Outcomes
from agents.overview import Overview, approval_view, printer_view
from agents.people import Identity, Outcome, Recipient
from agents.preview import preview as draw_preview
from agents.release import Release
from agents.search import Words
from agents.templates import Templates
from agents.views import Answered, ApprovalView, OrderView, PrinterView
from spooler.daemon.crash import crash_point
from spooler.wire.messages import Actor, Issued, Standing, Stock

OLD_RETURNED = "old-returned"
CHECK_SIGNED = "check-signed"  # the applicant signed the check sheet


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
        templates: Templates,
        may_print: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._release = release
        self._outcomes = outcomes
        self._blanks = blanks
        self._approvals = approvals
        self._documents = documents
        self._words = words
        self._templates = templates
        self._changed = changed
        self._overview = Overview(journal=journal, board=journal.board)
        self._checks = Checks(
            journal=journal, overview=self._overview, blanks=blanks, documents=documents, may_print=may_print
        )

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

    def preview(self, by: Account, order_id: UUID) -> bytes:
        """Return what will stand on the paper over a drawing of the blank, marked 样张: for a look before a blank is used."""
        by.acting_as(Role.CLERK)
        order = self._journal.order(order_id)
        if order.is_destroyed:
            raise Destroyed("保存期限已过，文书内容已销毁 · kept as long as it was to be, and destroyed")
        shapes = [row.shape for row in self._journal.passes(order)]
        return draw_preview(self._documents.document(order), shapes, self._templates.blank(order.template))

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
            order = self._checks.seen(order_id, attempt)
            self._checks.state(order, {OrderState.WAITING})
            self._checks.may_print(order)
            self._checks.is_checked(order)
            self._release.first(order, actor, printer=printer, serial=serial)
            return self._answered(order_id, by)

    def print_check_sheet(self, by: Account, order_id: UUID, *, attempt: int, printer: str | None = None) -> Answered:
        """Print the sheet that the applicant reads over and signs, also once more: it takes no blank and no attempt."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            sheet = self._checks.check_sheet(order)
            self._checks.state(order, {OrderState.WAITING})
            self._checks.may_print(order)
            self._checks.sheet_is_free(order, sheet)
            self._release.check_sheet(order, sheet, actor, printer=printer)
            return self._answered(order_id, by)

    def sign_check_sheet(self, by: Account, order_id: UUID, *, attempt: int, try_id: UUID) -> Answered:
        """The applicant has read this sheet over and signed that it is right. What is wrong is returned instead."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            self._checks.seen_sheet(self._checks.check_sheet(order), try_id)
            self._checks.fits(order, "sign_check_sheet")
            self._journal.change(order, by=actor, detail=CHECK_SIGNED, checked=True)
            self._journal.tell(order_id, Standing, by=actor, act=CHECK_SIGNED)
            return self._answered(order_id, by)

    def release_pass(
        self, by: Account, order_id: UUID, number: int, *, attempt: int, try_id: UUID | None = None
    ) -> Answered:
        """Release a later pass, after the page is turned; or a pass again of which nothing was printed."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            self._checks.fits(order, "release_pass")
            self._checks.may_print(order)
            row = self._checks.current_pass(order, number, try_id)
            self._release.later(order, row, actor)
            return self._answered(order_id, by)

    # What became of the paper

    def confirm(
        self, by: Account, order_id: UUID, *, attempt: int, serials: Sequence[str], reason: str | None = None
    ) -> Answered:
        """All passes are good: say which serial is on the paper. Another than the proposed one needs a second person."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            self._checks.fits(order, "confirm")
            proposed = self._checks.serials(order, serials)
            if list(serials) != proposed:
                return self._ask(order, "serial", {"blanks": list(serials)}, actor, (reason or "").strip(), by)
            self._outcomes.confirm(order, actor, serials)
            return self._answered(order_id, by)

    def spoil(
        self,
        by: Account,
        order_id: UUID,
        *,
        attempt: int,
        blanks: Sequence[str],
        reason: str,
        passes: Sequence[int] = (),
    ) -> Answered:
        """The paper is wrong: void the blanks, print again on another. Needs a second person.

        `passes` names what is wrong where it is not the blank: a list on plain paper is printed again beside the good certificate.
        """
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            self._checks.fits(order, "spoil")
            again = self._checks.again(order, blanks, passes)
            details = {"blanks": list(blanks), "passes": list(again)}
            return self._ask(order, "spoil", details, actor, a_reason(reason), by)

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
            order = self._checks.seen(order_id, attempt)
            self._checks.fits(order, "return")
            self._checks.blanks(order, blanks)
            self._outcomes.send_back(order, actor, reason=a_reason(reason), fields=fields, blanks=blanks)
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
            order = self._checks.seen(order_id, attempt)
            self._checks.fits(order, "resolve")
            row = self._checks.current_pass(order, number, try_id)
            self._checks.resolution(order, row, outcome, blanks)
            if row.attempt == BEFORE_THE_FIRST and outcome != "printed":
                self._outcomes.sheet_again(row, actor, outcome)
                return self._answered(order_id, by)
            if outcome == "printed" and self._checks.is_as_proposed(order, blanks):
                self._outcomes.printed(order, row, actor, ())
                return self._answered(order_id, by)
            details = {"pass": number, "try": str(try_id), "outcome": outcome, "blanks": list(blanks)}
            return self._ask(order, "resolve", details, actor, reason or outcome, by)

    def old_returned(self, by: Account, order_id: UUID, *, attempt: int, serial: str | None = None) -> Answered:
        """The paper that this one replaces (换发, 更正) is taken back. `serial`: its 编号№, where it was read."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            self._checks.fits(order, "old_returned")
            self._checks.old_serial(order, serial)
            detail = OLD_RETURNED if serial is None else f"{OLD_RETURNED} {serial}"
            self._journal.change(order, by=actor, detail=detail, old_returned=True)
            self._journal.tell(order_id, Standing, by=actor, act=OLD_RETURNED, old_serial=serial)
            return self._answered(order_id, by)

    def issue(
        self, by: Account, order_id: UUID, *, recipient: Recipient, identity: Identity, attempt: int | None = None
    ) -> Answered:
        """Hand over."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._checks.seen(order_id, attempt)
            self._checks.old_is_back(order)
            self._checks.fits(order, "issue")
            self._checks.recipient(order, recipient, identity)
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

    def find_blank(self, by: Account, stock: Stock, serial: str, *, reason: str) -> Answered:
        """A blank that a stop from home called void, unseen, lies in the tray: it goes back there. Needs a second person."""
        actor = by.acting_as(Role.CLERK)
        with self._journal.act():
            order = self._journal.order(self._blanks.unseen_for(stock, serial))
            self._checks.no_approval(order)
            return self._ask(order, "found", {"blanks": [serial]}, actor, a_reason(reason), by)

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
        with self._journal.act():
            if not paused:
                self._end_calibration(name)
            self._journal.ledger.pause(name, paused)
        self._changed()
        return printer_view(self._journal.board.facts_of(name))

    def _end_calibration(self, name: str) -> None:
        """Whoever resumes says that blanks are in again: a sheet under way is waited for, one not begun is not wanted any more."""
        prints = self._journal.ledger.calibration_prints
        waiting = prints.open_at(name)
        if waiting is None:
            return
        if waiting.is_under_way:
            raise DoesNotFit("校准页正在打印，请等它出来 · a calibration sheet is under way", code="calibration-open")
        prints.set_state(waiting.print_id, LAPSED)

    def _ask(
        self, order: Order, act: Act, details: dict[str, object], actor: Actor, reason: str, by: Account
    ) -> Answered:
        approval = self._approvals.ask(order, act, details, by=actor, reason=reason)
        answered = self._answered(order.order_id, by)
        return answered.model_copy(update={"approval": approval_view(approval)})

    def _answered(self, order_id: UUID, by: Account) -> Answered:
        self._journal.ledger.afterwards(self._changed)
        self._journal.settle_reasons(order_id)
        crash_point("agent.before-act-commit")
        return Answered(order=self._overview.order(self._journal.order(order_id), by))
