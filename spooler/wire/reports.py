"""Reports: what a hall signs and says to one registry, and its heartbeat. Version 1 (see `messages`)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from spooler.wire.grants import Side
from spooler.wire.words import (
    Actor,
    AuditHead,
    Code,
    GrantSequence,
    HallId,
    Message,
    RegistryId,
    Said,
    Serial,
    Sha256,
    Stock,
    UtcTime,
)

START_OF_CHAIN = "0" * 64


class ReportBase(Message):
    """What a hall signs and says to one registry.

    `sequence` counts from 1 without gaps for each (hall, registry, epoch); `previous` is the SHA-256 of the payload before it, so
    that a gap, a replay, a restored and a cloned hall show. `instance` is new at each start of the agent.
    """

    version: Literal[1] = 1
    hall: HallId
    registry: RegistryId
    epoch: UUID
    sequence: int = Field(ge=1)
    previous: Sha256
    instance: UUID
    at: UtcTime


class OrderReport(ReportBase):
    """A report about one order, always with the order's state as the hall has it."""

    order_id: UUID
    job_id: UUID
    state: str
    reasons: tuple[Code, ...] = ()
    attempt: int = Field(ge=0)
    serial: Serial | None = None
    actor: Actor | None = None


class Received(OrderReport):
    """The order is verified and on disk here."""

    kind: Literal["received"] = "received"
    identity: Sha256


class Refused(OrderReport):
    """The order was not what it must be; nothing was or will be printed."""

    kind: Literal["refused"] = "refused"
    code: Code
    message: str = Field(max_length=500)


class Standing(OrderReport):
    """State or reasons of the order changed, by itself or by an act in the hall (held, waiting-stock, expired, …).

    `act` names an act that changed neither: `old-returned`, the paper that this one replaces is back, with its serial where it was read;
    `check-signed`, the applicant has signed the check sheet.
    """

    kind: Literal["standing"] = "standing"
    act: Said[Code] = None
    old_serial: Said[Serial] = None


class PassReport(OrderReport):
    """A pass moved: released, done, unknown, confirmed, spoiled."""

    kind: Literal["pass"] = "pass"
    number: int = Field(ge=1)
    outcome: Code
    printer: str
    try_id: UUID | None = None


class Ask(OrderReport):
    """Whether a pass came out is unknown, and a person is asked; `closed` with the answer once it is given."""

    kind: Literal["ask"] = "ask"
    number: int = Field(ge=1)
    try_id: UUID
    answer: Literal["printed", "spoiled", "nothing_printed"] | None = None


class ApprovalReport(OrderReport):
    """An act waits for a second person, or no longer does (`accepted` set). It can be given at the hall or at home."""

    kind: Literal["approval"] = "approval"
    approval_id: UUID
    act: Literal["spoil", "resolve", "serial", "found"]
    reason: str = Field(default="", max_length=500)
    accepted: bool | None = None


class Printed(OrderReport):
    """All passes good, the serial read off the paper."""

    kind: Literal["printed"] = "printed"


class Returned(OrderReport):
    """The content is wrong: the order ends, blanks are voided, home corrects."""

    kind: Literal["returned"] = "returned"
    reason: str = Field(max_length=500)
    fields: tuple[str, ...] = ()
    blanks: tuple[Serial, ...] = ()


class Issued(OrderReport):
    """Handed over. Who took it is told by role, never by name."""

    kind: Literal["issued"] = "issued"
    recipient_role: Literal["holder", "agent", "courier"]
    identity_method: str
    identity_result: str


class StockMoved(ReportBase):
    """Blanks changed their status at the hall."""

    kind: Literal["stock"] = "stock"
    stock: Stock
    first: Serial
    last: Serial
    status: Code
    order_id: UUID | None = None
    reason: str | None = Field(default=None, max_length=200)


class Answer(ReportBase):
    """The hall's signed truth about a control; without an order where the control has none."""

    kind: Literal["answer"] = "answer"
    control_id: UUID
    order_id: UUID | None = None
    outcome: Code
    state: str | None = None
    blanks: tuple[Serial, ...] = ()


class PrinterStanding(Message):
    name: str
    stock: Stock
    state: Code
    reasons: tuple[Code, ...] = ()


class BlankCount(Message):
    stock: Stock
    status: Code
    count: int = Field(ge=0)


class Heartbeat(ReportBase):
    """Each 60 s: alive, and how things stand."""

    kind: Literal["heartbeat"] = "heartbeat"
    agent_version: str
    printers: tuple[PrinterStanding, ...] = ()
    blanks: tuple[BlankCount, ...] = ()
    open_asks: int = Field(default=0, ge=0)
    clock_offset_seconds: float | None = None
    audit: Said[AuditHead] = None  # the end of the hall's log
    home_audit: Said[AuditHead] = None  # what the hall keeps of this registry's home


class Reconcile(ReportBase):
    """The hall does not trust its own journal (see `why`): it prints nothing and asks for its orders. `left`: it prints again."""

    kind: Literal["reconcile"] = "reconcile"
    phase: Literal["asked", "left"]
    ask: UUID
    why: Code
    orders: tuple[UUID, ...] = ()  # those of this registry that it has and that have not ended
    actor: Actor | None = None  # who asked or led it out; nobody: the agent itself


class GrantWithdrawn(ReportBase):
    """This hall knows that the registry's grant up to this sequence is withdrawn; said once, whichever side withdrew it."""

    kind: Literal["grant-withdrawn"] = "grant-withdrawn"
    up_to: GrantSequence
    by: Side


Report = Annotated[
    Received
    | Refused
    | Standing
    | PassReport
    | Ask
    | ApprovalReport
    | Printed
    | Returned
    | Issued
    | StockMoved
    | Answer
    | Heartbeat
    | Reconcile
    | GrantWithdrawn,
    Field(discriminator="kind"),
]
