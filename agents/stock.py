"""Blanks by serial: what comes in, where it lies, what became of each. All or nothing, by range.

    receive ─▶ in-stock ◀─▶ loaded ─▶ reserved ─▶ used          void ─▶ destroyed          in-stock ─▶ transferred · returned

For each stock: received − transferred − returned = in-stock + loaded + reserved + used + void + lost + destroyed, and each number
stands in one place at a time. What a person moves is here; what an order does to its blank is in `blank`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from agents.accounts import Account, Role
from agents.board import Board
from agents.errors import DoesNotFit, Invalid
from agents.ledger import Ledger, MovementRow, Range
from agents.serials import Serial, parse_range, parse_serial
from agents.views import BlankView, MovementView, RangeView, StockView
from spooler.wire.messages import Stock


class Movement(StrEnum):
    """What a person may do with a range of blanks (`POST /v1/stock/{movement}`)."""

    RECEIVE = "receive"  # into the hall's store
    LOAD = "load"  # from the store into a printer
    UNLOAD = "unload"  # back into the store
    VOID = "void"  # unusable; stays on hand until it is destroyed
    LOST = "lost"
    TRANSFER = "transfer"  # to another hall
    RETURN = "return"  # to who issued it
    DESTROY = "destroy"  # only what is void
    COUNT = "count"  # seen on hand, nothing changes
    HANDOVER = "handover"  # to the next clerk, nothing changes


# From which statuses ("" = not known here) to which; None: the status stays.
_RULES: dict[Movement, tuple[frozenset[str], str | None]] = {
    Movement.RECEIVE: (frozenset({"", "transferred", "returned"}), "in-stock"),
    Movement.LOAD: (frozenset({"in-stock"}), "loaded"),
    Movement.UNLOAD: (frozenset({"loaded"}), "in-stock"),
    Movement.VOID: (frozenset({"in-stock", "loaded"}), "void"),
    Movement.LOST: (frozenset({"in-stock", "loaded", "void"}), "lost"),
    Movement.TRANSFER: (frozenset({"in-stock"}), "transferred"),
    Movement.RETURN: (frozenset({"in-stock", "void"}), "returned"),
    Movement.DESTROY: (frozenset({"void"}), "destroyed"),
    Movement.COUNT: (frozenset({"in-stock", "loaded", "reserved", "void"}), None),
    Movement.HANDOVER: (frozenset({"in-stock", "loaded", "reserved", "void"}), None),
}
_NEEDS_REASON = frozenset({Movement.VOID, Movement.LOST, Movement.TRANSFER, Movement.RETURN, Movement.DESTROY})
_HERE = ("in-stock", "loaded", "reserved", "used", "void", "lost", "destroyed")


class StockRoom:
    """The movements and views of blanks. Thread-safe."""

    def __init__(
        self, *, ledger: Ledger, board: Board, clock: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        self._ledger = ledger
        self._board = board
        self._clock = clock
        self._changed = changed

    def move(
        self,
        by: Account,
        movement: Movement,
        *,
        stock: Stock,
        first: str,
        last: str,
        printer: str | None = None,
        reason: str | None = None,
    ) -> MovementView:
        """Move the blanks first…last, or raise DoesNotFit naming the first range that hinders. `load` names the printer."""
        actor = by.acting_as(Role.CLERK)
        low, high = parse_range(first, last)
        self._check(movement, stock, printer, reason)
        with self._ledger.transaction():
            self._check_statuses(movement, stock, low, high)
            sequence = self._ledger.blanks.note(
                movement,
                stock=stock,
                prefix=low.prefix,
                first=low.number,
                last=high.number,
                actor=actor,
                at=self._clock(),
                printer=printer,
                reason=reason,
            )
            self._put(movement, stock, low, high, printer, sequence)
            self._ledger.afterwards(self._changed)
        return movement_view(self._ledger.blanks.movement(sequence))

    def view(self, by: Account) -> StockView:
        by.acting_as(Role.CLERK)
        counts: dict[str, dict[str, int]] = {}
        for (stock, status), count in self._ledger.blanks.counts().items():
            counts.setdefault(stock, {})[status] = count
        return StockView(
            ranges=tuple(range_view(r) for r in self._ledger.blanks.all()),
            counts=counts,
            balanced=all(self.is_balanced(stock) for stock in Stock),
            unseen=self._ledger.blanks.unseen(),
        )

    def is_balanced(self, stock: Stock) -> bool:
        """Compare what the movements say came and went with what stands in the ledger."""
        moved = self._ledger.blanks.moved(stock)
        counts = self._ledger.blanks.counts()
        expected = moved.get("receive", 0) - moved.get("transfer", 0) - moved.get("return", 0)
        return expected == sum(counts.get((stock, status), 0) for status in _HERE)

    def blank(self, by: Account, stock: Stock, serial: str) -> BlankView:
        by.acting_as(Role.CLERK)
        number = parse_serial(serial)
        (found,) = self._ledger.blanks.overlapping(stock, number.prefix, number.number, number.number) or (None,)
        life = self._ledger.blanks.life(stock, number.prefix, number.number)
        return BlankView(
            stock=stock,
            serial=str(number),
            status="not-received" if found is None else found.status,
            printer=None if found is None else found.printer,
            order_id=None if found is None else found.order_id,
            movements=tuple(movement_view(m) for m in life),
        )

    def movements(
        self, by: Account, *, stock: Stock | None = None, after: int = 0, limit: int = 200
    ) -> Sequence[MovementView]:
        by.acting_as(Role.CLERK)
        return tuple(movement_view(m) for m in self._ledger.blanks.movements(stock=stock, after=after, limit=limit))

    def _check(self, movement: Movement, stock: Stock, printer: str | None, reason: str | None) -> None:
        if stock is Stock.PLAIN:
            raise Invalid("stock", "stock", "白纸没有编号 · plain paper has no serials")
        if (movement is Movement.LOAD) != (printer is not None):
            raise Invalid("printer", "printer", "装入时须指明打印机 · a printer is named when loading, and only then")
        if printer is not None and self._board.section(printer).stock is not stock:
            raise DoesNotFit(f"打印机 {printer} 不用这种证书 · {printer} takes {self._board.section(printer).stock}")
        if movement in _NEEDS_REASON and not (reason or "").strip():
            raise Invalid("reason", "missing", "请写明原因 · a reason is needed")

    def _check_statuses(self, movement: Movement, stock: Stock, low: Serial, high: Serial) -> None:
        allowed, _ = _RULES[movement]
        for part in self._parts(stock, low, high):
            if part.status not in allowed:
                first, last = Serial(part.prefix, part.first), Serial(part.prefix, part.last)
                status = part.status or "not-received"
                wanted = ", ".join(sorted(s or "not-received" for s in allowed))
                raise DoesNotFit(
                    f"编号 {first}…{last} 的状态是 {status} · {first}…{last} is {status}; {movement} takes {wanted}",
                    code=f"blank-{status}",
                )

    def _parts(self, stock: Stock, low: Serial, high: Serial) -> list[Range]:
        """Return what stands between both ends, gaps as ranges with no status."""
        unknown = Range(stock, low.prefix, low.number, high.number, "", None, None, None)
        parts, at = list[Range](), low.number
        for known in self._ledger.blanks.overlapping(stock, low.prefix, low.number, high.number):
            if known.first > at:
                parts.append(replace(unknown, first=at, last=known.first - 1))
            parts.append(replace(known, first=max(known.first, low.number), last=min(known.last, high.number)))
            at = known.last + 1
        if at <= high.number:
            parts.append(replace(unknown, first=at))
        return parts

    def _put(
        self, movement: Movement, stock: Stock, low: Serial, high: Serial, printer: str | None, sequence: int
    ) -> None:
        _, status = _RULES[movement]
        if status is not None:
            loading = sequence if movement is Movement.LOAD else None
            self._ledger.blanks.put(Range(stock, low.prefix, low.number, high.number, status, printer, loading, None))


def movement_view(row: MovementRow) -> MovementView:
    return MovementView(
        sequence=row.sequence,
        at=row.at,
        movement=row.movement,
        stock=row.stock,
        first=str(Serial(row.prefix, row.first)),
        last=str(Serial(row.prefix, row.last)),
        count=row.last - row.first + 1,
        printer=row.printer,
        order_id=row.order_id,
        attempt=row.attempt,
        reason=row.reason,
        actor=row.actor,
    )


def range_view(found: Range) -> RangeView:
    return RangeView(
        stock=found.stock,
        first=str(Serial(found.prefix, found.first)),
        last=str(Serial(found.prefix, found.last)),
        count=len(found),
        status=found.status,
        printer=found.printer,
        order_id=found.order_id,
    )
