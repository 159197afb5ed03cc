"""What a printer's worker has to print, as one book: passes of orders, and calibration prints while it is paused for those (step 5)."""

from collections.abc import Sequence
from uuid import UUID

from agents.book import Book
from agents.calibration.prints import CalibrationPrints
from agents.tries import Evidence, ReleasedPass, Try, TryBook


class Books:
    """Implements `TryBook`: each call goes to the book that the pass or the try stands in."""

    def __init__(self, orders: Book, prints: CalibrationPrints) -> None:
        self._orders = orders
        self._prints = prints

    def next_pass(self, printer: str) -> ReleasedPass | None:
        return self._orders.next_pass(printer) or self._prints.next_pass(printer)

    def open_tries(self, printer: str) -> Sequence[Try]:
        return [*self._orders.open_tries(printer), *self._prints.open_tries(printer)]

    def document(self, order_id: UUID) -> bytes:
        return self._of(order_id).document(order_id)

    def intent(self, released: ReleasedPass) -> Try | None:
        return self._of(released.order_id).intent(released)

    def created(self, try_id: UUID, cups_job: int) -> None:
        self._with(try_id).created(try_id, cups_job)

    def spooled(self, try_id: UUID) -> None:
        self._with(try_id).spooled(try_id)

    def releasing(self, try_id: UUID) -> bool:
        return self._with(try_id).releasing(try_id)

    def done(self, try_id: UUID, evidence: Evidence) -> None:
        self._with(try_id).done(try_id, evidence)

    def unknown(self, try_id: UUID, evidence: Evidence) -> None:
        self._with(try_id).unknown(try_id, evidence)

    def again(self, try_id: UUID, why: str, evidence: Evidence) -> None:
        self._with(try_id).again(try_id, why, evidence)

    def _of(self, order_id: UUID) -> TryBook:
        return self._prints if self._prints.knows(order_id) else self._orders

    def _with(self, try_id: UUID) -> TryBook:
        return self._prints if self._prints.knows_try(try_id) else self._orders
