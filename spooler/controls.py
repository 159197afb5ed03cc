"""What people at home do about a job: cancel, withdraw, hold, resume, and decide what waits at a hall.

Before the order is in the outbox the home itself can do it; afterwards the hall is asked by a signed control, and only its signed
answer says what came of it (`answers`). Asking twice asks once.

    cancel     ends a job that is not handed over                       withdraw   注销, 撤销: ends it whatever became of the paper
    hold       查封: no further pass, no hand-over                       resume     解封: goes on where it stopped
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select, update

from spooler.ask_hall import HallAsker
from spooler.daemon.crash import crash_point
from spooler.electronic.validity import Validity
from spooler.job import JobState, Reason, is_final
from spooler.store import Change, Store
from spooler.store import tables as t
from spooler.store.blanks import note_to_recover
from spooler.store.controls import PAUSING, last_control, open_control
from spooler.store.electronic_changes import held, set_validity
from spooler.store.halls import OPEN, SENT
from spooler.store.orders import PREPARED, has_letter, is_held, last_order, open_order, set_order_state
from spooler.store.values import OpenOrder, Topic, Update
from spooler.store.write_offs import WRITTEN_OFF
from spooler.wire.keys import SigningKey
from spooler.wire.messages import Actor, Approve, Cancel, Hold, OrderControl, Resume, Withdraw

REQUESTED = frozenset({Reason.CANCEL_REQUESTED})
HELD = frozenset({Reason.HELD})
_ENDING: Mapping[JobState, type[OrderControl]] = {JobState.CANCELLED: Cancel, JobState.WITHDRAWN: Withdraw}


@dataclass(frozen=True)
class Ended:
    """200: it is so; `outcome` says how where that is not the job's state."""

    state: JobState
    outcome: str = ""


@dataclass(frozen=True)
class Pending:
    """202: the hall is asked; its answer comes as an event."""

    control_id: str


@dataclass(frozen=True)
class TooLate:
    """409: the job has ended otherwise."""

    state: JobState


@dataclass(frozen=True)
class Decided:
    """409: somebody else decided already."""

    state: str


Outcome = Ended | Pending | TooLate


