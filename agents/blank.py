"""What an order does to blanks: its next one is reserved, used, voided or put back. Always within the act's transaction."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from agents.errors import DoesNotFit, HallError
from agents.ledger import Ledger, MovementRow, Range
from agents.ledger.rows import Attempt
from agents.order import PassState
from agents.report import Reporter
from agents.serials import Serial, parse_serial
from spooler.wire.messages import Actor, Stock, StockMoved

# What a blank is called void by when nobody has looked at it: home stopped its order, and its passes are done by evidence only.
UNSEEN = "void-unseen"
_FATELESS = frozenset({"count", "handover"})


class Blanks:
    """Blanks in the hands of orders; each fate is told to the order's registry."""

    def __init__(self, *, ledger: Ledger, reporter: Reporter, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._reporter = reporter
        self._clock = clock

    def next_at(self, printer: str) -> str | None:
        """Return the serial that the printer feeds next, if it is not spoken for."""
        for found in self._ledger.blanks.at_printer(printer):
            if found.status == "loaded":
                return str(Serial(found.prefix, found.first))
        return None

    def reserve(self, attempt: Attempt, by: Actor) -> None:
        """Keep the attempt's proposed blank for it."""
        if attempt.proposed is None:
            return
        blank = self._one(attempt.stock, attempt.proposed)
        if blank.status != "loaded":
            raise DoesNotFit(f"空白证书 {attempt.proposed} 已被占用 · blank {attempt.proposed} is {blank.status}")
        self._put(replace(blank, status="reserved", order_id=attempt.order_id), "reserve", attempt, by)

    def feed(self, attempt: Attempt, by: Actor) -> Attempt:
        """Called as the attempt's first pass begins: propose the blank that the printer feeds now.

        Whoever was released earlier may have been held or cancelled since; then its blank still lies on top.
        """
        front = self._front(attempt)
        if attempt.proposed is None or front is None:
            return attempt
        serial = str(Serial(front.prefix, front.first))
        if serial == attempt.proposed:
            return attempt
        return self.exchange(attempt, serial, by)

    def _front(self, attempt: Attempt) -> Range | None:
        """Return the first blank in the tray that no begun attempt has."""
        for found in self._ledger.blanks.at_printer(attempt.printer):
            if found.status == "loaded":
                return replace(found, last=found.first)
            if found.order_id is not None and not self._has_begun(found.order_id, apart_from=attempt.order_id):
                return found
        return None

    def _has_begun(self, order_id: UUID, apart_from: UUID) -> bool:
        order = self._ledger.orders.get(order_id)
        if order is None or order_id == apart_from:
            return False
        passes = self._ledger.orders.passes(order_id, order.attempt)
        return any(p.state is not PassState.READY and not p.shape.is_empty for p in passes)

    def exchange(self, attempt: Attempt, serial: str, by: Actor) -> Attempt:
        """Let the attempt have this blank; whoever it was reserved for gets the attempt's own, else that goes back."""
        wanted = self._one(attempt.stock, serial)
        other = wanted.order_id
        self.put_back(attempt, by)
        if other is not None:
            self._hand_on(other, attempt.proposed, by)
        self._put(self._reserved(wanted, attempt), "reserve", attempt, by)
        self._ledger.orders.propose(attempt.order_id, attempt.attempt, serial)
        return replace(attempt, proposed=serial)

    def _hand_on(self, order_id: UUID, serial: str | None, by: Actor) -> None:
        order = self._ledger.orders.get(order_id)
        other = None if order is None else self._ledger.orders.attempt(order_id, order.attempt)
        if other is None:
            return
        self._ledger.orders.propose(order_id, other.attempt, serial)
        if serial is not None:
            self._put(self._reserved(self._one(other.stock, serial), other), "reserve", other, by)

    def take_from_others(self, attempt: Attempt, serial: str, by: Actor) -> None:
        """This blank turned up here; if another order had it reserved, that one gets the next of its printer."""
        other_id = self._one(attempt.stock, serial).order_id
        if other_id is None or other_id == attempt.order_id:
            return
        order = self._ledger.orders.get(other_id)
        other = None if order is None else self._ledger.orders.attempt(other_id, order.attempt)
        if other is not None:
            self._hand_on(other_id, self.next_at(other.printer), by)

    def put_back(self, attempt: Attempt, by: Actor) -> None:
        """The reserved blank still lies in the tray; one whose serial was read before has left it."""
        for blank in self._ledger.blanks.reserved_for(attempt.order_id):
            status = "in-stock" if blank.printer is None else "loaded"
            self._put(replace(blank, status=status, order_id=None), "put-back", attempt, by)

    def carry_over(self, attempt: Attempt, confirmed: str | None, by: Actor) -> None:
        """The certificate on it is good: it stays the order's own for the next attempt, and its serial is read again then."""
        following = replace(attempt, attempt=attempt.attempt + 1, proposed=confirmed or attempt.proposed)
        self._ledger.orders.add_attempt(following)
        if confirmed is not None:
            blank = self._one(attempt.stock, confirmed)
            self._put(self._reserved(blank, following), "keep", following, by)

    def use(self, attempt: Attempt, serial: str, by: Actor, registry: str) -> None:
        """The certificate is on it."""
        blank = self._one(attempt.stock, serial)
        self._put(_gone(blank, "used"), "use", attempt, by)
        self._tell(blank, "used", attempt, registry)

    def void(
        self, attempt: Attempt, serial: str, by: Actor, registry: str, reason: str, *, is_seen: bool = True
    ) -> None:
        """It is spoiled; it stays on hand until it is destroyed. What nobody has seen may turn out to lie in the tray."""
        blank = self._one(attempt.stock, serial)
        self._put(_gone(blank, "void"), "void" if is_seen else UNSEEN, attempt, by, reason)
        self._tell(blank, "void", attempt, registry)

    def find(self, attempt: Attempt, serial: str, by: Actor, registry: str, reason: str) -> None:
        """It lies in the tray, blank: it is fed from there as if nothing had been."""
        blank = self._one(attempt.stock, serial)
        number = parse_serial(serial)
        loads = [m for m in self._life(attempt.stock, number) if m.movement == "load"]
        place = replace(blank, status="loaded", printer=loads[-1].printer, loading=loads[-1].sequence)
        found = place if loads else replace(blank, status="in-stock")
        self._put(found, "found", attempt, by, reason)
        self._tell(found, found.status, attempt, registry)

    def unseen_for(self, stock: Stock, serial: str) -> UUID:
        """Return the order for whose end this blank was called void unseen, or raise DoesNotFit."""
        number = parse_serial(serial)
        last = self._last_fate(stock, number)
        if last is None or last.movement != UNSEEN or last.order_id is None:
            status = "not-received" if last is None else self._one(stock, serial).status
            raise DoesNotFit(
                f"编号 {serial} 是 {status}，由人认定，不能恢复 · blank {serial} is {status} by somebody's word; "
                "only what was called void by a stop from home, and seen by nobody, can be found",
                code=f"blank-{status}",
            )
        return last.order_id

    def check_usable(self, attempt: Attempt, serial: str, *, also_used: bool = False) -> None:
        """Raise DoesNotFit when this blank cannot have been in this order's hands (used, void, foreign)."""
        number = parse_serial(serial, "serials")
        found = self._ledger.blanks.overlapping(attempt.stock, number.prefix, number.number, number.number)
        status = found[0].status if found else "not-received"
        own = also_used and status == "used" and self._used_for(attempt.stock, number) == attempt.order_id
        if status not in {"loaded", "reserved", "in-stock"} and not own and not self._is_unseen(attempt.stock, number):
            raise DoesNotFit(
                f"编号 {serial} 不可用：{status} · blank {serial} is {status} here", code=f"blank-{status}"
            )

    def is_usable(self, attempt: Attempt, serial: str) -> bool:
        try:
            self.check_usable(attempt, serial)
        except HallError:
            return False
        return True

    def _used_for(self, stock: Stock, number: Serial) -> UUID | None:
        return next((m.order_id for m in reversed(self._life(stock, number)) if m.movement == "use"), None)

    def _is_unseen(self, stock: Stock, number: Serial) -> bool:
        last = self._last_fate(stock, number)
        return last is not None and last.movement == UNSEEN

    def _last_fate(self, stock: Stock, number: Serial) -> MovementRow | None:
        fates = [m for m in self._life(stock, number) if m.movement not in _FATELESS]
        return fates[-1] if fates else None

    def _life(self, stock: Stock, number: Serial) -> Sequence[MovementRow]:
        return self._ledger.blanks.life(stock, number.prefix, number.number)

    def _one(self, stock: Stock, serial: str) -> Range:
        number = parse_serial(serial)
        found = self._ledger.blanks.overlapping(stock, number.prefix, number.number, number.number)
        if not found:
            raise DoesNotFit(
                f"本厅没有编号 {serial} · blank {serial} was never received here", code="blank-not-received"
            )
        return replace(found[0], first=number.number, last=number.number)

    @staticmethod
    def _reserved(blank: Range, attempt: Attempt) -> Range:
        return replace(blank, status="reserved", order_id=attempt.order_id)

    def _put(self, blank: Range, movement: str, attempt: Attempt, by: Actor, reason: str | None = None) -> None:
        self._ledger.blanks.put(blank)
        self._ledger.blanks.note(
            movement,
            stock=blank.stock,
            prefix=blank.prefix,
            first=blank.first,
            last=blank.last,
            actor=by,
            at=self._clock(),
            printer=attempt.printer,
            order_id=attempt.order_id,
            attempt=attempt.attempt,
            reason=reason,
        )

    def _tell(self, blank: Range, status: str, attempt: Attempt, registry: str) -> None:
        # Without the reason: it is free text, and reports lie open in the broker.
        serial = str(Serial(blank.prefix, blank.first))
        self._reporter.tell(
            StockMoved,
            registry,
            stock=blank.stock,
            first=serial,
            last=serial,
            status=status,
            order_id=attempt.order_id,
        )


def _gone(blank: Range, status: str) -> Range:
    """Out of the printer, for good."""
    return replace(blank, status=status, printer=None, loading=None, order_id=None)
