"""Controls: what home asks of a hall about an order, signed, and ended by the hall's signed answer.

Cancel is true: before the order is in the outbox the home itself ends the job; afterwards only the hall's word does. The reason
that a person typed may name somebody, so it stays at home; the hall is told by whom it was asked, not why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select, update

from spooler.job import JobState, Reason, is_final
from spooler.store import Change, Outgoing, Store
from spooler.store import tables as t
from spooler.store.change import RANK_CONTROL
from spooler.store.halls import OPEN, SENT
from spooler.store.orders import PREPARED, Control, keep_control, open_control, open_order, set_order_state
from spooler.store.values import OpenOrder, Update
from spooler.wire import signed
from spooler.wire.addresses import headers
from spooler.wire.keys import SigningKey
from spooler.wire.messages import CONTROL_TYPE as SIGNED_CONTROL
from spooler.wire.messages import Actor, Approve, Cancel, ControlBase
from spooler.wire.topology import CONTROL_TYPE, CONTROLS, to_hall


@dataclass(frozen=True)
class Ended:
    """200: the job has this state, and it is the end."""

    state: JobState


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


CancelOutcome = Ended | Pending | TooLate


class Controls:
    """The acts of the home upon orders in halls."""

    def __init__(self, store: Store, keys: Mapping[str, SigningKey]) -> None:
        self._store = store
        self._keys = keys

    def cancel(self, job_id: str, reason: str, actor: Actor) -> CancelOutcome:
        """End the job, or ask the hall to. NoSuchJob if there is none. Asking twice asks once."""
        with self._store.changing() as change:
            state = change.state(job_id)
            if state is JobState.CANCELLED:
                return Ended(state)
            if is_final(state):
                return TooLate(state)
            order = open_order(change.connection, job_id)
            if order is None or not _may_have_left(change, order):
                return _cancel_here(change, job_id, order, actor)
            return self._ask_hall(change, order, reason, actor)

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
            self._send(change, control, row.job_id, reason, actor)
            change.connection.execute(
                update(t.approvals).where(t.approvals.c.approval_id == approval_id).values(state=SENT)
            )
            return Pending(str(control.control_id))

    def _ask_hall(self, change: Change, order: OpenOrder, reason: str, actor: Actor) -> Pending:
        asked = open_control(change.connection, order.job_id, "cancel")
        if asked is not None:
            return Pending(asked.control_id)
        control = Cancel(
            control_id=uuid4(),
            registry=order.registry,
            hall=order.hall,
            order_id=UUID(order.order_id),
            at=change.now,
            reason="",
        )
        self._send(change, control, order.job_id, reason, actor)
        added = frozenset({Reason.CANCEL_REQUESTED})
        change.move(order.job_id, Update(add=added, because="cancel asked", actor=actor))
        return Pending(str(control.control_id))

    def _send(self, change: Change, control: ControlBase, job_id: str, reason: str, actor: Actor) -> None:
        kept = Control(
            control_id=str(control.control_id),
            kind=getattr(control, "kind"),  # noqa: B009 - every control has one, its base does not
            job_id=job_id,
            order_id=str(control.order_id),
            registry=control.registry,
            hall=control.hall,
            at=control.at,
            actor=actor,
            reason=reason[:200],
            approval_id=str(control.approval_id) if isinstance(control, Approve) else None,
        )
        keep_control(change, kept)
        change.post(self._letter(control, kept))

    def _letter(self, control: ControlBase, kept: Control) -> Outgoing:
        key = self._keys[kept.registry]
        return Outgoing(
            exchange=CONTROLS,
            routing_key=to_hall(kept.registry, kept.hall),
            type=CONTROL_TYPE,
            body=signed.sign(control.to_bytes(), SIGNED_CONTROL, key),
            headers=headers(registry=kept.registry, hall=kept.hall, order_id=kept.order_id, kid=key.kid),
            rank=RANK_CONTROL,
            letter_id=kept.control_id,
            job_id=kept.job_id,
        )


def _may_have_left(change: Change, order: OpenOrder) -> bool:
    """Say whether the order's letter is or was in the outbox: then the courier may be sending it just now."""
    if order.state != PREPARED:
        return True
    letter = select(t.outbox.c.place).where(t.outbox.c.order_id == order.order_id)
    return change.connection.execute(letter).first() is not None


def _cancel_here(change: Change, job_id: str, order: OpenOrder | None, actor: Actor) -> CancelOutcome:
    if order is not None:
        set_order_state(change, order.order_id, "cancelled")
    change.move(job_id, Update(state=JobState.CANCELLED, because="cancelled before it left", actor=actor))
    return Ended(JobState.CANCELLED)
