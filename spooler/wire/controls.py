"""Controls: what a registry signs and asks of a hall. Version 1 (see `messages`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from spooler.wire.words import Actor, AuditHead, Code, GrantSequence, HallId, Message, RegistryId, Said, Serial, UtcTime


class ControlBase(Message):
    """What a registry signs and asks of a hall."""

    version: Literal[1] = 1
    control_id: UUID
    registry: RegistryId
    hall: HallId
    at: UtcTime


class OrderControl(ControlBase):
    """A control about one order. It may overtake the order."""

    order_id: UUID


class Cancel(OrderControl):
    kind: Literal["cancel"] = "cancel"
    reason: str = Field(max_length=200)


class Hold(OrderControl):
    """查封: no further pass, no hand-over."""

    kind: Literal["hold"] = "hold"
    reason: str = Field(max_length=200)


class Resume(OrderControl):
    """解封."""

    kind: Literal["resume"] = "resume"
    reason: str = Field(max_length=200)


class Withdraw(OrderControl):
    """注销, 撤销: paper in the hall is voided, paper handed over is listed."""

    kind: Literal["withdraw"] = "withdraw"
    reason: str = Field(max_length=200)


class Approve(OrderControl):
    """A second person at home accepts or declines what a hall asked."""

    kind: Literal["approve"] = "approve"
    approval_id: UUID
    accept: bool
    reason: str = Field(max_length=200)
    actor: Actor


class Lease(OrderControl):
    """The order may be begun until this later time."""

    kind: Literal["lease"] = "lease"
    not_after: UtcTime


class Replay(ControlBase):
    """Reports are missing from the chain of this epoch: send those from first to last again."""

    kind: Literal["replay"] = "replay"
    epoch: UUID
    first: int = Field(ge=1)
    last: int = Field(ge=1)


class KnownOrder(Message):
    """What a registry knows of an order that a hall has or had."""

    order_id: UUID
    state: str  # as the hall last said, or `sent`; `unknown`: the registry has no such order
    attempt: int = Field(ge=0)
    serial: Serial | None = None
    begun: tuple[int, ...] = ()  # passes of this attempt that the hall ever said were released
    printer: str | None = None  # where it last printed
    held: bool = False
    held_as_of: UtcTime | None = None  # when that was asked last: what was asked before it is passed over
    opened_at: UtcTime
    not_after: UtcTime


class Restore(ControlBase):
    """The answer to a hall that asked (Reconcile), in parts; whatever order the hall lacks is sent again beside it."""

    kind: Literal["restore"] = "restore"
    ask: UUID
    part: int = Field(ge=1)
    parts: int = Field(ge=1)
    is_first: bool  # the registry never heard of this hall before
    orders: tuple[KnownOrder, ...] = ()


class Halt(ControlBase):
    """The hall's reports contradict each other: whichever agent reads this prints nothing and asks."""

    kind: Literal["halt"] = "halt"
    reason: Code


class Anchor(ControlBase):
    """The end of home's audit log, to be kept here, and what home keeps of this hall's. Nothing is answered: the heartbeat says both."""

    kind: Literal["anchor"] = "anchor"
    audit: AuditHead
    hall_audit: Said[AuditHead] = None


class WithdrawGrant(ControlBase):
    """The registry's grants up to this sequence are withdrawn, by whichever side: no first pass is begun any more."""

    kind: Literal["withdraw-grant"] = "withdraw-grant"
    up_to: GrantSequence


Control = Annotated[
    Cancel | Hold | Resume | Withdraw | Approve | Lease | Replay | Restore | Halt | Anchor | WithdrawGrant,
    Field(discriminator="kind"),
]
