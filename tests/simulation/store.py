"""The home's store in memory: its rows, and the rules of those queries that decide something."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from spooler.job import JobState, Reason
from spooler.store.change import Change, Outgoing, text_of
from spooler.store.controls import Control
from spooler.store.gaps import GRACE_SECONDS
from spooler.store.reports import Place
from spooler.store.values import Alarm, Update
from spooler.store.write_offs import WRITTEN_OFF
from spooler.wire.errors import Unroutable, WireError
from spooler.wire.letters import Letter
from spooler.wire.messages import START_OF_CHAIN, Actor, Check
from tests.simulation.hall import Told
from tests.simulation.memory import Memory, changed
from tests.simulation.orders import SealedOrder
from tests.simulation.world import Violated, World

PERSON = Actor(id="office", role="operate")
OPEN_STATES = frozenset({"prepared", "sent", "waiting", "printing", "printed"})


@dataclass(frozen=True)
class JobRow:
    place: int
    job_id: str
    request_id: str
    registry: str
    state: JobState
    reasons: str
    sequence: int
    state_since: datetime
    attempt: int = 1
    serial: str | None = None
    replaces_number: str | None = None
    spreads: int = 2
    lists: int = 0
    check: Check | None = None
    hall: str = ""


@dataclass(frozen=True)
class OrderRow:
    order_id: str
    job_id: str
    registry: str
    hall: str
    state: str
    not_after: datetime
    place: int
    ticket_sha256: str = ""
    sealed: SealedOrder | None = None


@dataclass(frozen=True)
class ControlKept:
    """What home asked, and what the hall answered."""

    kept: Control
    outcome: str | None = None


@dataclass(frozen=True)
class LetterRow:
    letter: Letter
    rank: int
    place: int
    order_id: str | None
    job_id: str | None
    due_at: datetime
    tries: int = 0


@dataclass(frozen=True)
class CallbackRow:
    place: int
    job_id: str
    sequence: int
    state: str
    is_told: bool = False


@dataclass(frozen=True)
class GapRow:
    """Reports of one chain that are missing."""

    place: int
    hall: str
    epoch: str
    first: int
    last: int
    next_ask_at: datetime
    asks: int = 0
    is_open: bool = True


@dataclass
class HomeStore:
    """Outlives the daemon."""

    world: World
    memory: Memory = field(default_factory=Memory)
    jobs: dict[str, JobRow] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    controls: dict[str, ControlKept] = field(default_factory=dict)
    letters: dict[str, LetterRow] = field(default_factory=dict)
    chains: dict[str, tuple[int, str]] = field(default_factory=dict)  # by epoch
    kept: dict[tuple[str, int], tuple[str, Told, bool]] = field(default_factory=dict)  # by epoch, sequence
    callbacks: dict[int, CallbackRow] = field(default_factory=dict)
    handovers: dict[str, Any] = field(default_factory=dict)
    alarms: dict[int, Alarm] = field(default_factory=dict)
    gaps: dict[int, GapRow] = field(default_factory=dict)
    written_off: dict[str, bool] = field(default_factory=dict)  # halls

    def changing(self) -> "_Changing":
        return _Changing(self)

    def open_order(self, job_id: str) -> OrderRow | None:
        """The job's one live order."""
        found = (order for order in self.orders.values() if order.job_id == job_id and order.state in OPEN_STATES)
        return next(found, None)

    def latest_order(self, job_id: str) -> OrderRow | None:
        found = [order for order in self.orders.values() if order.job_id == job_id]
        return max(found, key=lambda order: order.place) if found else None


class _Changing(AbstractContextManager["MemoryChange"]):
    def __init__(self, store: HomeStore) -> None:
        self._store = store
        self._transaction = store.memory.transaction()

    def __enter__(self) -> "MemoryChange":
        self._transaction.__enter__()
        return MemoryChange(self._store)

    def __exit__(self, *failed: Any) -> None:
        self._transaction.__exit__(*failed)


