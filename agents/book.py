"""The ledger as the spool sees it: which pass is next, and each step of a try, one durable transaction each (`tries.TryBook`)."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

from agents.accounts import MACHINE
from agents.blank import Blanks
from agents.calibration.correction import IDENTITY
from agents.documents import Documents
from agents.errors import NotFound
from agents.journal import Journal
from agents.ledger import Order, PassRow, TryRow
from agents.order import BEFORE_THE_FIRST, OrderState, PassState
from agents.standing import has_begun, is_framed, side_of
from agents.tries import Evidence, ReleasedPass, Try
from spooler.daemon.crash import crash_point
from spooler.wire.messages import Ask, PassReport, Stock


class Book:
    """Implements `TryBook`. `settled` is called, in the transaction, whenever a try has ended."""

    def __init__(
        self,
        *,
        journal: Journal,
        blanks: Blanks,
        documents: Documents,
        may_print: Callable[[], bool],
        settled: Callable[[UUID], None],
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._journal = journal
        self._ledger = journal.ledger
        self._blanks = blanks
        self._documents = documents
        self._may_print = may_print
        self._settled = settled
        self._new_id = new_id

    def next_pass(self, printer: str) -> ReleasedPass | None:
        if not self._may_print() or self._ledger.is_paused(printer) or self._ledger.orders.under_way(printer):
            return None
        for row in self._ledger.orders.queued(printer):
            released = self._released(row)
            if self._may_begin(released):
                return released
        return None

    def open_tries(self, printer: str) -> Sequence[Try]:
        return [self._try(row) for row in self._ledger.tries.open_at(printer)]

    def document(self, order_id: UUID) -> bytes:
        return self._documents.document(self._journal.order(order_id))

    def intent(self, released: ReleasedPass) -> Try | None:
        with self._journal.act():
            order = self._journal.order(released.order_id)
            row = self._journal.pass_row(released.order_id, released.attempt, released.number)
            if not self._may_go(order, row) or row.state is not PassState.READY or row.released is None:
                return None
            if not self._may_begin(released):
                return None
            self._feed(order, row)
            try_id = self._new_id()
            self._ledger.tries.begin(try_id, row, released.printer, self._journal.clock())
            self._journal.move_pass(row, PassState.INTENT, by=MACHINE, try_id=str(try_id))
            crash_point("agent.before-intent-commit")
        return self._get(try_id)

    def created(self, try_id: UUID, cups_job: int) -> None:
        with self._journal.act():
            self._step(try_id, PassState.CREATED, cups_job=cups_job)

    def spooled(self, try_id: UUID) -> None:
        with self._journal.act():
            self._step(try_id, PassState.SPOOLED)

    def releasing(self, try_id: UUID) -> bool:
        with self._journal.act():
            row = self._row(try_id)
            order = self._journal.order(row.order_id)
            if not self._may_go(order, self._pass(row)):
                return False
            self._step(try_id, PassState.RELEASING)
            crash_point("agent.before-releasing-commit")
            return True

    def done(self, try_id: UUID, evidence: Evidence) -> None:
        with self._journal.act():
            row = self._end(try_id, PassState.DONE, "done", evidence)
            self._tell(row, "done")
            self._settled(row.order_id)
            crash_point("agent.before-done-commit")

    def unknown(self, try_id: UUID, evidence: Evidence) -> None:
        with self._journal.act():
            row = self._end(try_id, PassState.UNKNOWN, "unknown", evidence)
            self._tell(row, "unknown")
            self._journal.tell(row.order_id, Ask, number=row.number, try_id=try_id)
            self._settled(row.order_id)
            crash_point("agent.before-unknown-commit")

    def again(self, try_id: UUID, why: str, evidence: Evidence) -> None:
        with self._journal.act():
            row = self._end(try_id, PassState.READY, "again", {**evidence, "why": why}, detail=why)
            self._journal.refresh(row.order_id)
            self._settled(row.order_id)
            crash_point("agent.before-again-commit")

    def _feed(self, order: Order, row: PassRow) -> None:
        """As the first pass on a blank begins, propose the blank that is on top by now."""
        if row.shape.stock is not Stock.PLAIN and not has_begun(self._journal.passes(order)):
            self._blanks.feed(self._journal.attempt(order), MACHINE)

    def _step(self, try_id: UUID, to: PassState, **columns: int) -> None:
        row = self._row(try_id)
        self._ledger.tries.set(try_id, state=to, **columns)
        self._journal.move_pass(self._pass(row), to, by=MACHINE)

    def _end(
        self, try_id: UUID, to: PassState, state: str, evidence: Mapping[str, object], *, detail: str | None = None
    ) -> TryRow:
        row = self._row(try_id)
        self._ledger.tries.end(try_id, state, self._journal.clock(), dict(evidence))
        self._journal.move_pass(self._pass(row), to, by=MACHINE, detail=detail)
        return row

    def _tell(self, row: TryRow, outcome: str) -> None:
        self._journal.tell(
            row.order_id, PassReport, number=row.number, outcome=outcome, printer=row.printer, try_id=row.try_id
        )

    def _may_go(self, order: Order, row: PassRow) -> bool:
        if row.attempt == BEFORE_THE_FIRST:
            current = order.state is OrderState.WAITING
        else:
            current = order.state is OrderState.PRINTING and order.attempt == row.attempt
        is_stopped = order.held or order.cancelling is not None
        is_asked = self._ledger.approvals.open_for(order.order_id) is not None
        return current and not is_stopped and not is_asked and self._may_print()

    def _may_begin(self, released: ReleasedPass) -> bool:
        """An attempt is begun in time, and while its registry may print here; what is begun goes on."""
        if not released.is_calibrated:
            return False
        if released.not_after is None:
            return True
        in_time = released.not_after >= self._journal.clock()
        return in_time and self._journal.is_granted(self._journal.order(released.order_id))

    def _released(self, row: PassRow) -> ReleasedPass:
        order = self._journal.order(row.order_id)
        # The ticket's time binds the first claim of an attempt, not its later passes.
        first = not has_begun(p for p in self._journal.passes(order) if p.number != row.number)
        calibrated = self._journal.board.calibrated(row.printer or "", side_of(row)) if is_framed(row) else None
        return ReleasedPass(
            order_id=row.order_id,
            number=row.number,
            attempt=row.attempt,
            printer=row.printer or "",
            pages=row.shape.pages,
            width_mm=row.shape.width_mm,
            height_mm=row.shape.height_mm,
            not_after=order.not_after if first else None,
            correction=IDENTITY if calibrated is None else calibrated.correction,
            is_calibrated=calibrated is not None or not is_framed(row),
        )

    def _try(self, row: TryRow) -> Try:
        siblings = self._ledger.tries.of_pass(row.order_id, row.attempt, row.number)
        return Try(
            id=row.try_id,
            sequence=1 + [t.try_id for t in siblings].index(row.try_id),
            released=self._released(self._pass(row)),
            state=PassState(row.state),
            cups_job=row.cups_job,
        )

    def _get(self, try_id: UUID) -> Try:
        return self._try(self._row(try_id))

    def _row(self, try_id: UUID) -> TryRow:
        row = self._ledger.tries.get(try_id)
        if row is None:
            raise NotFound(f"there is no try {try_id} in the ledger")
        return row

    def _pass(self, row: TryRow) -> PassRow:
        return self._journal.pass_row(row.order_id, row.attempt, row.number)
