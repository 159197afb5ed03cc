"""What is loaded after the start: libraries that the first piece of work needs and a daemon that is about to be ready does not.

Whoever uses one imports it within `loading`; `Late` does so in a thread as soon as the daemon is ready, so that nobody waits for it.
"""

import gc
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Event, RLock, Thread
from time import monotonic

import structlog

# One at a time: two threads that import libraries with a circle in them may see half of one.
loading = RLock()

READY_SECONDS = 30.0  # then it is loaded all the same
_LOOK_SECONDS = 0.05

_log = structlog.get_logger()


class Late:
    """A part that loads these modules once `is_ready`."""

    def __init__(self, modules: Sequence[str], *, is_ready: Callable[[], bool]) -> None:
        self._modules = tuple(modules)
        self._is_ready = is_ready
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="late", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        give_up = monotonic() + READY_SECONDS
        while not self._is_ready() and monotonic() < give_up:
            if self._stopping.wait(_LOOK_SECONDS):
                return
        for module in self._modules:
            if self._stopping.is_set():
                return
            try:
                with loading:
                    import_module(module)
            # Whoever needs it imports it again, and tells what is wrong with it.
            except Exception as e:
                _log.error("not loaded", module=module, exc_info=e)
        settle()


def settle() -> None:
    """What is loaded stays: it is not looked through for garbage again, which would stop every thread for up to half a second."""
    gc.freeze()
