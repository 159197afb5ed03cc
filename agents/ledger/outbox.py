"""Reports in the ledger: signed, chained per registry, kept until the broker confirmed them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from sqlite3 import Row
from uuid import UUID

from agents.ledger.database import Database
from spooler.wire.messages import START_OF_CHAIN


class Outbox:
    """Rows in, rows out; `report` builds and signs what stands here."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def end_of_chain(self, registry: str) -> tuple[int, str]:
        """Return sequence and hash of the latest report to this registry."""
        row = self._db.row("SELECT sequence, previous FROM chains WHERE registry = ?", registry)
        return (0, START_OF_CHAIN) if row is None else (row["sequence"], row["previous"])

    def add(
        self,
        letter_id: UUID,
        *,
        registry: str,
        kind: str,
        epoch: UUID,
        sequence: int,
        digest: str,
        order_id: UUID | None,
        body: bytes,
        at: datetime,
    ) -> None:
        """Lengthen the chain by one report."""
        self._db.execute("INSERT OR REPLACE INTO chains VALUES (?, ?, ?)", registry, sequence, digest)
        self._db.insert(
            "outbox",
            id=str(letter_id),
            registry=registry,
            kind=kind,
            epoch=str(epoch),
            sequence=sequence,
            order_id=None if order_id is None else str(order_id),
            body=body,
            at=at.isoformat(),
            due_at=at.isoformat(),
        )

    def pending(self, limit: int, now: datetime) -> Sequence[Row]:
        """What is due, in order. A report that has to wait holds back the later ones of its registry."""
        return self._db.rows(
            "SELECT * FROM outbox WHERE sent_at IS NULL AND registry NOT IN"
            " (SELECT registry FROM outbox WHERE sent_at IS NULL AND due_at > ?) ORDER BY position LIMIT ?",
            now.isoformat(),
            limit,
        )

    def again(self, registry: str, epoch: UUID, first: int, last: int, now: datetime) -> int:
        """Let reports that were sent be sent again; return how many of those asked for are kept."""
        return self._db.execute(
            "UPDATE outbox SET sent_at = NULL, due_at = ?"
            " WHERE registry = ? AND epoch = ? AND sequence BETWEEN ? AND ?",
            now.isoformat(),
            registry,
            str(epoch),
            first,
            last,
        )

    def has_pending(self, registry: str, kind: str) -> bool:
        sql = "SELECT 1 FROM outbox WHERE sent_at IS NULL AND registry = ? AND kind = ? LIMIT 1"
        return self._db.value(sql, registry, kind) is not None

    def depth(self) -> int:
        return int(self._db.value("SELECT count(*) FROM outbox WHERE sent_at IS NULL"))

    def oldest(self, before: datetime) -> Sequence[Row]:
        """Of each registry, the report that has waited longest, if it was written before that; with how many wait behind it."""
        return self._db.rows(
            "SELECT registry, min(position) AS position, at, error, count(*) AS reports FROM outbox"
            " WHERE sent_at IS NULL GROUP BY registry HAVING at <= ? ORDER BY registry",
            before.isoformat(),
        )

    def sent(self, letter_id: str, at: datetime) -> None:
        with self._db.transaction():
            self._db.execute("UPDATE outbox SET sent_at = ?, error = NULL WHERE id = ?", at.isoformat(), letter_id)

    def failed(self, letter_id: str, error: str, due_at: Callable[[int], datetime]) -> None:
        """Note a failure; `due_at` says when to try again after so many."""
        with self._db.transaction():
            failures = int(self._db.value("SELECT failures FROM outbox WHERE id = ?", letter_id) or 0) + 1
            self._db.execute(
                "UPDATE outbox SET failures = ?, error = ?, due_at = ? WHERE id = ?",
                failures,
                error,
                due_at(failures).isoformat(),
                letter_id,
            )

    def forget_heartbeats(self, before: datetime) -> None:
        """Drop heartbeats that were told before that time."""
        with self._db.transaction():
            self._db.execute("DELETE FROM outbox WHERE kind = 'heartbeat' AND sent_at < ?", before.isoformat())
