"""Time, chance and who is next: one seed decides all of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process whose code runs here is dead: nothing after it runs, what is durable stays."""


class Violated(Exception):
    """A promise was broken."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


@dataclass(frozen=True)
class Remedies:
    """What keeps the promises. A test switches one off, to see that the simulation notices."""

    claims_by_link: bool = True  # else by a rename, which overwrites
    syncs_disk: bool = True  # directories of the permits are fsynced
    syncs_ledger: bool = True  # a commit is on disk when it returns
    has_first: bool = True  # `first` is written before the backend starts
    owns_session: bool = True  # cupsd's kill does not reach the sender
    passes_locks_on: bool = True  # the real backend inherits the sender's locks
    locks_device: bool = True
    counts_by_offset: bool = True  # else by what went into a pipe
    checks_job: bool = True  # a permit is bound to its CUPS job, queue, device and content
    inbox_knows_orders: bool = True
    keeps_tombstones: bool = True
    keeps_letter_until_confirmed: bool = True
    takes_reports_once: bool = True
    keeps_report_order: bool = True
    acks_after_commit: bool = True
    waits_for_quiet: bool = True
    holds_back_callbacks: bool = True
    revokes_keys: bool = True  # of a hall that is written off


class Process:
    """A living program. What it holds is gone when it dies."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_alive = True

    def kill(self) -> None:
        self.is_alive = False


@dataclass
class Actor:
    """Somebody who does something when his time has come; `act` returns in how many seconds to come back, None: when woken."""

    name: str
    act: Callable[[], float | None]
    of: Process | None = None  # whose code it is: killed with it
    due: float | None = 0.0
    weight: int = 1

    def wake(self, at: float) -> None:
        self.due = at if self.due is None else min(self.due, at)


@dataclass
class World:
    """What all parts of one run share."""

    seed: int
    remedies: Remedies = field(default_factory=Remedies)
    keeps_trace: bool = False
    switches: float = 0.12  # how often another thread or process acts between two steps of one
    now: float = 0.0
    points: int = 0
    is_calm: bool = False  # no faults any more: everything is to come to its end
    faults: Counter[str] = field(default_factory=Counter)
    trace: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.chance = self.random.random
        self.actors: list[Actor] = []
        self._running: set[str] = set()
        self._told_at, self._told = 0.0, START
        self._ids = 0
        self._errands = 0
        self.storm: Callable[[], None] = lambda: None
        self.storm_rate = 0.0

    # time

    def clock(self) -> datetime:
        if self._told_at != self.now:
            self._told_at, self._told = self.now, START + timedelta(seconds=self.now)
        return self._told

    def monotonic(self) -> float:
        return self.now

    def later(self, low: float, high: float) -> float:
        return low + (high - low) * self.chance()

    def passes(self, seconds: float) -> None:
        self.now += seconds

    # chance

    def new_id(self) -> UUID:
        self._ids += 1
        return UUID(int=self._ids, version=4)

    def happens(self, probability: float) -> bool:
        return self.chance() < probability

    def fault(self, kind: str, probability: float) -> bool:
        """Say whether this fault happens now, and count it."""
        if self.is_calm or self.chance() >= probability:
            return False
        self.faults[kind] += 1
        if self.keeps_trace:
            self.note(f"FAULT {kind}")
        return True

    def note(self, text: str) -> None:
        if self.keeps_trace:
            self.trace.append((self.now, text))

    # who is next

    def add(self, actor: Actor) -> Actor:
        self.actors.append(actor)
        return actor

    def at(self, process: Process | None = None) -> None:
        """A point between two steps of a program: others may act, and it may be killed here."""
        self.points += 1
        if process is not None and not process.is_alive:
            raise Killed(process.name)
        if len(self._running) < 3 and self.chance() < self.switches:
            self.step()
            if process is not None and not process.is_alive:
                raise Killed(process.name)

    def step(self) -> bool:
        """Let somebody whose time has come act; False when nobody's ever will."""
        if not self.is_calm and self.chance() < self.storm_rate:
            self.points += 1
            self.storm()
            return True
        now, running = self.now, self._running
        ready = [a for a in self.actors if (due := a.due) is not None and due <= now and a.name not in running]
        if not ready:
            return self._wait()
        actor = ready[int(self.chance() * len(ready))]
        self._run(actor)
        return True

    def _wait(self) -> bool:
        """Nobody has anything to do: time passes until somebody has."""
        if self._running:  # in the middle of somebody's step: he is the one
            self.now += 0.01
            return True
        times = [a.due for a in self.actors if a.due is not None]
        if not times:
            return False
        self.now = max(self.now, min(times))
        self.points += 1
        return True

    def _run(self, actor: Actor) -> None:
        self.points += 1
        self.now += 0.005 + 0.03 * self.chance()
        actor.due = None
        self._running.add(actor.name)
        try:
            pause = actor.act()
        except Killed:
            pause = 1.0  # of a person whose call died with the daemon; a thread is gone with its process
        finally:
            self._running.discard(actor.name)
        if pause is not None and (actor.of is None or actor.of.is_alive):
            actor.wake(self.now + pause)

    def soon(self, seconds: float, name: str, call: Callable[[], None]) -> None:
        """Let this be done once, after some time."""
        self._errands += 1

        def errand() -> None:
            self.actors.remove(actor)
            call()

        actor = self.add(Actor(f"{name} {self._errands}", errand, due=self.now + seconds))

    def leave(self, process: Process) -> None:
        """A process is gone with all its threads."""
        self.actors = [a for a in self.actors if a.of is not process]


Steps = Iterator[float | None]


class Program(Process):
    """A process written as a generator: each `yield` is a point where it may be killed, with how long it sleeps."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(name)
        self.world = world
        self.code: int | None = None
        self._steps: Steps | None = None
        self._parent: Callable[[], None] = lambda: None

    def run(self, steps: Steps, on_exit: Callable[[], None] = lambda: None) -> None:
        self._steps, self._parent = steps, on_exit
        self.world.add(Actor(self.name, self._act, of=self))

    def _act(self) -> float | None:
        assert self._steps is not None
        try:
            pause = next(self._steps)
        except StopIteration as end:
            self.code = end.value
            self._end()
            return None
        return pause or 0.0

    def kill(self) -> None:
        if self.is_alive:
            self._end()

    def _end(self) -> None:
        self.is_alive = False
        self.world.leave(self)
        if self._steps is not None:
            self._steps.close()  # type: ignore[attr-defined]
        self._parent()


def brief(value: Any) -> str:
    """A short name of an id, the same in every run."""
    return f"#{value.int & 0xFFFF}" if isinstance(value, UUID) else str(value)
