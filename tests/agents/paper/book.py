"""A `TryBook` in memory, which outlives the spool that writes it as the ledger outlives the agent."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from agents.order import PASS_MOVES, PassState
from agents.tries import Evidence, ReleasedPass, Try
from tests.agents.paper.hall import SPREAD, a_document


class Killed(BaseException):
    """The agent dies here, as by kill -9: nothing after it runs, what is journalled stays."""


@dataclass
class Entry:
    """A pass and its tries."""

    released: ReleasedPass
    state: PassState = PassState.READY
    tries: list[Try] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    evidence: Evidence | None = None


@dataclass
class PaperBook:
    content: bytes = field(default_factory=a_document)
    entries: list[Entry] = field(default_factory=list)
    dies_after: str | None = None  # the step after whose journalling the agent is killed
    is_stopped: bool = False  # held or cancelled: no pass may be released
    lock: threading.Lock = field(default_factory=threading.Lock)

    def release(
        self, *, number: int = 1, order: UUID | None = None, printer: str = "booklet-1", attempt: int = 1
    ) -> Entry:
        released = ReleasedPass(order or uuid4(), number, attempt, printer, (0,), *SPREAD, None)
        self.entries.append(Entry(released))
        return self.entries[-1]

    def next_pass(self, printer: str) -> ReleasedPass | None:
        waiting = [e.released for e in self.entries if e.state is PassState.READY and e.released.printer == printer]
        return waiting[0] if waiting and not self.is_stopped else None

    def open_tries(self, printer: str) -> Sequence[Try]:
        open_states = (PassState.INTENT, PassState.CREATED, PassState.SPOOLED, PassState.RELEASING)
        return [e.tries[-1] for e in self.entries if e.state in open_states and e.released.printer == printer]

    def document(self, order_id: UUID) -> bytes:
        return self.content

    def intent(self, released: ReleasedPass) -> Try | None:
        entry = next(e for e in self.entries if e.released == released)
        if self.is_stopped:
            return None
        attempt = Try(uuid4(), len(entry.tries) + 1, released, PassState.INTENT)
        entry.tries.append(attempt)
        self._move(attempt.id, PassState.INTENT)
        return attempt

    def created(self, try_id: UUID, cups_job: int) -> None:
        entry = self._entry(try_id)
        entry.tries[-1] = replace(entry.tries[-1], cups_job=cups_job)
        self._move(try_id, PassState.CREATED)

    def spooled(self, try_id: UUID) -> None:
        self._move(try_id, PassState.SPOOLED)

    def releasing(self, try_id: UUID) -> bool:
        if self.is_stopped:
            return False
        self._move(try_id, PassState.RELEASING)
        return True

    def done(self, try_id: UUID, evidence: Evidence) -> None:
        self._entry(try_id).evidence = evidence
        self._move(try_id, PassState.DONE)

    def unknown(self, try_id: UUID, evidence: Evidence) -> None:
        self._entry(try_id).evidence = evidence
        self._move(try_id, PassState.UNKNOWN)

    def again(self, try_id: UUID, why: str, evidence: Evidence) -> None:
        self._entry(try_id).whys.append(why)
        self._move(try_id, PassState.READY)

    def _entry(self, try_id: UUID) -> Entry:
        return next(e for e in self.entries if e.tries and e.tries[-1].id == try_id)

    def _move(self, try_id: UUID, state: PassState) -> None:
        entry = self._entry(try_id)
        assert state in PASS_MOVES[entry.state], f"{entry.state} → {state}"
        entry.state = state
        entry.tries[-1] = replace(entry.tries[-1], state=state)
        if self.dies_after == state:
            self.dies_after = None
            raise Killed
