"""Makes a virtual printer take its time over a sheet, as devices of metal do: it holds still for most of each second."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from spooler.sandbox.virtual_printer import Printer

STILL_SECONDS, MOVING_SECONDS = 0.8, 0.2


@contextmanager
def slowly(printer: Printer) -> Iterator[None]:
    """Within this a sheet takes up to a second."""
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(printer, stop))
    beat.start()
    try:
        yield
    finally:
        stop.set()
        beat.join()
        printer.set_fault("clear")


def _beat(printer: Printer, stop: threading.Event) -> None:
    while not stop.is_set():
        printer.set_fault("stall")
        stop.wait(STILL_SECONDS)
        printer.set_fault("clear")
        stop.wait(MOVING_SECONDS)
