"""The hall's own thread: what time and policy do without a person.

An arrival, an act, a printer's change wakes it; it releases first passes where the hall's policy is `auto`, lets passes go that no
one has to turn a page for, ends orders whose time to begin has passed, tells reasons that changed, and sends the heartbeats.
"""

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from agents.accounts import MACHINE
from agents.clock_watch import ClockWatch
from agents.errors import DoesNotFit
from agents.heartbeat import Heart
from agents.journal import Journal
from agents.ledger import Order
from agents.order import OrderState
from agents.outcomes import Outcomes
from agents.release import Release
from agents.route import PrinterFacts
from agents.standing import has_begun, is_out
from spooler.daemon.crash import crash_point
from spooler.daemon.worker import Worker
from spooler.wire.messages import Standing

_LOOK_SECONDS = 5.0
_REST_AFTER_FAILURE_SECONDS = 2.0
_LONGEST_STOP_SECONDS = 10.0
_URGENT = 500
_SWEEP_SHARE = 4
_SLICE = 500
_SLICE_PAUSE_SECONDS = 0.1


class Pipeline(Worker):
    """One thread, from `start` until `stop`. `wake` may be called by any other."""

    def __init__(
        self,
        *,
        journal: Journal,
        release: Release,
        outcomes: Outcomes,
        heart: Heart,
        auto_release: bool,
        may_print: Callable[[], bool],
        clock_watch: ClockWatch,
        wake_printers: Callable[[], None],
        look_seconds: float = _LOOK_SECONDS,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        # The journal may be full or locked; nothing is lost by looking again a little later.
        super().__init__(
            "pipeline",
            trouble="pipeline stumbled",
            rest_seconds=_REST_AFTER_FAILURE_SECONDS,
            longest_stop_seconds=_LONGEST_STOP_SECONDS,
        )
        self._journal = journal
        self._release = release
        self._outcomes = outcomes
        self._heart = heart
        self._auto_release = auto_release
        self._may_print = may_print
        self._clock_watch = clock_watch
        self._wake_printers = wake_printers
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._also: list[Callable[[], None]] = []
        self._sweep_after = 0.0
        self._sweep_began = 0.0
        self._to_sweep: deque[Order] = deque()

    def also(self, look: Callable[[], None]) -> None:
        """Let this be called at each look."""
        self._also.append(look)

    def turn(self) -> float:
        self.look()
        return min(_SLICE_PAUSE_SECONDS if self._to_sweep else self._look_seconds, self._heart.due_in_seconds())

    def look(self) -> None:
        """Do all that is due now."""
        self._clock_watch.look()
        if self._may_print() and not self._clock_watch.is_in_doubt:
            # A ledger that is not to be believed cannot say that nothing was printed, nor a clock that it is too late.
            self._expire()
        if self._may_print() and self._auto_release:
            self._release_by_policy()
        self._sweep()
        self._wake_printers()
        self._heart.beat_if_due()
        for look in self._also:
            look()

    def _release_by_policy(self) -> None:
        """Most urgent first, one order at a time for each printer."""
        printers = self._journal.board.facts()
        for order in self._journal.ledger.orders.waiting(_URGENT):
            if not any(p.queue == 0 for p in printers):
                return
            if not self._journal.is_granted(order):
                continue
            if self._release_one(order, printers):
                printers = self._journal.board.facts()

    def _release_one(self, order: Order, printers: Sequence[PrinterFacts]) -> bool:
        try:
            with self._journal.act():
                return self._release.by_policy(self._journal.order(order.order_id), printers)
        except DoesNotFit:
            # Its printer went away between the look and the act: nothing is written, and the next look knows.
            return False

    def _sweep(self) -> None:
        """With thousands of orders a sweep takes its time: it goes slice by slice, and the rest of the hall does not wait for it."""
        if not self._to_sweep:
            if self._monotonic() < self._sweep_after:
                return
            self._sweep_began = self._monotonic()
            self._to_sweep = deque(self._journal.ledger.orders.active())
        self._tell_changed_reasons([self._to_sweep.popleft() for _ in range(min(_SLICE, len(self._to_sweep)))])
        if not self._to_sweep:
            self._sweep_after = self._monotonic() + _SWEEP_SHARE * (self._monotonic() - self._sweep_began)

    def _tell_changed_reasons(self, orders: Sequence[Order]) -> None:
        printers = self._journal.board.facts()
        for order in orders:
            if order.state is OrderState.PRINTING and self._may_print():
                with self._journal.act():
                    self._release.by_itself(self._journal.order(order.order_id), MACHINE)
            if self._journal.reasons_now(order, printers) != order.reasons:
                with self._journal.act():
                    self._journal.refresh(order.order_id)

    def _expire(self) -> None:
        for order in self._journal.ledger.orders.late(self._journal.clock()):
            with self._journal.act():
                self._end_late(self._journal.order(order.order_id))

    def _end_late(self, order: Order) -> None:
        """What was released and not begun counts as never released: the ticket's time binds the first claim."""
        if order.cancelling is not None or is_out(self._journal.check_sheet(order)):
            return
        if order.state is OrderState.PRINTING and not has_begun(self._journal.passes(order)):
            order = self._outcomes.take_back(order, MACHINE)
        if order.state is OrderState.WAITING and not has_begun(self._journal.passes(order)):
            self._journal.move(order, OrderState.EXPIRED, by=MACHINE)
            self._journal.tell(order.order_id, Standing)
            crash_point("agent.before-expired-commit")
