"""A cupsd that does all that `cups.md` measured: forgets within 30 s of a kill, sends again, gives a job number twice, loses answers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from agents import once
from agents.printers import Cups, CupsRefused, CupsUnreachable, Job, JobState, QueueFacts
from tests.simulation.backend import Backends, Start, Wrapper
from tests.simulation.device import Device
from tests.simulation.paper import foreign_page
from tests.simulation.world import Actor, Process, World

_ENDED = (JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED)


@dataclass(frozen=True)
class CupsJob:
    """A job as cupsd has it."""

    number: int
    uuid: UUID
    title: str
    queue: str
    state: JobState
    content: bytes | None = None
    sends_again: bool = False  # the queue was stopped or the job held while it ran


@dataclass
class Queue:
    """A queue, and the device behind it."""

    name: str
    device: Device
    is_stopped: bool = False
    wrapper: Wrapper | None = None
    running: int | None = None


@dataclass
class Cupsd:
    """The server. `dirty_seconds` is its DirtyCleanInterval."""

    world: World
    backends: Backends
    queues: dict[str, Queue]
    is_raw: bool
    as_root: bool
    dirty_seconds: float
    is_up: bool = True
    jobs: dict[int, CupsJob] = field(default_factory=dict)
    _last: int = 0
    _saved: tuple[dict[int, CupsJob], int] = ({}, 0)
    _save_at: float | None = None

    def __post_init__(self) -> None:
        self._actors = {
            name: self.world.add(Actor(f"queue {name}", self._serve(queue), due=None))
            for name, queue in self.queues.items()
        }

    # what a client asks for

    def create(self, queue: str, uuid: UUID, title: str, state: JobState = JobState.HELD) -> int:
        self._last += 1
        self._put(CupsJob(self._last, uuid, title, queue, state))
        return self._last

    def content(self, number: int, content: bytes | None) -> None:
        self._put(replace(self.jobs[number], content=content))

    def let_go(self, number: int) -> None:
        job = self.jobs.get(number)
        if job is None or job.state in _ENDED:
            raise CupsRefused("the job has ended")
        if job.state is JobState.HELD:
            self._put(replace(job, state=JobState.PENDING))
            self._stir(job.queue)

    def cancel(self, number: int) -> None:
        job = self.jobs.get(number)
        if job is None or job.state in _ENDED:
            return
        self._put(replace(job, state=JobState.CANCELED, sends_again=False))
        # The wrapper ignores the SIGTERM; after 30 s it gets a SIGKILL.
        queue = self.queues[job.queue]
        if queue.running == number and queue.wrapper is not None:
            self._kill_wrapper(queue)

    # what it does by itself

    def _serve(self, queue: Queue) -> Callable[[], float | None]:
        def serve() -> float | None:
            self._save_if_due()
            if not self.is_up or queue.is_stopped or queue.running is not None:
                return None
            waiting = [j for j in self.jobs.values() if j.queue == queue.name and j.state is JobState.PENDING]
            if waiting:
                self._start(queue, min(waiting, key=lambda job: job.number))
            return None

        return serve

    def _start(self, queue: Queue, job: CupsJob) -> None:
        self._put(replace(job, state=JobState.PROCESSING, sends_again=False))
        content = job.content or b""
        if not self.is_raw and content and self.world.fault("filter killed", 0.03):
            content = content[: len(content) // 2]
        arguments = (str(job.number), "user", job.title, "1", f"job-uuid={job.uuid.urn}")
        call = once.Call(arguments, str(job.uuid), queue.name, queue.device.uri)
        queue.running = job.number
        queue.wrapper = self.backends.start(
            Start(call, content, queue.device), lambda code: self._ended(queue, job.number, code)
        )

    def _ended(self, queue: Queue, number: int, code: int | None) -> None:
        """The backend has exited, or was killed (no code)."""
        if queue.running != number or not self.is_up:
            return
        queue.running, queue.wrapper = None, None
        job = self.jobs.get(number)
        if job is not None and job.state is JobState.PROCESSING:
            self._put(replace(job, state=self._state_after(job, code), sends_again=False))
        self._stir(queue.name)

    def _state_after(self, job: CupsJob, code: int | None) -> JobState:
        if job.sends_again or (code is None and self.world.happens(0.5)):
            return JobState.PENDING
        return JobState.COMPLETED if code == 0 else JobState.ABORTED

    # what it does to jobs when people and power are unkind

    def disable(self, name: str) -> None:
        """`cupsdisable`: the backend is stopped, and the job comes again with `cupsenable`, whatever the exit."""
        queue = self.queues[name]
        queue.is_stopped = True
        self._again_after(queue)

    def enable(self, name: str) -> None:
        self.queues[name].is_stopped = False
        self._stir(name)

    def hold_and_resume(self, name: str) -> None:
        self._again_after(self.queues[name])

    def restart_job(self, number: int) -> None:
        """`lp -i N -H restart`, also of a job that has ended."""
        job = self.jobs[number]
        if job.content is not None and self.queues[job.queue].running != number:
            self._put(replace(job, state=JobState.PENDING))
            self._stir(job.queue)

    def move_job(self, number: int, queue: str) -> None:
        job = self.jobs[number]
        if self.queues[job.queue].running == number:
            self._kill_wrapper(self.queues[job.queue])
        self._put(replace(self.jobs[number], queue=queue, state=JobState.PENDING))
        self._stir(queue)

    def steal(self, uuid: UUID, queue: str, title: str) -> None:
        """Another local user prints under a job-uuid that he has seen."""
        number = self.create(queue, uuid, title, JobState.PENDING)
        self.content(number, foreign_page())
        self._stir(queue)

    def _again_after(self, queue: Queue) -> None:
        if queue.running is None:
            return
        job = self.jobs.get(queue.running)
        if job is not None and job.state is JobState.PROCESSING:
            self._put(replace(job, sends_again=True))
        self._kill_wrapper(queue)

    def _kill_wrapper(self, queue: Queue) -> None:
        wrapper = queue.wrapper
        if wrapper is not None and wrapper.is_alive:
            if not self.world.remedies.owns_session and wrapper.sender is not None:
                wrapper.sender.kill_with_group()
            wrapper.kill()

    def kill(self) -> None:
        """kill -9: backends go on, what was not yet saved is forgotten, also which numbers were given out."""
        self._save_if_due()
        self.is_up = False
        self._forget()

    def stop(self) -> None:
        """A stop as by systemd: backends are killed (as root: their process group at once), all is saved."""
        self.is_up = False
        self._save()
        for queue in self.queues.values():
            if self.as_root or self.world.happens(0.5):
                self._kill_wrapper(queue)
        self._forget()

    def start(self) -> None:
        """Start again: whatever was pending or processing by its state on disk is sent (again)."""
        self.is_up = True
        for job in list(self.jobs.values()):
            if job.state in (JobState.PROCESSING, JobState.STOPPED):
                self._put(replace(job, state=JobState.PENDING))
        for name in self.queues:
            self._stir(name)

    def power_cut(self) -> None:
        self._save_if_due()
        self.is_up = False
        self._forget()

    # what is on its disk

    def _put(self, job: CupsJob) -> None:
        self.jobs[job.number] = job
        if self.dirty_seconds == 0:
            self._save()
        elif self._save_at is None:
            self._save_at = self.world.now + self.dirty_seconds

    def _save_if_due(self) -> None:
        if self._save_at is not None and self.world.now >= self._save_at:
            self._save()

    def _save(self) -> None:
        self._saved, self._save_at = (dict(self.jobs), self._last), None

    def _forget(self) -> None:
        for queue in self.queues.values():
            queue.running, queue.wrapper = None, None
        jobs, self._last = self._saved
        self.jobs, self._save_at = dict(jobs), None

    def _stir(self, queue: str) -> None:
        self._actors[queue].wake(self.world.now + self.world.later(0, 0.3))


class SimulatedCups(Cups):
    """A worker's connection; what it makes of the answers (`check_spooled`, `cancel`) is the real code."""

    def __init__(self, world: World, server: Cupsd, process: Process) -> None:
        super().__init__(Path("/nowhere"))
        self._world = world
        self._server = server
        self._process = process
        self._facts = QueueFacts(
            server.is_raw, {} if server.is_raw else {"stock": (941.1, 677.5), "A4": (595.3, 841.9)}
        )

    def _asks(self) -> Cupsd:
        self._world.at(self._process)
        if not self._server.is_up:
            raise CupsUnreachable("cupsd is down")
        return self._server

    def _answers(self) -> None:
        self._world.at(self._process)
        if not self._server.is_up or self._world.fault("answer of cupsd lost", 0.01):
            raise CupsUnreachable("the answer was lost")

    def queue_facts(self, queue: str) -> QueueFacts:
        self._asks()
        return self._facts

    def queue_is_stopped(self, queue: str) -> bool:
        return self._asks().queues[queue].is_stopped

    def create(self, queue: str, uuid: UUID, title: str, page_size: str | None) -> int:
        number = self._asks().create(queue, uuid, title)
        self._answers()
        return number

    def send(self, queue: str, job: int, document: bytes) -> None:
        server = self._asks()
        if job not in server.jobs:
            raise CupsRefused("no such job")
        if not self._world.fault("upload cut and called OK", 0.01):
            server.content(job, document)
        self._answers()

    def release(self, job: int) -> None:
        self._asks().let_go(job)
        self._answers()

    def job(self, number: int) -> Job:
        job = self._asks().jobs.get(number)
        self._answers()
        if job is None:
            return Job(number, None, "", JobState.MISSING, "", 0, 0)
        return _seen(job)

    def cancel_job(self, number: int) -> None:
        self._asks().cancel(number)
        self._answers()

    def waiting_jobs(self) -> list[Job]:
        found = [_seen(job) for job in self._asks().jobs.values() if job.state not in _ENDED]
        self._answers()
        return found


def _seen(job: CupsJob) -> Job:
    size = 0 if job.content is None else -(-len(job.content) // 1024)
    documents = 0 if job.content is None else 1
    return Job(job.number, job.uuid, job.title, job.state, job.queue, documents, size)
