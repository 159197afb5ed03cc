"""A hall: the real agent core and the real printers' workers, over a ledger in memory, a disk that forgets and a cupsd that lies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from agents.board import Board
from agents.changes import Changes
from agents.clock_watch import ClockWatch
from agents.hall import Hall, Wakes
from agents.inbox import Inbox
from agents.journal import Journal
from agents.ledger import Order
from agents.report import Reporter
from agents.route import PrinterFacts
from agents.settings import BrokerSection, HallSection, HallSettings, PrinterSection
from agents.spool import PrinterLine, PrinterWorker, SpoolSettings
from agents.surroundings import Surroundings
from agents.templates import Templates
from agents.verify import VerifiedOrder
from spooler.wire.courier import Courier, Pace
from spooler.wire.letters import Delivery
from spooler.wire.messages import Heartbeat, Replay, ReportBase, Stock
from tests.simulation.broker import Broker, SimulatedLink
from tests.simulation.cupsd import Cupsd, SimulatedCups
from tests.simulation.device import Device
from tests.simulation.disk import Disk, SimulatedPermits
from tests.simulation.ledger import MemoryLedger
from tests.simulation.orders import HALL, OTHER_HALL, REGISTRY, Wrapped, ticket_of
from tests.simulation.paper import document_of, pages_of
from tests.simulation.world import Actor, Killed, Process, World

EPOCHS = {HALL: UUID(int=1, version=4), OTHER_HALL: UUID(int=3, version=4)}
PERMITS = UUID(int=2, version=4)
SPOOL = SpoolSettings(socket=Path("/nowhere"), watch_seconds=0.2)


@cache
def settings(hall: str, release: str, names: tuple[str, ...]) -> HallSettings:
    stocks = {"booklet": Stock.CERTIFICATE, "plain": Stock.PLAIN}
    return HallSettings(
        hall=HallSection(
            id=hall,
            data_directory=Path("/nowhere"),
            trust_directory=Path("/nowhere"),
            release="auto" if release == "auto" else "person",
            keep_orders_days="forever",  # a run lasts hours; nothing here has files to destroy
        ),
        broker=BrokerSection(user="hall", password_credential="none"),
        printers=tuple(
            PrinterSection(name=name, stock=stocks[name.partition("-")[0]], device="file:/none") for name in names
        ),
    )


class SimulatedInbox(Inbox):
    """The real inbox; signatures and ciphers are left out."""

    def _verify(self, arrival: Any) -> VerifiedOrder:
        wrapped: Wrapped = arrival.envelope.wrapped
        return VerifiedOrder(ticket=ticket_of(wrapped.order), document=b"", identity=wrapped.order.identity)

    def _take_control(self, delivery: Delivery) -> None:
        control: Any = delivery.body
        if isinstance(control, Replay):
            self._controls.replay(control)
        else:
            self._controls.take(control)

    def _keep(self, arrival: Any, verified: VerifiedOrder) -> None:
        orders: Any = self._ledger.orders
        if not orders.remedies.inbox_knows_orders:
            orders.forget(arrival.address.order_id)
        super()._keep(arrival, verified)


class SimulatedDocuments:
    """Kept orders; durable, as the real ones are."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Any] = {}

    def keep(self, order_id: UUID, envelope: Any) -> None:
        self._kept[order_id] = envelope

    def document(self, order: Order) -> bytes:
        return document_of(order.order_id)

    def ticket(self, order: Order) -> Any:
        return SimpleNamespace(parties=())


