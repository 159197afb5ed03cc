"""Does what the weather says: kills parts and starts them again, bends printers, network and disks, plays operator and thief."""

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from spooler.sandbox.virtual_printer import Printer
from tests.crash.checker import Violation
from tests.crash.place import HALL
from tests.journeys.drive import Driver
from tests.storm import processes
from tests.storm.ground import Ground, pid_of
from tests.storm.operators import Operator
from tests.storm.proxy import FINE, Manner
from tests.storm.thief import Thief
from tests.storm.weather import DAEMONS, Strike

PARTS = {"agent": f"agent:{HALL}", "home": "home", "cups": f"cups:{HALL}", "broker": "broker"}
PASS_SECONDS = 30.0  # a strike at a process or job that is not there yet waits so long for one
CUPSD_SECONDS = 1.0  # then it is asked again which cupsd is the one running
RESTART_SECONDS = 70.0
LOOK_SECONDS = 0.2
VICTIMS = (("sender",), ("backend",), ("sender", "backend"))


class Acts:
    """`is_over` says when there is nothing left to wait for."""

    def __init__(self, driver: Driver, ground: Ground, is_over: Callable[[], bool]) -> None:
        hall = driver.hall(HALL)
        self._driver, self._ground, self._is_over = driver, ground, is_over
        self._operator = Operator(Path(hall["cups_socket"]))
        self._thief = Thief(Path(hall["cups_socket"]), Path(hall["config"]).parent / "permits")
        self._printers = {
            p["name"]: Printer(Path(p["sheets"]).parent) for p in hall["printers"] if p["stock"] != "plain"
        }
        self._locks = {part: threading.Lock() for part in DAEMONS}
        self._children: list[subprocess.Popen[bytes]] = []
        self._groups = {
            "kill": self._kill,
            "printer": self._bend_printer,
            "drain": self._drain,
            "operator": self._operate,
            "theft": lambda strike: self._thief.steal(PASS_SECONDS),
            "network": self._bend_network,
            "disk": self._fill_disk,
        }

    def do(self, strike: Strike) -> bool:
        """Strike, and take it back after a while; return whether there was anything to hit."""
        return self._groups[strike.group](strike)

    def calm(self) -> list[Violation]:
        """The storm is over: all is seen to. A part that fell without being struck is a finding."""
        for network in self._ground.networks.values():
            network.behave(FINE)
        for disk in self._ground.disks.values():
            disk.free()
        fallen = [part for part in DAEMONS if not processes.belongs(self._pid(part), self._driver.directory)]
        for part in fallen:
            self._start(part, self._pid(part))
        for name, printer in self._printers.items():
            printer.set_fault("clear")
            self._operator.enable(name)
        return [Violation("ALIVE", part, "ended without being struck") for part in fallen]

    # ---- Parts that die ----

    def _kill(self, strike: Strike) -> bool:
        if strike.what in DAEMONS:
            return self._kill_daemon(strike.what, strike.signal)
        return self._kill_in_a_pass(strike)

    def _kill_in_a_pass(self, strike: Strike) -> bool:
        """Wait for such a process, then its lead; when it was gone by then, wait for the next."""
        end = time.monotonic() + PASS_SECONDS
        while time.monotonic() < end and not self._is_over():
            pid = processes.seen(strike.what, self._pid("cups"), CUPSD_SECONDS)
            time.sleep(strike.lead)
            if pid is not None and processes.is_a(strike.what, pid) and processes.strike(pid, strike.signal):
                return True
        return False

    def _kill_daemon(self, part: str, signal_name: str) -> bool:
        """Kill it and start it again by its own argv; return when it is the one running."""
        with self._locks[part]:
            before = self._pid(part)
            is_ours = processes.belongs(before, self._driver.directory)
            if not is_ours or not processes.strike(before, signal_name):
                return False
            self._start(part, before)
            return True

    def _start(self, part: str, before: int) -> None:
        self._children.append(self._driver.restart(PARTS[part]))
        end = time.monotonic() + RESTART_SECONDS
        while self._pid(part) == before and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        for child in self._children:
            child.poll()  # reaps what has been killed since

    def _pid(self, part: str) -> int:
        return pid_of(self._driver, part)

    # ---- Printers ----

    def _bend_printer(self, strike: Strike) -> bool:
        printer = self._printers[self._printer(strike)]
        printer.set_fault(f"cut:{strike.amount}" if strike.what == "cut" else strike.what)
        time.sleep(strike.lasts)
        printer.set_fault("clear")
        return True

    def _drain(self, strike: Strike) -> bool:
        """The device has it all and takes its time; who sent it, who started that, or both die before the sheet is out."""
        printer = self._printer(strike)
        self._printers[printer].set_fault("drain")
        try:
            if (found := self._wait_for_print(printer)) is None:
                return False
            time.sleep(strike.lead)
            pids = {"backend": found[0], "sender": processes.sender_of(found[0])}
            killed = [processes.strike(pids[victim], "SIGKILL") for victim in VICTIMS[strike.amount % len(VICTIMS)]]
            time.sleep(strike.lasts)
            return all(killed)
        except ProcessLookupError:
            return False
        finally:
            self._printers[printer].set_fault("clear")

    def _wait_for_print(self, printer: str) -> tuple[int, str] | None:
        """Return the real backend that is at work on this printer, and its job."""
        end = time.monotonic() + PASS_SECONDS
        while time.monotonic() < end and not self._is_over():
            if found := processes.printing(self._pid("cups"), printer, CUPSD_SECONDS):
                return found
        return None

    def _printer(self, strike: Strike) -> str:
        names = sorted(self._printers)
        return names[int(strike.where * len(names))]

    # ---- People ----

    def _operate(self, strike: Strike) -> bool:
        if strike.what == "restart-job":
            return self._restart_some_job(strike)
        printer = self._printer(strike)
        self._printers[printer].set_fault("stall")
        try:
            found = self._wait_for_print(printer)
            if found is not None:
                self._in_mid_print(strike, printer, found[1])
            return found is not None
        finally:
            self._printers[printer].set_fault("clear")

    def _restart_some_job(self, strike: Strike) -> bool:
        end = time.monotonic() + PASS_SECONDS
        while not (took := self._operator.restart_job(strike.where)):
            if time.monotonic() > end or self._is_over():
                break
            time.sleep(LOOK_SECONDS)
        return took

    def _in_mid_print(self, strike: Strike, printer: str, job: str) -> None:
        """The sheet goes on to its end before the operator takes it back, or only after it."""

        def wait() -> None:
            time.sleep(strike.lasts)
            if strike.amount % 2:
                self._printers[printer].set_fault("clear")
                time.sleep(LOOK_SECONDS)

        match strike.what:
            case "disable-enable":
                self._operator.disable(printer)
                wait()
                self._operator.enable(printer)
            case "hold-resume":
                self._operator.hold(job)
                wait()
                self._operator.resume(job)
            case "move-job":
                self._operator.move(job, next(name for name in self._printers if name != printer))
                wait()
            case "restart-in-mid-print":
                self._operator.restart(job)
                wait()

    # ---- Network and disks ----

    def _bend_network(self, strike: Strike) -> bool:
        network = self._ground.networks[strike.side]
        network.behave(
            {
                "latency": Manner(latency_seconds=0.1, jitter_seconds=0.3),
                "half-open": Manner(is_half_open=True),
                "cut": Manner(cut_after=strike.amount),
                "refuse": Manner(refuses=True),
            }[strike.what]
        )
        time.sleep(strike.lasts)
        network.behave(FINE)
        return True

    def _fill_disk(self, strike: Strike) -> bool:
        disk = self._ground.disks.get(strike.what)
        if disk is None:
            return False  # nobody here may mount one
        disk.fill()
        time.sleep(strike.lasts)
        disk.free()
        return True
