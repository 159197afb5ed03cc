"""One run: a county put together from a seed, a storm over it, then calm until everything has come to its end."""

from collections import Counter
from dataclasses import dataclass, field

from spooler.job import is_final
from tests.simulation.backend import Backends
from tests.simulation.broker import Broker
from tests.simulation.chaos import Chaos
from tests.simulation.checker import Checker
from tests.simulation.cupsd import Cupsd, Queue
from tests.simulation.device import FIRST, LAST, PREFIX, Device
from tests.simulation.disk import Disk
from tests.simulation.hall import PERMITS, HallSite, fill_trays
from tests.simulation.home import HomeSite
from tests.simulation.orders import HALL, OTHER_HALL
from tests.simulation.people import CLERK, Office
from tests.simulation.people import Counter as HallCounter
from tests.simulation.world import Remedies, Violated, World

STORM_STEPS = 200
LONGEST = 6000
TWO_HALLS = 0.2  # of all counties
ENDS = 0.6  # of the second halls: half of them burn down, half are cut off, given up, and come back
CALM_ORDER_SECONDS = 86400.0


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
    """Home, broker, a hall or two with their printers and people."""

    def __init__(self, seed: int, *, remedies: Remedies | None = None, keeps_trace: bool = False) -> None:
        self.world = world = World(seed, remedies or Remedies(), keeps_trace)
        chance = world.random
        self.checker = checker = Checker(world)
        self.broker = Broker(world)
        names = (HALL, OTHER_HALL) if chance.random() < TWO_HALLS else (HALL,)
        order_seconds = chance.choice((40.0, 300.0, 86400.0, 86400.0))
        self.home = HomeSite(world, self.broker, order_seconds=order_seconds)
        rate = chance.choice((0.0, 0.01, 0.03, 0.08))
        self.halls = [self._hall(name, rate) for name in names]
        self.site, self.chaos = self.halls[0]
        world.is_calm = True
        for site, _ in self.halls:
            checker.watch(site)
            site.start_agent()
            self._fill(site)
        self.home.start_home()
        world.is_calm = False
        returns = chance.choice((0.0, 0.0, 0.03))
        for site, _ in self.halls:
            HallCounter(world, site, checker, returns=returns)
        self.office = Office(
            world,
            self.home,
            [site for site, _ in self.halls],
            wanted=chance.choice((1, 1, 2, 3)),
            acts=chance.choice((0.0, 0.15, 0.5)),
        )
        if len(self.halls) > 1 and world.happens(ENDS):
            world.soon(world.later(2, 60), "end of a hall", self._burn if world.happens(0.5) else self._cut_off)
        world.storm, world.storm_rate = self._storm, rate

    def _hall(self, name: str, rate: float) -> tuple[HallSite, Chaos]:
        world, chance, checker = self.world, self.world.random, self.checker
        disk = Disk(world, PERMITS)
        backends = Backends(world, disk, checker.started, checker.claimed, checker.said, checker.done)
        devices = self._devices()
        cupsd = Cupsd(
            world,
            backends,
            {device: Queue(device, devices[device]) for device in devices},
            is_raw=chance.random() < 0.3,
            as_root=chance.random() < 0.5,
            dirty_seconds=chance.choice((0.0, 0.0, 30.0)),
        )
        release = chance.choice(("auto", "person"))
        site = HallSite(world, name, broker=self.broker, disk=disk, cupsd=cupsd, devices=devices, release=release)
        return site, Chaos(world, self.home, site, cupsd, backends, lost=checker.lost)

    def _storm(self) -> None:
        """Something goes wrong at one of the halls, or at home."""
        standing = [chaos for site, chaos in self.halls if not site.is_burnt]
        standing[int(self.world.chance() * len(standing)) if len(standing) > 1 else 0].act()

    def _burn(self) -> None:
        """The other hall is gone for good, with all that was in it. Nobody there will ever say anything again."""
        self.world.note(f"FAULT {OTHER_HALL} burns down")
        self.world.faults["hall burnt down"] += 1
        self.halls[1][1].burn()
        self.world.soon(self.world.later(0, 20), "two people", lambda: self.office.write_off(self.halls[1][0]))

    def _cut_off(self) -> None:
        """The other hall works on without a line, is written off, and comes back with its old key."""
        self.world.note(f"FAULT {OTHER_HALL} is cut off")
        self.world.faults["hall cut off"] += 1
        self.broker.cut_off.add(OTHER_HALL)
        self.broker.cut(OTHER_HALL)
        self.world.soon(self.world.later(0, 30), "two people", lambda: self.office.write_off(self.halls[1][0]))
        self.world.soon(self.world.later(20, 60), "the line", self._return)

    def _return(self) -> None:
        self.broker.cut_off.discard(OTHER_HALL)
        self.broker.listeners[OTHER_HALL]()

    def _devices(self) -> dict[str, Device]:
        world = self.world
        scheme = world.random.choice(("virtual:/%s", "socket://%s:9100", "ipp://%s/ipp"))
        names = ("booklet-1", "plain-1") if world.happens(0.4) else ("booklet-1",)
        return {
            name: Device(world, name, scheme % name, name.startswith("booklet"), self.checker.printed) for name in names
        }

    def _fill(self, site: HallSite) -> None:
        agent, devices = site.agent, site.devices
        assert agent is not None
        first, last = f"{PREFIX}{FIRST:011d}", f"{PREFIX}{LAST:011d}"
        fill_trays(agent.core, CLERK, [name for name, device in devices.items() if device.has_serials], first, last)

    def run(self, storm_steps: int = STORM_STEPS) -> None:
        """Raises Violated."""
        world = self.world
        while world.points < storm_steps:
            world.step()
        world.is_calm = True
        for _, chaos in self.halls:
            chaos.calm()
        self.home.order_seconds = CALM_ORDER_SECONDS
        world.note("calm")
        while not self._is_over():
            self.office.see_to_it()
            for _ in range(20):
                world.step()
            if world.points > LONGEST:
                raise Violated("I2", f"it does not come to an end: {self._open()}")
        self.checker.ended(self.home)

    def _is_over(self) -> bool:
        if self._is_talking() or self._is_behind():
            return False
        return self.office.is_done and not self._open()

    def _open(self) -> list[str]:
        return [f"{job.state} {job.reasons}" for job in self.home.store.jobs.values() if not is_final(job.state)]

    def _is_talking(self) -> bool:
        queues = any(self.broker.queues.values())
        letters = bool(self.home.store.letters) or any(s.ledger.outbox.depth() > 0 for s, _ in self.halls)
        told = all(row.is_told for row in self.home.store.callbacks.values())
        return queues or letters or not told or any(chaos.backends.living for _, chaos in self.halls)

    def _is_behind(self) -> bool:
        """Home has not heard all; the next heartbeat shows it."""
        behind = [s for s, _ in self.halls if not s.is_given_up and self.home.is_behind(s.hall, s.ledger.outbox.last)]
        for site in behind:
            site.beat()
        return bool(behind)


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
