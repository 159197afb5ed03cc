"""From start to stop: parts are started in order, systemd is told, and a signal stops them in the other order."""

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from threading import Event
from types import FrameType
from typing import Protocol

import structlog

_log = structlog.get_logger()
_MICROSECONDS = 1_000_000


class Part(Protocol):
    """What runs beside the others: a courier, a pipeline, an HTTP server."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Notifier:
    """Tells systemd how we are (sd_notify); without a NOTIFY_SOCKET it says nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        meant_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watchdog = environment.get("WATCHDOG_USEC", "") if meant_for_us else ""
        # Half of what systemd allows, as sd_watchdog_enabled(3) advises.
        self.watchdog_seconds = int(watchdog) / _MICROSECONDS / 2 if watchdog else None

    def tell(self, state: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            try:
                sender.sendto(state.encode(), address)
            except OSError as e:
                # The service works without being seen; its supervisor will show that it was not told.
                _log.warning("systemd not told", state=state, error=e.strerror)


def stop_on_signals(stop: Event) -> None:
    """Set `stop` on SIGTERM and SIGINT. A second one ends the process at once."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


def run(
    parts: Sequence[Part],
    stop: Event,
    *,
    is_alive: Callable[[], bool] = lambda: True,
    notifier: Notifier | None = None,
    look_seconds: float = 1.0,
) -> bool:
    """Run the parts until `stop` is set; return False when they had to be stopped because they were no longer alive."""
    notifier = notifier or Notifier()
    with ExitStack() as running:
        for part in parts:
            part.start()
            running.callback(_stop, part)
        running.callback(notifier.tell, "STOPPING=1")  # the last one in is the first one called
        notifier.tell("READY=1")
        _log.info("ready")
        return _watch(stop, is_alive, notifier, look_seconds)


def _watch(stop: Event, is_alive: Callable[[], bool], notifier: Notifier, look_seconds: float) -> bool:
    pause_seconds = min(look_seconds, notifier.watchdog_seconds or look_seconds)
    while not stop.wait(pause_seconds):
        if not is_alive():
            _log.error("a part died, stopping")
            return False
        if notifier.watchdog_seconds:
            notifier.tell("WATCHDOG=1")
    _log.info("stopping")
    return True


def _stop(part: Part) -> None:
    """Stop one part; that it fails to must not keep the others running."""
    try:
        part.stop()
    except Exception as e:
        _log.error("a part did not stop", part=type(part).__name__, exc_info=e)
