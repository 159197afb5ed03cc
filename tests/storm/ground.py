"""Lays a sandbox on ground that can give way: proxies before the broker, and small disks below home, hall journal and CUPS spool."""

import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.crash.place import HALL
from tests.journeys.drive import Driver, eventually
from tests.storm import processes
from tests.storm.proxy import Proxy

PARTS = {"home": "home", "hall": f"agent:{HALL}", "cups": f"cups:{HALL}"}
ROOMY = "4g"  # a limit, not a reservation
GRACE_SECONDS = 15.0


class Disk:
    """A file system of its own, whose limit is drawn in to what is used and let out again: ENOSPC is the kernel's word."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def fill(self) -> None:
        """Leave no page. Somebody may be writing, so that what is used is asked again."""
        while True:
            room = os.statvfs(self._path)
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            if _remounted(self._path, str(used)):
                return

    def free(self) -> None:
        assert _remounted(self._path, ROOMY)


@dataclass(frozen=True)
class Ground:
    """What a storm may shake."""

    networks: Mapping[str, Proxy]  # between the broker and: home, hall
    disks: Mapping[str, Disk]  # home, hall, cups; none where nobody may mount


STILL = Ground({}, {})


@contextmanager
def shaky(driver: Driver) -> Iterator[Ground]:
    """Stop home, agent and cupsd, lay them on such ground, start them; at the end lay back what they have written, for a look."""
    broker = _port_in(Path(driver.home["config"]))
    with ExitStack() as stack:
        networks = {side: Proxy(broker) for side in ("home", "hall")}
        for proxy in networks.values():
            stack.callback(proxy.close)
        _stop(driver)
        _point_at(Path(driver.home["config"]), networks["home"].port)
        _point_at(Path(driver.hall(HALL)["config"]), networks["hall"].port)
        _keep_aside(Path(driver.home["callback"]["received"]), driver.directory / "received.jsonl")
        disks = {name: stack.enter_context(_a_disk(path)) for name, path in _places(driver).items() if _may_mount()}
        stack.callback(_stop, driver)
        _start(driver)
        yield Ground(networks, disks)


def _port_in(config: Path) -> int:
    """Return where home and halls talk to the broker: over TLS, not where its administrator comes in."""
    port: int = tomllib.loads(config.read_text())["broker"]["port"]
    return port


def _point_at(config: Path, port: int) -> None:
    config.write_text(re.sub(r"(?m)^port = \d+$", f"port = {port}", config.read_text()))


def _keep_aside(received: Path, aside: Path) -> None:
    """What the registration system was told is the judge's, and has room when home has none."""
    received.touch()
    received.rename(aside)
    received.symlink_to(aside)


def _places(driver: Driver) -> dict[str, Path]:
    hall = Path(driver.hall(HALL)["config"]).parent
    return {"home": Path(driver.home["config"]).parent, "hall": hall / "agent", "cups": hall / "cups" / "spool"}


def _may_mount() -> bool:
    return os.geteuid() == 0


def _stop(driver: Driver) -> None:
    running = [pid for name in PARTS if processes.belongs(pid := pid_of(driver, name), driver.directory)]
    for pid in running:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + GRACE_SECONDS
    while any(processes.belongs(pid, driver.directory) for pid in running):
        assert time.monotonic() < end, "a part does not stop"
        time.sleep(0.02)


def _start(driver: Driver) -> None:
    before = {name: pid_of(driver, name) for name in PARTS}
    children = [driver.restart(part) for part in PARTS.values()]
    eventually(
        lambda: all(pid_of(driver, name) != pid for name, pid in before.items()) and is_ready(driver),
        60,
        lambda: f"not ready: {[child.poll() for child in children]}",
    )


def is_ready(driver: Driver) -> bool:
    """Whether home and hall say that they are, their links to the broker too."""
    urls = [driver.home["api"], driver.hall(HALL)["api"]]
    return driver.is_home_ready() and all(_answers(driver, f"{url}/readyz") for url in urls)


def _answers(driver: Driver, url: str) -> bool:
    try:
        return bool(driver.http.get(url).is_success)
    except httpx.TransportError:
        return False


def pid_of(driver: Driver, part: str) -> int:
    """Return the process of home, hall, cups or broker, as sandbox.json has it now."""
    plan = driver.plan
    hall = next(hall for hall in plan["halls"] if hall["hall"] == HALL)
    pids = {"home": plan["homes"][0]["pid"], "broker": plan["broker"]["pid"]}
    return int({**pids, "hall": hall["pid"], "agent": hall["pid"], "cups": hall["cups_pid"]}[part])


@contextmanager
def _a_disk(place: Path) -> Iterator[Disk]:
    """Mount one over a folder with all that lies in it; at the end lay what is there then into the folder itself."""
    below = place.with_name(f"{place.name}.below")
    place.rename(below)
    place.mkdir()
    _mount(place)
    _copy(below, place)  # with owner and mode
    try:
        yield Disk(place)
    finally:
        assert _remounted(place, ROOMY)
        shutil.rmtree(below)
        _copy(place, below)
        subprocess.run(["umount", "--lazy", str(place)], check=True, timeout=30)
        place.rmdir()
        below.rename(place)


def _mount(place: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "certspool-storm", str(place)]
    subprocess.run(mount, check=True, timeout=30)


def _remounted(place: Path, size: str) -> bool:
    done = subprocess.run(
        ["mount", "-o", f"remount,size={size}", str(place)], capture_output=True, timeout=30, check=False
    )
    return done.returncode == 0


def _copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-aT", str(source), str(target)], check=True, timeout=120)
