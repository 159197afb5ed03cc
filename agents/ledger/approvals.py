"""Approvals and controls in the ledger: what waits for a second person, and what home asked."""

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from agents.ledger.database import Database
from agents.ledger.rows import Approval, ControlRow, approval_of, control_of
from spooler.wire.messages import Actor


class Approvals:
    """At most one is open for an order."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, approval: Approval) -> None:
        self._db.insert(
            "approvals",
            id=str(approval.id),
            order_id=str(approval.order_id),
            attempt=approval.attempt,
            act=approval.act,
            details=json.dumps(approval.details, sort_keys=True),
            reason=approval.reason,
            asked_id=approval.asked_by.id,
            asked_role=approval.asked_by.role,
            asked_at=approval.asked_at.isoformat(),
        )

    def get(self, approval_id: UUID) -> Approval | None:
        row = self._db.row("SELECT * FROM approvals WHERE id = ?", str(approval_id))
        return None if row is None else approval_of(row)

    def open_for(self, order_id: UUID) -> Approval | None:
        row = self._db.row("SELECT * FROM approvals WHERE order_id = ? AND accepted IS NULL", str(order_id))
        return None if row is None else approval_of(row)

    def all(self, *, answered: bool) -> Sequence[Approval]:
        where = "" if answered else "WHERE accepted IS NULL"
        rows = self._db.rows(f"SELECT * FROM approvals {where} ORDER BY asked_at")
        return [approval_of(row) for row in rows]

    def answer(self, approval_id: UUID, *, accepted: bool, by: Actor, at: datetime, reason: str) -> None:
        self._db.execute(
            "UPDATE approvals SET accepted = ?, answered_id = ?, answered_role = ?, answered_at = ?, answer = ? WHERE id = ?",
            int(accepted),
            by.id,
            by.role,
            at.isoformat(),
            reason,
            str(approval_id),
        )


class Controls:
    """What registries asked, also about orders that are still to come."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, control: ControlRow, at: datetime) -> bool:
        """Keep it; False when it is known already."""
        added = self._db.execute(
            "INSERT OR IGNORE INTO controls (control_id, order_id, registry, kind, body, received_at) VALUES (?, ?, ?, ?, ?, ?)",
            str(control.control_id),
            str(control.order_id),
            control.registry,
            control.kind,
            control.body,
            at.isoformat(),
        )
        return added == 1

    def get(self, control_id: UUID) -> ControlRow | None:
        row = self._db.row("SELECT * FROM controls WHERE control_id = ?", str(control_id))
        return None if row is None else control_of(row)

    def about(self, order_id: UUID, registry: str) -> Sequence[ControlRow]:
        rows = self._db.rows(
            "SELECT * FROM controls WHERE order_id = ? AND registry = ? ORDER BY rowid", str(order_id), registry
        )
        return [control_of(row) for row in rows]

    def answered(self, control_id: UUID, outcome: str, at: datetime) -> None:
        self._db.execute(
            "UPDATE controls SET outcome = ?, answered_at = ? WHERE control_id = ?",
            outcome,
            at.isoformat(),
            str(control_id),
        )
