"""What the ledger belongs to: one hall, one machine, one permit directory. Anything else starts a new epoch and prints nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from agents.ledger.database import Database
from spooler.daemon.crash import crash_point

# Why a hall does not trust its own journal: the wire's word for each, and the sentence for people.
WHY = {
    "new": "the hall is new here: its registries have not answered yet",
    "lost": "the ledger is new, the permit directory is not",
    "damaged": "the ledger was damaged; a new one was begun beside it",
    "another-hall": "the ledger is another hall's",
    "another-machine": "the ledger was written on another machine",
    "another-permits": "the ledger belongs to another permit directory",
    "rolled-back": "the ledger is older than the permit directory, or than what home was told",
    "two-agents": "two agents of this hall have spoken",
    "asked": "a person asked for a comparison with home",
}


def code_of(why: str) -> str:
    """Return the wire's word for a sentence."""
    return next((code for code, sentence in WHY.items() if sentence == why), "rolled-back")


@dataclass(frozen=True)
class Binding:
    """This start: `epoch` of the journal, `instance` of the process, and why nothing may be printed, if so."""

    hall: str
    epoch: UUID
    instance: UUID
    reconcile: str | None
    has_past: bool = False  # part of the truth is known to others: what home and permits say is looked up

    @property
    def may_print(self) -> bool:
        return self.reconcile is None


@dataclass(frozen=True)
class Place:
    """Where a ledger finds itself at a start."""

    hall: str
    machine: str
    permits: str
    permits_are_new: bool
    has_strangers: bool = False  # the permit directory holds tries that the ledger never began
    is_damaged: bool = False  # this ledger was begun because the one before it cannot be read
    asks_first: bool = False  # a new hall prints only once its registries have said that they never heard of it


def bind(db: Database, place: Place, at: datetime | None = None) -> Binding:
    """Compare the ledger with where it finds itself; write down what is new."""
    at = at or datetime.now(UTC)
    with db.transaction():
        row = db.row("SELECT * FROM hall")
        if row is None:
            return _new_epoch(db, place, _why_of_a_new_ledger(place), at)
        if (row["hall"], row["machine"], row["permits"]) != (place.hall, place.machine, place.permits):
            return _new_epoch(db, place, _difference(row["hall"] == place.hall, row["machine"] == place.machine), at)
        if place.has_strangers and row["reconcile"] is None:
            return _new_epoch(db, place, WHY["rolled-back"], at)
        return Binding(place.hall, UUID(row["epoch"]), uuid4(), row["reconcile"], _has_past(db, row["reconcile"]))


def begin_epoch(db: Database, binding: Binding, why: str, at: datetime) -> Binding:
    """The same run of the agent goes on in a new epoch, and prints nothing."""
    row = db.row("SELECT * FROM hall")
    assert row is not None  # bound at start
    place = Place(row["hall"], row["machine"], row["permits"], permits_are_new=False)
    begun = _new_epoch(db, place, why, at)
    return Binding(begun.hall, begun.epoch, binding.instance, why, has_past=True)


def _why_of_a_new_ledger(place: Place) -> str | None:
    if place.is_damaged:
        return WHY["damaged"]
    if not place.permits_are_new:
        return WHY["lost"]
    return WHY["new"] if place.asks_first else None


def _difference(same_hall: bool, same_machine: bool) -> str:
    if not same_hall:
        return WHY["another-hall"]
    return WHY["another-permits"] if same_machine else WHY["another-machine"]


def _new_epoch(db: Database, place: Place, why: str | None, at: datetime) -> Binding:
    epoch = uuid4()
    for table in ("hall", "chains", "asks", "answer_parts", "known_orders", "leaving"):
        db.execute(f"DELETE FROM {table}")
    db.insert(
        "hall",
        one=1,
        hall=place.hall,
        machine=place.machine,
        permits=place.permits,
        epoch=str(epoch),
        reconcile=why,
        since=at.isoformat(),
    )
    crash_point("agent.before-epoch-commit")
    db.afterwards(lambda: crash_point("agent.after-epoch-commit"))
    return Binding(place.hall, epoch, uuid4(), why, has_past=why is not None)


def _has_past(db: Database, reconcile: str | None) -> bool:
    strangers = db.value("SELECT 1 FROM stranger_tries LIMIT 1")
    return reconcile is not None or strangers is not None or db.value("SELECT 1 FROM known_orders LIMIT 1") is not None
