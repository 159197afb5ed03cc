"""Is this hall's clock to be believed? Against it stand a jump that time did not make, or a registry's signed word from the future.

While it is in doubt no order is ended by it and no ticket refused by it: an alarm `clock`, and people. It is believed again once the kernel
says that it is synchronised, once it is back where it was, or once a registry's word agrees with it.
"""

import ctypes
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

import structlog

MOST = timedelta(minutes=5)
_REFERENCE_SECONDS = 3600.0  # clocks drift: a jump is looked for within this time
_TIME_ERROR = 5  # adjtimex: the clock is not synchronised
_TIMEX_BYTES = 512

_log = structlog.get_logger()


def since_boot() -> float:
    """Return seconds that nobody sets, and that a sleeping machine counts too."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def kernel_vouches() -> bool:
    """Say whether the kernel calls the clock synchronised, as an NTP daemon told it."""
    state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= state < _TIME_ERROR


class ClockWatch:
    """May be shared by threads."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        steady: Callable[[], float] = since_boot,
        is_vouched: Callable[[], bool] = kernel_vouches,
    ) -> None:
        self._clock = clock
        self._steady = steady
        self._is_vouched = is_vouched
        self._turn = Lock()
        self._offset_seconds: float | None = None
        self._jumped = False
        self._refer()

    @property
    def is_in_doubt(self) -> bool:
        return self._offset_seconds is not None

    @property
    def offset_seconds(self) -> float | None:
        """Return how far it seems to be off; more than zero is ahead. None while it is believed."""
        return self._offset_seconds

    def look(self) -> None:
        """Compare the clock with the time that has passed."""
        with self._turn:
            jump = self._jump()
            if self._is_vouched():
                self._believe()
            elif abs(jump) > MOST:
                self._doubt(jump)
                self._jumped = True
            elif self._jumped:
                self._believe()  # back where it was
            elif self._offset_seconds is None and self._steady() - self._reference[1] > _REFERENCE_SECONDS:
                self._refer()

    def hears(self, at: datetime) -> None:
        """A registry's signed word was said at `at`. It may have waited on its way; it cannot come from the future."""
        with self._turn:
            behind = at - self._clock()
            if behind > MOST:
                if not self._is_vouched():
                    self._doubt(-behind)
            elif behind > -MOST:
                self._believe()

    def _jump(self) -> timedelta:
        clock, steady = self._reference
        return self._clock() - clock - timedelta(seconds=self._steady() - steady)

    def _doubt(self, offset: timedelta) -> None:
        if self._offset_seconds is None:
            _log.error("the clock is in doubt", alarm=True, code="clock", offset_seconds=round(offset.total_seconds()))
        self._offset_seconds = offset.total_seconds()

    def _believe(self) -> None:
        if self._offset_seconds is not None:
            _log.info("the clock is believed again")
        self._offset_seconds = None
        self._jumped = False
        self._refer()

    def _refer(self) -> None:
        self._reference = (self._clock(), self._steady())
