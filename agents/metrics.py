"""Every metric of the hall, in one place. Read from the ledger and the board when asked, so that they are right after a restart."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agents.board import Board
from agents.ledger import Ledger

_STATES = ("idle", "processing", "stopped", "unknown", "paused")


def make_registry(
    *,
    hall: str,
    ledger: Ledger,
    board: Board,
    is_connected: Callable[[], bool],
    clock: Callable[[], datetime],
    foreign_jobs: Callable[[], Mapping[str, int]] = dict,
    blocked_reprints: Callable[[], Mapping[str, int]] = dict,
    broker_end: Callable[[], datetime | None] = lambda: None,
) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(
        _HallCollector(hall, ledger, board, is_connected, clock, foreign_jobs, blocked_reprints, broker_end)
    )
    return registry


def watch_logins(
    registry: CollectorRegistry, hall: str, knocks: Callable[[], Mapping[str, int]], sessions: Callable[[], int]
) -> None:
    """Let the registry tell who came to the door, and how many are in."""
    registry.register(_LoginCollector(hall, knocks, sessions))


class _LoginCollector(Collector):
    def __init__(self, hall: str, knocks: Callable[[], Mapping[str, int]], sessions: Callable[[], int]) -> None:
        self._hall = hall
        self._knocks = knocks
        self._sessions = sessions

    def collect(self) -> Iterator[Metric]:
        metric = CounterMetricFamily("certspool_logins", "Log-ins by password, by outcome.", labels=["hall", "outcome"])
        for outcome, count in self._knocks().items():
            metric.add_metric([self._hall, outcome], count)
        yield metric
        yield _gauge("certspool_sessions", "Who is logged in.", ["hall"], {(self._hall,): self._sessions()})


class _HallCollector(Collector):
    def __init__(
        self,
        hall: str,
        ledger: Ledger,
        board: Board,
        is_connected: Callable[[], bool],
        clock: Callable[[], datetime],
        foreign_jobs: Callable[[], Mapping[str, int]],
        blocked_reprints: Callable[[], Mapping[str, int]],
        broker_end: Callable[[], datetime | None],
    ) -> None:
        self._hall = hall
        self._ledger = ledger
        self._board = board
        self._is_connected = is_connected
        self._clock = clock
        self._foreign_jobs = foreign_jobs
        self._blocked_reprints = blocked_reprints
        self._broker_end = broker_end

    def describe(self) -> Iterable[Metric]:
        """Nothing: at registration no ledger is asked."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield _gauge("certspool_build_info", "Which version runs.", ["version"], {(version("certspool"),): 1})
        yield self._jobs()
        yield from self._waiting()
        yield self._passes()
        yield self._printers()
        yield self._calibrated()
        yield self._findings()
        yield self._by_printer(
            "certspool_foreign_jobs", "Jobs of others seen in certificate queues.", self._foreign_jobs()
        )
        yield self._by_printer(
            "certspool_blocked_reprints", "Passes asked for again after they were sent.", self._blocked_reprints()
        )
        yield self._blanks()
        yield self._not_trusted()
        yield _gauge(
            "certspool_outbox_depth",
            "Reports that the broker has not confirmed.",
            ["link"],
            {("reports",): self._ledger.outbox.depth()},
        )
        now = self._clock()
        oldest = [datetime.fromisoformat(row["at"]) for row in self._ledger.outbox.oldest(now)]
        yield _gauge(
            "certspool_outbox_age_seconds",
            "Age of the report that waits longest.",
            ["link"],
            {("reports",): max(0.0, (now - min(oldest, default=now)).total_seconds())},
        )
        yield _gauge("certspool_audit_entries", "Entries of the audit log.", [], {(): self._ledger.audit.entries()})
        yield _gauge(
            "certspool_link_up", "Whether the broker is connected.", ["link"], {("hall",): self._is_connected()}
        )
        yield self._keys()

    def _keys(self) -> Metric:
        """Only the certificate at the broker: when the keys of the trust directory end, home says."""
        end = self._broker_end()
        ends = {} if end is None else {("broker", self._hall): end.timestamp()}
        return _gauge("certspool_key_expiry_timestamp_seconds", "When a key ends.", ["kind", "owner"], ends)

    def _jobs(self) -> Metric:
        counts = {(r, self._hall, kind, state): n for (r, kind, state), n in self._ledger.orders.counts().items()}
        return _gauge("certspool_jobs", "Orders here by state.", ["registry", "hall", "kind", "state"], counts)

    def _waiting(self) -> Iterator[Metric]:
        now = self._clock()
        waiting: dict[tuple[str, ...], float] = {}
        ages: dict[tuple[str, ...], float] = {}
        late: dict[tuple[str, ...], float] = {}
        for order in self._ledger.orders.active():
            late_key = (order.registry, self._hall)
            late[late_key] = late.get(late_key, 0) + (order.deadline < now)
            for reason in order.reasons:
                key = (order.registry, self._hall, reason)
                waiting[key] = waiting.get(key, 0) + 1
                age_key = (self._hall, reason)
                ages[age_key] = max(ages.get(age_key, 0), (now - order.received_at).total_seconds())
        yield _gauge("certspool_jobs_waiting", "Orders by reason.", ["registry", "hall", "reason"], waiting)
        yield _gauge("certspool_wait_age_seconds", "Age of the oldest such order.", ["hall", "reason"], ages)
        yield _gauge("certspool_jobs_late", "Orders past their deadline.", ["registry", "hall"], late)

    def _passes(self) -> Metric:
        metric = CounterMetricFamily(
            "certspool_passes", "Tries of passes that ended, by outcome.", labels=["hall", "printer", "outcome"]
        )
        for (printer, outcome), count in self._ledger.tries.outcomes().items():
            metric.add_metric([self._hall, printer, outcome], count)
        return metric

    def _printers(self) -> Metric:
        values = {}
        for printer in self._board.facts():
            now = "paused" if printer.is_paused else printer.state
            values.update({(self._hall, printer.name, state): float(state == now) for state in _STATES})
        return _gauge("certspool_hall_printer_state", "1 for the state it is in.", ["hall", "printer", "state"], values)

    def _calibrated(self) -> Metric:
        labels = ["hall", "printer", "stock"]
        values = {
            (self._hall, printer.name, printer.stock.value): float(None not in printer.calibration.values())
            for printer in self._board.facts()
        }
        says = "0: a side of the printer's stock is not calibrated, and nothing that has it is printed there."
        return _gauge("certspool_hall_printer_calibrated", says, labels, values)

    def _findings(self) -> Metric:
        values = dict[tuple[str, ...], float]()
        for printer in self._board.facts():
            for finding in printer.findings:
                key = (self._hall, printer.name, finding.code, finding.severity.value)
                values[key] = values.get(key, 0) + 1
        labels = ["hall", "printer", "code", "severity"]
        return _gauge("certspool_hall_findings", "What the doctor finds now.", labels, values)

    def _by_printer(self, name: str, says: str, counts: Mapping[str, int]) -> Metric:
        metric = CounterMetricFamily(name, says, labels=["hall", "printer"])
        for printer, count in counts.items():
            metric.add_metric([self._hall, printer], count)
        return metric

    def _blanks(self) -> Metric:
        counts = {(self._hall, str(s), status): float(n) for (s, status), n in self._ledger.blanks.counts().items()}
        return _gauge("certspool_hall_blanks", "Blanks by status.", ["hall", "stock", "status"], counts)

    def _not_trusted(self) -> Metric:
        metric = CounterMetricFamily(
            "certspool_orders_not_trusted", "Orders refused or quarantined.", labels=["hall", "code"]
        )
        for code, count in self._ledger.quarantine.counts().items():
            metric.add_metric([self._hall, code], count)
        return metric


def _gauge(name: str, says: str, labels: list[str], values: Mapping[Any, float]) -> Metric:
    metric = GaugeMetricFamily(name, says, labels=labels)
    for key, value in values.items():
        metric.add_metric([str(label) for label in key], float(value))
    return metric
