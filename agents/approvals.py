"""What needs a second person: asked by one account, answered by another, at the hall or at home. Within the act's transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID, uuid4

from agents.errors import DoesNotFit, NotAllowed, NotFound
from agents.journal import Journal
from agents.ledger import Approval, Order
from agents.outcomes import Outcomes
from spooler.daemon.crash import crash_point
from spooler.wire.messages import Actor, ApprovalReport

Act = Literal["spoil", "resolve", "serial", "found"]


class Approvals:
    """At most one is open for an order; while it is, the order stands still."""

    def __init__(self, *, journal: Journal, outcomes: Outcomes, new_id: Callable[[], UUID] = uuid4) -> None:
        self._journal = journal
        self._outcomes = outcomes
        self._new_id = new_id

    def ask(self, order: Order, act: Act, details: Mapping[str, Any], *, by: Actor, reason: str) -> Approval:
        approval = Approval(
            id=self._new_id(),
            order_id=order.order_id,
            attempt=order.attempt,
            act=act,
            details=details,
            reason=reason,
            asked_by=by,
            asked_at=self._journal.clock(),
            accepted=None,
            answered_by=None,
            answered_at=None,
        )
        self._journal.ledger.approvals.add(approval)
        self._journal.change(order, by=by, detail=f"asked-{act}")
        self._tell(approval, by)
        crash_point("agent.before-approval-commit")
        return approval

    def open(self, approval_id: UUID) -> Approval:
        """Return an open approval, or raise why it cannot be answered."""
        approval = self._journal.ledger.approvals.get(approval_id)
        if approval is None:
            raise NotFound(f"没有这项审批 · there is no approval {approval_id} here")
        if approval.accepted is not None:
            raise DoesNotFit("已经有人答复 · it was answered before", code="answered")
        return approval

    def check_second(self, approval: Approval, by: Actor) -> None:
        if approval.asked_by.id == by.id:
            raise NotAllowed("须由另一人审批 · whoever asked cannot approve")

    def answer(self, approval: Approval, *, accept: bool, by: Actor, reason: str) -> None:
        """Write down the answer, and do what was asked if it was accepted."""
        order = self._journal.order(approval.order_id)
        self._journal.ledger.approvals.answer(
            approval.id, accepted=accept, by=by, at=self._journal.clock(), reason=reason
        )
        detail = f"accepted-{approval.act}" if accept else f"declined-{approval.act}"
        order = self._journal.change(order, by=by, detail=detail)
        if accept:
            self._apply(order, approval, by)
        self._tell(replace(approval, accepted=accept), by)
        crash_point("agent.before-answered-commit")
        self._journal.ledger.afterwards(lambda: crash_point("agent.after-answered-commit"))

    def drop(self, order: Order, by: Actor) -> None:
        """The order ends otherwise: what was asked about it is declined."""
        approval = self._journal.ledger.approvals.open_for(order.order_id)
        if approval is not None:
            self.answer(approval, accept=False, by=by, reason="the order ended")

    def _apply(self, order: Order, approval: Approval, by: Actor) -> None:
        details = approval.details
        blanks = details["blanks"]
        if approval.act == "serial":
            self._outcomes.confirm(order, by, blanks)
        elif approval.act == "spoil":
            self._outcomes.spoil(order, by, blanks, approval.reason, again=details.get("passes"))
        elif approval.act == "found":
            self._outcomes.find(order, by, blanks[0], approval.reason)
        else:
            self._resolve(order, approval, by)

    def _resolve(self, order: Order, approval: Approval, by: Actor) -> None:
        details = approval.details
        row = self._journal.pass_row(order.order_id, order.attempt, details["pass"])
        if details["outcome"] == "printed":
            self._outcomes.printed(order, row, by, details["blanks"])
        elif details["outcome"] == "nothing_printed":
            self._outcomes.nothing_printed(order, row, by)
        else:
            self._outcomes.spoiled(order, row, by, details["blanks"], approval.reason)

    def _tell(self, approval: Approval, by: Actor) -> None:
        self._journal.tell(
            approval.order_id,
            ApprovalReport,
            by=by,
            approval_id=approval.id,
            act=approval.act,
            reason=approval.reason,
            accepted=approval.accepted,
        )
