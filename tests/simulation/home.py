"""The home: the real meaning of reports and moves of jobs, over a store in memory."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from spooler.collect import Collector
from spooler.job import JobState, Reason, is_final
from spooler.store.change import RANK_CONTROL, RANK_ORDER, Outgoing
from spooler.store.orders import Control
from spooler.store.values import Update
from spooler.wire.addresses import headers
from spooler.wire.courier import Courier, Pace
from spooler.wire.letters import Delivery
from spooler.wire.messages import Cancel, ControlBase, Withdraw
from spooler.wire.topology import CONTROL_TYPE, CONTROLS, ORDER_TYPE, ORDERS
from tests.simulation.broker import Broker, SimulatedLink
from tests.simulation.hall import HALL, REGISTRY, SealedOrder, enveloped, shapes
from tests.simulation.memory import changed
from tests.simulation.store import (
    PERSON,
    CallbackRow,
    ControlKept,
    HomeOutbox,
    HomeStore,
    JobRow,
    MemoryChange,
    OrderRow,
)
from tests.simulation.world import Actor as Doer
from tests.simulation.world import Killed, Process, World


class SimulatedCollector(Collector):
    """The real one from the chain on; signatures are left out."""

    def _trusted(self, delivery: Delivery) -> tuple[Any, bytes]:
        told: Any = delivery.body
        return told.report, told.payload


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
                at=self._in_turn(job_id, change),
                **more,
            )
            name = str(kind.model_fields["kind"].default)
            kept = Control(
                str(control.control_id), name, job_id, order.order_id, REGISTRY, HALL, control.at, PERSON, ""
            )
            change.put(self.store.controls, kept.control_id, ControlKept(kept))
            change.post(_control_letter(control, kept))
            if kind in (Cancel, Withdraw):
                change.move(job_id, Update(add=frozenset({Reason.CANCEL_REQUESTED}), because="cancel asked"))
        self.carrier.wake(self.world.now)

    def _in_turn(self, job_id: str, change: MemoryChange) -> datetime:
        """As `store.orders.in_turn`."""
        before = [one.kept.at for one in self.store.controls.values() if one.kept.job_id == job_id]
        return max([change.now, *(at + timedelta(microseconds=1) for at in before)])

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
