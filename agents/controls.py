"""What home asks about an order, and the hall's true answer. All of it acts between passes, never in one.

cancel, withdraw     `cancelled` nothing was or will be printed · `stopped` no further pass, blanks voided · `too-late` or `recover`
                     handed over · `pending` a pass is under way or unknown, and the end follows
hold, resume, lease  `held` · `resumed` · `leased` · `too-late` the order has ended · `overtaken` home has asked otherwise since
approve              `accepted` · `declined` · `not-open` somebody was faster
replay               `replayed` every report asked for is sent again · `forgotten` some are kept no longer (told heartbeats of long ago)
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from agents.accounts import MACHINE
from agents.approvals import Approvals
from agents.errors import DoesNotFit, HallError
from agents.journal import Journal
from agents.ledger import ControlRow, Order, PassRow
from agents.order import BEFORE_THE_FIRST, OrderState, PassState, is_final
from agents.outcomes import Outcomes
from agents.release import Release
from spooler.daemon.crash import crash_point
from spooler.wire.messages import (
    Actor,
    Answer,
    Approve,
    Cancel,
    Hold,
    KnownOrder,
    Lease,
    OrderControl,
    Replay,
    Resume,
    Standing,
    Withdraw,
    read_control,
)

HOME = Actor(id="home", role="home")
_ENDING = frozenset({"cancel", "withdraw"})
_PAUSING = frozenset({"hold", "resume"})
_OPEN = frozenset({None, "pending"})
_SETTLED = frozenset({PassState.READY, PassState.DONE, PassState.CONFIRMED, PassState.SPOILED})


class Controls:
    """Answers each control once; `settle` follows up when a pass under way has ended.

    While the hall is not sure of its journal (`is_sure`), nothing is called ended: what it printed may be forgotten.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        outcomes: Outcomes,
        approvals: Approvals,
        release: Release,
        recall: Callable[[UUID], object],
        changed: Callable[[], None],
        known: Callable[[UUID, str], KnownOrder | None] = lambda order_id, registry: None,
    ) -> None:
        self._journal = journal
        self._known = known
        self._outcomes = outcomes
        self._approvals = approvals
        self._release = release
        self._recall = recall
        self._changed = changed
        self.is_sure: Callable[[], bool] = lambda: True

    def take(self, control: OrderControl) -> None:
        """Keep the control and answer it, in one transaction; a known one is passed over."""
        ledger = self._journal.ledger
        with self._journal.act():
            kind = str(control.model_dump()["kind"])
            row = ControlRow(
                control.control_id, control.order_id, control.registry, kind, control.to_bytes().decode(), None
            )
            if not ledger.controls.add(row, self._journal.clock()):
                return
            order = ledger.orders.get(control.order_id)
            if order is None:
                self._overtook(control, kind)
            else:
                self._act(order, control)
            ledger.afterwards(self._changed)
            crash_point("agent.before-control-commit")
        crash_point("agent.after-control-commit")

    def replay(self, control: Replay) -> None:
        """Send again what home misses; asked twice, it is sent twice, and home knows it by its sequence."""
        with self._journal.act():
            asked = control.last - control.first + 1
            kept = self._journal.ledger.outbox.again(
                control.registry, control.epoch, control.first, control.last, self._journal.clock()
            )
            outcome = "replayed" if kept == asked else "forgotten"
            self._journal.tell_registry(Answer, control.registry, control_id=control.control_id, outcome=outcome)
            crash_point("agent.before-replay-commit")
        crash_point("agent.after-replay-commit")

    def before_arrival(self, order: Order) -> None:
        """The order has come at last: what overtook it holds, in the order in which home asked."""
        asked = sorted(self._asked_about(order.order_id, order.registry), key=lambda control: control.at)
        ending = next((control for control in asked if isinstance(control, Cancel | Withdraw)), None)
        if ending is not None:
            self._end_at_arrival(order, ending)
            return
        pauses = [control for control in asked if isinstance(control, Hold | Resume)]
        if pauses:
            held = int(isinstance(pauses[-1], Hold))
            self._journal.change(order, by=HOME, detail=pauses[-1].kind, held=held)
        leases = [control.not_after for control in asked if isinstance(control, Lease)]
        if leases:
            self._journal.change(order, by=HOME, detail="lease", not_after=_iso(max(*leases, order.not_after)))

    def _end_at_arrival(self, order: Order, ending: Cancel | Withdraw) -> None:
        if self.is_sure():
            self._journal.move(self._journal.order(order.order_id), OrderState.CANCELLED, by=HOME, detail="tombstone")
        else:
            self._journal.change(order, by=HOME, detail=ending.kind, cancelling=str(ending.control_id))

    def settle(self, order_id: UUID) -> None:
        """A try has ended or was resolved: finish a cancel that waited for it, or let the next pass go by itself."""
        order = self._journal.order(order_id)
        if order.cancelling is not None:
            self._finish(order)
        else:
            self._release.by_itself(order, MACHINE)
        self._journal.ledger.afterwards(self._changed)

    def _overtook(self, control: OrderControl, kind: str) -> None:
        """Nothing is here, and nothing will be printed once it comes: a tombstone."""
        outcome = {
            "cancel": "cancelled",
            "withdraw": "cancelled",
            "hold": "held",
            "resume": "resumed",
            "lease": "leased",
        }
        said = "pending" if kind in _ENDING and not self.is_sure() else outcome.get(kind, "not-open")
        if self._is_overtaken(control):
            said = "overtaken"
        self._answer(control.control_id, control.order_id, control.registry, said)

    def _act(self, order: Order, control: OrderControl) -> None:
        if isinstance(control, Cancel | Withdraw):
            self._cancel(order, control)
        elif isinstance(control, Approve):
            self._approve(order, control)
        elif isinstance(control, Hold | Resume | Lease):
            self._change(order, control)

    def _cancel(self, order: Order, control: Cancel | Withdraw) -> None:
        if order.state is OrderState.ISSUED:
            self._handed_over(order, control)
        elif is_final(order.state):
            outcome, blanks = self._ended_by_home(order)
            self._answer(control.control_id, order.order_id, order.registry, outcome, order, blanks)
        else:
            order = self._journal.change(order, by=HOME, detail=control.kind, cancelling=str(control.control_id))
            if not self._finish(order):
                self._wait(order, control.control_id)

    def _handed_over(self, order: Order, control: Cancel | Withdraw) -> None:
        """The paper is with its holder: a cancel is too late, a withdrawal says which blank is to be got back."""
        outcome = "too-late" if isinstance(control, Cancel) else "recover"
        blanks = () if order.serial is None else (order.serial,)
        order = self._journal.change(order, by=HOME, detail=f"{control.kind}: {outcome}")
        self._answer(control.control_id, order.order_id, order.registry, outcome, order, blanks)

    def _ended_by_home(self, order: Order) -> tuple[str, tuple[str, ...]]:
        """Say the same as the first time to whoever asks for an end a second time."""
        for row in self._journal.ledger.controls.about(order.order_id, order.registry):
            if row.outcome == "stopped":
                return "stopped", self._journal.ledger.blanks.voided_for(order.order_id)
        return "cancelled", ()

    def _wait(self, order: Order, control_id: UUID) -> None:
        """Win back what can be won back; the rest ends by itself or by a person's answer."""
        self._answer(control_id, order.order_id, order.registry, "pending", order)
        self._journal.refresh(order.order_id)
        for row in self._passes(order):
            if row.try_id is not None and row.state not in _SETTLED and row.state is not PassState.UNKNOWN:
                self._journal.ledger.afterwards(_later(self._recall, row.try_id))

    def _finish(self, order: Order) -> bool:
        """End the order if no pass is under way or unknown; return whether it did."""
        if not self.is_sure() or any(row.state not in _SETTLED for row in self._passes(order)):
            return False
        outcome = "stopped" if self._has_printed(order) else "cancelled"
        self._outcomes.stop(order, HOME, outcome)
        self._approvals.drop(order, MACHINE)
        self._journal.tell(order.order_id, Standing, by=HOME)
        ended = self._journal.order(order.order_id)
        voided = self._journal.ledger.blanks.voided_for(order.order_id)
        for control_id in self._waiting(order):
            self._answer(control_id, order.order_id, order.registry, outcome, ended, voided)
        crash_point("agent.before-ended-commit")
        return True

    def _passes(self, order: Order) -> list[PassRow]:
        """Return the passes of the attempt, and the sheet that is signed before the first."""
        sheet = self._journal.check_sheet(order)
        return [*self._journal.passes(order), *((sheet,) if sheet else ())]

    def _waiting(self, order: Order) -> list[UUID]:
        """Return all that asked for this order's end and wait for their answer: a cancel, and a withdrawal after it."""
        rows = self._journal.ledger.controls.about(order.order_id, order.registry)
        return [row.control_id for row in rows if row.kind in _ENDING and row.outcome in _OPEN]

    def _has_printed(self, order: Order) -> bool:
        """Say whether any permit of any attempt was claimed rather than won back. A check sheet is no certificate."""
        rows = self._journal.ledger.orders.all_passes(order.order_id)
        return any(row.is_closed and row.try_id is not None for row in rows if row.attempt != BEFORE_THE_FIRST)

    def _change(self, order: Order, control: Hold | Resume | Lease) -> None:
        if is_final(order.state):
            self._answer(control.control_id, order.order_id, order.registry, "too-late", order)
            return
        if self._is_overtaken(control):
            self._answer(control.control_id, order.order_id, order.registry, "overtaken", order)
            return
        if isinstance(control, Lease):
            # An older lease that comes late does not shorten a newer one.
            outcome, columns = "leased", {"not_after": _iso(max(control.not_after, order.not_after))}
        else:
            held = isinstance(control, Hold)
            outcome, columns = ("held" if held else "resumed"), {"held": str(int(held))}
        changed = self._journal.change(order, by=HOME, detail=control.kind, **columns)
        self._journal.refresh(order.order_id, HOME)
        self._answer(control.control_id, order.order_id, order.registry, outcome, changed)

    def _is_overtaken(self, control: OrderControl) -> bool:
        """Say whether home has held or resumed since it asked this: letters come in any order, home's last word counts."""
        if not isinstance(control, Hold | Resume):
            return False
        known = self._known(control.order_id, control.registry)
        told = [] if known is None or known.held_as_of is None else [known.held_as_of]
        asked = self._asked_about(control.order_id, control.registry, _PAUSING)
        return any(at > control.at for at in [*told, *(other.at for other in asked)])

    def _asked_about(self, order_id: UUID, registry: str, kinds: Iterable[str] | None = None) -> list[OrderControl]:
        rows = self._journal.ledger.controls.about(order_id, registry)
        return [read_control(row.body.encode()) for row in rows if kinds is None or row.kind in kinds]

    def _approve(self, order: Order, control: Approve) -> None:
        try:
            approval = self._approvals.open(control.approval_id)
            if approval.order_id != order.order_id:
                raise DoesNotFit("the approval is about another order")
            self._approvals.answer(approval, accept=control.accept, by=control.actor, reason=control.reason)
            outcome = "accepted" if control.accept else "declined"
        except HallError:
            # Somebody at the hall was faster, or it never was: home is told so.
            outcome = "not-open"
        now = self._journal.order(order.order_id)
        self._answer(control.control_id, order.order_id, order.registry, outcome, now)

    def _answer(
        self,
        control_id: UUID,
        order_id: UUID,
        registry: str,
        outcome: str,
        order: Order | None = None,
        blanks: Sequence[str] = (),
    ) -> None:
        self._journal.ledger.controls.answered(control_id, outcome, self._journal.clock())
        self._journal.tell_registry(
            Answer,
            registry,
            control_id=control_id,
            order_id=order_id,
            outcome=outcome,
            state=None if order is None else order.state,
            blanks=tuple(blanks),
        )


def _later(call: Callable[[UUID], object], try_id: UUID) -> Callable[[], None]:
    def then() -> None:
        crash_point("agent.before-recall")
        call(try_id)

    return then


def _iso(at: datetime) -> str:
    return at.isoformat()