class MemoryChange(Change):
    """The real `Change`: which move is legal, what reasons remain, what is told; only its rows are in memory."""

    def __init__(self, store: HomeStore) -> None:
        itself: Any = self  # whoever asks for the connection gets the change
        super().__init__(itself, store.world.clock(), (), tells=False)
        self.store = store
        self.put = store.memory.put

    def job(self, job_id: str) -> Any:
        return self.store.jobs[job_id]

    def set_order(self, order_id: str, state: str) -> None:
        before = self.store.orders[order_id]
        if before.state == WRITTEN_OFF:
            raise Violated("I4", f"an order of a hall that is written off became {state}")
        self.put(self.store.orders, order_id, changed(before, {"state": state}))

    def post(self, letter: Outgoing) -> None:
        row = LetterRow(
            letter=Letter(
                id=letter.letter_id,
                exchange=letter.exchange,
                routing_key=letter.routing_key,
                type=letter.type,
                body=letter.body,
                headers=letter.headers,
            ),
            rank=letter.rank,
            place=self.store.memory.number("outbox"),
            order_id=letter.order_id,
            job_id=letter.job_id,
            due_at=self.now,
        )
        self.put(self.store.letters, letter.letter_id, row)

    def alarm(self, alarm: Alarm) -> None:
        self.put(self.store.alarms, self.store.memory.number("alarms"), alarm)
        self.alarms.append(alarm)

    def _write_job(self, row: Any, after: JobState, reasons: frozenset[Reason], change: Update) -> None:
        values: dict[str, Any] = {"state": after, "reasons": text_of(reasons), "sequence": row.sequence + 1}
        if change.word is not None:
            values |= {"attempt": change.word.attempt, "serial": change.word.serial}
        self.put(self.store.jobs, row.job_id, changed(row, values))

    def _write_reasons(self, place: int, old: frozenset[Reason], new: frozenset[Reason]) -> None:
        """They stand in the job's row."""

    def _record(self, row: Any, after: JobState, reasons: frozenset[Reason], change: Update) -> None:
        """The history is not looked at here."""

    def _tell(self, row: Any, after: JobState, reasons: frozenset[Reason], change: Update, *, is_news: bool) -> None:
        if is_news or change.tell is not None:
            place = self.store.memory.number("callbacks")
            told = CallbackRow(place, row.job_id, row.sequence + 1, after.value)
            self.put(self.store.callbacks, place, told)


class MemoryReports:
    """The rules of `spooler.store.reports`, row for row."""

    @staticmethod
    def judge(change: MemoryChange, report: Any, digest: str) -> Place:
        store, epoch = change.store, str(report.epoch)
        if store.world.remedies.takes_reports_once:
            kept = store.kept.get((epoch, report.sequence))
            if kept is not None:
                return Place.SEEN if kept[0] == digest else Place.CONFLICT
        last, head = store.chains.get(epoch, (0, START_OF_CHAIN))
        if not store.world.remedies.takes_reports_once and report.sequence <= last:
            return Place.NEXT
        if not store.world.remedies.keeps_report_order:
            return Place.NEXT if report.sequence > last else Place.SEEN
        if report.sequence <= last:
            return Place.CONFLICT if report.sequence == last and digest != head else Place.SEEN
        if report.sequence > last + 1:
            return Place.EARLY
        return Place.NEXT if report.previous == head else Place.CONFLICT

    @staticmethod
    def park(change: MemoryChange, report: Any, digest: str, envelope: Any) -> None:
        change.put(change.store.kept, (str(report.epoch), report.sequence), (digest, envelope, True))

    @staticmethod
    def take(change: MemoryChange, report: Any, digest: str, envelope: Any) -> None:
        if report.hall in change.store.written_off:
            raise Violated("I4", "a report of a hall that is written off is believed")
        epoch = str(report.epoch)
        if (before := change.store.kept.get((epoch, report.sequence))) is not None and not before[2]:
            raise Violated("I5", "a report is taken twice")
        change.put(change.store.kept, (epoch, report.sequence), (digest, envelope, False))
        change.put(change.store.chains, epoch, (report.sequence, digest))

    @staticmethod
    def next_parked(change: MemoryChange, report: Any) -> Told | None:
        found = change.store.kept.get((str(report.epoch), report.sequence + 1))
        return found[1] if found is not None and found[2] else None

    @staticmethod
    def drop_parked(change: MemoryChange, report: Any) -> None:
        change.store.memory.drop(change.store.kept, (str(report.epoch), report.sequence))


