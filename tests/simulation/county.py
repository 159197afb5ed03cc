"""One run: a county put together from a seed, a storm over it, then calm until everything has come to its end."""

from collections import Counter
from dataclasses import dataclass, field

from spooler.job import Reason, is_final
from tests.simulation.backend import Backends
from tests.simulation.broker import Broker
from tests.simulation.chaos import Chaos
from tests.simulation.checker import Checker
from tests.simulation.cupsd import Cupsd, Queue
from tests.simulation.device import FIRST, LAST, PREFIX, Device
from tests.simulation.disk import Disk
from tests.simulation.hall import PERMITS, HallSite, fill_trays
from tests.simulation.home import HomeSite
from tests.simulation.people import CLERK, Office
from tests.simulation.people import Counter as HallCounter
from tests.simulation.world import Remedies, Violated, World

STORM_STEPS = 240
LONGEST = 6000


@dataclass(frozen=True)
class Result:
    """What one seed came to."""

    seed: int
    steps: int
    sheets: int
    jobs: int
    dones: int
    asks: Counter[str]
    faults: Counter[str]
    states: Counter[str]
    violation: tuple[str, str] | None = None
    trace: list[tuple[float, str]] = field(default_factory=list)


class County:
    """Home, broker, one hall with its printers and people."""

    def __init__(self, seed: int, *, remedies: Remedies | None = None, keeps_trace: bool = False) -> None:
        self.world = world = World(seed, remedies or Remedies(), keeps_trace)
        chance = world.random
        self.checker = checker = Checker(world)
        self.broker = Broker(world)
        self.disk = Disk(world, PERMITS)
        self.backends = Backends(world, self.disk, checker.started, checker.claimed, checker.said, checker.done)
        devices = self._devices()
        self.cupsd = Cupsd(
            world,
            self.backends,
            {name: Queue(name, device) for name, device in devices.items()},
            is_raw=chance.random() < 0.3,
            as_root=chance.random() < 0.5,
            dirty_seconds=chance.choice((0.0, 0.0, 30.0)),
        )
        self.site = HallSite(
            world,
            broker=self.broker,
            disk=self.disk,
            cupsd=self.cupsd,
            devices=devices,
            release=chance.choice(("auto", "person")),
        )
        checker.watch(self.site)
        order_seconds = chance.choice((40.0, 300.0, 86400.0, 86400.0))
        self.home = HomeSite(world, self.broker, order_seconds=order_seconds)
        world.is_calm = True
        self.site.start_agent()
        self._fill(devices)
        self.home.start_home()
        world.is_calm = False
        self.counter = HallCounter(world, self.site, checker, returns=chance.choice((0.0, 0.0, 0.03)))
        self.office = Office(
            world, self.home, self.site, wanted=chance.choice((1, 1, 2, 3)), acts=chance.choice((0.0, 0.15, 0.5))
        )
        rate = chance.choice((0.0, 0.01, 0.03, 0.08))
        self.chaos = Chaos(world, self.home, self.site, self.cupsd, self.backends, lost=checker.lost, rate=rate)

    def _devices(self) -> dict[str, Device]:
        world = self.world
        scheme = world.random.choice(("virtual:/%s", "socket://%s:9100", "ipp://%s/ipp"))
        names = ("booklet-1", "plain-1") if world.happens(0.4) else ("booklet-1",)
        return {
            name: Device(world, name, scheme % name, name.startswith("booklet"), self.checker.printed) for name in names
        }

    def _fill(self, devices: dict[str, Device]) -> None:
        agent = self.site.agent
        assert agent is not None
        first, last = f"{PREFIX}{FIRST:011d}", f"{PREFIX}{LAST:011d}"
        fill_trays(agent.core, CLERK, [name for name, device in devices.items() if device.has_serials], first, last)

    def run(self, storm_steps: int = STORM_STEPS) -> None:
        """Raises Violated."""
        world = self.world
        while world.points < storm_steps:
            world.step()
        self.chaos.calm()
        world.note("calm")
        while not self._is_over():
            self.office.resume_all()
            for _ in range(20):
                world.step()
            if world.points > LONGEST:
                raise Violated("I2", f"it does not come to an end: {self._open()}")
        self.checker.ended(self.home)

    def _is_over(self) -> bool:
        return self.office.is_done and not self._open() and not self._is_talking()

    def _open(self) -> list[str]:
        return [
            f"{job.state} {job.reasons}"
            for job in self.home.store.jobs.values()
            if not is_final(job.state) and Reason.ORDER_EXPIRED not in job.reasons.split()
        ]

    def _is_talking(self) -> bool:
        queues = any(self.broker.queues.values())
        letters = bool(self.home.store.letters) or self.site.ledger.outbox.depth() > 0
        told = all(row.is_told for row in self.home.store.callbacks.values())
        return queues or letters or not told or bool(self.backends.living)


def run(
    seed: int, *, remedies: Remedies | None = None, keeps_trace: bool = False, storm_steps: int = STORM_STEPS
) -> Result:
    """Run one seed to its end, within `bindings.in_memory()`."""
    county = County(seed, remedies=remedies, keeps_trace=keeps_trace)
    violation = None
    try:
        county.run(storm_steps)
    except Violated as e:
        violation = (e.invariant, str(e))
    checker, world = county.checker, county.world
    return Result(
        seed=seed,
        steps=world.points,
        sheets=len(checker.sheets),
        jobs=len(county.home.store.jobs),
        dones=checker.dones,
        asks=checker.asks,
        faults=world.faults,
        states=Counter(str(job.state) for job in county.home.store.jobs.values()),
        violation=violation,
        trace=world.trace,
    )
