"""The hall's ledger: the one place where it is written down what is durably true here. Nothing else writes its file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from agents.ledger.approvals import Approvals, Controls
from agents.ledger.audit import Audit
from agents.ledger.binding import Binding, Place, begin_epoch, bind
from agents.ledger.blanks import Blanks
from agents.ledger.calibration_prints import CalibrationPrints
from agents.ledger.calibrations import Acceptance, Calibration, Calibrations
from agents.ledger.database import Corrupt, Database
from agents.ledger.grants import Grants
from agents.ledger.logins import Logins
from agents.ledger.orders import Orders
from agents.ledger.outbox import Outbox
from agents.ledger.past import Past
from agents.ledger.quarantine import Quarantine
from agents.ledger.rows import (
    Approval,
    Attempt,
    ControlRow,
    MovementRow,
    Order,
    PassRow,
    Range,
    TryRow,
)
from agents.ledger.tries import Tries

__all__ = [
    "Acceptance",
    "Approval",
    "Attempt",
    "Binding",
    "Calibration",
    "ControlRow",
    "Corrupt",
    "Ledger",
    "MovementRow",
    "Order",
    "PassRow",
    "Range",
    "TryRow",
]


class Ledger:
    """All its tables, in transactions: `with ledger.transaction(): …` is one act."""

    def __init__(self, path: Path) -> None:
        self._db = Database(path)
        self.orders = Orders(self._db)
        self.tries = Tries(self._db)
        self.blanks = Blanks(self._db)
        self.approvals = Approvals(self._db)
        self.controls = Controls(self._db)
        self.outbox = Outbox(self._db)
        self.quarantine = Quarantine(self._db)
        self.past = Past(self._db)
        self.audit = Audit(self._db)
        self.grants = Grants(self._db)
        self.logins = Logins(self._db)
        self.calibrations = Calibrations(self._db)
        self.calibration_prints = CalibrationPrints(self._db)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._db.transaction():
            yield

    def afterwards(self, call: Callable[[], None]) -> None:
        """Let this be called once the transaction is durable, and not if it fails."""
        self._db.afterwards(call)

    def listen(self, call: Callable[[], None]) -> None:
        """Let this be called after every transaction that wrote something."""
        self._db.listen(call)

    def bind(
        self,
        *,
        hall: str,
        machine: str,
        permits: str,
        permits_are_new: bool,
        has_strangers: bool = False,
        is_damaged: bool = False,
        asks_first: bool = False,
        at: datetime | None = None,
    ) -> Binding:
        """Compare the ledger with where it finds itself (`binding.Place` says what is compared)."""
        place = Place(hall, machine, permits, permits_are_new, has_strangers, is_damaged, asks_first)
        return bind(self._db, place, at)

    def begin_epoch(self, binding: Binding, why: str, at: datetime) -> Binding:
        """Go on in a new epoch that prints nothing, within the caller's transaction."""
        return begin_epoch(self._db, binding, why, at)

    def is_paused(self, printer: str) -> bool:
        return bool(self._db.value("SELECT paused FROM printers WHERE name = ?", printer))

    def pause(self, printer: str, paused: bool) -> None:
        with self.transaction():
            self._db.execute(
                "INSERT INTO printers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
                printer,
                int(paused),
            )

    def empty_log(self) -> None:
        """Let nothing that was deleted stand in the write-ahead log."""
        self._db.empty_log()

    def close(self) -> None:
        self._db.close()
