"""Every metric of the home, each name once. What the store knows is read from it when asked; the rest is counted as it happens.

No label ever holds more than ids and words: no name, no number of a document, no request id.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from spooler.job import JobState
from spooler.store import Store
from spooler.store.callbacks import PARKED, PENDING
from spooler.store.values import Alarm, Moved
from spooler.wire.messages import PassReport
from spooler.wire.trust import Trust

STANDINGS = ("ok", "reconcile", "cloned")
PRINTER_STATES = ("idle", "processing", "stopped")
NOT_CALIBRATED = "not-calibrated"  # among a printer's reasons in the heartbeat
STAGES: Mapping[JobState, str] = {  # the stage that ends with this state
    JobState.SEALED: "prepare",
    JobState.SENT: "send",
    JobState.RECEIVED: "receive",
    JobState.PRINTING: "release",
    JobState.PRINTED: "print",
    JobState.ISSUED: "issue",
}
BUCKETS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)


@dataclass(frozen=True)
class KeyExpiry:
    """When a key or certificate ends."""

    kind: str
    owner: str
    at: datetime


class Metrics:
    """What is counted as it happens."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "certspool_requests", "Requests answered.", ["registry", "channel", "code"], registry=self.registry
        )
        self._stages = Histogram(
            "certspool_stage_seconds", "Time in each stage.", ["stage"], buckets=BUCKETS, registry=self.registry
        )
        self._passes = Counter(
            "certspool_passes", "Passes as halls report them.", ["hall", "printer", "outcome"], registry=self.registry
        )
        self._electronic = Histogram(
            "certspool_electronic_seconds",
            "From acceptance to the electronic certificate.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._verified = Counter(
            "certspool_verify_answers", "Answers of the page beside the API.", ["answer"], registry=self.registry
        )
        self._refused = Counter(
            "certspool_jobs_refused", "Accepted jobs that ended without paper.", ["code"], registry=self.registry
        )
        self._alarms = Counter(
            "certspool_alarms", "What must not happen, and did.", ["code", "hall"], registry=self.registry
        )
        self._logins = Counter(
            "certspool_logins", "Log-ins by password, by outcome.", ["outcome"], registry=self.registry
        )

    def count_request(self, registry: str, channel: str, code: str) -> None:
        self._requests.labels(registry, channel, code).inc()

    def count_move(self, moved: Moved) -> None:
        stage = STAGES.get(moved.after)
        if stage is not None:
            self._stages.labels(stage).observe(moved.seconds)
        if moved.refused is not None:
            self._refused.labels(moved.refused).inc()

    def time_electronic(self, seconds: float) -> None:
        self._electronic.observe(seconds)

    def count_verify(self, answer: str) -> None:
        self._verified.labels(answer).inc()

    def count_pass(self, report: PassReport) -> None:
        self._passes.labels(report.hall, report.printer, report.outcome).inc()

    def count_login(self, outcome: str) -> None:
        self._logins.labels(outcome).inc()

    def watch_sessions(self, count: Callable[[], int]) -> None:
        """Let whoever asks be told how many are logged in."""
        Gauge("certspool_sessions", "Who is logged in.", registry=self.registry).set_function(count)

    def count_alarm(self, alarm: Alarm) -> None:
        self._alarms.labels(alarm.code, alarm.hall or "").inc()


