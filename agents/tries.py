"""What the spool and the ledger say to each other: a released pass, its tries, and the book that keeps them durably.

An attempt is a numbered blank; a try is one sending of one pass. Every try has a fresh uuid, its own CUPS job and its own permit. The
spool (step 5) drives a try; the ledger writes each step of it in one transaction before the spool takes the next (design §4):

    ready ─intent─▶ intent ─created─▶ created ─spooled─▶ spooled ─releasing─▶ releasing ─▶ done | unknown
      ▲                │                 │                  │                     │
      └────────────────┴─────again───────┴──────────────────┴─────────────────────┘   (`again`: proven that nothing left)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from agents.calibration.correction import IDENTITY, Correction
from agents.order import PassState

Evidence = Mapping[str, Any]  # JSON, ids and numbers only: kept with the try, shown to the person who is asked


@dataclass(frozen=True)
class ReleasedPass:
    """A pass that a person or the policy released and for which no try is open."""

    order_id: UUID
    number: int
    attempt: int
    printer: str
    pages: tuple[int, ...]  # of the verified document, from 0; never empty
    width_mm: float
    height_mm: float
    not_after: datetime | None  # binds the first claim of an attempt; None for its later passes
    correction: Correction = IDENTITY  # under which its pages are printed: geometry, nothing else
    is_calibrated: bool = True  # False: this printer has none for this side, nothing is begun


@dataclass(frozen=True)
class Try:
    """One sending of one pass."""

    id: UUID  # also the job-uuid and the permit's name; never issued twice
    sequence: int  # counts the tries of this pass in this attempt, from 1
    released: ReleasedPass
    state: PassState  # intent, created, spooled or releasing: an open try
    cups_job: int | None = None

    @property
    def title(self) -> str:
        """The CUPS job's title: ids only, since it shows in `ps`."""
        released = self.released
        return f"{released.order_id}/{released.number}/{released.attempt}/{self.sequence}"


class TryBook(Protocol):
    """The ledger, as the spool needs it. Each method is one durable transaction, callable from any thread.

    Each printer's worker calls only for its own printer, so that no two threads ever drive the same try.
    """

    def next_pass(self, printer: str) -> ReleasedPass | None:
        """The pass that this printer prints next, or None.

        Only a pass in `ready` that was released, of an order neither held nor cancelled nor expired. A booklet printer serves one
        attempt alone, from its first pass until its last is closed: the ledger sees to that here.
        """

    def open_tries(self, printer: str) -> Sequence[Try]:
        """The tries of this printer in intent, created, spooled or releasing: at most one but after a restored journal."""

    def document(self, order_id: UUID) -> bytes:
        """The verified document, whole."""

    def intent(self, released: ReleasedPass) -> Try | None:
        """`ready` → `intent` with a fresh uuid; None when the pass is no longer to be printed or its attempt has passed."""

    def created(self, try_id: UUID, cups_job: int) -> None:
        """A held CUPS job exists."""

    def spooled(self, try_id: UUID) -> None:
        """CUPS has the whole document, read back. Only after this a permit is issued."""

    def releasing(self, try_id: UUID) -> bool:
        """The point of no return. False, and nothing written, when the order was held or cancelled meanwhile."""

    def done(self, try_id: UUID, evidence: Evidence) -> None:
        """By all evidence on paper."""

    def unknown(self, try_id: UUID, evidence: Evidence) -> None:
        """Only a person can tell. Called once the sender is gone and the device is quiet, so the answers may be on at once."""

    def again(self, try_id: UUID, why: str, evidence: Evidence) -> None:
        """Any open state → `ready`: it is proven that nothing of this try was or will be printed.

        Still released: `next_pass` gives it again, unless the order is held, cancelled or expired by then. `why` is a short code:
        `not-released` · `revoked` · `never-started` · `no-bytes` · `device-not-ready`.
        """
