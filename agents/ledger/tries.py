"""Tries in the ledger: one sending of one pass each."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.ledger.database import Database, Value
from agents.ledger.rows import PassRow, TryRow, try_of
from agents.order import PassState


class Tries:
    """Rows in, rows out."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def begin(self, try_id: UUID, of: PassRow, printer: str, at: datetime) -> None:
        self._db.insert(
            "tries",
            try_id=str(try_id),
            order_id=str(of.order_id),
            attempt=of.attempt,
            number=of.number,
            printer=printer,
            state=PassState.INTENT,
            began_at=at.isoformat(),
        )

    def get(self, try_id: UUID) -> TryRow | None:
        row = self._db.row("SELECT * FROM tries WHERE try_id = ?", str(try_id))
        return None if row is None else try_of(row)

    def set(self, try_id: UUID, **columns: Value) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE tries SET {names} WHERE try_id = ?", *columns.values(), str(try_id))

    def end(self, try_id: UUID, state: str, at: datetime, evidence: Any) -> None:
        self.set(
            try_id, state=state, ended_at=at.isoformat(), evidence=json.dumps(evidence, sort_keys=True, default=str)
        )

    def open_at(self, printer: str) -> Sequence[TryRow]:
        rows = self._db.rows("SELECT * FROM tries WHERE printer = ? AND ended_at IS NULL ORDER BY began_at", printer)
        return [try_of(row) for row in rows]

    def of_pass(self, order_id: UUID, attempt: int, number: int) -> Sequence[TryRow]:
        """All tries of one pass, oldest first."""
        rows = self._db.rows(
            "SELECT * FROM tries WHERE order_id = ? AND attempt = ? AND number = ? ORDER BY rowid",
            str(order_id),
            attempt,
            number,
        )
        return [try_of(row) for row in rows]

    def evidence(self, try_id: UUID) -> Any:
        text = self._db.value("SELECT evidence FROM tries WHERE try_id = ?", str(try_id))
        return None if text is None else json.loads(text)

    def outcomes(self) -> dict[tuple[str, str], int]:
        """How many tries ended, by printer and outcome."""
        rows = self._db.rows("SELECT printer, state, count(*) FROM tries WHERE ended_at IS NOT NULL GROUP BY 1, 2")
        return {(row[0], row[1]): row[2] for row in rows}
