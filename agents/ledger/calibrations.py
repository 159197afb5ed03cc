"""Calibrations in the ledger: versions as measured, acceptances of them, and which is in force. Append-only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from agents.calibration.correction import Calibrated, Correction, Point, Side
from agents.calibration.same_device import is_same_device
from agents.ledger.database import Database
from spooler.wire.messages import Actor, Stock


@dataclass(frozen=True)
class Calibration:
    """One version: what was measured on one printer for one side, and what follows from it."""

    printer: str
    stock: Stock
    side: Side
    version: int
    device: str
    points: Mapping[int, Point]
    correction: Correction
    model: str
    residual_mm: float
    by: Actor
    at: datetime

    @property
    def key(self) -> tuple[str, Stock, str, int]:
        return self.printer, self.stock, self.side.spread, self.version


@dataclass(frozen=True)
class Acceptance:
    """A person looked and said: print so from now on."""

    version: int
    reason: str | None
    by: Actor
    at: datetime


class Calibrations:
    """Rows in, rows out. What is in force is asked for each pass, so it is kept at hand."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._in_force: dict[str, tuple[Calibration, ...]] = {}

    def add(self, one: Calibration) -> None:
        self._db.insert(
            "calibrations",
            printer=one.printer,
            stock=one.stock,
            spread=one.side.spread,
            version=one.version,
            device=one.device,
            width_mm=one.side.width_mm,
            height_mm=one.side.height_mm,
            points=json.dumps(one.points),
            correction=json.dumps(one.correction.numbers),
            model=one.model,
            residual_mm=one.residual_mm,
            actor_id=one.by.id,
            actor_role=one.by.role,
            at=one.at.isoformat(),
        )

    def get(self, printer: str, stock: Stock, spread: str, version: int) -> Calibration | None:
        sql = "SELECT * FROM calibrations WHERE printer = ? AND stock = ? AND spread = ? AND version = ?"
        row = self._db.row(sql, printer, stock, spread, version)
        return None if row is None else _calibration(row)

    def versions(self, printer: str, stock: Stock, spread: str) -> Sequence[Calibration]:
        """All of them, the oldest first."""
        sql = "SELECT * FROM calibrations WHERE printer = ? AND stock = ? AND spread = ? ORDER BY version"
        return [_calibration(row) for row in self._db.rows(sql, printer, stock, spread)]

    def accept(self, one: Calibration, *, by: Actor, at: datetime, reason: str | None = None) -> None:
        """Put a version in force."""
        self._db.insert(
            "acceptances",
            printer=one.printer,
            stock=one.stock,
            spread=one.side.spread,
            version=one.version,
            reason=reason,
            actor_id=by.id,
            actor_role=by.role,
            at=at.isoformat(),
        )
        self._db.afterwards(self._forget)

    def acceptances(self, printer: str, stock: Stock, spread: str) -> Sequence[Acceptance]:
        """All of them, the oldest first: the last is in force."""
        sql = "SELECT * FROM acceptances WHERE printer = ? AND stock = ? AND spread = ? ORDER BY sequence"
        return [_acceptance(row) for row in self._db.rows(sql, printer, stock, spread)]

    def in_force(self, printer: str, stock: Stock, device: str) -> tuple[Calibrated, ...]:
        """What counts for this printer with this stock, measured on this very device; one a spread."""
        found = self._of(printer)
        return tuple(
            Calibrated(one.side, one.version, one.correction)
            for one in found
            if one.stock is stock and is_same_device(one.device, device)
        )

    def all_in_force(self) -> Sequence[Calibration]:
        """The newest accepted of every printer, stock and spread."""
        printers = [row[0] for row in self._db.rows("SELECT DISTINCT printer FROM acceptances ORDER BY 1")]
        return [one for printer in printers for one in self._of(printer)]

    def _of(self, printer: str) -> tuple[Calibration, ...]:
        at_hand = self._in_force
        if printer not in at_hand:
            # Forgotten meanwhile, `at_hand` is nobody's any more: what is read now cannot outlive an acceptance.
            at_hand[printer] = tuple(_calibration(row) for row in self._db.rows(_IN_FORCE, printer))
        return at_hand[printer]

    def _forget(self) -> None:
        self._in_force = {}


_IN_FORCE = """
    SELECT c.* FROM calibrations c JOIN acceptances a USING (printer, stock, spread, version)
    WHERE a.sequence IN (SELECT max(sequence) FROM acceptances WHERE printer = ? GROUP BY stock, spread)
    ORDER BY c.stock, c.spread
"""


def _calibration(row: Row) -> Calibration:
    return Calibration(
        printer=row["printer"],
        stock=Stock(row["stock"]),
        side=Side(row["spread"], row["width_mm"], row["height_mm"]),
        version=row["version"],
        device=row["device"],
        points={int(cross): (x, y) for cross, (x, y) in json.loads(row["points"]).items()},
        correction=Correction(*json.loads(row["correction"])),
        model=row["model"],
        residual_mm=row["residual_mm"],
        by=Actor(id=row["actor_id"], role=row["actor_role"]),
        at=datetime.fromisoformat(row["at"]),
    )


def _acceptance(row: Row) -> Acceptance:
    by = Actor(id=row["actor_id"], role=row["actor_role"])
    return Acceptance(row["version"], row["reason"], by, datetime.fromisoformat(row["at"]))
