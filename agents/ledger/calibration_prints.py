"""Calibration sheets and proofs in the ledger: what somebody asked for, and each sending of it. On plain paper, of no order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Any, Literal
from uuid import UUID

from agents.calibration.correction import Side
from agents.ledger.database import Database, Value
from agents.order import PassState
from spooler.wire.messages import Actor, Stock

What = Literal["sheet", "proof"]
LAPSED = "lapsed"
_OPEN = ("intent", "created", "spooled", "releasing")


@dataclass(frozen=True)
class CalibrationPrint:
    """A sheet or a proof that somebody asked for."""

    print_id: UUID
    what: What
    printer: str
    stock: Stock
    side: Side
    version: int | None
    until: datetime
    state: str
    by: Actor
    at: datetime

    @property
    def is_under_way(self) -> bool:
        return self.state in _OPEN

    def is_open_at(self, now: datetime) -> bool:
        """Whether it may still come out: under way, or asked for not too long ago."""
        return self.is_under_way or (self.state == PassState.READY and now <= self.until)


@dataclass(frozen=True)
class CalibrationTry:
    """One sending of it."""

    try_id: UUID
    print_id: UUID
    state: str
    cups_job: int | None


class CalibrationPrints:
    """Rows in, rows out."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def ask(self, one: CalibrationPrint) -> None:
        self._db.insert(
            "calibration_prints",
            print_id=str(one.print_id),
            what=one.what,
            printer=one.printer,
            stock=one.stock,
            spread=one.side.spread,
            version=one.version,
            width_mm=one.side.width_mm,
            height_mm=one.side.height_mm,
            until=one.until.isoformat(),
            state=one.state,
            actor_id=one.by.id,
            actor_role=one.by.role,
            at=one.at.isoformat(),
        )

    def get(self, print_id: UUID) -> CalibrationPrint | None:
        row = self._db.row("SELECT * FROM calibration_prints WHERE print_id = ?", str(print_id))
        return None if row is None else _print(row)

    def at(self, printer: str, limit: int = 50) -> Sequence[CalibrationPrint]:
        """Those of one printer, the newest first."""
        sql = "SELECT * FROM calibration_prints WHERE printer = ? ORDER BY rowid DESC LIMIT ?"
        return [_print(row) for row in self._db.rows(sql, printer, limit)]

    def open_at(self, printer: str) -> CalibrationPrint | None:
        """The one that waits or is under way: there is never a second."""
        sql = "SELECT * FROM calibration_prints WHERE printer = ? AND state IN (?, ?, ?, ?, ?) ORDER BY rowid LIMIT 1"
        row = self._db.row(sql, printer, PassState.READY, *_OPEN)
        return None if row is None else _print(row)

    def set_state(self, print_id: UUID, state: str) -> None:
        self._db.execute("UPDATE calibration_prints SET state = ? WHERE print_id = ?", state, str(print_id))

    # tries

    def begin(self, try_id: UUID, print_id: UUID, printer: str, at: datetime) -> None:
        self._db.insert(
            "calibration_tries",
            try_id=str(try_id),
            print_id=str(print_id),
            printer=printer,
            state=PassState.INTENT,
            began_at=at.isoformat(),
        )

    def get_try(self, try_id: UUID) -> CalibrationTry | None:
        row = self._db.row("SELECT * FROM calibration_tries WHERE try_id = ?", str(try_id))
        return None if row is None else _try(row)

    def tries_of(self, print_id: UUID) -> Sequence[CalibrationTry]:
        """The oldest first."""
        rows = self._db.rows("SELECT * FROM calibration_tries WHERE print_id = ? ORDER BY rowid", str(print_id))
        return [_try(row) for row in rows]

    def open_tries(self, printer: str) -> Sequence[CalibrationTry]:
        sql = "SELECT * FROM calibration_tries WHERE printer = ? AND ended_at IS NULL ORDER BY rowid"
        return [_try(row) for row in self._db.rows(sql, printer)]

    def set_try(self, try_id: UUID, **columns: Value) -> None:
        names = ", ".join(f"{name} = ?" for name in columns)
        self._db.execute(f"UPDATE calibration_tries SET {names} WHERE try_id = ?", *columns.values(), str(try_id))

    def end_try(self, try_id: UUID, state: str, at: datetime, evidence: Any) -> None:
        text = json.dumps(evidence, sort_keys=True, default=str)
        self.set_try(try_id, state=state, ended_at=at.isoformat(), evidence=text)


def _print(row: Row) -> CalibrationPrint:
    return CalibrationPrint(
        print_id=UUID(row["print_id"]),
        what=row["what"],
        printer=row["printer"],
        stock=Stock(row["stock"]),
        side=Side(row["spread"], row["width_mm"], row["height_mm"]),
        version=row["version"],
        until=datetime.fromisoformat(row["until"]),
        state=row["state"],
        by=Actor(id=row["actor_id"], role=row["actor_role"]),
        at=datetime.fromisoformat(row["at"]),
    )


def _try(row: Row) -> CalibrationTry:
    return CalibrationTry(UUID(row["try_id"]), UUID(row["print_id"]), row["state"], row["cups_job"])
