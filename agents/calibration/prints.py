"""Calibration sheets and proofs as the spool sees them: a `TryBook` of its own, so that they take the pass protocol as every pass does.

Held job, read back, permit, journal, `once`: nothing reaches a certificate printer otherwise (design §2.4). What differs is what they
are: of no order and no registry, on plain paper that a person put in by hand while the printer is paused for orders. In titles and
permits pass and attempt are 0, for an attempt is a numbered blank and here is none.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from agents.calibration.correction import IDENTITY, Correction
from agents.errors import NotFound
from agents.ledger import Ledger
from agents.ledger.calibration_prints import LAPSED, CalibrationPrint, CalibrationTry
from agents.order import PassState
from agents.tries import Evidence, ReleasedPass, Try

NO_BLANK = 0

Draw = Callable[[CalibrationPrint], bytes]


class CalibrationPrints:
    """Implements `TryBook`. `draw` returns a print's sheet as PDF; `changed` is called after each end."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        clock: Callable[[], datetime],
        draw: Draw,
        may_print: Callable[[], bool],
        changed: Callable[[], None],
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._ledger = ledger
        self._rows = ledger.calibration_prints
        self._clock = clock
        self._draw = draw
        self._may_print = may_print
        self._changed = changed
        self._new_id = new_id

    def knows(self, print_id: UUID) -> bool:
        return self._rows.get(print_id) is not None

    def knows_try(self, try_id: UUID) -> bool:
        return self._rows.get_try(try_id) is not None

    # as the spool sees it

    def next_pass(self, printer: str) -> ReleasedPass | None:
        asked = self._rows.open_at(printer)
        if asked is None or asked.state != PassState.READY:
            return None
        if asked.until < self._clock():
            self._lapse(asked)
            return None
        return self._released(asked) if self._may_go(asked) else None

    def open_tries(self, printer: str) -> Sequence[Try]:
        return [self._try(row) for row in self._rows.open_tries(printer)]

    def document(self, print_id: UUID) -> bytes:
        return self._draw(self._print(print_id))

    def intent(self, released: ReleasedPass) -> Try | None:
        with self._ledger.transaction():
            asked = self._print(released.order_id)
            if asked.state != PassState.READY or not self._may_go(asked):
                return None
            try_id = self._new_id()
            self._rows.begin(try_id, asked.print_id, asked.printer, self._clock())
            self._rows.set_state(asked.print_id, PassState.INTENT)
        return self._try(self._row(try_id))

    def created(self, try_id: UUID, cups_job: int) -> None:
        self._step(try_id, PassState.CREATED, cups_job=cups_job)

    def spooled(self, try_id: UUID) -> None:
        self._step(try_id, PassState.SPOOLED)

    def releasing(self, try_id: UUID) -> bool:
        if not self._may_go(self._print(self._row(try_id).print_id)):
            return False
        self._step(try_id, PassState.RELEASING)
        return True

    def done(self, try_id: UUID, evidence: Evidence) -> None:
        self._end(try_id, PassState.DONE, "done", evidence)

    def unknown(self, try_id: UUID, evidence: Evidence) -> None:
        """Nobody need be asked: no blank is at stake, and whoever stands there sees the sheet, or asks for another."""
        self._end(try_id, PassState.UNKNOWN, "unknown", evidence)

    def again(self, try_id: UUID, why: str, evidence: Evidence) -> None:
        self._end(try_id, PassState.READY, "again", {**evidence, "why": why})

    # small things

    def _may_go(self, asked: CalibrationPrint) -> bool:
        """Only while the printer is paused for orders: then the paper in it is what a person put there for this."""
        return self._may_print() and self._ledger.is_paused(asked.printer) and asked.until >= self._clock()

    def _lapse(self, asked: CalibrationPrint) -> None:
        with self._ledger.transaction():
            self._rows.set_state(asked.print_id, LAPSED)
            self._ledger.afterwards(self._changed)

    def _step(self, try_id: UUID, to: PassState, **columns: int) -> None:
        with self._ledger.transaction():
            self._rows.set_try(try_id, state=to, **columns)
            self._rows.set_state(self._row(try_id).print_id, to)

    def _end(self, try_id: UUID, to: PassState, state: str, evidence: Evidence) -> None:
        with self._ledger.transaction():
            self._rows.end_try(try_id, state, self._clock(), dict(evidence))
            self._rows.set_state(self._row(try_id).print_id, to)
            self._ledger.afterwards(self._changed)

    def _released(self, asked: CalibrationPrint) -> ReleasedPass:
        return ReleasedPass(
            order_id=asked.print_id,
            number=NO_BLANK,
            attempt=NO_BLANK,
            printer=asked.printer,
            pages=(0,),
            width_mm=asked.side.width_mm,
            height_mm=asked.side.height_mm,
            not_after=asked.until,
            correction=self._correction(asked),
        )

    def _correction(self, asked: CalibrationPrint) -> Correction:
        """A proof is printed as its version would print a certificate; a sheet shows the printer as it is."""
        if asked.version is None:
            return IDENTITY
        found = self._ledger.calibrations.get(asked.printer, asked.stock, asked.side.spread, asked.version)
        if found is None:
            raise NotFound(f"there is no version {asked.version} of {asked.printer} {asked.side.spread}")
        return found.correction

    def _try(self, row: CalibrationTry) -> Try:
        siblings = [one.try_id for one in self._rows.tries_of(row.print_id)]
        return Try(
            id=row.try_id,
            sequence=1 + siblings.index(row.try_id),
            released=self._released(self._print(row.print_id)),
            state=PassState(row.state),
            cups_job=row.cups_job,
        )

    def _row(self, try_id: UUID) -> CalibrationTry:
        row = self._rows.get_try(try_id)
        if row is None:
            raise NotFound(f"there is no calibration try {try_id} in the ledger")
        return row

    def _print(self, print_id: UUID) -> CalibrationPrint:
        found = self._rows.get(print_id)
        if found is None:
            raise NotFound(f"there is no calibration print {print_id} in the ledger")
        return found
