"""What stands in the ledger, as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Any
from uuid import UUID

from agents.order import OrderState, PassState
from spooler.wire.messages import Actor, Case, Check, Pass, Replaces, Seal, Stock, Turn


@dataclass(frozen=True)
class Order:
    """One order, without persons."""

    order_id: UUID
    job_id: UUID
    registry: str
    kind: str
    number: str
    number_version: int
    template: str
    seal: Seal
    window: str | None
    case: Case
    deadline: datetime
    not_before: datetime
    not_after: datetime
    identity: str
    document_sha256: str
    kid: str
    holder_masked: str
    received_at: datetime
    state: OrderState
    reasons: tuple[str, ...]
    attempt: int
    serial: str | None
    held: bool
    cancelling: UUID | None
    replaces: Replaces | None = None
    old_returned: bool = False
    check_sheet: Check | None = None
    is_destroyed: bool = False  # its document and its persons are gone
    checked: bool = False  # somebody said that the applicant has signed it

    @property
    def awaits_check(self) -> bool:
        """Say whether nothing may be printed on a blank before the applicant has signed that the content is right."""
        return self.check_sheet is Check.REQUIRED and not self.checked

    @property
    def awaits_old(self) -> bool:
        """Say whether the paper that it replaces is still to be taken back before this one is handed over."""
        return self.replaces is not None and self.replaces.take_back and not self.old_returned


@dataclass(frozen=True)
class PassRow:
    """One pass of one attempt."""

    order_id: UUID
    attempt: int
    shape: Pass
    state: PassState
    printer: str | None
    released: int | None
    try_id: UUID | None

    @property
    def number(self) -> int:
        return self.shape.number

    @property
    def is_closed(self) -> bool:
        """Say whether the device is through with it."""
        return self.state in CLOSED

    @property
    def is_under_way(self) -> bool:
        """Say whether it was released and the device is not through with it."""
        return not self.is_closed and (self.released is not None or self.state is not PassState.READY)

    @property
    def is_kept(self) -> bool:
        """Say whether it is good on paper from an earlier attempt, and was not printed for this one."""
        return self.state in (PassState.DONE, PassState.CONFIRMED) and self.try_id is None and not self.shape.is_empty


CLOSED = frozenset({PassState.DONE, PassState.CONFIRMED, PassState.SPOILED})


@dataclass(frozen=True)
class Attempt:
    """One numbered blank, at one printer."""

    order_id: UUID
    attempt: int
    printer: str
    stock: Stock
    proposed: str | None


@dataclass(frozen=True)
class TryRow:
    """One sending of one pass."""

    try_id: UUID
    order_id: UUID
    attempt: int
    number: int
    printer: str
    state: str
    cups_job: int | None
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Approval:
    """An act that waits for a second person; answered when `accepted` is set."""

    id: UUID
    order_id: UUID
    attempt: int
    act: str
    details: Mapping[str, Any]
    reason: str
    asked_by: Actor
    asked_at: datetime
    accepted: bool | None
    answered_by: Actor | None
    answered_at: datetime | None


@dataclass(frozen=True)
class ControlRow:
    """A control as it came, and its answer once there is one."""

    control_id: UUID
    order_id: UUID
    registry: str
    kind: str
    body: str
    outcome: str | None


@dataclass(frozen=True)
class Range:
    """Blanks that follow each other and share status and place."""

    stock: Stock
    prefix: str
    first: int
    last: int
    status: str
    printer: str | None
    loading: int | None
    order_id: UUID | None

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class MovementRow:
    sequence: int
    at: datetime
    movement: str
    stock: Stock
    prefix: str
    first: int
    last: int
    printer: str | None
    order_id: UUID | None
    attempt: int | None
    reason: str | None
    actor: Actor


def order_of(row: Row) -> Order:
    return Order(
        order_id=UUID(row["order_id"]),
        job_id=UUID(row["job_id"]),
        registry=row["registry"],
        kind=row["kind"],
        number=row["number"],
        number_version=row["number_version"],
        template=row["template"],
        seal=Seal(row["seal"]),
        window=row["window"],
        case=Case(number=row["case_number"], ordinal=row["case_ordinal"], of=row["case_of"]),
        deadline=datetime.fromisoformat(row["deadline"]),
        not_before=datetime.fromisoformat(row["not_before"]),
        not_after=datetime.fromisoformat(row["not_after"]),
        identity=row["identity"],
        document_sha256=row["document_sha256"],
        kid=row["kid"],
        holder_masked=row["holder_masked"],
        received_at=datetime.fromisoformat(row["received_at"]),
        state=OrderState(row["state"]),
        reasons=tuple(row["reasons"].split()),
        attempt=row["attempt"],
        serial=row["serial"],
        held=bool(row["held"]),
        cancelling=_uuid(row["cancelling"]),
        replaces=None if row["replaces"] is None else Replaces.model_validate_json(row["replaces"]),
        old_returned=bool(row["old_returned"]),
        check_sheet=None if row["check_sheet"] is None else Check(row["check_sheet"]),
        is_destroyed=row["destroyed_at"] is not None,
        checked=bool(row["checked"]),
    )


def pass_of(row: Row) -> PassRow:
    shape = Pass(
        number=row["number"],
        name=row["name"],
        pages=tuple(json.loads(row["pages"])),
        stock=Stock(row["stock"]),
        width_mm=row["width_mm"],
        height_mm=row["height_mm"],
        turn=Turn(row["turn"]),
    )
    return PassRow(
        order_id=UUID(row["order_id"]),
        attempt=row["attempt"],
        shape=shape,
        state=PassState(row["state"]),
        printer=row["printer"],
        released=row["released"],
        try_id=_uuid(row["try_id"]),
    )


def attempt_of(row: Row) -> Attempt:
    return Attempt(
        order_id=UUID(row["order_id"]),
        attempt=row["attempt"],
        printer=row["printer"],
        stock=Stock(row["stock"]),
        proposed=row["proposed"],
    )


def try_of(row: Row) -> TryRow:
    return TryRow(
        try_id=UUID(row["try_id"]),
        order_id=UUID(row["order_id"]),
        attempt=row["attempt"],
        number=row["number"],
        printer=row["printer"],
        state=row["state"],
        cups_job=row["cups_job"],
        began_at=datetime.fromisoformat(row["began_at"]),
        ended_at=_time(row["ended_at"]),
    )


def approval_of(row: Row) -> Approval:
    answered = row["answered_id"]
    return Approval(
        id=UUID(row["id"]),
        order_id=UUID(row["order_id"]),
        attempt=row["attempt"],
        act=row["act"],
        details=json.loads(row["details"]),
        reason=row["reason"],
        asked_by=Actor(id=row["asked_id"], role=row["asked_role"]),
        asked_at=datetime.fromisoformat(row["asked_at"]),
        accepted=None if row["accepted"] is None else bool(row["accepted"]),
        answered_by=None if answered is None else Actor(id=answered, role=row["answered_role"]),
        answered_at=_time(row["answered_at"]),
    )


def control_of(row: Row) -> ControlRow:
    return ControlRow(
        control_id=UUID(row["control_id"]),
        order_id=UUID(row["order_id"]),
        registry=row["registry"],
        kind=row["kind"],
        body=row["body"],
        outcome=row["outcome"],
    )


def range_of(row: Row) -> Range:
    return Range(
        stock=Stock(row["stock"]),
        prefix=row["prefix"],
        first=row["first"],
        last=row["last"],
        status=row["status"],
        printer=row["printer"],
        loading=row["loading"],
        order_id=_uuid(row["order_id"]),
    )


def movement_of(row: Row) -> MovementRow:
    return MovementRow(
        sequence=row["sequence"],
        at=datetime.fromisoformat(row["at"]),
        movement=row["movement"],
        stock=Stock(row["stock"]),
        prefix=row["prefix"],
        first=row["first"],
        last=row["last"],
        printer=row["printer"],
        order_id=_uuid(row["order_id"]),
        attempt=row["attempt"],
        reason=row["reason"],
        actor=Actor(id=row["actor_id"], role=row["actor_role"]),
    )


def _uuid(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
