"""Tells who waits that something in the hall is otherwise than before: the API's long polls, instead of asking again and again."""

from collections.abc import Callable
from threading import Condition
from time import monotonic
from uuid import uuid4

# Each who waits holds a thread of the HTTP server; beyond this many, the others are answered at once.
MOST_WAITING = 16


class Changes:
    """A number that grows with each change. Its first part is new at each start, so an old one never looks current."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._condition = Condition()
        self._start = uuid4().hex[:8]
        self._count = 0
        self._waiting = 0
        self._is_open = True
        self._timer = timer

    def tell(self) -> None:
        """Something changed: wake all who wait."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, since: str, seconds: float) -> str:
        """Return the version as soon as it is another than `since`, or when the time is up."""
        end = self._timer() + seconds
        with self._condition:
            if self._waiting >= MOST_WAITING:
                return self._version()
            self._waiting += 1
            try:
                while self._is_open and self._version() == since and (left := end - self._timer()) > 0:
                    self._condition.wait(left)
            finally:
                self._waiting -= 1
            return self._version()

    # As a part of the daemon (`lifecycle`): stopped before the HTTP server, so that no call keeps it up.

    def start(self) -> None:
        """Nothing to do: it is open from the first."""

    def stop(self) -> None:
        with self._condition:
            self._is_open = False
            self._condition.notify_all()

    def _version(self) -> str:
        return f"{self._start}-{self._count}"
