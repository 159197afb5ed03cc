"""A control on its way: signed for its registry, kept with who asked and why, and put into the outbox, in the caller's transaction.

The reason that a person typed may name somebody, so it stays at home; the hall is told by whom it was asked, not why.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from spooler.daemon.crash import crash_point
from spooler.store import Change, Outgoing
from spooler.store.change import RANK_CONTROL
from spooler.store.controls import Control, in_turn, keep_control
from spooler.wire import signed
from spooler.wire.addresses import headers
from spooler.wire.keys import SigningKey
from spooler.wire.messages import CONTROL_TYPE as SIGNED_CONTROL
from spooler.wire.messages import Actor, Approve, Cancel, ControlBase, Hold, Lease, OrderControl, Resume, Withdraw
from spooler.wire.topology import CONTROL_TYPE, CONTROLS, to_hall

KINDS: Mapping[str, type[OrderControl]] = {
    "cancel": Cancel,
    "withdraw": Withdraw,
    "hold": Hold,
    "resume": Resume,
    "lease": Lease,
    "approve": Approve,
}


class HallAsker:
    """Signs with each registry's ticket key."""

    def __init__(self, keys: Mapping[str, SigningKey]) -> None:
        self._keys = keys

    def speaks_for(self, registry: str) -> bool:
        return registry in self._keys

    def ask(self, change: Change, control: OrderControl, job_id: str, reason: str, actor: Actor) -> str:
        """Keep a control about an order, and its letter; return its id. Of two about one job the later one says so."""
        control = control.model_copy(update={"at": in_turn(change.connection, job_id, control.at)})
        keep_control(
            change,
            Control(
                control_id=str(control.control_id),
                kind=kind_of(control),
                job_id=job_id,
                order_id=str(control.order_id),
                registry=control.registry,
                hall=control.hall,
                at=control.at,
                actor=actor,
                reason=reason[:200],
                approval_id=str(control.approval_id) if isinstance(control, Approve) else None,
                not_after=control.not_after if isinstance(control, Lease) else None,
                accept=control.accept if isinstance(control, Approve) else None,
            ),
        )
        self.post(change, control, order_id=control.order_id, job_id=job_id)
        crash_point("home.before-control-commit")
        return str(control.control_id)

    def again(self, change: Change, kept: Control) -> None:
        """Post the same control once more, for a hall that may have forgotten it; one that has not knows it by its id."""
        self.post(change, _as_asked(kept), order_id=UUID(kept.order_id), job_id=kept.job_id)

    def post(
        self, change: Change, control: ControlBase, *, order_id: UUID | None = None, job_id: str | None = None
    ) -> None:
        """Put a control into the outbox."""
        key = self._keys[control.registry]
        change.post(
            Outgoing(
                exchange=CONTROLS,
                routing_key=to_hall(control.registry, control.hall),
                type=CONTROL_TYPE,
                body=signed.sign(control.to_bytes(), SIGNED_CONTROL, key),
                headers=headers(registry=control.registry, hall=control.hall, order_id=order_id, kid=key.kid),
                rank=RANK_CONTROL,
                letter_id=str(control.control_id),
                job_id=job_id,
            )
        )


def _as_asked(kept: Control) -> OrderControl:
    """Return the control as it was first asked."""
    same: dict[str, Any] = {
        "control_id": UUID(kept.control_id),
        "registry": kept.registry,
        "hall": kept.hall,
        "order_id": UUID(kept.order_id),
        "at": kept.at,
        "reason": "",
    }
    if kept.kind == "approve":
        same |= {"approval_id": kept.approval_id, "accept": kept.accept, "actor": kept.actor}
    if kept.kind == "lease":
        same |= {"not_after": kept.not_after}
    return KINDS[kept.kind].model_validate(same)


def kind_of(control: ControlBase) -> str:
    return str(control.model_dump()["kind"])
