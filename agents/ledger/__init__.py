"""The hall's ledger: the one place where it is written down what is durably true here. Nothing else writes its file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.ledger.approvals import Approvals, Controls
from agents.ledger.binding import Binding, bind
from agents.ledger.blanks import Blanks
from agents.ledger.database import Corrupt, Database
from agents.ledger.orders import Orders
from agents.ledger.outbox import Outbox
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
    "Approval",
    "Attempt",
    "Binding",
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

    def bind(self, *, hall: str, machine: str, permits: str, permits_are_new: bool) -> Binding:
        return bind(self._db, hall=hall, machine=machine, permits=permits, permits_are_new=permits_are_new)

    def is_paused(self, printer: str) -> bool:
        return bool(self._db.value("SELECT paused FROM printers WHERE name = ?", printer))

    def pause(self, printer: str, paused: bool) -> None:
        with self.transaction():
            self._db.execute(
                "INSERT INTO printers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
                printer,
                int(paused),
            )

    def close(self) -> None:
        self._db.close()
