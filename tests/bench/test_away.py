"""How long a hall takes to catch up with a day's orders; run by `make bench`. Its short form is among the hall's own tests."""

import pytest

from tests.agents.counter.conftest import make_counter, office
from tests.agents.counter.test_away import MINUTES, received_after_a_day, wired

__all__ = ["make_counter", "office", "wired"]

ORDERS = 2000

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1200)]


def test_after_a_day_away_two_thousand_orders_are_received_within_ten_minutes(wired, capsys):
    """Over the link in memory: verified, on disk, reported, each in the order in which it was sent."""
    seconds = received_after_a_day(wired, ORDERS)

    with capsys.disabled():
        print(f"\n24 h away, {ORDERS} orders queued: all received {seconds:.1f} s after the reconnect, in order")
    assert seconds <= MINUTES * 60
