"""How fast passwords may be tried: each account, each address and each pair of them has its own patience.

Nobody is locked: a permit comes back by itself. What strangers try on an account from elsewhere does not slow its owner where she has
been logged in before.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from time import monotonic

from spooler.daemon.limit import Limit, household

MOST_PLACES = 10_000
_ENOUGH = 1_000.0  # all together: what bounds them is how many are compared at once


class TooFast(Exception):
    """Too many wrong passwords; after so many seconds one more is taken."""

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(f"try again in {retry_seconds} s")
        self.retry_seconds = retry_seconds


class Pace:
    """A wrong password costs a permit; a right one costs nothing."""

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._pairs = Limit(a_minute=2, at_once=5, all_a_second=_ENOUGH, seconds=seconds)
        self._addresses = Limit(a_minute=10, at_once=10, all_a_second=_ENOUGH, seconds=seconds)
        self._accounts = Limit(a_minute=0.1, at_once=20, all_a_second=_ENOUGH, seconds=seconds)
        self._turn = Lock()
        self._places: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take(self, account: str, address: str) -> None:
        """Take the permits that a wrong password costs, or raise TooFast."""
        for limit, whose in self._costs(account, address):
            if not limit.allows(whose):
                raise TooFast(limit.retry_seconds)

    def was_right(self, account: str, address: str) -> None:
        """Give the permits back, and know this place of the account's from now on."""
        for limit, whose in self._costs(account, address):
            limit.give_back(whose)
        with self._turn:
            self._places[account, household(address)] = None
            self._places.move_to_end((account, household(address)))
            if len(self._places) > MOST_PLACES:
                self._places.popitem(last=False)

    def _costs(self, account: str, address: str) -> tuple[tuple[Limit, str], ...]:
        with self._turn:
            is_known = (account, household(address)) in self._places
        ours = ((self._pairs, f"{account} {household(address)}"), (self._addresses, address))
        return ours if is_known else (*ours, (self._accounts, account))
