"""What goes wrong: kills, power cuts, operators at the CUPS queues, thieves, and printers."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.backend import Backends, Sender
from tests.simulation.cupsd import Cupsd
from tests.simulation.device import Device
from tests.simulation.hall import HallSite
from tests.simulation.home import HomeSite
from tests.simulation.world import World

Fault = Callable[[], bool]


@dataclass
class Chaos:
    """Does one thing at a time, and sees to it that what fell is set up again."""

    world: World
    home: HomeSite
    site: HallSite
    cupsd: Cupsd
    backends: Backends
    lost: Callable[[list[str]], None]  # names that the disk forgot

    def __post_init__(self) -> None:
        self._faults: tuple[tuple[str, int, Fault], ...] = (
            ("agent killed", 4, self._kill_agent),
            ("home killed", 2, self._kill_home),
            ("cupsd killed", 3, self._kill_cupsd),
            ("cupsd stopped", 2, self._stop_cupsd),
            ("broker stopped", 1, self._stop_broker),
            ("connection cut", 2, self._cut),
            ("reports lost", 2, self._lose_reports),
            ("program killed", 6, self._kill_program),
            ("power cut", 2, self._cut_power),
            ("queue disabled", 2, self._disable),
            ("job held and resumed", 2, self._hold_and_resume),
            ("job restarted", 2, self._restart_job),
            ("job moved", 1, self._move_job),
            ("uuid stolen", 1, self._steal),
            ("device offline", 2, self._go_offline),
            ("device out of stock", 1, self._run_out),
            ("device stalls", 1, self._stall),
            ("device switched off and on", 1, self._power_cycle),
            ("device swallows", 1, self._swallow),
            ("permits away", 1, self._unmount),
        )
        self._weights = [weight for _, weight, _ in self._faults]

    def act(self) -> None:
        self.fail(self.world.random.choices(range(len(self._faults)), self._weights)[0])

    def fail(self, which: int) -> None:
        """Let this fault happen, if there is anything for it to happen to."""
        name, _, fault = self._faults[which]
        if fault():
            self.world.faults[name] += 1
            self.world.note(f"FAULT {name}")

    def calm(self) -> None:
        """The storm is over: everything is mended and started."""
        self.site.disk.is_mounted = True
        self.home.broker.start()
        self._start_all()
        if self.site.is_burnt:
            return
        for name, queue in self.cupsd.queues.items():
            queue.device.mend()
            self.cupsd.enable(name)

    def _start_all(self) -> None:
        self.home.start_home()
        self._start_cupsd()
        self.site.start_agent()

    def burn(self) -> None:
        """Everything here is gone, paper too."""
        self.site.is_burnt = self.site.is_given_up = True
        self.site.kill_agent()
        self.cupsd.kill()
        self.backends.kill_all()
        self.site.ledger.outbox.burn()
        self.home.broker.closed.add(self.site.hall)
        self.home.broker.queues[self.site.hall].clear()
        for device in self.site.devices.values():
            device.power_cycle()
            device.is_online = False

    def _start_cupsd(self) -> None:
        if not self.cupsd.is_up and not self.site.is_burnt:
            self.cupsd.start()

    # processes

    def _kill_agent(self) -> bool:
        self.site.kill_agent()
        self.world.soon(self.world.later(0.2, 20), "agent's supervisor", self.site.start_agent)
        return True

    def _kill_home(self) -> bool:
        self.home.kill_home()
        self.world.soon(self.world.later(0.2, 10), "home's supervisor", self.home.start_home)
        return True

    def _kill_cupsd(self) -> bool:
        if not self.cupsd.is_up:
            return False
        self.cupsd.kill()
        self.world.soon(self.world.later(0.2, 10), "cupsd's supervisor", self._start_cupsd)
        return True

    def _stop_cupsd(self) -> bool:
        if not self.cupsd.is_up:
            return False
        self.cupsd.stop()
        self.world.soon(self.world.later(0.2, 10), "cupsd's supervisor", self._start_cupsd)
        return True

    def _stop_broker(self) -> bool:
        self.home.broker.stop()
        self.world.soon(self.world.later(1, 60), "broker's supervisor", self.home.broker.start)
        return True

    def _cut(self) -> bool:
        self.home.broker.cut(self.world.random.choice(("home", self.site.hall)))
        return True

    def _lose_reports(self) -> bool:
        return self.home.broker.lose("home")

    def _kill_program(self) -> bool:
        if not self.backends.living:
            return False
        program = self.world.random.choice(self.backends.living)
        if isinstance(program, Sender) and self.world.happens(0.3):
            program.kill_with_group()
        else:
            program.kill()
        return True

    def _cut_power(self) -> bool:
        self.world.note("power cut")
        self.site.kill_agent()
        self.cupsd.power_cut()
        self.backends.kill_all()
        self.site.ledger.memory.power_cut()
        self.lost(self.site.disk.power_cut())
        for device in self.site.devices.values():
            if self.world.happens(0.5):
                device.power_cycle()
        self.world.soon(self.world.later(1, 20), "power", self._power_back)
        return True

    def _power_back(self) -> None:
        self._start_cupsd()
        self.site.start_agent()

    # operators and thieves

    def _queue(self) -> str:
        return self.world.random.choice(tuple(self.cupsd.queues))

    def _job(self) -> int | None:
        return self.world.random.choice(tuple(self.cupsd.jobs)) if self.cupsd.jobs and self.cupsd.is_up else None

    def _disable(self) -> bool:
        name = self._queue()
        if not self.cupsd.is_up:
            return False
        self.cupsd.disable(name)
        self.world.soon(self.world.later(0.5, 20), "operator", lambda: self.cupsd.enable(name))
        return True

    def _hold_and_resume(self) -> bool:
        if self.cupsd.is_up:
            self.cupsd.hold_and_resume(self._queue())
        return self.cupsd.is_up

    def _restart_job(self) -> bool:
        number = self._job()
        if number is not None:
            self.cupsd.restart_job(number)
        return number is not None

    def _move_job(self) -> bool:
        number = self._job()
        if number is not None:
            self.cupsd.move_job(number, self._queue())
        return number is not None

    def _steal(self) -> bool:
        number = self._job()
        if number is not None:
            seen = self.cupsd.jobs[number]
            self.cupsd.steal(seen.uuid, self._queue(), seen.title)
        return number is not None

    # printers

    def _device(self) -> Device:
        return self.world.random.choice(tuple(self.site.devices.values()))

    def _trouble(self, change: Callable[[Device], None]) -> bool:
        device = self._device()
        change(device)
        self.world.soon(self.world.later(2, 60), "hand at the printer", device.mend)
        return True

    def _go_offline(self) -> bool:
        return self._trouble(lambda device: setattr(device, "is_online", False))

    def _run_out(self) -> bool:
        return self._trouble(lambda device: setattr(device, "trouble", "media-empty"))

    def _stall(self) -> bool:
        return self._trouble(lambda device: setattr(device, "is_stalled", True))

    def _power_cycle(self) -> bool:
        self._device().power_cycle()
        return True

    def _swallow(self) -> bool:
        return self._trouble(lambda device: setattr(device, "swallows", True))

    def _unmount(self) -> bool:
        self.site.disk.is_mounted = False
        self.world.soon(self.world.later(1, 20), "mount", lambda: setattr(self.site.disk, "is_mounted", True))
        return True
