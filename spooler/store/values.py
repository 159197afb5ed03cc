"""What goes into the store and what comes out: frozen values, no rows, no persons."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from spooler.electronic.identifier import NewElectronic
from spooler.job import JobState, Reason
from spooler.wire.messages import Actor, Case, Pass, Seal

MACHINE = Actor(id="home", role="machine")


class Side(StrEnum):
    """On whose word an event stands."""

    HOME = "home"
    HALL = "hall"


class Topic(StrEnum):
    """What a commit may have stirred; listeners are woken by it."""

    WORK = "work"  # a job waits for its next step
    OUTBOX = "outbox"
    CALLBACKS = "callbacks"
    STANDING = "standing"  # a hall asked for its orders, or is to be halted
    ELECTRONIC = "electronic"  # a file of an electronic certificate is to be made
    GRANTS = "grants"  # what was agreed or withdrawn is otherwise remembered


@dataclass(frozen=True)
class Replaced:
    """The document that this one replaces."""

    number: str
    version: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What makes one request the same as another, or about the same right."""

    registry: str
    request_id: str
    request_sha256: str  # of the request's canonical content: "is it the same request"
    kind: str
    number_key: str  # equal for equal numbers, however they were written
    version: int
    case: Case
    replaces: Replaced | None = None


@dataclass(frozen=True, kw_only=True)
class NewJob(Wanted):
    """A checked and rendered request. Hashes name what is in `documents`."""

    hall: str
    number: str  # as printed: 黑（2024）望奎县不动产权第0001234号
    template: str
    passes: tuple[Pass, ...]
    seal: Seal
    booked_on: date
    deadline: datetime
    unsigned_sha256: str  # the rendered print document
    private_sha256: str  # documents.keep_private(...)
    annexes: tuple[str, ...] = ()
    applied_at: datetime | None = None
    channel: str | None = None
    window: str | None = None
    takes_back_old: bool = False  # the hall hands over only for the paper that this one replaces
    electronic: NewElectronic | None = None  # its electronic certificate, where the registry issues them
    to_look_at: str | None = None  # what a person should compare with the request: fields and codes, no values


@dataclass(frozen=True)
class Refusal:
    """Why a job ended without paper. The message is for the records office and names no person."""

    code: str
    message: str


@dataclass(frozen=True)
class Order:
    """One order of a job, as the API shows it."""

    order_id: str
    hall: str
    state: str
    not_after: datetime


@dataclass(frozen=True)
class Job:
    """A job, as the API shows it (design §6)."""

    job_id: str
    request_id: str
    registry: str
    hall: str
    kind: str
    number: str
    version: int
    case: Case
    state: JobState
    reasons: tuple[Reason, ...]
    attempt: int
    serial: str | None
    refusal: Refusal | None
    orders: tuple[Order, ...]
    applied_at: datetime | None
    deadline: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Work:
    """A job, as the pipeline needs it."""

    job_id: str
    registry: str
    hall: str
    kind: str
    number: str
    version: int
    case: Case
    template: str
    passes: tuple[Pass, ...]
    seal: Seal
    booked_on: date
    deadline: datetime
    window: str | None
    state: JobState
    unsigned_sha256: str
    private_sha256: str
    document_sha256: str | None
    tries: int
    takes_back_old: bool = False


@dataclass(frozen=True)
class OpenOrder:
    """The live order of a job, as dispatch and controls need it."""

    order_id: str
    job_id: str
    registry: str
    hall: str
    state: str
    not_after: datetime
    ticket_sha256: str


@dataclass(frozen=True)
class Event:
    """One line of a job's history."""

    sequence: int
    at: datetime
    side: Side
    state: JobState
    reasons: tuple[Reason, ...]
    attempt: int
    actor: Actor | None
    pass_number: int | None = None
    serial: str | None = None
    printer: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class JobQuery:
    """Which jobs, newest first. None means any; `registries`/`halls` are what the asker may see."""

    registries: frozenset[str] | None = None
    halls: frozenset[str] | None = None
    registry: str | None = None
    state: JobState | None = None
    reason: str | None = None
    hall: str | None = None
    case: str | None = None
    request_id: str | None = None
    number: str | None = None
    serial: str | None = None
    late: bool | None = None
    updated_after: datetime | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Some jobs, and where the next page begins."""

    jobs: tuple[Job, ...]
    next: str | None


@dataclass(frozen=True)
class CallbackEvent:
    """What is told by callback, to the events exchange, and to those who poll. Ids only."""

    place: int  # `after` of the feed
    event_id: str
    registry: str
    type: str
    at: datetime
    data: dict[str, Any]

    def body(self) -> dict[str, Any]:
        return {"type": self.type, "timestamp": self.at.isoformat().replace("+00:00", "Z"), "data": self.data}


@dataclass(frozen=True)
class Endpoint:
    """Who is to hear of what; where and how is `callback`'s business."""

    name: str
    registries: frozenset[str]
    types: frozenset[str] | None = None  # None: all

    def wants(self, registry: str, type_: str) -> bool:
        meant = registry in self.registries or "*" in self.registries
        return meant and (self.types is None or type_ in self.types)


