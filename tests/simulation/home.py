"""The home: the real meaning of reports and moves of jobs, over a store in memory."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from spooler import another_order
from spooler.collect import Collector
from spooler.job import JobState, Reason, is_final
from spooler.store.change import RANK_CONTROL, RANK_ORDER, Outgoing
from spooler.store.controls import Control
from spooler.store.gaps import FIRST_ASK_AGAIN_SECONDS, LONGEST_ASK_AGAIN_SECONDS
from spooler.store.values import Refusal, Update
from spooler.store.write_offs import WRITTEN_OFF
from spooler.wire.addresses import headers
from spooler.wire.courier import Courier, Pace
from spooler.wire.errors import BadMessage
from spooler.wire.letters import Delivery
from spooler.wire.messages import Cancel, Check, ControlBase, Hold, Replay, Resume, Withdraw
from spooler.wire.topology import CONTROL_TYPE, CONTROLS, ORDER_TYPE, ORDERS
from tests.simulation.broker import Broker, SimulatedLink
from tests.simulation.hall import EPOCHS
from tests.simulation.memory import changed
from tests.simulation.orders import HALL, REGISTRY, SealedOrder, enveloped, shapes
from tests.simulation.store import (
    OPEN_STATES,
    PERSON,
    CallbackRow,
    ControlKept,
    GapRow,
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

    def __init__(self, store: HomeStore) -> None:
        itself: Any = store
        super().__init__(store=itself, trust=Any, registries=(), clock=store.world.clock)  # type: ignore[arg-type]
        self._halls = store

    def _trusted(self, delivery: Delivery) -> tuple[Any, bytes]:
        told: Any = delivery.body
        if told.report.hall in self._halls.written_off and self._halls.world.remedies.revokes_keys:
            raise BadMessage("signed with a key that is revoked")
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
        collector = SimulatedCollector(store)
        self.courier = Courier(
            lambda: SimulatedLink(world, site.broker, "home", self), HomeOutbox(store), collector, pace=Pace(batch=3)
        )
        self.pipeline = world.add(Doer("home's pipeline", self._work, of=self))
        self.carrier = world.add(Doer("home's courier", self._carry, of=self))
        site.broker.listeners["home"] = lambda: self.carrier.wake(world.now)
        self.teller = world.add(Doer("callbacks", self._tell, of=self))
        world.add(Doer("home's watch", self._watch, of=self))

    # the API

    def submit(
        self, request_id: str, *, spreads: int, lists: int, check: Check | None = None, hall: str = HALL
    ) -> str | None:
        """201 with the job, or 200 with the one that the request has already; 422 for a hall that is written off."""
        known = self.store.requests.get(request_id)
        if known is not None or hall in self.store.written_off:
            return known
        with self.store.changing() as change:
            place = self.store.memory.number("jobs")
            job_id = str(self.world.new_id())
            about = {"spreads": spreads, "lists": lists, "check": check}
            row = JobRow(place, job_id, request_id, REGISTRY, JobState.ACCEPTED, "", 0, change.now, hall=hall, **about)
            change.put(self.store.jobs, job_id, row)
            change.put(self.store.requests, request_id, job_id)
            change.move(job_id, Update(because="request accepted", tell="job.accepted"))
        self.pipeline.wake(self.world.now)
        return job_id

    def ask(self, job_id: str, kind: type[ControlBase], **more: Any) -> None:
        """Ask the hall about an order that is out; where nothing is at a hall, home does it itself."""
        with self.store.changing() as change:
            if is_final(change.state(job_id)):
                return
            order = self.store.open_order(job_id)
            if order is None or (order.state == "prepared" and order.order_id not in self.store.letters):
                self._do_here(change, job_id, order, kind)
                return
            control = kind(
                control_id=self.world.new_id(),
                registry=REGISTRY,
                hall=order.hall,
                order_id=UUID(order.order_id),
                at=self._in_turn(job_id, change),
                **more,
            )
            name = str(kind.model_fields["kind"].default)
            kept = Control(
                str(control.control_id), name, job_id, order.order_id, REGISTRY, order.hall, control.at, PERSON, ""
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

    def _do_here(self, change: MemoryChange, job_id: str, order: OrderRow | None, kind: type[ControlBase]) -> None:
        held = frozenset({Reason.HELD})
        if kind in (Cancel, Withdraw):
            if order is not None:
                change.set_order(order.order_id, "cancelled")
            end = JobState.CANCELLED if kind is Cancel else JobState.WITHDRAWN
            change.move(job_id, Update(state=end, because="ended with nothing at a hall"))
        elif kind is Hold:
            change.move(job_id, Update(add=held, because="held at home"))
        elif kind is Resume:
            change.move(job_id, Update(drop=held, because="resumed at home"))
            self.pipeline.wake(self.world.now)

    def order_again(self, job_id: str, hall: str) -> None:
        """As `AnotherOrder.open`, whose word decides: looked at, sealed, and looked at again before it is kept."""
        with self.store.changing() as change:
            if another_order._hindrance(change, job_id) is not None:  # type: ignore[arg-type]
                return
        if hall in self.store.written_off:
            return  # not granted: as `Preparer.may_print`
        sealed = self._sealed(self.store.jobs[job_id])
        self.world.at(self)
        with self.store.changing() as change:
            if another_order._hindrance(change, job_id) is not None:  # type: ignore[arg-type]
                return
            self._keep(change, self.store.jobs[job_id], sealed, hall)
            told = Update(state=JobState.SEALED, because="another order", drop=another_order._FALLEN, is_note=True)
            change.move(job_id, replace(told, tell="job.order-opened"))
        self.world.note(f"another order at {hall}")
        self.pipeline.wake(self.world.now)

    def write_off(self, hall: str) -> None:
        """As `spooler.store.write_offs.apply`: two people have said that nobody there will ever sign anything again."""
        if hall in self.store.written_off:
            return
        with self.store.changing() as change:
            change.put(self.store.written_off, hall, True)
            for order in list(self.store.orders.values()):
                if order.hall == hall and order.state in OPEN_STATES:
                    self._end_order(change, order)
        self.world.note(f"{hall} is written off")

    def _end_order(self, change: MemoryChange, order: OrderRow) -> None:
        change.set_order(order.order_id, WRITTEN_OFF)
        if order.order_id in self.store.letters:
            self.store.memory.drop(self.store.letters, order.order_id)
        asked = [c for c in self.store.controls.values() if c.kept.order_id == order.order_id and c.outcome is None]
        for control in asked:
            change.put(self.store.controls, control.kept.control_id, changed(control, {"outcome": WRITTEN_OFF}))
        kinds = {control.kept.kind for control in asked}
        end = JobState.WITHDRAWN if "withdraw" in kinds else JobState.CANCELLED if "cancel" in kinds else None
        needs = frozenset({Reason.NEEDS_ATTENTION})
        change.move(order.job_id, Update(state=end, because="hall written off", add=needs))

    # threads

    def _work(self) -> float | None:
        for job in list(self.store.jobs.values()):
            if Reason.HELD in job.reasons.split():
                continue
            if job.state is JobState.ACCEPTED:
                self._prepare(job)
            elif job.state is JobState.SEALED:
                self._dispatch(job)
        return 5.0

    def _prepare(self, job: JobRow) -> None:
        if job.hall in self.store.written_off:
            self._refuse(job)
            return
        sealed = self._sealed(job)
        self.world.at(self)
        with self.store.changing() as change:
            if change.state(job.job_id) is not JobState.ACCEPTED:
                return
            self._keep(change, job, sealed, job.hall)
            change.move(job.job_id, Update(state=JobState.SEALED, because="document sealed"))
        self.pipeline.wake(self.world.now)

    def _refuse(self, job: JobRow) -> None:
        """As `refuse_for_grant`: the hall was written off after the request was taken."""
        with self.store.changing() as change:
            why = Refusal("grant-withdrawn", "")
            change.move(job.job_id, Update(state=JobState.REFUSED, refusal=why, because="hall closed"))

    def _sealed(self, job: JobRow) -> SealedOrder:
        order_id = self.world.new_id()
        not_after = self.world.clock() + timedelta(seconds=self.site.order_seconds)
        passes = shapes(spreads=job.spreads, lists=job.lists, check=job.check)
        return SealedOrder(order_id, UUID(job.job_id), passes, not_after, f"{order_id}")

    def _keep(self, change: MemoryChange, job: JobRow, sealed: SealedOrder, hall: str) -> None:
        place, order_id = self.store.memory.number("orders"), str(sealed.order_id)
        order = OrderRow(order_id, job.job_id, REGISTRY, hall, "prepared", sealed.not_after, place, sealed=sealed)
        change.put(self.store.orders, order_id, order)

    def _dispatch(self, job: JobRow) -> None:
        order = self.store.latest_order(job.job_id)
        if order is None or order.state != "prepared" or order.sealed is None:
            return
        letter = Outgoing(
            exchange=ORDERS,
            routing_key=f"{REGISTRY}.{order.hall}",
            type=ORDER_TYPE,
            body=enveloped(order.sealed, self.world.new_id().int),
            headers=headers(registry=REGISTRY, hall=order.hall, order_id=order.order_id, kid="k"),
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
            self.courier._receive(0, self.courier._send_pending())
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

    def _watch(self) -> float | None:
        """As `spooler.gaps.GapWatch`: what is missing is asked for."""
        for gap in list(self.store.gaps.values()):
            if gap.is_open and gap.next_ask_at <= self.world.clock() and gap.hall not in self.store.written_off:
                self._ask_for(gap)
        return 5.0

    def _ask_for(self, gap: GapRow) -> None:
        with self.store.changing() as change:
            if not self.store.gaps[gap.place].is_open:
                return
            pause = min(LONGEST_ASK_AGAIN_SECONDS, FIRST_ASK_AGAIN_SECONDS * 2 ** min(gap.asks, 10))
            later = change.now + timedelta(seconds=pause)
            change.put(self.store.gaps, gap.place, changed(gap, {"asks": gap.asks + 1, "next_ask_at": later}))
            control = Replay(
                control_id=self.world.new_id(),
                registry=REGISTRY,
                hall=gap.hall,
                at=change.now,
                epoch=UUID(gap.epoch),
                first=gap.first,
                last=gap.last,
            )
            change.post(_control_letter(control))
        self.carrier.wake(self.world.now)

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

    def is_behind(self, hall: str, sequence: int) -> bool:
        """Whether the hall has told more than home knows."""
        return self.store.chains.get(str(EPOCHS[hall]), (0, ""))[0] < sequence

    def heard(self, job_id: str, sequence: int) -> None:
        self.told.setdefault(job_id, []).append(sequence)


def _control_letter(control: ControlBase, kept: Control | None = None) -> Outgoing:
    body: Any = control
    order_id, job_id = (None, None) if kept is None else (kept.order_id, kept.job_id)
    return Outgoing(
        exchange=CONTROLS,
        routing_key=f"{REGISTRY}.{control.hall}",
        type=CONTROL_TYPE,
        body=body,
        headers=headers(registry=REGISTRY, hall=control.hall, order_id=order_id, kid="k"),
        rank=RANK_CONTROL,
        letter_id=str(control.control_id),
        job_id=job_id,
    )
