"""The promises, held against everything that happens: sheets as they come, moves as they are written, and the whole at the end."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from agents import once
from agents.ledger import Order, PassRow
from agents.order import BEFORE_THE_FIRST, OrderState, PassState, is_final
from spooler.hall_word import JOB_STATES
from spooler.job import JobState
from spooler.job import is_final as is_over
from spooler.store.controls import PAUSING
from spooler.wire.messages import Stock, read_control
from tests.simulation.backend import Start
from tests.simulation.device import Sheet
from tests.simulation.hall import HallSite
from tests.simulation.home import HomeSite
from tests.simulation.paper import printed_by
from tests.simulation.world import Violated, World, brief

_ENDED_EARLY = (JobState.CANCELLED, JobState.REFUSED, JobState.WITHDRAWN)
SLACK_SECONDS = 10.0  # between the look at the permit's time and the claim


@dataclass
class Truth:
    """What really became of a try."""

    is_claimed: bool = False
    is_started: bool = False  # the real backend was about to start
    said: once.Outcome | None = None  # the sender has written `done`
    outcome: once.Outcome | None = None  # and that is on disk
    sheets: int = 0
    is_asked: bool = False


# From these a check sheet is printed once more.
_CAME_OR_NOT = frozenset({PassState.DONE, PassState.UNKNOWN})


@dataclass
class Checker:
    """Knows what nobody in the system knows. Raises Violated."""

    world: World
    tries: dict[str, Truth] = field(default_factory=lambda: defaultdict(Truth))
    sheets: list[Sheet] = field(default_factory=list)
    agreed: dict[str, dict[UUID, frozenset[int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )  # reprints that a second person agreed to: of which passes
    wanted_again: Counter[tuple[str, int]] = field(
        default_factory=Counter
    )  # check sheets, each time by a person's word
    is_person: bool = False  # a person's act is being carried out
    asks: Counter[str] = field(default_factory=Counter)
    dones: int = 0
    sites: list[HallSite] = field(default_factory=list)

    def watch(self, site: HallSite) -> None:
        self.sites.append(site)
        site.ledger.orders.on_pass = self.pass_moves
        site.ledger.orders.on_order = self.order_moves

    # paper

    def printed(self, sheet: Sheet) -> None:
        self.world.note(f"SHEET {sheet.title[-8:]} try {brief(sheet.uuid)} whole={sheet.is_whole} {sheet.serial}")
        truth = self.tries[str(sheet.uuid)]
        truth.sheets += 1
        before = [s for s in self.sheets if (s.order_id, s.number) == (sheet.order_id, sheet.number)]
        self.sheets.append(sheet)
        self._hold("I1", truth.sheets == 1, f"try {brief(sheet.uuid)} came out twice")
        allowed = 1 + self._reprints(sheet.order_id, sheet.number) + self.wanted_again[sheet.order_id, sheet.number]
        self._hold(
            "I1", len(before) < allowed, f"pass {sheet.number} came out {len(before) + 1} times, {allowed} allowed"
        )
        same = [s for s in before if s.attempt == sheet.attempt]
        if sheet.serial is not None:
            self._hold("I1", not same, f"pass {sheet.number} twice on attempt {sheet.attempt}")
        self._hold("I7", not truth.is_asked, f"paper came out of try {brief(sheet.uuid)} after a person was asked")
        if sheet.serial is not None:
            others = {s.serial for s in self.sheets if (s.order_id, s.attempt) == (sheet.order_id, sheet.attempt)}
            one = {serial for serial in others if serial is not None} == {sheet.serial}
            self._hold("I6", one, f"attempt {sheet.attempt} of order {sheet.order_id[-4:]} lies on two blanks")
        self._hold("I3", self._is_its(sheet), f"foreign content on try {brief(sheet.uuid)}")
        self._check_other_orders(sheet)

    def _check_other_orders(self, sheet: Sheet) -> None:
        """One right, one paper: a job's next order prints only where the last left nothing usable, or burnt with its hall."""
        here, own = self._order(sheet.order_id)
        if here is None or own is None or here.is_given_up:
            return
        for other in {s.order_id for s in self.sheets if s.order_id != sheet.order_id}:
            site, order = self._order(other)
            if site is None or order is None or order.job_id != own.job_id or site.is_given_up:
                continue
            spoiled = all(s.attempt < order.attempt for s in self.sheets if s.order_id == other)
            self._hold("I1", order.state is OrderState.EXPIRED and spoiled, "paper of two orders for one job")

    def _order(self, order_id: str) -> tuple[HallSite | None, Order | None]:
        for site in self.sites:
            order = site.ledger.orders.get(UUID(order_id))
            if order is not None:
                return site, order
        return None, None

    def _is_its(self, sheet: Sheet) -> bool:
        order_id, pages = printed_by(sheet.content)
        page = sheet.number - 1
        return (order_id, pages) == (sheet.order_id, str(page))

    def _reprints(self, order_id: str, number: int) -> int:
        return sum(number in passes for passes in self.agreed[order_id].values())

    def claimed(self, uuid: str, start: Start) -> None:
        self.world.note(f"once claims {brief(UUID(uuid))}")
        truth = self.tries[uuid]
        self._hold("I1", not truth.is_claimed, f"try {brief(UUID(uuid))} was claimed twice")
        truth.is_claimed = True
        found = self._site_of_try(uuid)
        row = None if found is None else found.ledger.tries.get(UUID(uuid))
        if found is None or row is None:
            raise Violated("I4", "a claim for a try that the ledger does not have")
        order = found.ledger.orders.get(row.order_id)
        assert order is not None
        self._hold("I4", not is_final(order.state), f"claimed for an order that is {order.state}")
        is_signed = row.attempt == BEFORE_THE_FIRST or not order.awaits_check
        self._hold("signed", is_signed, "a blank is claimed before the applicant has signed")
        self._hold("I1", row.ended_at is None, f"claimed for try {brief(row.try_id)} that had ended as {row.state}")
        passes = found.ledger.orders.passes(row.order_id, row.attempt)
        if all(p.state is PassState.READY or p.number == row.number or p.shape.is_empty for p in passes):
            late = (self.world.clock() - order.not_after).total_seconds()
            self._hold("I4", late < SLACK_SECONDS, f"first claim {late:.0f} s after the order expired")

    def lost(self, names: list[str]) -> None:
        """A power cut took what was not synced: such a claim never was."""
        for name in names:
            folder, _, uuid = name.partition("/")
            if folder == "spent":
                self.tries[uuid].is_claimed = False

    def started(self, uuid: str) -> None:
        self.tries[uuid].is_started = True

    def said(self, uuid: str, outcome: once.Outcome) -> None:
        self.tries[uuid].said = outcome

    def done(self, uuid: str, outcome: once.Outcome) -> None:
        if any(site.disk.is_synced(f"done/{uuid}") for site in self.sites):
            self.tries[uuid].outcome = outcome

    # what is written

    def order_moves(self, before: Order, after: Order) -> None:
        if before.state is not after.state:
            self.world.note(f"order {brief(before.order_id)}: {before.state} to {after.state}")
            self._hold("I4", not is_final(before.state), f"an order that was {before.state} became {after.state}")

        if before.held != after.held:
            self._check_last_word(after)

    def _check_last_word(self, order: Order) -> None:
        """Of all holds and resumes that have come, in whatever order, the one that home asked last holds."""
        site = next(site for site in self.sites if site.ledger.orders.get(order.order_id) is not None)
        rows = [r for r in site.ledger.controls.about(order.order_id, order.registry) if r.kind in PAUSING]
        last = max((read_control(row.body.encode()) for row in rows), key=lambda control: control.at)
        is_wished = last.kind == "hold"
        self._hold(
            "held", order.held == is_wished, f"order {brief(order.order_id)}: held={order.held}, asked {last.kind}"
        )

    def pass_moves(self, order: Order, before: PassRow, after: PassRow) -> None:
        if before.state is after.state:
            return
        name = f"pass {after.number} of order {brief(order.order_id)}, attempt {after.attempt}"
        self.world.note(f"{name}: {before.state} to {after.state}")
        truth = self.tries[str(before.try_id)] if before.try_id else Truth()
        if before.state is PassState.UNKNOWN:
            self._hold("I7", self.is_person, f"{name} left unknown without a person")
        if after.state in (PassState.INTENT, PassState.RELEASING):
            self._hold(
                "I4", not order.held and order.cancelling is None, f"{name}: {after.state} while held or cancelled"
            )
        if after.state is PassState.UNKNOWN:
            self._check_ask(name, before, truth)
        if after.state is PassState.DONE and before.state in (PassState.SPOOLED, PassState.RELEASING):
            good = truth.said is not None and truth.said.is_good
            self._hold("done", good, f"{name} is called done, and its sender did not say so")
            self.dones += 1
        if after.attempt == BEFORE_THE_FIRST and after.state is PassState.READY and before.state in _CAME_OR_NOT:
            self._hold("I1", self.is_person, f"{name} is wanted once more by nobody")
            self.wanted_again[str(order.order_id), after.number] += 1
        elif after.state is PassState.READY and before.state is not PassState.UNKNOWN:
            self._hold("I1", truth.sheets == 0, f"{name} is sent again after paper came out")

    def _check_ask(self, name: str, before: PassRow, truth: Truth) -> None:
        """Only what was started and gave no good result cannot be known."""
        truth.is_asked = True
        site = self._site_of_try(str(before.try_id))
        lost = site is None or not site.disk.is_mounted
        self.asks["permits away" if lost else "started, no good result"] += 1
        proven = truth.outcome is not None and truth.outcome.is_good
        self._hold("ask", lost or (truth.is_started and not proven), f"{name}: a person is asked for nothing")

    # the end

    def ended(self, home: HomeSite) -> None:
        """When all is quiet and mended: nothing vanished, everybody knows the same."""
        for job in home.store.jobs.values():
            self._check_job(home, job)
            self._check_callbacks(home, job.job_id)
        self._check_blanks()

    def _check_job(self, home: HomeSite, job: Any) -> None:
        order = home.store.latest_order(job.job_id)
        name = f"job {brief(UUID(job.job_id))}"
        self._hold("I2", is_over(job.state), f"{name} is {job.state} ({job.reasons}) at the end")
        if order is None or order.sealed is None:
            return
        site = self._site(order.hall)
        kept = site.ledger.orders.get(order.sealed.order_id)
        if kept is None or site.is_given_up:
            ended = job.state in _ENDED_EARLY or (site.is_given_up and is_over(job.state))
            self._hold("I2", ended, f"{name} never reached the hall")
            return
        fits = job.state in (JOB_STATES[kept.state], JobState.WITHDRAWN) or JOB_STATES[kept.state] is None
        self._hold("I2", fits, f"{name} is {job.state}, its order {kept.state}")
        if kept.state in (OrderState.ISSUED, OrderState.PRINTED):
            self._check_paper(name, kept, site)

    def _check_paper(self, name: str, order: Order, site: HallSite) -> None:
        """What was handed over exists once, whole, on the blank that the ledger names."""
        for row in site.ledger.orders.passes(order.order_id, order.attempt):
            if not row.shape.is_empty:
                found = self.of(order.order_id, row.number)
                last = [s for s in found if s.is_whole]
                self._hold("I2", bool(last), f"{name}: pass {row.number} is on no paper")
                if row.shape.stock is Stock.CERTIFICATE:
                    self._hold(
                        "I6", last[-1].serial == order.serial, f"{name}: {last[-1].serial} is not {order.serial}"
                    )

    def of(self, order_id: UUID, number: int, attempt: int | None = None) -> list[Sheet]:
        wanted = str(order_id)
        return [s for s in self.sheets if s.order_id == wanted and s.number == number and attempt in (None, s.attempt)]

    def _check_callbacks(self, home: HomeSite, job_id: str) -> None:
        due = [row.sequence for row in home.store.callbacks.values() if row.job_id == job_id]
        heard = list(dict.fromkeys(home.told.get(job_id, [])))
        self._hold("I5", heard == due, f"callbacks {heard} of {due}")

    def _check_blanks(self) -> None:
        for site in self.sites:
            if site.agent is not None:
                balanced = site.agent.core.stock.is_balanced(Stock.CERTIFICATE)
                self._hold("I6", balanced, "the blanks do not add up")
            used = [o.serial for o in site.ledger.orders.every() if o.serial is not None]
            self._hold("I6", len(used) == len(set(used)), "a serial stands on two orders")

    def _site_of_try(self, uuid: str) -> HallSite | None:
        return next((site for site in self.sites if site.ledger.tries.get(UUID(uuid)) is not None), None)

    def _site(self, hall: str) -> HallSite:
        return next(site for site in self.sites if site.hall == hall)

    def _hold(self, invariant: str, is_kept: bool, text: str) -> None:
        if not is_kept:
            self.world.note(f"VIOLATION {invariant}: {text}")
            raise Violated(invariant, text)