class StoreFigures(Collector):
    """What the store knows, read at each scrape."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        expiries: Callable[[], Iterable[KeyExpiry]] = tuple,
        endpoints: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._figures = store.figures
        self._clock = clock
        self._expiries = expiries
        self._endpoints = tuple(endpoints)

    def describe(self) -> Iterable[Metric]:
        """Nothing is read before the first scrape."""
        return ()

    def collect(self) -> Iterable[Metric]:
        yield from self._jobs()
        yield from self._links()
        yield from self._halls()
        yield from self._electronics()
        yield from self._kept()
        yield from self._keys()

    def _jobs(self) -> Iterable[Metric]:
        jobs = _gauge("certspool_jobs", "Jobs by state.", "registry", "hall", "kind", "state")
        for labels, count in self._figures.jobs().items():
            jobs.add_metric(labels, count)
        yield jobs
        waiting = _gauge("certspool_jobs_waiting", "Jobs with a reason.", "registry", "hall", "reason")
        age = _gauge("certspool_wait_age_seconds", "Age of the oldest wait.", "hall", "reason")
        oldest: dict[tuple[str, str], datetime] = {}
        for wait in self._figures.waits():
            waiting.add_metric((wait.registry, wait.hall, wait.reason), wait.count)
            key = (wait.hall, wait.reason)
            oldest[key] = min(oldest.get(key, wait.since), wait.since)
        for place, since in oldest.items():
            age.add_metric(place, max(0.0, (self._clock() - since).total_seconds()))
        yield from (waiting, age)
        late = _gauge("certspool_jobs_late", "Open jobs past their deadline.", "registry", "hall")
        for where, count in self._figures.late().items():
            late.add_metric(where, count)
        yield late

    def _audit(self) -> Iterable[Metric]:
        entries = _gauge("certspool_audit_entries", "Entries of the audit log.")
        entries.add_metric((), self._store.audit.entries())
        yield entries
        vouched = _gauge("certspool_audit_vouched_timestamp_seconds", "When the hall last vouched for our log.", "hall")
        for hall, at in self._store.audit.vouched().items():
            vouched.add_metric((hall,), at.timestamp())
        yield vouched

    def _links(self) -> Iterable[Metric]:
        outbox = _gauge("certspool_outbox_depth", "Letters that wait for the broker.", "link")
        outbox.add_metric(("home",), self._store.outbox.depth())
        yield outbox
        age = _gauge("certspool_outbox_age_seconds", "Age of the letter that waits longest.", "link")
        oldest = self._store.outbox.oldest()
        age.add_metric(("home",), 0.0 if oldest is None else max(0.0, (self._clock() - oldest).total_seconds()))
        yield age
        yield from self._audit()
        dead = _gauge("certspool_dead_letters", "Letters given up and not settled since.", "type")
        for type_, count in self._store.dead.counts().items():
            dead.add_metric((type_,), count)
        yield dead
        missing = _gauge(
            "certspool_reports_missing", "Reports that a gap in the hall's chain says are missing.", "hall"
        )
        for hall, count in self._store.gaps.open_by_hall().items():
            missing.add_metric((hall,), count)
        yield missing
        counts = self._store.callbacks.counts()
        names = sorted({*self._endpoints, *(endpoint for endpoint, _ in counts)})
        for state, what in ((PENDING, "Callbacks not yet taken."), (PARKED, "Callbacks given up until replayed.")):
            gauge = _gauge(f"certspool_callbacks_{state}", what, "endpoint")
            for name in names:
                gauge.add_metric((name,), counts.get((name, state), 0))
            yield gauge

    def _halls(self) -> Iterable[Metric]:
        spoke = _gauge("certspool_hall_last_report_timestamp_seconds", "When the hall last spoke.", "hall")
        blanks = _gauge("certspool_hall_blanks", "Blanks by the hall's last heartbeat.", "hall", "stock", "status")
        clocks = _gauge(
            "certspool_hall_clock_offset_seconds", "Hall's clock minus ours, by its last heartbeat.", "hall"
        )
        standing = _gauge("certspool_hall_standing", "1 for how it stands.", "hall", "standing")
        printers = _gauge("certspool_hall_printer_state", "1 for the state it is in.", "hall", "printer", "state")
        calibrated = _gauge(
            "certspool_hall_printer_calibrated",
            "0: a side of the printer's stock is not calibrated, and nothing that has it is printed there.",
            *("hall", "printer", "stock"),
        )
        for hall in self._store.halls.all():
            spoke.add_metric((hall.hall,), hall.last_report_at.timestamp())
            if hall.clock_offset_seconds is not None:
                clocks.add_metric((hall.hall,), hall.clock_offset_seconds)
            for one in STANDINGS:
                standing.add_metric((hall.hall, one), float(one == hall.standing))
            for count in hall.blanks:
                blanks.add_metric((hall.hall, count["stock"], count["status"]), count["count"])
            for printer in hall.printers:
                is_calibrated = NOT_CALIBRATED not in printer.get("reasons", ())
                calibrated.add_metric((hall.hall, printer["name"], printer["stock"]), float(is_calibrated))
                for state in {*PRINTER_STATES, printer["state"]}:
                    printers.add_metric((hall.hall, printer["name"], state), float(state == printer["state"]))
        yield from (spoke, clocks, standing, blanks, printers, calibrated)

    def _electronics(self) -> Iterable[Metric]:
        issued = _gauge("certspool_electronic", "Electronic certificates.", "registry", "kind", "validity")
        for labels, count in self._store.electronics.counts().items():
            issued.add_metric(labels, count)
        due, since = self._store.electronics.waiting()
        waiting = _gauge("certspool_electronic_waiting", "Files of electronic certificates that are to be made.")
        waiting.add_metric((), due)
        age = _gauge("certspool_electronic_wait_age_seconds", "Age of the oldest of them.")
        age.add_metric((), max(0.0, (self._clock() - since).total_seconds()) if since else 0.0)
        yield from (issued, waiting, age)

    def _kept(self) -> Iterable[Metric]:
        files = _gauge("certspool_documents_to_destroy", "Files past their time that are not gone yet.")
        files.add_metric((), len(self._store.kept.to_destroy()))
        yield files
        held = _gauge("certspool_legal_holds", "Jobs whose documents a legal hold keeps.")
        held.add_metric((), len(self._store.kept.holds()))
        yield held

    def _keys(self) -> Iterable[Metric]:
        keys = _gauge("certspool_key_expiry_timestamp_seconds", "When a key ends.", "kind", "owner")
        for expiry in self._expiries():
            keys.add_metric((expiry.kind, expiry.owner), expiry.at.timestamp())
        yield keys
        build = _gauge("certspool_build_info", "What runs here.", "version")
        build.add_metric((_version(),), 1)
        yield build


def key_expiries(trust: Trust, registries: Collection[str]) -> list[KeyExpiry]:
    """Return when the keys end that orders and reports depend on: of each kind and owner the one that ends last."""
    records = [
        *((registry, key) for registry in registries for key in trust.registries[registry].ticket_keys),
        *((registry, key) for registry in registries for key in trust.registries[registry].grant_keys),
        *((hall.hall, key) for hall in trust.halls.values() for key in (*hall.report_keys, *hall.wrap_keys)),
        *((hall.hall, key) for hall in trust.halls.values() for key in hall.grant_keys),
    ]
    latest: dict[tuple[str, str], datetime] = {}
    for owner, key in records:
        if key.revoked_at is None:
            place = (key.use, owner)
            latest[place] = max(latest.get(place, key.not_after), key.not_after)
    return [KeyExpiry(use, owner, at) for (use, owner), at in sorted(latest.items())]


def grant_expiries(trust: Trust, registries: Collection[str]) -> list[KeyExpiry]:
    """Return when the signed grants of these registries end: from then on nothing is printed there."""
    served, agreed = frozenset(registries), trust.agreed or {}
    return [
        KeyExpiry("granted", ".".join(pair), one.not_after) for pair, one in sorted(agreed.items()) if pair[0] in served
    ]


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, labels=labels)


def _version() -> str:
    try:
        return version("certspool")
    except PackageNotFoundError:
        return "0"
