"""The home's work: each job that waits for a step gets it, from workers that are woken, and swept for what was left over.

    accepted ─ prepare ─▶ sealed ─ dispatch ─▶ (letter kept; `sent` when the broker confirmed)

Every step may run twice. A step that fails is tried again later, and told; the job stays where it is.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Condition, Thread

import structlog

from spooler.job import JobState
from spooler.store import Store
from spooler.store.values import Alarm, Work

Step = Callable[[Work], None]

SWEEP_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 300.0

_log = structlog.get_logger()


def next_steps(*, prepare: Step, dispatch: Step) -> Mapping[JobState, Step]:
    """Return the whole work of the home in one table."""
    return {
        JobState.ACCEPTED: prepare,  # ticket, seal, keep the document
        JobState.SEALED: dispatch,  # wrap, put the order into the outbox
    }


class Pipeline:
    """Worker threads that take waiting jobs one step further, oldest first."""

    def __init__(
        self,
        *,
        store: Store,
        steps: Mapping[JobState, Step],
        clock: Callable[[], datetime],
        workers: int = 2,
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._store = store
        self._steps = steps
        self._clock = clock
        self._sweep_seconds = sweep_seconds
        self._turn = Condition()
        self._waiting: deque[str] = deque()
        self._in_hand: set[str] = set()
        self._is_stirred = True
        self._is_stopping = False
        self._threads = [Thread(target=self._run, name=f"pipeline-{n}", daemon=True) for n in range(workers)]

    @property
    def is_alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that a job may wait. Any thread may."""
        with self._turn:
            self._is_stirred = True
            self._turn.notify()

    def stop(self) -> None:
        with self._turn:
            self._is_stopping = True
            self._turn.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def work_off(self) -> None:
        """Do in this thread all that is due now."""
        self._is_stirred = True
        while (job_id := self._next()) is not None:
            self._advance(job_id)

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self._take_turn()
            # The store itself failed (disk full): nobody above this thread could do better than try again.
            except Exception as e:
                _log.error("pipeline failed", exc_info=e)
                self._rest()

    def _take_turn(self) -> None:
        job_id = self._next()
        if job_id is not None:
            self._advance(job_id)
            return
        with self._turn:
            if not self._is_stirred and not self._is_stopping:
                self._is_stirred = not self._turn.wait(self._sweep_seconds) or self._is_stirred

    def _rest(self) -> None:
        with self._turn:
            self._is_stirred = True
            if not self._is_stopping:
                self._turn.wait(FIRST_BACKOFF_SECONDS)

    def _next(self) -> str | None:
        """Return a job that nobody has in hand, and put it into ours."""
        with self._turn:
            if not self._waiting and self._is_stirred:
                self._is_stirred = False
                found = self._store.jobs.waiting(self._steps, self._clock())
                self._waiting.extend(job_id for job_id in found if job_id not in self._in_hand)
                # There may be more than one look shows.
                self._is_stirred = bool(self._waiting)
            if not self._waiting:
                return None
            job_id = self._waiting.popleft()
            self._in_hand.add(job_id)
            self._turn.notify()
            return job_id

    def _advance(self, job_id: str) -> None:
        try:
            self._step_on(job_id)
        except Exception as e:
            self._put_off(job_id, e)
        finally:
            with self._turn:
                self._in_hand.discard(job_id)

    def _step_on(self, job_id: str) -> None:
        """Take every step that follows at once from the one before."""
        done: JobState | None = None
        while (work := self._store.jobs.work(job_id)) is not None and work.state is not done:
            step = self._steps.get(work.state)
            if step is None:
                return
            step(work)
            done = work.state

    def _put_off(self, job_id: str, error: Exception) -> None:
        work = self._store.jobs.work(job_id)
        tries = work.tries if work else 0
        seconds = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(tries, 20)) * random.uniform(0.5, 1)
        _log.error("step failed", job_id=job_id, tries=tries + 1, again_in_seconds=round(seconds, 1), exc_info=error)
        self._store.jobs.postpone(job_id, seconds)
        if tries == 0:
            with self._store.changing() as change:
                code = str(getattr(error, "code", "step-failed"))
                change.alarm(Alarm(code, job_id=job_id, detail=type(error).__name__))