class SimulatedReporter(Reporter):
    """The real outbox side; a report is kept as it is instead of signed."""

    def __init__(self, world: World, **parts: Any) -> None:
        super().__init__(key=SimpleNamespace(kid="k"), clock=world.clock, **parts)  # type: ignore[arg-type]
        self._world = world

    def tell(self, kind: type[ReportBase], registry: str, **fields: Any) -> None:
        sequence, previous = self._ledger.outbox.end_of_chain(registry)
        letter_id = self._world.new_id()
        digest = sha256(letter_id.bytes).hexdigest()
        report = kind.model_construct(
            hall=self._binding.hall,
            registry=registry,
            epoch=self._binding.epoch,
            sequence=sequence + 1,
            previous=previous,
            instance=self._binding.instance,
            at=self._clock(),
            **fields,
        )
        body: Any = Told(report, letter_id.bytes)
        self._ledger.outbox.add(
            letter_id,
            registry=registry,
            kind=report.kind,  # type: ignore[attr-defined]
            epoch=report.epoch,
            sequence=report.sequence,
            digest=digest,
            order_id=fields.get("order_id"),
            body=body,
            at=report.at,
        )
        self._ledger.afterwards(self._wake)


@dataclass(frozen=True)
class Told:
    """A report on its way, and what stands for its signed bytes."""

    report: Any
    payload: bytes


class SimulatedBoard(Board):
    """The real board; what it worked out is not worked out again before something has changed."""

    def __init__(self, printers: Any, ledger: Any) -> None:
        super().__init__(printers, ledger)
        self._memory = ledger.memory
        self._facts: dict[str, tuple[Any, PrinterFacts]] = {}

    def facts_of(self, name: str) -> PrinterFacts:
        now = (self._memory.version, self._standings.get(name), self._findings)
        known = self._facts.get(name)
        if known is None or known[0] != now:
            known = self._facts[name] = (now, super().facts_of(name))
        return known[1]


class SimulatedHall(Hall):
    """Joined by the real code; only what would need keys and files is put in otherwise."""

    inbox_type = SimulatedInbox

    def __init__(
        self, world: World, ledger: Any, documents: Any, *, hall: str, release: str, names: tuple[str, ...]
    ) -> None:
        self.new_id = world.new_id  # type: ignore[method-assign]
        self.monotonic = world.monotonic  # type: ignore[method-assign]
        self.settings = settings(hall, release, names)
        self.clock_watch = ClockWatch(world.clock, steady=world.monotonic, is_vouched=lambda: False)
        self.ledger = ledger
        self.binding = ledger.bind(hall=hall, epoch=EPOCHS[hall], instance=world.new_id())
        self.wakes = Wakes()
        self.changes = Changes()
        self.templates = Templates()
        self.board = SimulatedBoard(self.settings.printers, ledger)
        self.reporter = SimulatedReporter(world, ledger=ledger, binding=self.binding, wake=lambda: self.wakes.courier())
        self.documents = documents
        self._words = SimpleNamespace(of=lambda ticket: ())  # type: ignore[assignment]
        self.journal = Journal(ledger=ledger, reporter=self.reporter, board=self.board, clock=world.clock)
        # No grants: then no heartbeats, which would only fill the trace.
        self._join(SimpleNamespace(grants=(), marks={}, registries={REGISTRY: None}), world.clock)  # type: ignore[arg-type]
        self.board.listen(self._changed)


