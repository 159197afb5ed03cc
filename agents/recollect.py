"""What others know of an order that this journal has forgotten, written into the journal: never less than it knew itself.

Home knows what it was told, the permit directory what was sent. A pass that either of them saw begin comes back as `unknown`, and only
a person closes it; an order that home knows further than this journal is brought there; one that has ended ends here.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID, uuid4

import structlog

from agents.blank import Blanks
from agents.journal import Journal
from agents.ledger import Attempt, Order, PassRow
from agents.ledger.rows import CLOSED
from agents.order import OrderState, PassState, is_final
from spooler.wire.messages import Actor, Ask, KnownOrder, PassReport, Standing, Stock, read_control

HOME = Actor(id="home", role="home")
# A registry that knows no such order, or withdrew it, has nothing printed of it.
STATES = {"sent": OrderState.WAITING, "unknown": OrderState.CANCELLED, "withdrawn": OrderState.CANCELLED}
_RANK = {OrderState.WAITING: 0, OrderState.PRINTING: 1, OrderState.PRINTED: 2, OrderState.ISSUED: 3}
_UNDER_WAY = frozenset({PassState.INTENT, PassState.CREATED, PassState.SPOOLED, PassState.RELEASING})

_log = structlog.get_logger()


class Recollection:
    """Within the caller's transaction."""

    def __init__(
        self,
        *,
        journal: Journal,
        blanks: Blanks,
        has_past: Callable[[], bool],
        recall: Callable[[UUID], object],
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._journal = journal
        self._ledger = journal.ledger
        self._blanks = blanks
        self._has_past = has_past
        self._recall = recall
        self._new_id = new_id

    def known(self, order_id: UUID, registry: str) -> KnownOrder | None:
        """Return what the registry said of this order when it was asked."""
        return self._ledger.past.known(order_id, registry) if self._has_past() else None

    def told(self, known: KnownOrder, registry: str) -> None:
        """The registry spoke of this order: it holds for the one that is here, or once it comes."""
        order = self._ledger.orders.get(known.order_id)
        if order is not None and order.registry == registry:
            self.apply(known.order_id)
        elif is_final(_state_of(known)):
            self._ledger.past.applied(known.order_id)

    def arrived(self, order_id: UUID) -> None:
        """An order has come or come back: what is known of it holds from here on."""
        if self._has_past():
            self.apply(order_id)

    def settled(self, order_id: UUID) -> None:
        """A try has ended on which this waited."""
        if self._has_past() and not self._ledger.past.is_applied(order_id):
            self.apply(order_id)

    def apply(self, order_id: UUID) -> None:
        """Bring the order to what is known of it, once no try of it is under way."""
        order = self._journal.order(order_id)
        known = self._ledger.past.known(order_id, order.registry)
        if self._is_under_way(order):
            return
        if not is_final(order.state):
            self._bring(order, known)
        self._ledger.past.applied(order_id)

    def _is_under_way(self, order: Order) -> bool:
        """A try that this journal began is judged by its permit first; what can be won back is."""
        sheet = self._journal.check_sheet(order)
        passes = [*self._journal.passes(order), *((sheet,) if sheet else ())]
        tries = [p.try_id for p in passes if p.state in _UNDER_WAY and p.try_id is not None]
        for try_id in tries:
            self._ledger.afterwards(_later(self._recall, try_id))
        return bool(tries)

    def _bring(self, order: Order, known: KnownOrder | None) -> None:
        state = order.state if known is None else _state_of(known)
        if state not in _RANK:
            self._end(order, state, None if known is None else known.serial)
            return
        before = order
        if known is not None and (known.attempt, _RANK[state]) > (order.attempt, _RANK[order.state]):
            order = self._advance(order, known, state)
        if known is not None and known.held != order.held and not self._is_asked_since(order, known):
            order = self._journal.change(
                order, by=HOME, detail="hold" if known.held else "resume", held=int(known.held)
            )
        order = self._attempt_of_strangers(order)
        lost = self._lose(order, self._begun(order, known))
        if lost or order != before:
            self._tell(order, lost)

    def _is_asked_since(self, order: Order, known: KnownOrder) -> bool:
        """Say whether home has held or resumed it after it told us what it knows."""
        rows = self._ledger.controls.about(order.order_id, order.registry)
        pauses = [read_control(row.body.encode()) for row in rows if row.kind in ("hold", "resume")]
        return any(known.held_as_of is None or control.at > known.held_as_of for control in pauses)

    def _advance(self, order: Order, known: KnownOrder, state: OrderState) -> Order:
        """Home knows it further than this journal."""
        order = self._at_attempt(order, known.attempt or 1)
        if state is not OrderState.WAITING:
            self._open(order, known.printer)
        self._ledger.orders.set(order.order_id, state=state, serial=known.serial)
        if state in (OrderState.PRINTED, OrderState.ISSUED):
            for row in self._journal.passes(order):
                self._ledger.orders.set_pass(row, state=PassState.CONFIRMED)
            self._use(order, known.serial)
        return self._journal.change(order, by=HOME, detail="restored", not_after=known.not_after.isoformat())

    def _at_attempt(self, order: Order, attempt: int) -> Order:
        if attempt <= order.attempt:
            return order
        shapes = [row.shape for row in self._journal.passes(order)]
        self._ledger.orders.add_passes(order.order_id, attempt, shapes)
        self._ledger.orders.set(order.order_id, attempt=attempt)
        return self._journal.order(order.order_id)

    def _attempt_of_strangers(self, order: Order) -> Order:
        """Paper of a later attempt than home has heard of."""
        attempts = [s.attempt for s in self._ledger.past.strangers(order.order_id) if s.attempt is not None]
        latest = max(attempts, default=0)
        if latest <= order.attempt:
            return order
        order = self._at_attempt(order, latest)
        self._ledger.orders.set(order.order_id, state=OrderState.WAITING, serial=None)
        return self._journal.order(order.order_id)

    def _begun(self, order: Order, known: KnownOrder | None) -> set[int]:
        """Return the passes of this attempt that somebody saw begin."""
        begun = {
            s.number
            for s in self._ledger.past.strangers(order.order_id)
            if s.attempt == order.attempt and s.number is not None
        }
        if known is None or known.attempt != order.attempt:
            return begun
        if _state_of(known) is OrderState.PRINTING and not known.begun:
            return begun | {row.number for row in self._journal.passes(order)}
        return begun | set(known.begun)

    def _lose(self, order: Order, begun: set[int]) -> list[PassRow]:
        """Call unknown what was seen to begin and is not known to have ended; return those passes."""
        if order.state in (OrderState.PRINTED, OrderState.ISSUED):
            return []
        open_passes = [
            row
            for row in self._journal.passes(order)
            if row.number in begun
            and not row.shape.is_empty
            and row.state not in CLOSED
            and row.state is not PassState.UNKNOWN
        ]
        if open_passes:
            self._open(order, None)
            self._ledger.orders.set(order.order_id, state=OrderState.PRINTING)
        return [self._call_unknown(row) for row in open_passes]

    def _call_unknown(self, row: PassRow) -> PassRow:
        attempt = self._ledger.orders.attempt(row.order_id, row.attempt)
        printer = row.printer or (attempt.printer if attempt else self._printer_for(row.shape.stock, None))
        try_id = self._new_id()
        self._ledger.tries.begin(try_id, row, printer, self._journal.clock())
        self._ledger.tries.end(try_id, "unknown", self._journal.clock(), {"why": "reconcile"})
        released = self._ledger.orders.note(
            row.order_id,
            at=self._journal.clock(),
            state=OrderState.PRINTING,
            reasons=(),
            attempt=row.attempt,
            actor=HOME,
            number=row.number,
            printer=printer,
            detail="restored-unknown",
        )
        self._ledger.orders.set_pass(
            row, state=PassState.UNKNOWN, try_id=str(try_id), printer=printer, released=released
        )
        return replace(row, state=PassState.UNKNOWN, try_id=try_id, printer=printer)

    def _open(self, order: Order, printer: str | None) -> None:
        """The attempt was open in the past that is lost; which blank it had is for a person to read off the paper."""
        if self._ledger.orders.attempt(order.order_id, order.attempt) is not None:
            return
        stock = self._journal.passes(order)[0].shape.stock
        chosen = self._printer_for(stock, printer)
        self._ledger.orders.add_attempt(Attempt(order.order_id, order.attempt, chosen, stock, None))

    def _printer_for(self, stock: Stock, named: str | None) -> str:
        board = self._journal.board
        fitting = [name for name in board.names() if board.section(name).stock is stock]
        return named if named in fitting else next(iter([*fitting, *board.names()]))

    def _use(self, order: Order, serial: str | None) -> None:
        """The blank that home knows to be used is; the one that was reserved goes back, and a person counts what is there."""
        attempt = self._ledger.orders.attempt(order.order_id, order.attempt)
        if attempt is None:
            return
        self._blanks.put_back(attempt, HOME)
        if serial is not None and self._blanks.is_usable(attempt, serial):
            self._blanks.use(attempt, serial, HOME, order.registry)

    def _end(self, order: Order, state: OrderState, serial: str | None) -> None:
        """It has ended at home."""
        self._use(order, serial)
        self._ledger.orders.set(order.order_id, state=state, cancelling=None)
        self._journal.change(self._journal.order(order.order_id), by=HOME, detail="ended at home")
        _log.info("order had ended at home", order_id=str(order.order_id), state=state)

    def _tell(self, order: Order, lost: Iterable[PassRow]) -> None:
        rows = list(lost)
        for row in rows:
            self._journal.tell(
                row.order_id, PassReport, number=row.number, outcome="unknown", printer=row.printer, try_id=row.try_id
            )
            self._journal.tell(row.order_id, Ask, number=row.number, try_id=row.try_id)
        if not rows:
            self._journal.tell(order.order_id, Standing)


def _state_of(known: KnownOrder) -> OrderState:
    """A word of a later release means at least that nothing is to be printed."""
    if known.state in STATES:
        return STATES[known.state]
    return OrderState(known.state) if known.state in set(OrderState) else OrderState.CANCELLED


def _later(call: Callable[[UUID], object], try_id: UUID) -> Callable[[], None]:
    def then() -> None:
        call(try_id)

    return then