@dataclass(frozen=True)
class Approval:
    """An act at a hall that waits for a second person."""

    approval_id: str
    hall: str
    registry: str
    job_id: str
    order_id: str
    act: str
    attempt: int
    actor: Actor | None  # who asked
    state: str  # open · sent (home decided, the hall has not answered) · accepted · declined
    opened_at: datetime


@dataclass(frozen=True)
class Hall:
    """A hall, as its last reports describe it."""

    hall: str
    last_report_at: datetime
    heartbeat_at: datetime | None
    agent_version: str | None
    printers: tuple[dict[str, Any], ...]  # {name, stock, state, reasons}
    blanks: tuple[dict[str, Any], ...]  # {stock, status, count}
    open_asks: int
    clock_offset_seconds: float | None
    is_silent: bool
    standing: str = (
        "ok"  # reconcile: it compares its journal with ours; cloned: two agents of it speak. Nothing new is sent to it.
    )
    standing_why: str | None = None
    standing_since: datetime | None = None


@dataclass(frozen=True)
class Blank:
    """Where a blank is, by the hall's last word."""

    stock: str
    serial: str
    hall: str
    status: str
    order_id: str | None
    at: datetime


@dataclass(frozen=True)
class Handover:
    """Who took it, by role."""

    job_id: str
    order_id: str
    at: datetime
    recipient_role: str
    identity_method: str
    identity_result: str
    actor: Actor | None


@dataclass(frozen=True)
class Alarm:
    """Something that must not happen, and did. Counted, listed, never a crash."""

    code: str
    hall: str | None = None
    registry: str | None = None
    job_id: str | None = None
    order_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class DeadLetter:
    """A letter that the broker or the other side gave up, as it lay in the dead-letter queue."""

    letter_id: str
    registry: str
    hall: str | None
    type: str
    order_id: str | None
    why: str
    queue: str
    sha256: str
    body: bytes | None

    @property
    def concerns_job(self) -> bool:
        """A report that is not believed, or lost, shows as a gap of its chain; anybody may put any order id on its outside."""
        return self.type != "report"


@dataclass(frozen=True)
class Moved:
    """A change of state, for the stage figures."""

    before: JobState
    after: JobState
    seconds: float
    refused: str | None = None  # the code of its refusal


# What became of a request.


@dataclass(frozen=True)
class Accepted:
    """201: it is kept as this job."""

    job: Job


@dataclass(frozen=True)
class Same:
    """200: this very request is kept already."""

    job: Job


@dataclass(frozen=True)
class Different:
    """409: the id is taken by a request with other content."""

    job_id: str


@dataclass(frozen=True)
class AlreadyRequested:
    """409: the right, or the case's place, has its paper or is getting it by this job."""

    job_id: str
    field: str  # document.number or case.ordinal


@dataclass(frozen=True)
class AlreadyReplaced:
    """409: another case's job replaces this paper, or the one that it would replace."""

    job_id: str
    field: str  # document.number or document.issuance.replaces


@dataclass(frozen=True)
class NotIssuedYet:
    """409: the paper to be replaced is still on its way; its job is cancelled or returned instead."""

    job_id: str


InTheWay = Same | Different | AlreadyRequested | AlreadyReplaced | NotIssuedYet
Outcome = Accepted | InTheWay


@dataclass(frozen=True)
class HallWord:
    """How the hall says that the order stands: replaces all that it said before."""

    reasons: frozenset[Reason]
    attempt: int
    serial: str | None


@dataclass(frozen=True)
class Update:
    """What one event changes in a job. None leaves it."""

    state: JobState | None = None
    because: str | None = None
    actor: Actor | None = MACHINE
    side: Side = Side.HOME
    at: datetime | None = None  # when it happened, if not now
    word: HallWord | None = None
    add: frozenset[Reason] = field(default_factory=frozenset)
    drop: frozenset[Reason] = field(default_factory=frozenset)
    refusal: Refusal | None = None
    pass_number: int | None = None
    printer: str | None = None
    is_note: bool = False  # an event also if nothing else changes
    tell: str | None = None  # a callback type other than the one that follows from the change
