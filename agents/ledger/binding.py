"""What the ledger belongs to: one hall, one machine, one permit directory. Anything else starts a new epoch and prints nothing."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from agents.ledger.database import Database


@dataclass(frozen=True)
class Binding:
    """This start: `epoch` of the journal, `instance` of the process, and why nothing may be printed, if so."""

    hall: str
    epoch: UUID
    instance: UUID
    reconcile: str | None


def bind(db: Database, *, hall: str, machine: str, permits: str, permits_are_new: bool) -> Binding:
    """Compare the ledger with where it finds itself; write down what is new."""
    with db.transaction():
        row = db.row("SELECT * FROM hall")
        if row is None:
            why = None if permits_are_new else "the ledger is new, the permit directory is not"
            return _new_epoch(db, hall, machine, permits, why)
        if (row["hall"], row["machine"], row["permits"]) == (hall, machine, permits):
            return Binding(hall, UUID(row["epoch"]), uuid4(), row["reconcile"])
        return _new_epoch(db, hall, machine, permits, _difference(row["hall"] == hall, row["machine"] == machine))


def _difference(same_hall: bool, same_machine: bool) -> str:
    if not same_hall:
        return "the ledger is another hall's"
    if not same_machine:
        return "the ledger was written on another machine"
    return "the ledger belongs to another permit directory"


def _new_epoch(db: Database, hall: str, machine: str, permits: str, why: str | None) -> Binding:
    epoch = uuid4()
    db.execute("DELETE FROM hall")
    db.execute("DELETE FROM chains")
    db.insert("hall", one=1, hall=hall, machine=machine, permits=permits, epoch=str(epoch), reconcile=why)
    return Binding(hall, epoch, uuid4(), why)
