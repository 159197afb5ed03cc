"""How fast passwords may be tried, and that nobody keeps another out."""

import pytest

from spooler.daemon.login.pace import MOST_PLACES, Pace, TooFast
from tests.spooler.daemon.login.build import Seconds


def tries(pace, account, address, most=1_000):
    """Return how many wrong passwords are taken in a row."""
    for number in range(most):
        try:
            pace.take(account, address)
        except TooFast:
            return number
    return most


@pytest.mark.attack_row("S35")
def test_one_account_is_tried_five_times_from_one_address_and_then_twice_a_minute():
    seconds = Seconds()
    pace = Pace(seconds)

    assert tries(pace, "zhang", "10.0.0.1") == 5
    with pytest.raises(TooFast) as told:
        pace.take("zhang", "10.0.0.1")
    assert told.value.retry_seconds == 30
    seconds.pass_by(30)
    assert tries(pace, "zhang", "10.0.0.1") == 1


@pytest.mark.attack_row("S35")
def test_many_accounts_are_tried_ten_times_from_one_address():
    pace = Pace(Seconds())

    assert sum(tries(pace, f"clerk-{n}", "10.0.0.1", most=1) for n in range(50)) == 10


@pytest.mark.attack_row("S35")
def test_one_account_is_tried_from_a_thousand_addresses_no_more_than_164_times_a_day():
    """A thousand strangers who share what they know, a day long."""
    seconds = Seconds()
    pace = Pace(seconds)
    taken = 0
    for minute in range(24 * 60):
        taken += tries(pace, "zhang", f"10.0.{minute % 250}.{minute % 4 + 1}", most=30)
        seconds.pass_by(60)

    assert 20 < taken <= 164


@pytest.mark.attack_row("S35")
def test_strangers_do_not_keep_her_out_where_she_was_before():
    pace = Pace(Seconds())
    pace.take("zhang", "10.0.0.1")
    pace.was_right("zhang", "10.0.0.1")
    for stranger in range(100):
        tries(pace, "zhang", f"192.0.2.{stranger}")

    with pytest.raises(TooFast):
        pace.take("zhang", "192.0.2.200")
    pace.take("zhang", "10.0.0.1")
    pace.take("li", "192.0.2.200")


def test_a_right_password_costs_nothing():
    """A hall of many desks behind one address, all at half past eight."""
    pace = Pace(Seconds())
    for desk in range(500):
        pace.take(f"clerk-{desk}", "10.0.0.1")
        pace.was_right(f"clerk-{desk}", "10.0.0.1")

    assert tries(pace, "zhang", "10.0.0.1") == 5


def test_an_ipv6_household_is_one_address():
    pace = Pace(Seconds())

    assert sum(tries(pace, f"clerk-{n}", f"2001:db8::{n:x}", most=1) for n in range(1, 50)) == 10


def test_what_is_remembered_of_places_is_bounded():
    pace = Pace(Seconds())
    for n in range(MOST_PLACES + 10):
        pace.was_right(f"clerk-{n}", "10.0.0.1")

    assert len(pace._places) == MOST_PLACES