class Agent(Process):
    """One run of the hall's daemon: its threads, until it is killed."""

    def __init__(self, site: "HallSite") -> None:
        super().__init__("agent")
        world = site.world
        self.site = site
        memory = site.ledger.memory
        memory.forget_process()
        memory.before_commit, memory.after_commit = self._before_commit, self._after_commit
        self.permits = SimulatedPermits(world, site.disk, PERMITS, self)
        self.core = SimulatedHall(
            world, site.ledger, site.documents, hall=site.hall, release=site.release, names=tuple(site.devices)
        )
        self.workers = {name: self._worker(device) for name, device in site.devices.items()}
        self.courier = Courier(
            lambda: SimulatedLink(world, site.broker, site.hall, self),
            self.core.reporter,
            self.core.inbox,
            pace=Pace(batch=3),
        )
        self._is_recovered: set[str] = set()
        self._join_threads(world)

    def _worker(self, device: Device) -> PrinterWorker:
        site, world = self.site, self.site.world
        return PrinterWorker(
            PrinterLine(device.name, device.uri),
            book=self.core.book,
            permits=self.permits,
            settings=SPOOL,
            told=self.core.board.told,
            connect=lambda socket: SimulatedCups(world, site.cupsd, self),
            surroundings=Surroundings(world.monotonic, world.later, device.look, pages_of),
        )

    def _join_threads(self, world: World) -> None:
        threads = {name: world.add(Actor(name, self._drive(name), of=self)) for name in self.workers}
        pipeline = world.add(Actor("pipeline", self._look, of=self))
        courier = world.add(Actor("hall's courier", self._carry, of=self))
        self.threads = (*threads.values(), pipeline, courier)
        wakes = self.core.wakes
        wakes.pipeline = lambda: pipeline.wake(world.now)
        wakes.courier = lambda: courier.wake(world.now)
        self.site.broker.listeners[self.site.hall] = wakes.courier
        wakes.printer = lambda name: threads[name].wake(world.now)
        wakes.printers = lambda: [thread.wake(world.now) for thread in threads.values()] and None
        wakes.recall = self._recall

    def _drive(self, name: str) -> Callable[[], float | None]:
        """As the worker's own thread does: recovered first, and again after it stumbled."""
        worker = self.workers[name]

        def drive() -> float | None:
            try:
                if name not in self._is_recovered:
                    worker.recover()
                    self._is_recovered.add(name)
                return worker.step()
            except OSError:
                self._is_recovered.discard(name)
                return SPOOL.look_seconds * 5

        return drive

    def _look(self) -> float | None:
        self.core.pipeline.look()
        return 5.0

    def _carry(self) -> float | None:
        """One turn of the courier's thread."""
        link: Any = self.courier._link
        try:
            if not link.is_open:
                link.open()
            self.courier._receive(0, self.courier._send_pending())
        except (*self.site.broker.errors, OSError):  # as the thread itself: nothing is acked, it comes again
            link.close()
            return self.site.world.later(0.2, 2)
        return 20.0 if self.site.broker.is_quiet(self.site.hall) else 0.0

    def _recall(self, try_id: UUID) -> None:
        self.permits.revoke(try_id)
        for thread in self.threads:
            thread.wake(self.site.world.now)

    def _before_commit(self) -> None:
        if self.site.world.fault("agent killed before a commit", 0.002):
            self.site.kill_agent()
        if not self.is_alive:
            raise Killed(self.name)

    def _after_commit(self) -> None:
        self.site.world.at(self)


class HallSite:
    """What outlives the agent, and the agent that runs now."""

    def __init__(
        self,
        world: World,
        hall: str,
        *,
        broker: Broker,
        disk: Disk,
        cupsd: Cupsd,
        devices: dict[str, Device],
        release: str,
    ) -> None:
        self.world = world
        self.hall = hall
        self.is_burnt = False
        self.is_given_up = False  # burnt, or written off: its paper is suspect
        broker.queues[hall] = []
        broker.listeners[hall] = lambda: None
        self.broker = broker
        self.disk = disk
        self.cupsd = cupsd
        self.devices = devices
        self.release = release
        self.ledger = MemoryLedger(world.remedies)
        self.documents = SimulatedDocuments()
        self.agent: Agent | None = None

    def start_agent(self) -> None:
        if self.agent is None and not self.is_burnt:
            self.agent = Agent(self)
            self.world.note("agent started")

    def kill_agent(self) -> None:
        if self.agent is not None:
            self.agent.kill()
            self.world.leave(self.agent)
            self.broker.cut(self.hall)
            self.agent = None
            self.world.note("agent killed")

    def beat(self) -> None:
        """Say something, so that home sees what it missed."""
        if self.agent is not None:
            journal = self.agent.core.journal
            with journal.act():
                journal.tell_registry(Heartbeat, REGISTRY, agent_version="0", printers=(), blanks=())


def fill_trays(hall: Hall, clerk: Any, printers: Sequence[str], first: str, last: str) -> None:
    """The blanks that lie in the trays stand in the ledger."""
    from agents.stock import Movement

    for name in printers:
        hall.stock.move(clerk, Movement.RECEIVE, stock=Stock.CERTIFICATE, first=first, last=last)
        hall.stock.move(clerk, Movement.LOAD, stock=Stock.CERTIFICATE, first=first, last=last, printer=name)
