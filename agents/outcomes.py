"""What became of the paper, written down: confirmed, spoiled, returned, resolved, stopped. Within the act's transaction."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from agents.blank import Blanks
from agents.journal import Journal
from agents.ledger import Order, PassRow
from agents.ledger.rows import Attempt
from agents.order import OrderState, PassState
from agents.people import Outcome
from agents.standing import keeps_blank
from spooler.wire.messages import Actor, Ask, PassReport, Printed, Returned, Stock


class Outcomes:
    """No question is asked here: who may do it and whether it fits is decided by `acts` and `approvals`."""

    def __init__(self, *, journal: Journal, blanks: Blanks, settled: Callable[[UUID], None]) -> None:
        self._journal = journal
        self._blanks = blanks
        self._settled = settled

    def confirm(self, order: Order, by: Actor, serials: Sequence[str]) -> Order:
        """All passes are good, on the first blank named; any others went through with it and are void."""
        attempt = self._journal.attempt(order)
        serial = None
        if serials:
            serial = serials[0]
            attempt = self._on_blank(attempt, serials, by, order.registry, "double feed")
            self._blanks.use(attempt, serial, by, order.registry)
        for row in self._journal.passes(order):
            self._journal.move_pass(row, PassState.CONFIRMED, by=by)
        printed = self._journal.move(order, OrderState.PRINTED, by=by, serial=serial)
        self._journal.tell(order.order_id, Printed, by=by)
        return printed

    def spoil(
        self, order: Order, by: Actor, blanks: Sequence[str], reason: str, again: Collection[int] | None = None
    ) -> Order:
        """The paper is wrong: its blanks are void, and the order waits for its next attempt.

        `again` are the passes to be printed again; without it those on the blank. If the blank is not among them, the certificate
        on it is good, and the next attempt goes on with it.
        """
        attempt, passes = self._journal.attempt(order), self._journal.passes(order)
        on_blank = {p.number for p in passes if p.shape.stock is attempt.stock}
        wrong = set(again) if again else on_blank
        is_blank_good = not wrong & on_blank
        if not is_blank_good:
            self._void(order, attempt, by, blanks, reason)
        spoiled = self._spoil_passes([p for p in passes if p.number in wrong], by)
        waiting = self._journal.move(
            order, OrderState.WAITING, by=by, detail="spoiled", attempt=order.attempt + 1, serial=None
        )
        kept = self._open_next(waiting, [p for p in passes if p.number not in wrong], passes, by)
        if is_blank_good:
            self._blanks.carry_over(attempt, order.serial, by)
        for row, outcome in [(spoiled, "spoiled"), *((row, "kept") for row in kept)]:
            printer = row.printer or attempt.printer
            self._journal.tell(order.order_id, PassReport, by=by, number=row.number, outcome=outcome, printer=printer)
        self._settled(order.order_id)
        return waiting

    def send_back(self, order: Order, by: Actor, *, reason: str, fields: Sequence[str], blanks: Sequence[str]) -> Order:
        """The content is wrong: the order ends."""
        attempt = self._journal.ledger.orders.attempt(order.order_id, order.attempt)
        if attempt is not None:
            self._void(order, attempt, by, blanks, reason)
        returned = self._journal.move(order, OrderState.RETURNED, by=by)
        self._journal.tell(order.order_id, Returned, by=by, reason=reason, fields=tuple(fields), blanks=tuple(blanks))
        return returned

    def printed(self, order: Order, row: PassRow, by: Actor, blanks: Sequence[str]) -> None:
        """A person saw that the unknown pass came out well."""
        if blanks:
            self._on_blank(self._journal.attempt(order), blanks, by, order.registry, "double feed")
        self._journal.move_pass(row, PassState.DONE, by=by, detail="printed")
        self._answer(row, by, "printed")

    def nothing_printed(self, order: Order, row: PassRow, by: Actor) -> None:
        """Nothing came out: the pass may be released again, on the same blank."""
        self._journal.move_pass(row, PassState.READY, by=by, detail="nothing_printed", released=None)
        self._answer(row, by, "nothing_printed")

    def sheet_again(self, row: PassRow, by: Actor, outcome: Outcome) -> None:
        """Of a check sheet nothing usable came out: it may be printed again, and nobody else is asked."""
        self._journal.move_pass(row, PassState.READY, by=by, detail=outcome, released=None)
        self._answer(row, by, outcome)

    def spoiled(self, order: Order, row: PassRow, by: Actor, blanks: Sequence[str], reason: str) -> None:
        """The unknown pass left something useless: on a blank it ends the attempt, a plain sheet is simply thrown away."""
        if row.shape.stock is Stock.PLAIN:
            self._journal.move_pass(row, PassState.READY, by=by, detail="spoiled", released=None)
            self._answer(row, by, "spoiled")
            return
        self._journal.move_pass(row, PassState.SPOILED, by=by)
        self.spoil(order, by, blanks, reason)
        self._journal.tell(row.order_id, Ask, by=by, number=row.number, try_id=row.try_id, answer="spoiled")

    def take_back(self, order: Order, by: Actor) -> Order:
        """What was released and not begun waits again: its blank still lies in the tray."""
        attempt = self._journal.attempt(order)
        self._blanks.put_back(attempt, by)
        for row in self._journal.passes(order):
            self._journal.ledger.orders.set_pass(row, printer=None, released=None)
        self._journal.ledger.orders.drop_attempt(order.order_id, order.attempt)
        return self._journal.move(order, OrderState.WAITING, by=by, detail="taken-back")

    def stop(self, order: Order, by: Actor, reason: str) -> None:
        """End the order from home: what was printed is void, what was not goes back.

        Which blank carries the print is what a person has said of it; where nobody has, the one that should.
        """
        attempt = self._journal.ledger.orders.attempt(order.order_id, order.attempt)
        if attempt is not None:
            said = self._said_of_paper(order, attempt)
            proposed = [] if attempt.proposed is None else [attempt.proposed]
            printed = proposed if self._is_printed_on(order, attempt) else []
            self._void(order, attempt, by, printed if said is None else said, reason, is_seen=said is not None)
        self._journal.move(order, OrderState.CANCELLED, by=by, detail=reason, cancelling=None)

    def _said_of_paper(self, order: Order, attempt: Attempt) -> list[str] | None:
        """Return the blanks that a person read off this paper, also where a second one was still to agree; None: nobody did."""
        if order.serial is not None:
            return [order.serial]
        if keeps_blank(self._journal.passes(order)):
            return [] if attempt.proposed is None else [attempt.proposed]
        asked = self._journal.ledger.approvals.open_for(order.order_id)
        on_blank = {p.number for p in self._journal.passes(order) if p.shape.stock is attempt.stock}
        if asked is None or not on_blank & set(asked.details.get("passes", on_blank)):
            return None
        said = [str(serial) for serial in asked.details["blanks"]]
        return said if all(self._blanks.is_usable(attempt, serial) for serial in said) else None

    def find(self, order: Order, by: Actor, serial: str, reason: str) -> None:
        """A blank that was called void unseen lies in the tray."""
        attempt = self._journal.attempt(order)
        self._blanks.find(attempt, serial, by, order.registry, reason)

    def _is_printed_on(self, order: Order, attempt: Attempt) -> bool:
        marked = {PassState.DONE, PassState.CONFIRMED, PassState.UNKNOWN}
        passes = self._journal.passes(order)
        return any(p.state in marked and p.shape.stock is attempt.stock and not p.shape.is_empty for p in passes)

    def _answer(self, row: PassRow, by: Actor, answer: str) -> None:
        self._journal.tell(row.order_id, Ask, by=by, number=row.number, try_id=row.try_id, answer=answer)
        self._settled(row.order_id)

    def _on_blank(self, attempt: Attempt, serials: Sequence[str], by: Actor, registry: str, reason: str) -> Attempt:
        """The first blank carries the print, the others came with it."""
        if attempt.proposed != serials[0]:
            attempt = self._blanks.exchange(attempt, serials[0], by)
        for extra in serials[1:]:
            self._blanks.take_from_others(attempt, extra, by)
            self._blanks.void(attempt, extra, by, registry, reason)
        return attempt

    def _void(
        self,
        order: Order,
        attempt: Attempt,
        by: Actor,
        blanks: Sequence[str],
        reason: str,
        *,
        is_seen: bool = True,
    ) -> None:
        if attempt.proposed not in blanks:
            self._blanks.put_back(attempt, by)
        for serial in blanks:
            self._blanks.take_from_others(attempt, serial, by)
            self._blanks.void(attempt, serial, by, order.registry, reason, is_seen=is_seen)

    def _spoil_passes(self, wrong: Sequence[PassRow], by: Actor) -> PassRow:
        """Close these passes; return the last of them that was begun."""
        for row in wrong:
            if row.state is not PassState.SPOILED:
                self._journal.move_pass(row, PassState.SPOILED, by=by)
        begun = [row for row in wrong if row.try_id is not None]
        return begun[-1] if begun else wrong[0]

    def _open_next(
        self, order: Order, good: Sequence[PassRow], passes: Sequence[PassRow], by: Actor
    ) -> Sequence[PassRow]:
        """Open the next attempt's passes. What is good on paper is not printed a second time; return that."""
        self._journal.ledger.orders.add_passes(order.order_id, order.attempt, [p.shape for p in passes])
        printers = {p.number: p.printer for p in good if p.is_closed}
        return [
            self._journal.move_pass(row, PassState.DONE, by=by, detail="kept", printer=printers[row.number])
            for row in self._journal.passes(order)
            if row.number in printers and row.state is PassState.READY
        ]
