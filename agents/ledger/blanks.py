"""Blanks in the ledger: disjoint ranges with one status each, and every movement of them. Work grows with ranges, not with blanks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from agents.ledger.audit import write_down
from agents.ledger.database import Database
from agents.ledger.rows import MovementRow, Range, movement_of, range_of
from agents.serials import Serial
from spooler.wire.messages import Actor, Stock


class Blanks:
    """Ranges are split where a movement cuts them, and joined again where neighbours are alike."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def overlapping(self, stock: Stock, prefix: str, first: int, last: int) -> Sequence[Range]:
        rows = self._db.rows(
            "SELECT * FROM blanks WHERE stock = ? AND prefix = ? AND first <= ? AND last >= ? ORDER BY first",
            stock,
            prefix,
            last,
            first,
        )
        return [range_of(row) for row in rows]

    def all(self) -> Sequence[Range]:
        return [range_of(row) for row in self._db.rows("SELECT * FROM blanks ORDER BY stock, prefix, first")]

    def at_printer(self, printer: str) -> Sequence[Range]:
        """What lies in this printer, in the order in which it is fed."""
        rows = self._db.rows("SELECT * FROM blanks WHERE printer = ? ORDER BY loading, prefix, first", printer)
        return [range_of(row) for row in rows]

    def reserved_for(self, order_id: UUID) -> Sequence[Range]:
        rows = self._db.rows("SELECT * FROM blanks WHERE order_id = ? AND status = 'reserved'", str(order_id))
        return [range_of(row) for row in rows]

    def put(self, blanks: Range) -> None:
        """Let this range be so, whatever parts of it were before."""
        for old in self.overlapping(blanks.stock, blanks.prefix, blanks.first, blanks.last):
            self._delete(old)
            if old.first < blanks.first:
                self._insert(replace(old, last=blanks.first - 1))
            if old.last > blanks.last:
                self._insert(replace(old, first=blanks.last + 1))
        self._insert(self._joined(blanks))

    def _joined(self, blanks: Range) -> Range:
        """Take in the neighbours that are alike."""
        around = self.overlapping(blanks.stock, blanks.prefix, blanks.first - 1, blanks.last + 1)
        for other in around:
            if replace(other, first=blanks.first, last=blanks.last) == blanks:
                self._delete(other)
                blanks = replace(blanks, first=min(blanks.first, other.first), last=max(blanks.last, other.last))
        return blanks

    def _insert(self, blanks: Range) -> None:
        self._db.insert(
            "blanks",
            stock=blanks.stock,
            prefix=blanks.prefix,
            first=blanks.first,
            last=blanks.last,
            status=blanks.status,
            printer=blanks.printer,
            loading=blanks.loading,
            order_id=None if blanks.order_id is None else str(blanks.order_id),
        )

    def _delete(self, blanks: Range) -> None:
        self._db.execute(
            "DELETE FROM blanks WHERE stock = ? AND prefix = ? AND first = ?", blanks.stock, blanks.prefix, blanks.first
        )

    def note(
        self,
        movement: str,
        *,
        stock: Stock,
        prefix: str,
        first: int,
        last: int,
        actor: Actor,
        at: datetime,
        printer: str | None = None,
        order_id: UUID | None = None,
        attempt: int | None = None,
        reason: str | None = None,
    ) -> int:
        """Write a movement; return its sequence."""
        values = dict(
            at=at.isoformat(),
            movement=movement,
            stock=stock,
            prefix=prefix,
            first=first,
            last=last,
            printer=printer,
            order_id=None if order_id is None else str(order_id),
            attempt=attempt,
            reason=reason,
            actor_id=actor.id,
            actor_role=actor.role,
        )
        return write_down(self._db, "movement", values)

    def movement(self, sequence: int) -> MovementRow:
        (row,) = self._db.rows("SELECT * FROM movements WHERE sequence = ?", sequence)
        return movement_of(row)

    def movements(self, *, stock: Stock | None, after: int, limit: int) -> Sequence[MovementRow]:
        rows = self._db.rows(
            "SELECT * FROM movements WHERE sequence > ? AND (? IS NULL OR stock = ?) ORDER BY sequence LIMIT ?",
            after,
            stock,
            stock,
            limit,
        )
        return [movement_of(row) for row in rows]

    def life(self, stock: Stock, prefix: str, number: int) -> Sequence[MovementRow]:
        """Every movement of one blank, oldest first."""
        rows = self._db.rows(
            "SELECT * FROM movements WHERE stock = ? AND prefix = ? AND first <= ? AND last >= ? ORDER BY sequence",
            stock,
            prefix,
            number,
            number,
        )
        return [movement_of(row) for row in rows]

    def voided_for(self, order_id: UUID) -> tuple[str, ...]:
        """The serials that were voided in the hands of this order."""
        rows = self._db.rows(
            "SELECT prefix, first FROM movements WHERE order_id = ? AND movement IN ('void', 'void-unseen')"
            " ORDER BY sequence",
            str(order_id),
        )
        return tuple(dict.fromkeys(str(Serial(row[0], row[1])) for row in rows))

    def unseen(self) -> tuple[str, ...]:
        """The serials that were called void and that nobody has looked at since."""
        rows = self._db.rows(
            "SELECT v.prefix, v.first FROM movements v WHERE v.movement = 'void-unseen' AND NOT EXISTS"
            " (SELECT 1 FROM movements m WHERE m.stock = v.stock AND m.prefix = v.prefix AND m.first <= v.first"
            "  AND m.last >= v.first AND m.sequence > v.sequence AND m.movement NOT IN ('count', 'handover'))"
            " ORDER BY v.sequence"
        )
        return tuple(str(Serial(row[0], row[1])) for row in rows)

    def counts(self) -> dict[tuple[Stock, str], int]:
        """How many blanks by stock and status."""
        rows = self._db.rows("SELECT stock, status, sum(last - first + 1) FROM blanks GROUP BY 1, 2")
        return {(Stock(row[0]), row[1]): row[2] for row in rows}

    def moved(self, stock: Stock) -> dict[str, int]:
        """How many blanks ever went through each movement."""
        rows = self._db.rows("SELECT movement, sum(last - first + 1) FROM movements WHERE stock = ? GROUP BY 1", stock)
        return {row[0]: row[1] for row in rows}