class Controls:
    """The acts of the home upon orders in halls."""

    def __init__(self, store: Store, keys: Mapping[str, SigningKey]) -> None:
        self._store = store
        self._asker = HallAsker(keys)

    def cancel(self, job_id: str, reason: str, actor: Actor) -> Outcome:
        """End the job, or ask the hall to. NoSuchJob if there is none."""
        with self._store.changing() as change:
            state = change.state(job_id)
            if state is not JobState.CANCELLED and is_final(state):
                return TooLate(state)
            return self._end(change, job_id, JobState.CANCELLED, reason, actor)

    def withdraw(self, job_id: str, reason: str, actor: Actor) -> Outcome:
        """End the job, its paper void wherever it is; what was handed over is listed for recovery.

        The right is gone by the home's own word: the electronic certificate says so at once, whenever the hall answers.
        """
        with self._store.changing() as change:
            state = change.state(job_id)
            is_news = _withdraw_electronic(change, job_id)
            if state is JobState.ISSUED:
                return self._withdraw_issued(change, job_id, reason, actor)
            if state is not JobState.WITHDRAWN and is_final(state):
                return _withdrawn_without_paper(change, job_id, state, actor, is_news)
            return self._end(change, job_id, JobState.WITHDRAWN, reason, actor)

    def hold(self, job_id: str, reason: str, actor: Actor) -> Outcome:
        """Let nothing more be printed or handed over until it is resumed."""
        return self._pause(job_id, Hold, "held", reason, actor)

    def resume(self, job_id: str, reason: str, actor: Actor) -> Outcome:
        return self._pause(job_id, Resume, "resumed", reason, actor)

    def decide(self, approval_id: str, accept: bool, reason: str, actor: Actor) -> Pending | Decided | None:
        """Accept or decline what waits at a hall; None if nothing has this id."""
        with self._store.changing() as change:
            row = change.connection.execute(
                select(t.approvals).where(t.approvals.c.approval_id == approval_id).with_for_update()
            ).one_or_none()
            if row is None:
                return None
            if row.state != OPEN:
                return Decided(row.state)
            control = Approve(
                control_id=uuid4(),
                registry=row.registry,
                hall=row.hall,
                order_id=UUID(row.order_id),
                at=change.now,
                approval_id=UUID(approval_id),
                accept=accept,
                reason="",
                actor=actor,
            )
            self._asker.ask(change, control, row.job_id, reason, actor)
            change.connection.execute(
                update(t.approvals).where(t.approvals.c.approval_id == approval_id).values(state=SENT)
            )
            crash_point("home.before-decision-commit")
            return Pending(str(control.control_id))

    # Cancel, withdraw

    def _end(self, change: Change, job_id: str, end: JobState, reason: str, actor: Actor) -> Outcome:
        if change.state(job_id) is end:
            return Ended(end)
        order = open_order(change.connection, job_id)
        if order is None or not _may_have_left(change, order):
            return _end_here(change, job_id, order, end, actor)
        kind = _ENDING[end]
        asked = open_control(change.connection, job_id, kind.model_fields["kind"].default)
        if asked is not None:
            return Pending(asked.control_id)
        control_id = self._ask(change, kind, order, reason, actor)
        because = "cancel asked" if kind is Cancel else "withdrawal asked"
        change.move(job_id, Update(add=REQUESTED, because=because, actor=actor))
        return Pending(control_id)

    def _withdraw_issued(self, change: Change, job_id: str, reason: str, actor: Actor) -> Outcome:
        """The hall's word that it was handed over is here, so the end is known; the hall is told, so that its clerks know too."""
        order = last_order(change.connection, job_id)
        serial = change.job(job_id).serial
        if serial is not None and order is not None:
            note_to_recover(change, order, (serial,))
        if order is not None and order.state != WRITTEN_OFF:
            self._ask(change, Withdraw, order, reason, actor)
        # Plain paper has no serial by which anybody could say that it is back.
        recover = frozenset[Reason]() if serial is None else frozenset({Reason.TO_RECOVER})
        change.move(
            job_id, Update(state=JobState.WITHDRAWN, add=recover, because="withdrawn after hand-over", actor=actor)
        )
        return Ended(JobState.WITHDRAWN)

    # Hold, resume

    def _pause(self, job_id: str, kind: type[Hold] | type[Resume], outcome: str, reason: str, actor: Actor) -> Outcome:
        with self._store.changing() as change:
            state = change.state(job_id)
            if is_final(state):
                return TooLate(state)
            order = open_order(change.connection, job_id)
            if order is None or not _may_have_left(change, order):
                return _pause_here(change, job_id, outcome, actor)
            return self._ask_to_pause(change, order, kind, outcome, reason, actor)

    def _ask_to_pause(
        self,
        change: Change,
        order: OpenOrder,
        kind: type[Hold] | type[Resume],
        outcome: str,
        reason: str,
        actor: Actor,
    ) -> Outcome:
        before = last_control(change.connection, order.order_id, PAUSING)
        wanted = kind.model_fields["kind"].default
        if before is not None and before.outcome is None and before.kind == wanted:
            return Pending(before.control_id)
        is_settled = before is None or before.outcome is not None
        if is_settled and is_held(change, order.job_id) == (kind is Hold):
            return Ended(change.state(order.job_id), outcome)
        control_id = self._ask(change, kind, order, reason, actor)
        change.move(order.job_id, Update(because=f"{wanted} asked", actor=actor, is_note=True))
        return Pending(control_id)

    def _ask(
        self, change: Change, kind: Callable[..., OrderControl], order: OpenOrder, reason: str, actor: Actor
    ) -> str:
        control = kind(
            control_id=uuid4(),
            registry=order.registry,
            hall=order.hall,
            order_id=UUID(order.order_id),
            at=change.now,
            reason="",
        )
        return self._asker.ask(change, control, order.job_id, reason, actor)


def _may_have_left(change: Change, order: OpenOrder) -> bool:
    """Say whether the order's letter is or was in the outbox: then the courier may be sending it just now."""
    return order.state != PREPARED or has_letter(change, order.order_id)


def _end_here(change: Change, job_id: str, order: OpenOrder | None, end: JobState, actor: Actor) -> Outcome:
    """Nothing is at a hall: it never left, or the hall's word has ended it."""
    if order is not None:
        set_order_state(change, order.order_id, "cancelled")
    change.move(job_id, Update(state=end, because=f"{end} with nothing at a hall", actor=actor))
    return Ended(end)


def _withdraw_electronic(change: Change, job_id: str) -> bool:
    """Let the job's electronic certificate be withdrawn; say whether that is news."""
    is_news = set_validity(change.connection, job_id, Validity.WITHDRAWN, change.now)
    if is_news:
        change.stirred.add(Topic.ELECTRONIC)
    return is_news


def _withdrawn_without_paper(change: Change, job_id: str, state: JobState, actor: Actor, is_news: bool) -> Outcome:
    """A job that ended without paper may still have had an electronic certificate; one that had none has ended otherwise."""
    if held(change.connection, job_id) is None:
        return TooLate(state)
    if is_news:
        change.move(job_id, Update(because="electronic certificate withdrawn", actor=actor, is_note=True))
    return Ended(state, "withdrawn")


def _pause_here(change: Change, job_id: str, outcome: str, actor: Actor) -> Outcome:
    if outcome == "held":
        change.move(job_id, Update(add=HELD, because="held at home", actor=actor))
    else:
        change.move(job_id, Update(drop=HELD, because="resumed at home", actor=actor))
        change.stirred.add(Topic.WORK)
    return Ended(change.state(job_id), outcome)