class MemoryGaps:
    """The rules of `spooler.store.gaps`. Every report is kept at a hall here, so that none is ever forgotten."""

    @staticmethod
    def note_early(change: MemoryChange, report: Any) -> None:
        if _open_gap(change, report) is None:
            end, _ = change.store.chains.get(str(report.epoch), (0, ""))
            _note_gap(change, report, end)

    @staticmethod
    def note_progress(change: MemoryChange, report: Any) -> None:
        gap = _open_gap(change, report)
        if gap is None or gap.last > report.sequence:
            return
        change.put(change.store.gaps, gap.place, changed(gap, {"is_open": False}))
        _note_gap(change, report, report.sequence)

    @staticmethod
    def may_be_passed(change: MemoryChange, report: Any) -> bool:
        return False

    @staticmethod
    def note_forgotten(change: MemoryChange, control_id: str) -> None:
        return None


def _open_gap(change: MemoryChange, report: Any) -> GapRow | None:
    found = (gap for gap in change.store.gaps.values() if gap.is_open and gap.epoch == str(report.epoch))
    return next(found, None)


def _note_gap(change: MemoryChange, report: Any, after: int) -> None:
    epoch = str(report.epoch)
    parked = [s for (of, s), (_, _, waits) in change.store.kept.items() if of == epoch and waits and s > after]
    if parked:
        place = change.store.memory.number("gaps")
        later = change.now + timedelta(seconds=GRACE_SECONDS)
        gap = GapRow(place, report.hall, epoch, after + 1, min(parked) - 1, later)
        change.put(change.store.gaps, place, gap)


class HomeOutbox:
    """The rules of `spooler.store.outbox`."""

    def __init__(self, store: HomeStore) -> None:
        self._store = store

    def pending(self, limit: int) -> Sequence[Letter]:
        now = self._store.world.clock()
        due = sorted(
            (row for row in self._store.letters.values() if row.due_at <= now), key=lambda r: (r.rank, r.place)
        )
        if not self._store.world.remedies.keeps_letter_until_confirmed:
            for row in due[:limit]:
                self.sent(row.letter.id)
        return [row.letter for row in due[:limit]]

    def sent(self, letter_id: str) -> None:
        with self._store.changing() as change:
            row = self._store.letters.get(letter_id)
            if row is None:
                return
            self._store.memory.drop(self._store.letters, letter_id)
            if row.order_id is not None:
                note_sent(change, row.order_id)

    def failed(self, letter_id: str, error: WireError) -> None:
        with self._store.changing() as change:
            row = self._store.letters.get(letter_id)
            if row is None:
                return
            later = change.now + timedelta(seconds=2 * 2 ** min(row.tries, 6))
            change.put(self._store.letters, letter_id, changed(row, {"tries": row.tries + 1, "due_at": later}))
            if isinstance(error, Unroutable) and row.job_id is not None:
                change.move(row.job_id, Update(add=frozenset({Reason.UNDELIVERABLE}), because="no queue takes it"))


def note_sent(change: MemoryChange, order_id: str) -> None:
    """As `spooler.store.orders.note_sent`."""
    order = change.store.orders[order_id]
    if order.state == "prepared":
        change.set_order(order_id, "sent")
    after = JobState.SENT if change.state(order.job_id) is JobState.SEALED else None
    gone = frozenset({Reason.UNDELIVERABLE})
    change.move(order.job_id, Update(state=after, because="broker confirmed", drop=gone))
