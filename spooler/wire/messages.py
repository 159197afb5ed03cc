"""The contract between home and hall: ticket, reports, controls. Version 1.

Readers ignore fields they do not know; a field that changes the meaning of others makes a new version. Times are UTC; sizes are
mm; hashes are SHA-256 in lower-case hex. What a hall or a registry signs is the canonical JSON of one of these (see `strict`, `signed`).
"""

from datetime import UTC, date
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from spooler.wire import strict
from spooler.wire.errors import BadMessage

TICKET_TYPE = "application/vnd.certspool.ticket.v1+json"
REPORT_TYPE = "application/vnd.certspool.report.v1+json"
CONTROL_TYPE = "application/vnd.certspool.control.v1+json"
START_OF_CHAIN = "0" * 64

RegistryId = Annotated[str, Field(pattern=r"^\d{6}$")]
HallId = Annotated[str, Field(pattern=r"^\d{6}-\d{2}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Serial = Annotated[str, Field(pattern=r"^[A-Z]{0,2}\d{11}$")]
UtcTime = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


V = TypeVar("V")
# A field that came later: left out where it says nothing, so that what was written before is read and written the same.
Said = Annotated[V | None, Field(exclude_if=lambda value: value is None)]


class Message(BaseModel):
    """A value that crosses the wire: frozen, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_bytes(self) -> bytes:
        return strict.canonical(self.model_dump(mode="json"))


class Stock(StrEnum):
    """The paper a pass needs (domain.md §6)."""

    CERTIFICATE = "certificate"  # 不动产权证书, a numbered booklet
    PROOF = "proof"  # 不动产登记证明, a numbered A4 sheet
    PLAIN = "plain"  # white A4, no serial


class Seal(StrEnum):
    PRINTED = "printed"  # the red seal is part of the document: colour printers only
    STAMPED = "stamped"  # the hall stamps it; its place stays empty


class Turn(StrEnum):
    """What happens to the paper before this pass."""

    NONE = "none"
    PAGE = "page"  # the booklet is opened at its next spread


class Check(StrEnum):
    """核对签收单: what the applicant reads over and signs before the first blank is used."""

    OFFERED = "offered"  # it may be printed
    REQUIRED = "required"  # nothing is printed on a blank before somebody said that it was signed


class Pass(Message):
    """One side through the device: which pages of the document, on what."""

    number: int = Field(ge=1, le=99)
    name: str = Field(pattern=r"^[A-Z][A-Z0-9-]{0,15}$")
    pages: tuple[Annotated[int, Field(ge=0)], ...]
    stock: Stock
    width_mm: float
    height_mm: float
    turn: Turn = Turn.NONE
    # The check-and-sign sheet, the last of the passes, printed before all others and as often as somebody wants it.
    check: Check | None = Field(default=None, exclude_if=lambda check: check is None)

    @property
    def is_empty(self) -> bool:
        """An empty side is not sent to the device."""
        return not self.pages


class Case(Message):
    """受理编号: one case may yield several documents, and is complete only when all have serials."""

    number: str = Field(min_length=1, max_length=64)
    ordinal: int = Field(ge=1)
    of: int = Field(ge=1)


class Party(Message):
    """A person of the case, for hand-over. Never embedded, logged or reported."""

    role: str
    name: str
    id_type: str
    id_number: str
    mobile: str | None = None


class Replaces(Message):
    """The paper in whose place this one is issued: 换发 renewal, 补发 replacement, 更正 correction."""

    issuance: Code
    number: str = Field(max_length=80)
    version: int = Field(ge=1)
    serial: Serial | None = None
    take_back: bool = False  # nothing is handed over before the hall has it back


class Ticket(Message):
    """Who prints what, where, on what, until when. Signed by the registry; wrapped with its document for one hall."""

    version: Literal[1] = 1
    order_id: UUID
    job_id: UUID
    registry: RegistryId
    hall: HallId
    kind: str = Field(pattern=r"^[a-z_]{1,32}$")
    number: str = Field(max_length=80)
    number_version: int = Field(ge=1)
    template: str = Field(pattern=r"^[a-z_]{1,32}/\d{1,4}$")
    passes: tuple[Pass, ...] = Field(min_length=1, max_length=99)
    seal: Seal
    booked_on: date
    case: Case
    window: str | None = None
    deadline: UtcTime
    issued_at: UtcTime
    not_before: UtcTime
    not_after: UtcTime
    document_sha256: Sha256
    document_bytes: int = Field(gt=0)
    replaces: Said[Replaces] = None
    holder: str = Field(min_length=1)
    parties: tuple[Party, ...] = ()

    def public_bytes(self) -> bytes:
        """Return what is embedded in the document: all but persons, and but the document's own hash."""
        return strict.canonical(self.model_dump(mode="json", exclude=set(PRIVATE_TICKET_FIELDS)))


# The document cannot hold its own hash, and it must not hold more about persons than its face shows.
PRIVATE_TICKET_FIELDS = ("holder", "parties", "document_sha256", "document_bytes")


class Actor(Message):
    """Who moved it: a login, a policy or the machine itself. Never a person's name."""

    id: str = Field(max_length=64)
    role: str = Field(max_length=32)


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


class Reconcile(ReportBase):
    """The hall does not trust its own journal (see `why`): it prints nothing and asks for its orders. `left`: it prints again."""

    kind: Literal["reconcile"] = "reconcile"
    phase: Literal["asked", "left"]
    ask: UUID
    why: Code
    orders: tuple[UUID, ...] = ()  # those of this registry that it has and that have not ended
    actor: Actor | None = None  # who asked or led it out; nobody: the agent itself


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
    | Reconcile,
    Field(discriminator="kind"),
]


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


Control = Annotated[
    Cancel | Hold | Resume | Withdraw | Approve | Lease | Replay | Restore | Halt, Field(discriminator="kind")
]

_REPORT: TypeAdapter[Any] = TypeAdapter(Report)
_CONTROL: TypeAdapter[Any] = TypeAdapter(Control)
_TICKET: TypeAdapter[Ticket] = TypeAdapter(Ticket)

T = TypeVar("T")


def read_report(payload: bytes) -> Any:
    """Return the report in these signed bytes, or raise BadMessage."""
    return _read(payload, _REPORT)


def read_control(payload: bytes) -> Any:
    """Return the control in these signed bytes, or raise BadMessage."""
    return _read(payload, _CONTROL)


def read_ticket(payload: bytes) -> Ticket:
    """Return the ticket in these signed bytes, or raise BadMessage."""
    return _read(payload, _TICKET)


def _read(payload: bytes, adapter: TypeAdapter[T]) -> T:
    value = strict.parse(payload)
    if not isinstance(value, dict):
        raise BadMessage("a message is a JSON object")
    try:
        return adapter.validate_python(value)
    except ValidationError as e:
        # Only places and kinds of error: the values may be personal.
        where = ", ".join(sorted({".".join(map(str, item["loc"])) + " " + item["type"] for item in e.errors()}))
        raise BadMessage(f"not a version 1 message: {where}") from None
