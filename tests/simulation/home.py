"""The home: the real meaning of reports, moves of jobs and controls, over a store in memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from spooler.collect import Collector
from spooler.job import JobState, Reason, is_final
from spooler.store.change import RANK_CONTROL, RANK_ORDER, Change, Outgoing, text_of
from spooler.store.orders import Control
from spooler.store.reports import Place
from spooler.store.values import Alarm, Update
from spooler.wire.addresses import headers
from spooler.wire.courier import Courier, Pace
from spooler.wire.errors import Unroutable, WireError
from spooler.wire.letters import Delivery, Letter
from spooler.wire.messages import START_OF_CHAIN, Actor, Cancel, ControlBase, Withdraw
from spooler.wire.topology import CONTROL_TYPE, CONTROLS, ORDER_TYPE, ORDERS
from tests.simulation.broker import Broker, SimulatedLink
from tests.simulation.hall import HALL, REGISTRY, SealedOrder, Told, enveloped, shapes
from tests.simulation.memory import Memory, changed
from tests.simulation.world import Actor as Doer
from tests.simulation.world import Killed, Process, World

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

    @contextmanager
    def changing(self) -> Iterator["MemoryChange"]:
        with self.memory.transaction():
            yield MemoryChange(self)

    def latest_order(self, job_id: str) -> OrderRow | None:
        found = [order for order in self.orders.values() if order.job_id == job_id]
        return max(found, key=lambda order: order.place) if found else None


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
        self.put(self.store.orders, order_id, changed(self.store.orders[order_id], {"state": state}))

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


class SimulatedCollector(Collector):
    """The real one from the chain on; signatures are left out."""

    def _trusted(self, delivery: Delivery) -> tuple[Any, bytes]:
        told: Any = delivery.body
        return told.report, told.payload


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
        epoch = str(report.epoch)
        change.put(change.store.kept, (epoch, report.sequence), (digest, envelope, False))
        change.put(change.store.chains, epoch, (report.sequence, digest))

    @staticmethod
    def next_parked(change: MemoryChange, report: Any) -> Told | None:
        found = change.store.kept.get((str(report.epoch), report.sequence + 1))
        return found[1] if found is not None and found[2] else None

    @staticmethod
    def drop_parked(change: MemoryChange, report: Any) -> None:
        change.store.memory.drop(change.store.kept, (str(report.epoch), report.sequence))


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


class HomeDaemon(Process):
    """One run of the home, until it is killed."""

    def __init__(self, site: "HomeSite") -> None:
        super().__init__("home")
        self.site = site
        world, store = site.world, site.store
        self.world = world
        self.store = store
        store.memory.forget_process()
        store.memory.before_commit, store.memory.after_commit = self._before_commit, lambda: world.at(self)
        itself: Any = store
        collector = SimulatedCollector(store=itself, trust=Any, registries=(), clock=world.clock)  # type: ignore[arg-type]
        self.courier = Courier(
            lambda: SimulatedLink(world, site.broker, "home", self), HomeOutbox(store), collector, pace=Pace(batch=3)
        )
        self.pipeline = world.add(Doer("home's pipeline", self._work, of=self))
        self.carrier = world.add(Doer("home's courier", self._carry, of=self))
        site.broker.listeners["home"] = lambda: self.carrier.wake(world.now)
        self.teller = world.add(Doer("callbacks", self._tell, of=self))

    # the API

    def submit(self, request_id: str, *, spreads: int, lists: int) -> str:
        """201 with the job, or 200 with the one that the request has already."""
        known = self.store.requests.get(request_id)
        if known is not None:
            return known
        with self.store.changing() as change:
            place = self.store.memory.number("jobs")
            job_id = str(self.world.new_id())
            row = JobRow(
                place, job_id, request_id, REGISTRY, JobState.ACCEPTED, "", 0, change.now, spreads=spreads, lists=lists
            )
            change.put(self.store.jobs, job_id, row)
            change.put(self.store.requests, request_id, job_id)
            change.move(job_id, Update(because="request accepted", tell="job.accepted"))
        self.pipeline.wake(self.world.now)
        return job_id

    def ask(self, job_id: str, kind: type[ControlBase], **more: Any) -> None:
        """Ask the hall about an order that is out; an order that is not yet in the outbox is cancelled here."""
        with self.store.changing() as change:
            order = self.store.latest_order(job_id)
            if is_final(change.state(job_id)) or self._cancelled_here(change, job_id, order, kind) or order is None:
                return
            control = kind(
                control_id=self.world.new_id(),
                registry=REGISTRY,
                hall=HALL,
                order_id=UUID(order.order_id),
                at=change.now,
                **more,
            )
            name = str(kind.model_fields["kind"].default)
            kept = Control(
                str(control.control_id), name, job_id, order.order_id, REGISTRY, HALL, change.now, PERSON, ""
            )
            change.put(self.store.controls, kept.control_id, ControlKept(kept))
            change.post(_control_letter(control, kept))
            if kind in (Cancel, Withdraw):
                change.move(job_id, Update(add=frozenset({Reason.CANCEL_REQUESTED}), because="cancel asked"))
        self.carrier.wake(self.world.now)

    def _cancelled_here(
        self, change: MemoryChange, job_id: str, order: OrderRow | None, kind: type[ControlBase]
    ) -> bool:
        if order is not None and (order.state != "prepared" or order.order_id in self.store.letters):
            return False
        if kind in (Cancel, Withdraw):
            if order is not None:
                change.set_order(order.order_id, "cancelled")
            end = JobState.CANCELLED if kind is Cancel else JobState.WITHDRAWN
            change.move(job_id, Update(state=end, because="ended before it left"))
        return True

    # threads

    def _work(self) -> float | None:
        for job in list(self.store.jobs.values()):
            if job.state is JobState.ACCEPTED:
                self._prepare(job)
            elif job.state is JobState.SEALED:
                self._dispatch(job)
        return 5.0

    def _prepare(self, job: JobRow) -> None:
        world = self.world
        order_id = world.new_id()
        not_after = world.clock() + timedelta(seconds=self.site.order_seconds)
        sealed = SealedOrder(
            order_id, UUID(job.job_id), shapes(spreads=job.spreads, lists=job.lists), not_after, f"{order_id}"
        )
        world.at(self)
        with self.store.changing() as change:
            if change.state(job.job_id) is not JobState.ACCEPTED:
                return
            place = self.store.memory.number("orders")
            order = OrderRow(str(order_id), job.job_id, REGISTRY, HALL, "prepared", not_after, place, sealed=sealed)
            change.put(self.store.orders, order.order_id, order)
            change.move(job.job_id, Update(state=JobState.SEALED, because="document sealed"))
        self.pipeline.wake(world.now)

    def _dispatch(self, job: JobRow) -> None:
        order = self.store.latest_order(job.job_id)
        if order is None or order.state != "prepared" or order.sealed is None:
            return
        letter = Outgoing(
            exchange=ORDERS,
            routing_key=f"{REGISTRY}.{HALL}",
            type=ORDER_TYPE,
            body=enveloped(order.sealed, self.world.new_id().int),
            headers=headers(registry=REGISTRY, hall=HALL, order_id=order.order_id, kid="k"),
            rank=RANK_ORDER,
            letter_id=order.order_id,
            order_id=order.order_id,
            job_id=order.job_id,
        )
        self.world.at(self)
        with self.store.changing() as change:
            still = self.store.orders[order.order_id].state == "prepared"
            if still and change.state(job.job_id) is JobState.SEALED and order.order_id not in self.store.letters:
                change.post(letter)
        self.carrier.wake(self.world.now)

    def _carry(self) -> float | None:
        link: Any = self.courier._link
        try:
            if not link.is_open:
                link.open()
            self.courier._send_pending()
            self.courier._receive(0)
        except self.site.broker.errors:
            link.close()
            return self.world.later(0.2, 2)
        self.teller.wake(self.world.now)
        return 20.0 if self.site.broker.is_quiet("home") and not self.store.letters else 0.5

    def _tell(self) -> float | None:
        """For each job the first that is not told; the later ones wait."""
        waiting: dict[str, CallbackRow] = {}
        for row in sorted(self.store.callbacks.values(), key=lambda row: row.place):
            if not row.is_told:
                if self.world.remedies.holds_back_callbacks:
                    waiting.setdefault(row.job_id, row)
                else:
                    waiting[row.job_id] = row
        for row in waiting.values():
            if self.world.fault("callback not taken", 0.05):
                continue
            self.site.heard(row.job_id, row.sequence)
            self.world.at(self)
            if self.world.fault("callback's answer lost", 0.03):
                continue
            with self.store.changing() as change:
                change.put(self.store.callbacks, row.place, changed(row, {"is_told": True}))
        return 0.5 if waiting else 30.0

    def _before_commit(self) -> None:
        if self.world.fault("home killed before a commit", 0.002):
            self.site.kill_home()
        if not self.is_alive:
            raise Killed(self.name)


class HomeSite:
    """What outlives the daemon, and the daemon that runs now."""

    def __init__(self, world: World, broker: Broker, *, order_seconds: float) -> None:
        self.world = world
        self.broker = broker
        self.order_seconds = order_seconds
        self.store = HomeStore(world)
        self.daemon: HomeDaemon | None = None
        self.told: dict[str, list[int]] = {}  # what the registration system heard, by job

    def start_home(self) -> None:
        if self.daemon is None:
            self.daemon = HomeDaemon(self)
            self.world.note("home started")

    def kill_home(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.world.leave(self.daemon)
            self.broker.cut("home")
            self.daemon = None
            self.world.note("home killed")

    def heard(self, job_id: str, sequence: int) -> None:
        self.told.setdefault(job_id, []).append(sequence)


def _control_letter(control: ControlBase, kept: Control) -> Outgoing:
    body: Any = control
    return Outgoing(
        exchange=CONTROLS,
        routing_key=f"{REGISTRY}.{HALL}",
        type=CONTROL_TYPE,
        body=body,
        headers=headers(registry=REGISTRY, hall=HALL, order_id=kept.order_id, kid="k"),
        rank=RANK_CONTROL,
        letter_id=kept.control_id,
        job_id=kept.job_id,
    )
