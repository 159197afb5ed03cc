"""A thread that works when it is woken and looks by itself now and then: the frame of every part that has something due.

    turn ─▶ rest, for as long as the turn said, or until somebody wakes ─▶ turn …

What fails is told and tried again after a rest: nobody above this thread could do better, and the store remembers what is due.
"""

from threading import Event, Thread

import structlog

_log = structlog.get_logger()


class Worker:
    """One thread, from `start` until `stop`. `turn` does what is due and returns for how many seconds it may be left alone."""

    def __init__(
        self, name: str, *, trouble: str, rest_seconds: float, longest_stop_seconds: float | None = None
    ) -> None:
        """`trouble` is what the log says of a turn that failed; after that it rests. A stop waits so long for a turn to end."""
        self._trouble = trouble
        self._rest_seconds = rest_seconds
        self._longest_stop_seconds = longest_stop_seconds
        self._woken = Event()
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def turn(self) -> float:
        """Do what is due; return for how long nothing more will be."""
        raise NotImplementedError

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Say whether a long turn had better end."""
        return self._stopping.is_set()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Say that something may be due. Any thread may; it is not lost while a turn is under way."""
        self._woken.set()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(self._longest_stop_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Before the turn: whoever wakes during it is heard after it.
            self._woken.clear()
            try:
                rest_seconds = self.turn()
            except Exception as e:
                _log.error(self._trouble, part=self._thread.name, exc_info=e)
                rest_seconds = self._rest_seconds
            if not self._stopping.is_set():
                self._woken.wait(rest_seconds)
