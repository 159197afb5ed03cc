"""The contract between home and hall: ticket, reports, controls. Version 1.

Readers ignore fields they do not know; a field that changes the meaning of others makes a new version. Times are UTC; sizes are
mm; hashes are SHA-256 in lower-case hex. What a hall or a registry signs is the canonical JSON of one of these (see `strict`, `signed`).

The rooms behind it: `words` (what all are made of), `ticket`, `reports`, `controls`. Both sides take them from here.
"""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from spooler.wire import strict
from spooler.wire.controls import (
    Anchor,
    Approve,
    Cancel,
    Control,
    ControlBase,
    Halt,
    Hold,
    KnownOrder,
    Lease,
    OrderControl,
    Replay,
    Restore,
    Resume,
    Withdraw,
    WithdrawGrant,
)
from spooler.wire.errors import BadMessage
from spooler.wire.reports import (
    START_OF_CHAIN,
    Answer,
    ApprovalReport,
    Ask,
    BlankCount,
    GrantWithdrawn,
    Heartbeat,
    Issued,
    OrderReport,
    PassReport,
    Printed,
    PrinterStanding,
    Received,
    Reconcile,
    Refused,
    Report,
    ReportBase,
    Returned,
    Standing,
    StockMoved,
)
from spooler.wire.ticket import PRIVATE_TICKET_FIELDS, Replaces, SealFile, Ticket
from spooler.wire.words import (
    Actor,
    AuditHead,
    Case,
    Check,
    Code,
    HallId,
    Message,
    Party,
    Pass,
    RegistryId,
    Said,
    Seal,
    Serial,
    Sha256,
    Stock,
    Turn,
    UtcTime,
)

__all__ = [
    "CONTROL_TYPE",
    "PRIVATE_TICKET_FIELDS",
    "REPORT_TYPE",
    "START_OF_CHAIN",
    "TICKET_TYPE",
    "Actor",
    "Anchor",
    "Answer",
    "ApprovalReport",
    "Approve",
    "Ask",
    "AuditHead",
    "BlankCount",
    "Cancel",
    "Case",
    "Check",
    "Code",
    "Control",
    "ControlBase",
    "GrantWithdrawn",
    "HallId",
    "Halt",
    "Heartbeat",
    "Hold",
    "Issued",
    "KnownOrder",
    "Lease",
    "Message",
    "OrderControl",
    "OrderReport",
    "Party",
    "Pass",
    "PassReport",
    "Printed",
    "PrinterStanding",
    "Received",
    "Reconcile",
    "Refused",
    "RegistryId",
    "Replaces",
    "Replay",
    "Report",
    "ReportBase",
    "Restore",
    "Resume",
    "Returned",
    "Said",
    "Seal",
    "SealFile",
    "Serial",
    "Sha256",
    "Standing",
    "Stock",
    "StockMoved",
    "Ticket",
    "Turn",
    "UtcTime",
    "Withdraw",
    "WithdrawGrant",
    "read_control",
    "read_report",
    "read_ticket",
]

TICKET_TYPE = "application/vnd.certspool.ticket.v1+json"
REPORT_TYPE = "application/vnd.certspool.report.v1+json"
CONTROL_TYPE = "application/vnd.certspool.control.v1+json"

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
