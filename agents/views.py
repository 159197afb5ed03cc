"""What a person or a console sees of the hall: orders, approvals, printers, blanks (design §6, to the letter)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from spooler.wire.messages import Actor, Case, Seal, Stock


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class EvidenceView(View):
    """What is known of a pass whose outcome is unknown, for the person who goes and looks."""

    why: str
    sent_bytes: int | None  # at most: what the printer's backend took
    of_bytes: int | None
    printer_reasons: tuple[str, ...]  # what the printer said meanwhile, in IPP words


class PassView(View):
    """`try` is what a call about this pass has to name."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    number: int
    name: str
    stock: Stock
    turn: Literal["operator", "device"]  # operator: a person turns the page before it and releases it
    state: str
    try_id: UUID | None = Field(serialization_alias="try")
    printer: str | None
    evidence: EvidenceView | None = None  # of an `unknown` one


class CheckSheetView(View):
    """核对签收单: what the applicant reads over and signs before the first blank is used."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    is_required: bool = Field(serialization_alias="required")  # nothing is released before it is signed
    is_signed: bool = Field(serialization_alias="signed")  # somebody said so
    sheet: PassView = Field(serialization_alias="pass")  # `done`: it was printed


class ApprovalView(View):
    """An act that waits for a second person, or was answered (`accepted` set)."""

    id: UUID
    order_id: UUID
    act: str
    attempt: int
    reason: str
    details: Mapping[str, object]  # what will be done: blanks, outcome, pass
    asked_by: Actor
    asked_at: datetime
    accepted: bool | None
    answered_by: Actor | None
    answered_at: datetime | None


class ReplacesView(View):
    """The paper in whose place this one is issued; with `take_back` it is handed over once the old one is `returned`."""

    issuance: str  # renewal · replacement · correction
    number: str
    version: int
    serial: str | None
    take_back: bool
    returned: bool


class OrderView(View):
    """One order, as it is now, and what this person may do with it now."""

    order_id: UUID
    job_id: UUID
    registry: str
    kind: str
    number: str
    holder_masked: str
    case: Case
    window: str | None
    deadline: datetime
    not_after: datetime
    state: str
    reasons: tuple[str, ...]
    attempt: int
    printer: str | None
    serial: str | None  # confirmed from the paper
    proposed_serial: str | None  # the reserved blank
    seal: Seal
    approvals: tuple[ApprovalView, ...]  # open ones
    next: tuple[str, ...]
    passes: tuple[PassView, ...]
    check_sheet: CheckSheetView | None = None
    replaces: ReplacesView | None = None


class Answered(View):
    """The order as it is after an act; `approval` is set when the act waits for a second person (202)."""

    order: OrderView
    approval: ApprovalView | None = None


class FindingView(View):
    """What the doctor found: `unsafe` keeps passes from beginning, the message says what to do."""

    code: str
    severity: str
    message: str


class PrinterView(View):
    name: str
    stock: Stock
    colour: bool
    windows: tuple[str, ...]
    state: str  # idle · processing · stopped · offline · paused
    reasons: tuple[str, ...]
    findings: tuple[FindingView, ...]
    calibrated: Mapping[str, int | None]  # side of its stock → version in force; null: that side is not printed
    serving: UUID | None  # the order whose attempt it is kept for
    next_serial: str | None
    blanks: int


class RangeView(View):
    """Blanks that follow each other and share their status."""

    stock: Stock
    first: str
    last: str
    count: int
    status: str
    printer: str | None
    order_id: UUID | None


class StockView(View):
    """All blanks here; `balanced`: used + void + on hand (and gone) = received."""

    ranges: tuple[RangeView, ...]
    counts: Mapping[str, Mapping[str, int]]  # stock → status → how many
    balanced: bool
    unseen: tuple[str, ...]  # void by a stop from home, read by nobody: look whether they lie in the tray (`found`)


class MovementView(View):
    sequence: int
    at: datetime
    movement: str
    stock: Stock
    first: str
    last: str
    count: int
    printer: str | None
    order_id: UUID | None
    attempt: int | None
    reason: str | None
    actor: Actor


class BlankView(View):
    """The whole life of one blank, oldest first."""

    stock: Stock
    serial: str
    status: str
    printer: str | None
    order_id: UUID | None
    movements: tuple[MovementView, ...]


class AskedView(View):
    """One registry that was asked for its orders."""

    registry: str
    asked_at: datetime
    answered: bool


class UnknownPassView(View):
    """A pass of which only a person can tell (`resolve`)."""

    order_id: UUID
    attempt: int
    number: int
    printer: str | None


class LeavingView(View):
    """What the first of two persons proposed."""

    by: Actor
    at: datetime
    reason: str
    without: tuple[str, ...]


class ReconcileView(View):
    """Whether the hall trusts its journal (`why` null), and if not, what is known and what has to be done."""

    why: str | None
    sentence: str | None
    since: datetime | None
    epoch: UUID
    registries: tuple[AskedView, ...]
    orders: Mapping[str, int]  # by state
    unknown: tuple[UnknownPassView, ...]
    missing: tuple[UUID, ...]  # orders that a registry named and that have not come
    strangers: tuple[UUID, ...]  # tries that only the permit directory knows
    uncounted: tuple[RangeView, ...]
    hindered_by: tuple[str, ...]  # empty: it can be left
    leaving: LeavingView | None
