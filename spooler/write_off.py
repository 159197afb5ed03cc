"""Writing a hall off: the one way on when a hall is gone for good and nobody there can sign any more. It takes two people.

From then on its report keys are revoked, its blanks are suspect, and the orders that it had may be followed by others elsewhere. A hall
that comes back does so with a new key.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from spooler.daemon.crash import crash_point
from spooler.store import Store, write_offs
from spooler.store.write_offs import WriteOff
from spooler.wire.keys import KeyRecord
from spooler.wire.messages import Actor
from spooler.wire.trust import Trust


@dataclass(frozen=True)
class Asked:
    """202: a second person is to accept it."""

    approval_id: str


@dataclass(frozen=True)
class Settled:
    """200: the second person's word is written down."""

    state: str  # accepted, declined


class SamePerson(Exception):
    """Whoever asked cannot approve."""


class HallsWrittenOff:
    """Asks, answers, and says which keys and halls are out."""

    def __init__(self, store: Store, trust: Trust) -> None:
        self._store = store
        self._trust = trust

    def ask(self, hall: str, reason: str, by: Actor) -> Asked | None:
        """Ask for a hall to be written off; None when there is no such hall, or it is written off already."""
        if hall not in self._trust.halls or self.is_closed(hall):
            return None
        kids = [key.kid for key in self._trust.halls[hall].report_keys]
        with self._store.changing() as change:
            return Asked(write_offs.ask(change, hall, kids, reason, by))

    def waiting(self) -> tuple[WriteOff, ...]:
        return self._store.write_offs.open()

    def get(self, approval_id: str) -> WriteOff | None:
        return self._store.write_offs.get(approval_id)

    def answer(self, approval_id: str, accept: bool, reason: str, by: Actor) -> Settled | None:
        """Write down the answer, and what follows; None when somebody was faster. SamePerson if it is who asked."""
        asked = self._store.write_offs.get(approval_id)
        if asked is not None and asked.asked_by.id == by.id:
            raise SamePerson(approval_id)
        with self._store.changing() as change:
            answered = write_offs.answer(change, approval_id, accept, reason, by)
            if answered is None:
                return None
            if accept:
                write_offs.apply(change, answered.hall, by)
                crash_point("home.before-write-off-commit")
            return Settled("accepted" if accept else "declined")

    def believed(self, hall: str, keys: Iterable[KeyRecord]) -> tuple[KeyRecord, ...]:
        """Return those of a hall's keys that were not revoked by writing it off."""
        revoked = self._store.write_offs.revoked(hall)
        return tuple(key for key in keys if key.kid not in revoked)

    def is_closed(self, hall: str) -> bool:
        """Say whether nothing that this hall says is believed any more."""
        record = self._trust.halls.get(hall)
        if record is None or not self._store.write_offs.is_written_off(hall):
            return False
        return not self.believed(hall, record.report_keys)
