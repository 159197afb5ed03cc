"""Step 5: bring each released pass to paper at most once, by the pass protocol of design §4.

One worker thread a printer, with its own CUPS connection. It does one step at a time, each journalled in the `TryBook` before the next:

    intent ▶ create held ▶ send ▶ read back ▶ spooled ▶ issue the permit ▶ releasing ▶ let go ▶ judge until it is done, unknown or again

After a crash, and whenever a try ends, the same `judge` decides; nothing after `releasing` is redone save where the permit's fate proves
that no byte left. The values and the `TryBook` are in `tries`, the judgement in `verdict`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import structlog

from agents.device import Standing
from agents.order import PassState
from agents.pages import place, slice_pages
from agents.permit import Claim, Permit, PermitDirectory
from agents.printers import TITLE, Cups, CupsUnreachable, PrinterError
from agents.surroundings import Surroundings
from agents.tries import Evidence, ReleasedPass, Try, TryBook
from agents.verdict import Judgement, Signs, Verdict, judge
from agents.watch import Told, Watch
from spooler.daemon.crash import crash_point

__all__ = ["Evidence", "PrinterLine", "ReleasedPass", "Spool", "SpoolSettings", "Try", "TryBook", "slice_pages"]

FORGET_AFTER_SECONDS = 90 * 86400.0
IPP = ("ipp:", "ipps:", "http:", "https:")

_log = structlog.get_logger()


@dataclass(frozen=True)
class PrinterLine:
    """A printer as the hall configured it."""

    name: str  # the CUPS queue
    device: str  # the real URI, behind `once:`


@dataclass(frozen=True)
class SpoolSettings:
    """Where CUPS is, and how long things take."""

    socket: Path
    probes: Path | None = None
    limit_seconds: float = 300.0  # then the real backend is ended
    claim_seconds: float = 120.0  # unclaimed for so long, a permit is won back
    quiet_seconds: float = 60.0  # without data, where a device cannot be asked whether it is idle
    watch_seconds: float = 0.05  # a try in flight is looked at so often
    look_seconds: float = 1.0  # a device that is waited for, a CUPS job that has not started
    idle_seconds: float = 10.0  # a printer with nothing to do
    longest_pause_seconds: float = 30.0  # between tries that failed


class Spool:
    """The workers of all printers: `start`, `stop`, and `wake` when something was released."""

    def __init__(
        self,
        *,
        printers: Sequence[PrinterLine],
        book: TryBook,
        permits: PermitDirectory,
        settings: SpoolSettings,
        told: Told = lambda printer, standing: None,
        may_begin: Callable[[str], bool] = lambda printer: True,
        connect: Callable[[Path], Cups] = Cups,
    ) -> None:
        self._book = book
        self._permits = permits
        self._workers = {
            line.name: PrinterWorker(
                line,
                book=book,
                permits=permits,
                settings=settings,
                told=told,
                may_begin=may_begin,
                connect=connect,
            )
            for line in printers
        }

    def start(self) -> None:
        """Forget permits long closed, then let every printer's worker take up what is open."""
        is_open = {attempt.id for name in self._workers for attempt in self._book.open_tries(name)}
        self._permits.forget(FORGET_AFTER_SECONDS, frozenset(is_open))
        for worker in self._workers.values():
            worker.start()

    def stop(self) -> None:
        """Stop all workers; what is in flight goes on, and is judged at the next start."""
        for worker in self._workers.values():
            worker.ask_to_stop()
        for worker in self._workers.values():
            worker.join()

    def wake(self, printer: str | None = None) -> None:
        """Something was released (or resolved) for this printer, or for any."""
        for name, worker in self._workers.items():
            if printer in (None, name):
                worker.wake()

    def recall(self, try_id: UUID) -> bool:
        """Win an open try's permit back. True: nothing of it was or will be sent, and `again` follows; False: it was claimed first."""
        won = self._permits.revoke(try_id)
        self.wake()
        return won

    def standings(self) -> Mapping[str, Standing]:
        """How each printer stood when last looked at."""
        return {name: worker.standing for name, worker in self._workers.items()}


