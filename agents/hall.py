"""The hall's parts between wire and printers, joined: ledger, journal, acts, inbox, controls, pipeline. No sockets, no CUPS."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from uuid import UUID, uuid4

from agents.acts import Acts
from agents.approvals import Approvals
from agents.blank import Blanks
from agents.board import Board
from agents.book import Book
from agents.books import Books
from agents.calibration.desk import CalibrationDesk
from agents.calibration.kept import KeptCalibrations
from agents.calibration.prints import CalibrationPrints
from agents.changes import Changes
from agents.clock_watch import ClockWatch
from agents.controls import Controls
from agents.documents import Documents
from agents.heartbeat import Heart
from agents.inbox import Inbox
from agents.journal import Journal
from agents.ledger import Binding, Ledger
from agents.outcomes import Outcomes
from agents.pipeline import Pipeline
from agents.recollect import Recollection
from agents.reconcile import Reconciliation
from agents.release import Release
from agents.report import Reporter
from agents.retention import Retention
from agents.search import Words
from agents.settings import HallSettings
from agents.stock import StockRoom
from agents.templates import Templates
from spooler.wire.keys import SigningKey, WrapKey
from spooler.wire.trust import Trust


@dataclass(frozen=True)
class Keys:
    """The hall's own: reports are signed with one, orders open with the others."""

    report: SigningKey
    wrap: tuple[WrapKey, ...]


@dataclass
class Wakes:
    """Whom a durable change wakes. The parts behind them are made later than those that wake them."""

    courier: Callable[[], None] = lambda: None
    printers: Callable[[], None] = lambda: None
    printer: Callable[[str], None] = lambda name: None
    pipeline: Callable[[], None] = lambda: None
    recall: Callable[[UUID], object] = lambda try_id: None
    step_aside: Callable[[float], None] = lambda seconds: None


@dataclass(frozen=True)
class _Counter:
    """What becomes of paper by people's word: acts, controls and the pipeline share these."""

    blanks: Blanks
    release: Release
    outcomes: Outcomes
    approvals: Approvals


