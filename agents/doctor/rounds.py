"""The doctor inside the agent: looks at start, each minute, and before a pass begins when the last look is older (step 5)."""

from collections.abc import Callable, Mapping
from threading import Condition, Event, Thread
from time import monotonic
from uuid import UUID

import structlog

from agents.doctor.facts import Facts, JobFacts
from agents.doctor.findings import Finding, unsafe_for
from agents.doctor.judgement import examine
from agents.printers import Job

_log = structlog.get_logger()
EVERY_SECONDS = 60.0
PATIENCE_SECONDS = 10.0
LATE_SECONDS = 5.0  # a round takes its time
_FOREIGN = ("foreign-job", "foreign-uuid")
_BLOCKED = ("blocked-reprint",)
_LEFT = ("document-left",)

Told = Callable[[tuple[Finding, ...]], None]


class Rounds:
    """One thread from `start` to `stop`; `may_begin` is asked by the printers' workers."""

    def __init__(
        self, look: Callable[[], Facts], *, told: Told = lambda findings: None, every_seconds: float = EVERY_SECONDS
    ) -> None:
        self._look = look
        self._told = told
        self._every_seconds = every_seconds
        self._looked_at = float("-inf")
        self._findings: tuple[Finding, ...] = ()
        self._alarmed = set[Finding]()
        self._foreign: dict[str, int] = {}
        self._blocked: dict[str, int] = {}
        self._changed = Condition()
        self._wake = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="doctor", daemon=True)

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self._findings

    @property
    def foreign(self) -> Mapping[str, int]:
        """How many foreign jobs were seen in each queue since the start."""
        return dict(self._foreign)

    @property
    def blocked(self) -> Mapping[str, int]:
        """How many times, since the start, a queue was asked for what it had sent."""
        return dict(self._blocked)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(10)

    def may_begin(self, printer: str) -> bool:
        """Whether a pass may begin there, by a look that is not older than a round. While CUPS does not answer, none may."""
        with self._changed:
            if not self._is_fresh():
                self._wake.set()
                self._changed.wait_for(lambda: self._is_fresh() or self._stopping.is_set(), PATIENCE_SECONDS)
            return self._is_fresh() and not unsafe_for(printer, self._findings)

    def look(self) -> None:
        """Look now, and tell what is otherwise than before."""
        began = monotonic()
        facts = self._look()
        if facts.queues is None:
            return  # what was found stands, and grows old
        findings = examine(facts)
        self._tell_changes(findings)
        with self._changed:
            self._findings, self._looked_at = findings, began
            self._changed.notify_all()
        self._told(findings)

    def _is_fresh(self) -> bool:
        return monotonic() < self._looked_at + self._every_seconds + LATE_SECONDS

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.look()
            # A file may vanish while it is looked at. Nothing is decided: without a look no pass begins.
            except Exception:
                _log.exception("doctor stumbled")
            self._wake.wait(self._every_seconds)

    def _tell_changes(self, findings: tuple[Finding, ...]) -> None:
        for finding in set(findings) - self._alarmed:
            for codes, counts in ((_FOREIGN, self._foreign), (_BLOCKED, self._blocked)):
                if finding.code in codes and finding.printer is not None:
                    counts[finding.printer] = counts.get(finding.printer, 0) + 1
            alarm = finding.is_unsafe or finding.code in _FOREIGN + _BLOCKED + _LEFT
            _log.warning(
                "unsafe set-up" if finding.is_unsafe else "set-up to be looked at",
                code=finding.code,
                printer=finding.printer,
                detail=finding.detail,
                alarm=alarm,
            )
        for finding in self._alarmed - set(findings):
            _log.info("set-up is right again", code=finding.code, printer=finding.printer, detail=finding.detail)
        self._alarmed = set(findings)


def by_journal(cups_job_of: Callable[[UUID], tuple[bool, int | None]]) -> Callable[[Job], JobFacts]:
    """Tell our jobs by the journal, which knows each try's uuid before CUPS does. A title can be copied."""

    def ours(job: Job) -> JobFacts:
        is_known, number = (False, None) if job.uuid is None else cups_job_of(job.uuid)
        borrows = is_known and number not in (None, job.number)
        return JobFacts(job.number, job.queue, is_known and not borrows, borrows)

    return ours