class PrinterWorker:
    """Drives one printer: one try in flight at a time, in a thread of its own."""

    def __init__(
        self,
        line: PrinterLine,
        *,
        book: TryBook,
        permits: PermitDirectory,
        settings: SpoolSettings,
        told: Told,
        connect: Callable[[Path], Cups],
        may_begin: Callable[[str], bool] = lambda printer: True,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._line = line
        self._surroundings = surroundings or Surroundings()
        self._monotonic = self._surroundings.monotonic
        self._book = book
        self._permits = permits
        self._settings = settings
        self._may_begin = may_begin  # the doctor's word
        self._cups = connect(settings.socket)
        self._watch = Watch(
            line.name,
            line.device,
            permits=permits,
            probes=settings.probes,
            quiet_seconds=settings.quiet_seconds,
            told=told,
            surroundings=self._surroundings,
        )
        self._open: list[Try] = []
        self._failures = 0
        self._wait_until = 0.0  # monotonic: no new try before
        self._next_look = 0.0  # monotonic: CUPS is asked again
        self._since = 0.0  # monotonic: this try was taken up
        self._cups_may_start = True
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"spool-{line.name}", daemon=True)

    @property
    def standing(self) -> Standing:
        return self._watch.standing

    def start(self) -> None:
        self._thread.start()

    def ask_to_stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    def join(self) -> None:
        self._thread.join(timeout=10)

    def wake(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        pause, is_recovered = 0.0, False
        while not self._stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            try:
                if not is_recovered:
                    self.recover()
                    is_recovered = True
                pause = self.step()
            except Exception:  # the journal may be full or locked: nothing is decided, and the same step comes again
                _log.exception("printer worker stumbled", printer=self._line.name)
                pause, is_recovered = self._settings.look_seconds * 5, False

    def recover(self) -> None:
        """Take up what the journal has open, and sweep held jobs that an earlier life left in this queue."""
        self._take_up(self._book.open_tries(self._line.name))
        for attempt in self._open:
            _log.info(
                "try taken up", printer=self._line.name, order_id=str(attempt.released.order_id), state=attempt.state
            )
        self._sweep()

    def step(self) -> float:
        """Do the next thing there is to do; return in how many seconds to look again."""
        if self._open:
            return self._follow(self._open[0])
        if (pause := self._wait_until - self._monotonic()) > 0:
            return pause
        released = self._book.next_pass(self._line.name)
        if released is None:
            self._watch.look_if_older(self._settings.idle_seconds)
            return self._settings.idle_seconds
        if not self._may_begin(self._line.name):
            return self._settings.look_seconds
        recent = self._settings.idle_seconds if self._failures == 0 else 0
        if not self._watch.takes(released, self._cups, seen_within_seconds=recent):
            return self._settings.look_seconds
        attempt = self._book.intent(released)
        if attempt is not None:
            crash_point("agent.after-intent-commit")
            self._begin(attempt)
        return 0.0

    # ---- From intent to releasing ----

    def _begin(self, attempt: Try) -> None:
        self._take_up([attempt])
        try:
            self._release(self._spool(attempt))
        except PrinterError as e:
            # Not decided here: the judgement of the journalled state is the same as after a crash.
            _log.warning("pass not released", printer=self._line.name, try_id=str(attempt.id), problem=str(e))

    def _spool(self, attempt: Try) -> Try:
        released, queue = attempt.released, self._line.name
        cut = self._surroundings.slice_pages(self._book.document(released.order_id), released.pages)
        document = place(cut, released.correction)  # what is hashed and permitted is what the backend gets
        page_size = self._cups.queue_facts(queue).page_size(released.width_mm, released.height_mm)
        job = self._cups.create(queue, attempt.id, attempt.title, page_size)
        crash_point("agent.after-create-job")
        self._book.created(attempt.id, job)
        crash_point("agent.after-created-commit")
        attempt = self._now(replace(attempt, state=PassState.CREATED, cups_job=job))
        self._cups.send(queue, job, document)
        crash_point("agent.after-send-document")
        self._cups.check_spooled(queue, job, attempt.id, len(document))
        crash_point("agent.after-read-back")
        self._book.spooled(attempt.id)
        crash_point("agent.after-spooled-commit")
        attempt = self._now(replace(attempt, state=PassState.SPOOLED))
        self._permits.issue(self._permit(attempt, document, is_raw=page_size is None))
        crash_point("agent.after-permit")
        return attempt

    def _release(self, attempt: Try) -> None:
        assert attempt.cups_job is not None
        if not self._book.releasing(attempt.id):
            return  # held or cancelled meanwhile: judged as `spooled`, so its permit is won back
        crash_point("agent.after-releasing-commit")
        self._now(replace(attempt, state=PassState.RELEASING))
        self._cups.release(attempt.cups_job)
        crash_point("agent.after-job-released")

    def _permit(self, attempt: Try, document: bytes, *, is_raw: bool) -> Permit:
        released = attempt.released
        assert attempt.cups_job is not None
        return Permit(
            uuid=attempt.id,
            job=attempt.cups_job,
            queue=self._line.name,
            device=self._line.device,
            pages=len(released.pages),
            until=released.not_after,
            limit_seconds=self._settings.limit_seconds,
            sha256=sha256(document).hexdigest() if is_raw else None,
            length=len(document) if is_raw else None,
            order=released.order_id,
            attempt=released.attempt,
            number=released.number,
        )

    # ---- From releasing to the end ----

    def _follow(self, attempt: Try) -> float:
        """Judge the open try and act on it."""
        judgement = judge(self._signs(attempt))
        if judgement.verdict is Verdict.WAIT:
            return self._wait_for(attempt, judgement)
        if judgement.verdict is Verdict.REVOKE:
            self._permits.revoke(attempt.id)
            return 0.0
        if judgement.verdict is Verdict.UNKNOWN and not self._watch.is_quiet():
            return self._settings.look_seconds
        self._close(attempt, judgement)
        return 0.0

    def _wait_for(self, attempt: Try, judgement: Judgement) -> float:
        """Wait for the sender; a permit that nobody claims is won back after a while."""
        waited = self._monotonic() - self._since
        self._watch.is_sending()
        if judgement.why == "released" and waited > self._settings.claim_seconds:
            self._permits.revoke(attempt.id)
        if waited > self._settings.look_seconds:
            self._watch.look_if_older(self._settings.look_seconds)
        return self._settings.watch_seconds if waited < 5 else self._settings.watch_seconds * 5

    def _close(self, attempt: Try, judgement: Judgement) -> None:
        evidence = self._evidence(attempt, judgement)
        if judgement.verdict is Verdict.DONE:
            self._book.done(attempt.id, evidence)
            crash_point("agent.after-done-commit")
            self._failures = 0
        elif judgement.verdict is Verdict.UNKNOWN:
            self._book.unknown(attempt.id, evidence)
            crash_point("agent.after-unknown-commit")
        else:
            self._book.again(attempt.id, judgement.why, evidence)
            crash_point("agent.after-again-commit")
            self._pause_before_next()
        _log.info(
            "try closed",
            printer=self._line.name,
            order_id=str(attempt.released.order_id),
            try_id=str(attempt.id),
            verdict=judgement.verdict.value,
            why=judgement.why,
        )
        self._take_up(self._open[1:])
        if judgement.verdict is not Verdict.DONE:
            self._tidy(attempt)

    def _signs(self, attempt: Try) -> Signs:
        fate = self._permits.fate(attempt.id)
        if fate.claim is Claim.NONE and attempt.state is PassState.RELEASING and self._monotonic() >= self._next_look:
            self._next_look = self._monotonic() + self._settings.look_seconds
            self._cups_may_start = self._ask_whether_cups_may_start(attempt)
            fate = self._permits.fate(attempt.id)  # claimed while CUPS was asked: that counts
        return Signs(attempt.state, fate, self._cups_may_start, self._line.device.startswith(IPP))

    def _ask_whether_cups_may_start(self, attempt: Try) -> bool:
        """A CUPS that does not answer may come back and start it."""
        assert attempt.cups_job is not None
        try:
            job = self._cups.job(attempt.cups_job)
        except CupsUnreachable:
            return True
        # A job number can be given out anew after a crash; the uuid is the job's own.
        return job.uuid == attempt.id and job.state.may_start

    def _evidence(self, attempt: Try, judgement: Judgement) -> Evidence:
        fate = self._permits.fate(attempt.id)
        return {
            "why": judgement.why,
            "permit": vars(fate) | {"claim": fate.claim.value},
            "device": {
                "state": self.standing.state.value,
                "reasons": list(self.standing.reasons),
                "seen": sorted(self._watch.seen),
            },
            "cups_job": attempt.cups_job,
        }

    # ---- Small things ----

    def _take_up(self, tries: Sequence[Try]) -> None:
        self._open = list(tries)
        self._since, self._next_look, self._cups_may_start = self._monotonic(), 0.0, True
        self._watch.takes_up()

    def _now(self, attempt: Try) -> Try:
        self._open[0] = attempt
        return attempt

    def _pause_before_next(self) -> None:
        self._failures += 1
        longest = min(self._settings.longest_pause_seconds, 0.25 * 2**self._failures)
        self._wait_until = self._monotonic() + self._surroundings.uniform(longest / 2, longest)

    def _tidy(self, attempt: Try) -> None:
        """Cancel what CUPS may still have of a closed try: started, it would find its permit spent."""
        try:
            self._cups.cancel(attempt.id)
        except PrinterError as e:
            _log.info("closed job left in CUPS", printer=self._line.name, try_id=str(attempt.id), problem=str(e))

    def _sweep(self) -> None:
        """Cancel jobs of ours that no open try knows: a Create-Job whose answer was lost leaves an empty held one."""
        known = {attempt.id for attempt in self._open}
        try:
            for job in self._cups.waiting_jobs():
                if job.queue == self._line.name and TITLE.fullmatch(job.title) and job.uuid not in known:
                    self._cups.cancel_job(job.number)
        except PrinterError as e:
            _log.info("old jobs not swept", printer=self._line.name, problem=str(e))
