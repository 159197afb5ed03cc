"""Tells who waits that something in the hall is otherwise than before: the API's long polls, instead of asking again and again."""

from collections.abc import Callable
from threading import Condition
from time import monotonic
from uuid import uuid4


class Changes:
    """A number that grows with each change. Its first part is new at each start, so an old one never looks current."""

    def __init__(self, timer: Callable[[], float] = monotonic) -> None:
        self._condition = Condition()
        self._start = uuid4().hex[:8]
        self._count = 0
        self._timer = timer

    @property
    def version(self) -> str:
        with self._condition:
            return self._version()

    def tell(self) -> None:
        """Something changed: wake all who wait."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, since: str, seconds: float) -> str:
        """Return the version as soon as it is another than `since`, or when the time is up."""
        end = self._timer() + seconds
        with self._condition:
            while self._version() == since and (left := end - self._timer()) > 0:
                self._condition.wait(left)
            return self._version()

    def _version(self) -> str:
        return f"{self._start}-{self._count}"
