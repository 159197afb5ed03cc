"""A hall as it is without us: RabbitMQ, the naive agent, a stock cupsd, and the same virtual printer as the only judge."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pika

from spooler.sandbox.cups import LPADMIN, PrivateCups, Queue, description
from spooler.sandbox.virtual_printer import Printer
from tests.storm.slow import slowly
from tests.storm.weather import Strike

HOUSE = Path(__file__).parents[2]
PRINTER = "proof-1"
SIZES = {"A4Landscape": (297.0, 210.0)}
OURS = {
    "SyncOnClose", "DirtyCleanInterval", "PreserveJobHistory", "PreserveJobFiles", "MaxJobs", "MaxJobTime",
    "MaxHoldTime", "JobKillDelay", "JobRetryInterval",
}  # fmt: skip
LOOK_SECONDS = 0.1
QUIET_SECONDS = 8.0
LONGEST_SECONDS = 90.0


@dataclass(frozen=True)
class Judged:
    """What lay in the tray at the end."""

    jobs: int
    lost: int
    twice: int
    kills: int


class NaiveHall:
    """The agent and cupsd; either may be killed, and is started again at once."""

    def __init__(self, directory: Path, broker_url: str, queue: str, pdf: Path, dirty_clean_seconds: int) -> None:
        self._cups = PrivateCups(directory / "cups", directory / "no-permits")
        self._printer = Printer(directory / "printer")
        self._broker_url, self._queue, self._pdf = broker_url, queue, pdf
        self._dirty_clean_seconds = dirty_clean_seconds
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()

    def up(self) -> None:
        """Stock settings, save for the one that is measured; the queue has the device itself, and no `once`."""
        self._printer.create([f"{n:06d}" for n in range(1, 1000)], owner="lp" if os.geteuid() == 0 else None)
        self._cups.prepare()
        for file in (self._cups.configuration, self._cups.files_configuration):
            lines = [line for line in file.read_text().splitlines() if line.split(" ")[0] not in OURS]
            file.write_text("\n".join(lines) + "\n")
        with self._cups.configuration.open("a") as file:
            file.write(f"DirtyCleanInterval {self._dirty_clean_seconds}\n")
        self._start("cups")
        _until(self._cups.is_ready, 30)
        self._add_queue()
        time.sleep(self._dirty_clean_seconds + 1)  # what the administrator set up has long been written
        self._start("agent")

    def _add_queue(self) -> None:
        model = self._cups.directory / "model.ppd"
        model.write_text(description(Queue(PRINTER, self._printer.device, SIZES)), encoding="ascii")
        command = [LPADMIN, "-p", PRINTER, "-E", "-v", self._printer.device, "-P", str(model)]
        environment = {**self._cups.environment, "CUPS_SERVER": str(self._cups.socket)}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)

    def _start(self, part: str) -> None:
        module = [sys.executable, "-m", "tests.storm.naive", self._broker_url, self._queue, str(self._cups.socket)]
        argv = self._cups.argv if part == "cups" else [*module, PRINTER, str(self._pdf)]
        self._processes[part] = subprocess.Popen(
            argv, cwd=HOUSE, env=self._cups.environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def keep_alive(self) -> None:
        """Start again what has ended, as systemd does."""
        with self._lock:
            for part, process in list(self._processes.items()):
                if process.poll() is not None:
                    self._start(part)

    def kill(self, part: str) -> None:
        self._processes[part].send_signal(signal.SIGKILL)
        self.keep_alive()

    def down(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait(10)

    def enable(self) -> None:
        """At the end somebody comes and enables the queue, if CUPS has stopped it."""
        subprocess.run(
            ["cupsenable", "-h", str(self._cups.socket), PRINTER], capture_output=True, timeout=20, check=False
        )

    def sheets(self) -> Counter[str]:
        """How many sheets each job has; a torn one counts."""
        return Counter(json.loads(path.read_bytes())["title"] for path in self._printer.sheets.glob("*.json"))

    def is_idle(self) -> bool:
        """CUPS has no job left to print."""
        done = subprocess.run(
            ["lpstat", "-h", str(self._cups.socket), "-o"], capture_output=True, text=True, timeout=20, check=False
        )
        return done.returncode == 0 and not done.stdout.strip()

    @property
    def printer(self) -> Printer:
        return self._printer


def measure(
    directory: Path, broker_url: str, pdf: Path, *, dirty_clean_seconds: int, jobs: int, pace_seconds: float,
    weather: Sequence[Strike],
) -> Judged:  # fmt: skip
    """Send the jobs at this pace through a naive hall under this weather, and count what the printer marked."""
    queue = f"naive-{dirty_clean_seconds}"
    with _a_queue(broker_url, queue) as channel:
        hall = NaiveHall(directory, broker_url, queue, pdf, dirty_clean_seconds)
        try:
            hall.up()
            with slowly(hall.printer):
                _send(channel, queue, hall, jobs, pace_seconds, weather)
            hall.enable()
            _until_quiet(channel, queue, hall)
            sheets = hall.sheets()
        finally:
            hall.down()
    titles = [_title(number) for number in range(jobs)]
    lost, twice = sum(sheets[t] == 0 for t in titles), sum(sheets[t] > 1 for t in titles)
    return Judged(jobs, lost, twice, len(weather))


@contextmanager
def _a_queue(broker_url: str, queue: str) -> Iterator["pika.adapters.blocking_connection.BlockingChannel"]:
    connection = pika.BlockingConnection(pika.URLParameters(broker_url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(queue, durable=True)
    try:
        yield channel
    finally:
        channel.queue_delete(queue)
        connection.close()


def _send(channel, queue: str, hall: NaiveHall, jobs: int, pace_seconds: float, weather: Sequence[Strike]) -> None:
    """Publish and kill, each at its time, until both lists are done."""
    began, sent, strikes = time.monotonic(), 0, list(weather)
    while sent < jobs or strikes:
        now = time.monotonic() - began
        if sent < jobs and now >= sent * pace_seconds:
            channel.basic_publish("", queue, b"", pika.BasicProperties(message_id=_title(sent), delivery_mode=2))
            sent += 1
        if strikes and now >= strikes[0].at:
            hall.kill(strikes.pop(0).what)
        hall.keep_alive()
        channel.connection.process_data_events(LOOK_SECONDS / 4)


def _until_quiet(channel, queue: str, hall: NaiveHall) -> None:
    """Wait until nothing waits anywhere and no sheet has come for a while."""
    end, seen, since = time.monotonic() + LONGEST_SECONDS, -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < QUIET_SECONDS:
        hall.keep_alive()
        now = hall.sheets().total()
        waiting = channel.queue_declare(queue, durable=True, passive=True).method.message_count
        if now != seen or waiting or not hall.is_idle():
            seen, since = now, time.monotonic()
        channel.connection.process_data_events(LOOK_SECONDS)


def _until(true, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "not ready"
        time.sleep(LOOK_SECONDS)


def _title(number: int) -> str:
    return f"job-{number:04d}"


def fresh(directory: Path) -> Path:
    """Return an empty directory that the backends' user can enter."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o755, parents=True)
    return directory
