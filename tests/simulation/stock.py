"""The blanks of the hall's ledger in memory (`agents.ledger.blanks`)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from agents.ledger import MovementRow, Range
from agents.serials import Serial
from spooler.wire.messages import Stock
from tests.simulation.memory import Memory, changed


class MemoryBlanks:
    """Ranges as the real one keeps them: split where cut, joined where alike."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._ranges: dict[tuple[Stock, str, int], Range] = {}
        self._movements: dict[int, MovementRow] = {}

    def overlapping(self, stock: Stock, prefix: str, first: int, last: int) -> Sequence[Range]:
        found = [
            r
            for r in self._ranges.values()
            if r.first <= last and r.last >= first and r.stock is stock and r.prefix == prefix
        ]
        return sorted(found, key=lambda r: r.first) if len(found) > 1 else found

    def all(self) -> Sequence[Range]:
        return sorted(self._ranges.values(), key=lambda r: (r.stock, r.prefix, r.first))

    def at_printer(self, printer: str) -> Sequence[Range]:
        found = [r for r in self._ranges.values() if r.printer == printer]
        return sorted(found, key=lambda r: (r.loading or 0, r.prefix, r.first)) if len(found) > 1 else found

    def reserved_for(self, order_id: UUID) -> Sequence[Range]:
        return [r for r in self._ranges.values() if r.order_id == order_id and r.status == "reserved"]

    def put(self, blanks: Range) -> None:
        for old in self.overlapping(blanks.stock, blanks.prefix, blanks.first, blanks.last):
            self._delete(old)
            if old.first < blanks.first:
                self._insert(changed(old, {"last": blanks.first - 1}))
            if old.last > blanks.last:
                self._insert(changed(old, {"first": blanks.last + 1}))
        self._insert(self._joined(blanks))

    def _joined(self, blanks: Range) -> Range:
        for other in self.overlapping(blanks.stock, blanks.prefix, blanks.first - 1, blanks.last + 1):
            if replace(other, first=blanks.first, last=blanks.last) == blanks:
                self._delete(other)
                blanks = replace(blanks, first=min(blanks.first, other.first), last=max(blanks.last, other.last))
        return blanks

    def _insert(self, blanks: Range) -> None:
        self._memory.put(self._ranges, (blanks.stock, blanks.prefix, blanks.first), blanks)

    def _delete(self, blanks: Range) -> None:
        self._memory.drop(self._ranges, (blanks.stock, blanks.prefix, blanks.first))

    def note(self, movement: str, **fields: Any) -> int:
        sequence = self._memory.number("movements")
        fields = {"printer": None, "order_id": None, "attempt": None, "reason": None, **fields}
        self._memory.put(self._movements, sequence, MovementRow(sequence=sequence, movement=movement, **fields))
        return sequence

    def movement(self, sequence: int) -> MovementRow:
        return self._movements[sequence]

    def movements(self, *, stock: Stock | None, after: int, limit: int) -> Sequence[MovementRow]:
        found = [m for m in self._movements.values() if m.sequence > after and stock in (None, m.stock)]
        return sorted(found, key=lambda m: m.sequence)[:limit]

    def life(self, stock: Stock, prefix: str, number: int) -> Sequence[MovementRow]:
        return [
            m
            for m in self._movements.values()
            if m.stock is stock and m.prefix == prefix and m.first <= number <= m.last
        ]

    def voided_for(self, order_id: UUID) -> tuple[str, ...]:
        found = sorted((m for m in self._movements.values() if m.order_id == order_id), key=lambda m: m.sequence)
        return tuple(
            dict.fromkeys(str(Serial(m.prefix, m.first)) for m in found if m.movement in ("void", "void-unseen"))
        )

    def counts(self) -> dict[tuple[Stock, str], int]:
        found: dict[tuple[Stock, str], int] = {}
        for r in self._ranges.values():
            found[r.stock, r.status] = found.get((r.stock, r.status), 0) + len(r)
        return found

    def moved(self, stock: Stock) -> dict[str, int]:
        found: dict[str, int] = {}
        for m in self._movements.values():
            if m.stock is stock:
                found[m.movement] = found.get(m.movement, 0) + m.last - m.first + 1
        return found
