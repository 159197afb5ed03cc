"""How often one caller may ask, or be wrong: a bucket of permits for each, refilled by the second.

Guessing a code or a token is hopeless as it is (128 bits and more); this keeps the page and the APIs alive.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock
from time import monotonic

MOST_CALLERS = 10_000
_IPV6_HOUSEHOLD = 64  # bits that one subscriber has at least


class Limit:
    """Buckets by caller, and one for all together. Any thread may ask."""

    def __init__(
        self, *, a_minute: float, at_once: int, all_a_second: float, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._rate, self._burst = a_minute / 60, float(at_once)
        self._all_rate = all_a_second
        self._seconds = seconds
        self._turn = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._all = (all_a_second, seconds())

    @property
    def retry_seconds(self) -> int:
        """After so long a caller whose bucket is empty has a permit again."""
        return max(1, ceil(1 / self._rate))

    def allows(self, address: str) -> bool:
        """Take one permit of this caller's and one of all, if there are."""
        now, caller = self._seconds(), household(address)
        with self._turn:
            mine = _filled(self._buckets.get(caller, (self._burst, now)), now, self._rate, self._burst)
            every = _filled(self._all, now, self._all_rate, self._all_rate)
            allowed = mine >= 1 and every >= 1
            self._buckets[caller] = (mine - allowed, now)
            self._buckets.move_to_end(caller)
            self._all = (every - allowed, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return allowed

    def give_back(self, address: str) -> None:
        """Take back that a permit was used: what it was taken for did not happen."""
        caller = household(address)
        with self._turn:
            if caller in self._buckets:
                held, at = self._buckets[caller]
                self._buckets[caller] = (min(self._burst, held + 1), at)


def wrong_token_limit() -> Limit:
    """Return how often a caller may show a token that nobody has: 20 at once, then one in three seconds."""
    return Limit(a_minute=20, at_once=20, all_a_second=200)


def _filled(bucket: tuple[float, float], now: float, rate: float, full: float) -> float:
    held, at = bucket
    return min(full, held + (now - at) * rate)


def household(address: str) -> str:
    """Return whom a permit is taken from: an IPv6 subscriber has more addresses than there are permits."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(int(parsed) >> _IPV6_HOUSEHOLD) if isinstance(parsed, IPv6Address) else str(parsed)
