"""The past that this journal has lost, as others know it: what registries answered, and tries that only the permit directory knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from uuid import UUID

from agents.ledger.database import Database
from spooler.wire.messages import Actor, KnownOrder


@dataclass(frozen=True)
class Asked:
    """What one registry was asked, and whether it has answered in full."""

    registry: str
    ask: UUID
    asked_at: datetime
    is_answered: bool
    is_first: bool


@dataclass(frozen=True)
class Stranger:
    """A claimed permit that this journal never issued."""

    try_id: UUID
    order_id: UUID | None
    attempt: int | None
    number: int | None


@dataclass(frozen=True)
class Leaving:
    """What the first of two persons asked for."""

    by: Actor
    at: datetime
    reason: str
    without: tuple[str, ...]


class Past:
    """Rows in, rows out; what follows from them is decided in `reconcile` and `recollect`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # what registries were asked

    def ask(self, registry: str, ask: UUID, at: datetime) -> None:
        """Forget what the registry answered before; its answer to this counts."""
        self._db.execute("DELETE FROM known_orders WHERE registry = ?", registry)
        self._db.execute(
            "INSERT OR REPLACE INTO asks (registry, ask, asked_at) VALUES (?, ?, ?)",
            registry,
            str(ask),
            at.isoformat(),
        )

    def asked(self) -> Sequence[Asked]:
        sql = "SELECT a.*, (SELECT count(*) FROM answer_parts p WHERE p.ask = a.ask) AS came FROM asks a ORDER BY registry"
        return [_asked(row) for row in self._db.rows(sql)]

    def answered(self, registry: str, ask: UUID, *, part: int, parts: int, is_first: bool) -> bool:
        """Note a part of an answer; False when it is known already, or answers an older question."""
        updated = self._db.execute(
            "UPDATE asks SET parts = ?, is_first = ? WHERE registry = ? AND ask = ?",
            parts,
            int(is_first),
            registry,
            str(ask),
        )
        return bool(updated) and self.note_once(ask, part)

    def note_once(self, what: UUID, part: int = 0) -> bool:
        """Write down that this came; False when it came before."""
        return self._db.execute("INSERT OR IGNORE INTO answer_parts VALUES (?, ?)", str(what), part) == 1

    # what registries know

    def keep(self, registry: str, known: KnownOrder) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO known_orders VALUES (?, ?, ?, 0)",
            str(known.order_id),
            registry,
            known.to_bytes().decode(),
        )

    def known(self, order_id: UUID, registry: str) -> KnownOrder | None:
        body = self._db.value(
            "SELECT body FROM known_orders WHERE order_id = ? AND registry = ?", str(order_id), registry
        )
        return None if body is None else KnownOrder.model_validate_json(body)

    def is_applied(self, order_id: UUID) -> bool:
        return bool(self._db.value("SELECT applied FROM known_orders WHERE order_id = ?", str(order_id)))

    def applied(self, order_id: UUID) -> None:
        self._db.execute("UPDATE known_orders SET applied = 1 WHERE order_id = ?", str(order_id))

    def not_applied(self) -> Sequence[tuple[UUID, str]]:
        """Orders of which the registry spoke and which are not here, or not settled here, yet."""
        rows = self._db.rows("SELECT order_id, registry FROM known_orders WHERE applied = 0")
        return [(UUID(row[0]), row[1]) for row in rows]

    # what the permit directory knows

    def add_stranger(self, stranger: Stranger) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO stranger_tries VALUES (?, ?, ?, ?)",
            str(stranger.try_id),
            None if stranger.order_id is None else str(stranger.order_id),
            stranger.attempt,
            stranger.number,
        )

    def strangers(self, order_id: UUID | None = None) -> Sequence[Stranger]:
        """All of them, or those of one order."""
        rows = self._db.rows(
            "SELECT * FROM stranger_tries WHERE ? IS NULL OR order_id = ? ORDER BY try_id",
            None if order_id is None else str(order_id),
            None if order_id is None else str(order_id),
        )
        return [_stranger(row) for row in rows]

    def unknown_tries(self, found: Sequence[UUID]) -> list[UUID]:
        """Return which of these tries neither began here nor were noted as strangers."""
        tables = ("tries", "stranger_tries", "calibration_tries")
        rows = self._db.rows(" UNION ".join(f"SELECT try_id FROM {table}" for table in tables))
        known = {row[0] for row in rows}
        return [try_id for try_id in found if str(try_id) not in known]

    # leaving

    def leaving(self) -> Leaving | None:
        row = self._db.row("SELECT * FROM leaving")
        return None if row is None else _leaving(row)

    def propose_leaving(self, leaving: Leaving) -> None:
        self._db.insert(
            "leaving",
            one=1,
            asked_id=leaving.by.id,
            asked_role=leaving.by.role,
            asked_at=leaving.at.isoformat(),
            reason=leaving.reason,
            without=" ".join(leaving.without),
        )

    def take_back_leaving(self) -> None:
        self._db.execute("DELETE FROM leaving")

    def leave(self) -> None:
        """The hall prints again. What others know of the past stays known."""
        self._db.execute("UPDATE hall SET reconcile = NULL")
        self.take_back_leaving()

    def since(self) -> datetime | None:
        """When this epoch began."""
        text = self._db.value("SELECT since FROM hall")
        return None if text is None else datetime.fromisoformat(text)

    def counted_since(self, at: datetime) -> Sequence[tuple[str, str, int, int]]:
        """Ranges that a person has counted, received or loaded since then: stock, prefix, first, last."""
        rows = self._db.rows(
            "SELECT stock, prefix, first, last FROM movements WHERE movement IN ('count', 'receive') AND at >= ?",
            at.isoformat(),
        )
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def _asked(row: Row) -> Asked:
    return Asked(
        registry=row["registry"],
        ask=UUID(row["ask"]),
        asked_at=datetime.fromisoformat(row["asked_at"]),
        is_answered=row["parts"] is not None and row["came"] >= row["parts"],
        is_first=bool(row["is_first"]),
    )


def _stranger(row: Row) -> Stranger:
    order_id = row["order_id"]
    return Stranger(UUID(row["try_id"]), None if order_id is None else UUID(order_id), row["attempt"], row["number"])


def _leaving(row: Row) -> Leaving:
    return Leaving(
        by=Actor(id=row["asked_id"], role=row["asked_role"]),
        at=datetime.fromisoformat(row["asked_at"]),
        reason=row["reason"],
        without=tuple(row["without"].split()),
    )
