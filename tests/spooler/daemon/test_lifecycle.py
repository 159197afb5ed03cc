"""Parts start in order, stop in the other order, within seconds, and systemd hears of it."""

import os
import signal
import socket
import subprocess
import sys
import time
from threading import Event, Timer

import pytest

from spooler.daemon.lifecycle import Notifier, run


class Part:
    def __init__(self, name: str, told: list[str], *, start_fails=False, stop_fails=False) -> None:
        self.name, self.told = name, told
        self.start_fails, self.stop_fails = start_fails, stop_fails

    def start(self) -> None:
        if self.start_fails:
            raise OSError("address in use")
        self.told.append(f"+{self.name}")

    def stop(self) -> None:
        self.told.append(f"-{self.name}")
        if self.stop_fails:
            raise RuntimeError("stuck")


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def stop() -> Event:
    return Event()


@pytest.fixture
def systemd(tmp_path):
    """The other end of NOTIFY_SOCKET."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(0.2)

        def heard() -> list[str]:
            messages = []
            try:
                while True:
                    messages.append(receiver.recv(1000).decode())
            except TimeoutError:
                return messages

        heard.environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        yield heard


def test_parts_stop_in_the_other_order(told, stop):
    """What others lean on starts first and stops last."""
    stop.set()

    assert run([Part("store", told), Part("courier", told), Part("http", told)], stop)

    assert told == ["+store", "+courier", "+http", "-http", "-courier", "-store"]


def test_a_part_that_does_not_start_stops_the_earlier_ones(told, stop):
    """An address in use ends the start with its own error, and leaves nothing running."""
    with pytest.raises(OSError, match="in use"):
        run([Part("store", told), Part("http", told, start_fails=True), Part("never", told)], stop)

    assert told == ["+store", "-store"]


def test_a_part_that_does_not_stop_keeps_no_other_running(told, stop):
    stop.set()

    run([Part("store", told), Part("stuck", told, stop_fails=True)], stop)

    assert told[-2:] == ["-stuck", "-store"]


def test_a_part_that_died_ends_the_run(told, stop):
    """A daemon whose thread died does nothing: systemd starts it anew."""
    assert not run([Part("courier", told)], stop, is_alive=lambda: False, look_seconds=0.01)

    assert told == ["+courier", "-courier"]


def test_systemd_hears_ready_watchdog_and_stopping(told, stop, systemd):
    environment = {**systemd.environment, "WATCHDOG_USEC": "40000", "WATCHDOG_PID": str(os.getpid())}
    Timer(0.2, stop.set).start()

    run([Part("store", told)], stop, notifier=Notifier(environment))

    heard = systemd()
    assert (heard[0], heard[-1]) == ("READY=1", "STOPPING=1")
    assert heard.count("WATCHDOG=1") >= 3


def test_systemd_hears_nothing_from_a_part_that_died(told, stop, systemd):
    """Not even once more: the watchdog is to bite."""
    environment = {**systemd.environment, "WATCHDOG_USEC": "40000"}

    run([Part("courier", told)], stop, is_alive=lambda: False, notifier=Notifier(environment))

    assert "WATCHDOG=1" not in systemd()


def test_another_process_watchdog_is_not_ours():
    assert Notifier({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_seconds is None
    assert Notifier({"WATCHDOG_USEC": "1000000"}).watchdog_seconds == 0.5


def test_without_systemd_nothing_is_told(told, stop):
    stop.set()

    run([Part("store", told)], stop, notifier=Notifier({}))


def test_a_lost_notify_socket_stops_nothing(told, stop, tmp_path):
    stop.set()

    assert run([Part("store", told)], stop, notifier=Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}))


DAEMON = """
import sys, time
from threading import Event
from spooler.daemon.lifecycle import run, stop_on_signals
class Part:
    def start(self): print("started", flush=True)
    def stop(self):
        time.sleep(float(sys.argv[1]))
        print("stopped", flush=True)
stop = Event()
stop_on_signals(stop)
run([Part()], stop)
"""


@pytest.fixture
def daemon():
    started = []

    def start(stop_seconds: float = 0.0) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", DAEMON, str(stop_seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        started.append(process)
        until_line(process, "started")
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def until_line(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    assert any(word in line for line in process.stdout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_daemon_cleanly_within_seconds(daemon, number):
    process = daemon()
    began = time.monotonic()

    process.send_signal(number)

    until_line(process, "stopped")
    assert process.wait(5) == 0
    assert time.monotonic() - began < 5


def test_a_second_signal_ends_a_daemon_that_is_slow_to_stop(daemon):
    process = daemon(stop_seconds=60)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)

    process.send_signal(signal.SIGTERM)

    assert process.wait(5) == -signal.SIGTERM
