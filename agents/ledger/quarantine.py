"""What came and was not taken, in the ledger: hashes and codes, never contents."""

from datetime import datetime
from uuid import UUID

from agents.ledger.database import Database


class Quarantine:
    """Once for each (order, code, content)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, order_id: UUID, registry: str, code: str, identity: str, at: datetime, *, told: bool) -> bool:
        """Keep it; False when exactly this was seen before."""
        added = self._db.execute(
            "INSERT OR IGNORE INTO quarantine (at, order_id, registry, code, identity, told) VALUES (?, ?, ?, ?, ?, ?)",
            at.isoformat(),
            str(order_id),
            registry,
            code,
            identity,
            int(told),
        )
        return added == 1

    def is_refused(self, order_id: UUID) -> bool:
        """Say whether home was told that nothing will be printed under this id."""
        return self._db.value("SELECT 1 FROM quarantine WHERE order_id = ? AND told = 1", str(order_id)) is not None

    def counts(self) -> dict[str, int]:
        """How many by code."""
        return {row[0]: row[1] for row in self._db.rows("SELECT code, count(*) FROM quarantine GROUP BY 1")}