class Hall:
    """All of it, over one open ledger. A simulation puts its own ids, time and way in for what comes in their places."""

    new_id: Callable[[], UUID] = staticmethod(uuid4)
    monotonic: Callable[[], float] = staticmethod(monotonic)
    inbox_type: type[Inbox] = Inbox

    def __init__(
        self,
        settings: HallSettings,
        *,
        ledger: Ledger,
        binding: Binding,
        keys: Keys,
        trust: Trust,
        clock: Callable[[], datetime],
        clock_watch: ClockWatch | None = None,
    ) -> None:
        self.settings = settings
        # Without one the clock is the only time there is.
        self.clock_watch = clock_watch or ClockWatch(
            clock, steady=lambda: clock().timestamp(), is_vouched=lambda: False
        )
        self.ledger = ledger
        self.binding = binding
        self.wakes = Wakes()
        self.changes = Changes()
        self.templates = Templates(own=settings.hall.templates_directory)
        self.board = Board(settings.printers, ledger, self.templates)
        self.reporter = Reporter(
            ledger=ledger, binding=binding, key=keys.report, clock=clock, wake=lambda: self.wakes.courier()
        )
        self.documents = Documents(_below(settings, "orders"), hall=settings.hall.id, keys=keys.wrap)
        self._words = Words.from_file(_below(settings, "search.key"))
        self.journal = Journal(
            ledger=ledger,
            reporter=self.reporter,
            board=self.board,
            clock=clock,
            is_granted=lambda order: trust.may_print(order.registry, settings.hall.id, order.kind),
        )
        self._join(trust, clock)
        ledger.listen(self.changes.tell)
        self.board.listen(self.changes.tell)
        self.board.listen(self._changed)

    def may_print(self) -> bool:
        return self.binding.may_print

    def _rebind(self, binding: Binding) -> None:
        self.binding = binding
        self.reporter.rebind(binding)

    def _changed(self) -> None:
        self.wakes.pipeline()

    def _settled(self, order_id: UUID) -> None:
        self.recollection.settled(order_id)
        self.controls.settle(order_id)

    def _join(self, trust: Trust, clock: Callable[[], datetime]) -> None:
        blanks = Blanks(ledger=self.ledger, reporter=self.reporter, clock=clock)
        registries = granted(trust, self.settings.hall.id)
        self.recollection = self._recollection(blanks)
        counter = self._counter(blanks)
        self.controls = self._controls(counter)
        self.reconciliation = self._reconciliation(registries)
        self.inbox = self._inbox(trust)
        self.calibration = self._calibration(clock)
        self.book = Books(self._order_book(blanks), self._calibration_prints(clock))
        self.acts = self._acts(counter)
        self.stock = StockRoom(ledger=self.ledger, board=self.board, clock=clock, changed=self._changed)
        # Whoever was granted since the start is told too; whoever no longer is still has orders here.
        self.pipeline = self._pipeline(counter, lambda: registries | granted(trust, self.settings.hall.id))
        self.wakes.pipeline = self.pipeline.wake
        self.pipeline.also(self._retention(clock).look)

    def _recollection(self, blanks: Blanks) -> Recollection:
        return Recollection(
            journal=self.journal,
            blanks=blanks,
            has_past=lambda: self.binding.has_past,
            recall=lambda try_id: self.wakes.recall(try_id),
            new_id=self.new_id,
        )

    def _counter(self, blanks: Blanks) -> _Counter:
        release = Release(journal=self.journal, blanks=blanks, wake=lambda printer: self.wakes.printer(printer))
        outcomes = Outcomes(journal=self.journal, blanks=blanks, settled=self._settled)
        return _Counter(
            blanks=blanks,
            release=release,
            outcomes=outcomes,
            approvals=Approvals(journal=self.journal, outcomes=outcomes, new_id=self.new_id),
        )

    def _controls(self, counter: _Counter) -> Controls:
        controls = Controls(
            journal=self.journal,
            outcomes=counter.outcomes,
            approvals=counter.approvals,
            release=counter.release,
            recall=lambda try_id: self.wakes.recall(try_id),
            changed=self._changed,
            known=self.recollection.known,
        )
        controls.is_sure = self.may_print
        return controls

    def _inbox(self, trust: Trust) -> Inbox:
        return self.inbox_type(
            hall=self.settings.hall.id,
            trust=trust,
            journal=self.journal,
            controls=self.controls,
            documents=self.documents,
            words=self._words,
            recollection=self.recollection,
            reconciliation=self.reconciliation,
            clock_watch=self.clock_watch,
            changed=self._changed,
        )

    def _order_book(self, blanks: Blanks) -> Book:
        return Book(
            journal=self.journal,
            blanks=blanks,
            documents=self.documents,
            may_print=self.may_print,
            settled=self._settled,
            new_id=self.new_id,
        )

    def _acts(self, counter: _Counter) -> Acts:
        return Acts(
            journal=self.journal,
            release=counter.release,
            blanks=counter.blanks,
            outcomes=counter.outcomes,
            approvals=counter.approvals,
            documents=self.documents,
            words=self._words,
            templates=self.templates,
            may_print=self.may_print,
            changed=self._changed,
        )

    def _pipeline(self, counter: _Counter, registries: Callable[[], set[str]]) -> Pipeline:
        return Pipeline(
            journal=self.journal,
            release=counter.release,
            outcomes=counter.outcomes,
            heart=self._heart(registries),
            auto_release=self.settings.hall.release == "auto",
            may_print=self.may_print,
            clock_watch=self.clock_watch,
            wake_printers=lambda: self.wakes.printers(),
            monotonic=self.monotonic,
        )

    def _retention(self, clock: Callable[[], datetime]) -> Retention:
        return Retention(
            journal=self.journal,
            documents=self.documents,
            keep_days=self.settings.hall.keep_orders_days,
            is_sure=lambda: self.may_print() and not self.clock_watch.is_in_doubt,
            clock=clock,
        )

    def _heart(self, registries: Callable[[], set[str]]) -> Heart:
        return Heart(
            journal=self.journal,
            board=self.board,
            registries=registries,
            every_seconds=self.settings.hall.heartbeat_seconds,
            monotonic=self.monotonic,
            clock_offset=lambda: self.clock_watch.offset_seconds,
        )

    def _calibration(self, clock: Callable[[], datetime]) -> CalibrationDesk:
        return CalibrationDesk(
            ledger=self.ledger,
            board=self.board,
            templates=self.templates,
            kept=KeptCalibrations(self.settings.hall.calibrations),
            clock=clock,
            may_print=self.may_print,
            wake=lambda printer: self.wakes.printer(printer),
            changed=self._changed,
            new_id=self.new_id,
        )

    def _calibration_prints(self, clock: Callable[[], datetime]) -> CalibrationPrints:
        return CalibrationPrints(
            ledger=self.ledger,
            clock=clock,
            draw=self.calibration.draw,
            may_print=self.may_print,
            changed=self._changed,
            new_id=self.new_id,
        )

    def _reconciliation(self, registries: set[str]) -> Reconciliation:
        return Reconciliation(
            journal=self.journal,
            recollection=self.recollection,
            registries=registries,
            binding=lambda: self.binding,
            rebind=self._rebind,
            left=self._left_reconcile_mode,
            step_aside=lambda seconds: self.wakes.step_aside(seconds),
            new_id=self.new_id,
        )

    def _left_reconcile_mode(self) -> None:
        """What waited for the hall to be sure again."""
        for order in self.ledger.orders.active():
            if order.cancelling is not None:
                self.controls.settle(order.order_id)
        self.ledger.afterwards(self._changed)


def granted(trust: Trust, hall: str) -> set[str]:
    """Return the registries that may print here now, and those that might once: their orders are here, and they are told of them."""
    return {registry for registry, at, _ in trust.grants if at == hall} | {
        registry for (registry, at), mark in trust.marks.items() if at == hall and mark.agreed
    }


def _below(settings: HallSettings, name: str) -> Path:
    return settings.hall.data_directory / name
