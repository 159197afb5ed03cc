"""Sessions: how they begin, and everything that ends them."""

import pytest

from spooler.daemon.login.sessions import (
    IDLE_SECONDS,
    LONGEST_SECONDS,
    MOST_OF_ONE,
    TOKEN_CHARACTERS,
    Sessions,
    csrf_of,
)
from tests.spooler.daemon.login.build import HASHED, Seconds, an_account


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def accounts():
    return {"zhang.201": an_account(), "li.7": an_account("li.7")}


@pytest.fixture
def sessions(accounts, seconds):
    return Sessions(lambda: accounts, seconds)


def test_a_session_is_known_by_a_token_that_is_kept_nowhere(sessions, accounts):
    token = sessions.begin(accounts["zhang.201"])

    assert len(token) == TOKEN_CHARACTERS
    assert sessions.find(token).account == accounts["zhang.201"]
    assert token not in repr(vars(sessions))
    assert sessions.find(token[::-1]) is None
    assert sessions.begin(accounts["zhang.201"]) != token


def test_what_a_page_says_in_a_header_is_of_the_session_and_does_not_tell_its_token(sessions, accounts):
    one, other = sessions.begin(accounts["zhang.201"]), sessions.begin(accounts["zhang.201"])

    assert sessions.find(one).csrf == csrf_of(one) != csrf_of(other)
    assert one not in csrf_of(one)


def test_half_an_hour_without_a_call_ends_it(sessions, accounts, seconds):
    token = sessions.begin(accounts["zhang.201"])
    for _ in range(5):
        seconds.pass_by(IDLE_SECONDS - 1)
        assert sessions.find(token)
    seconds.pass_by(IDLE_SECONDS + 1)

    assert sessions.find(token) is None
    assert sessions.count() == 0


def test_twelve_hours_end_it_however_busy_it_was(sessions, accounts, seconds):
    token, left = sessions.begin(accounts["zhang.201"]), []
    while (opened := sessions.find(token)) is not None:
        left.append(opened.seconds_left)
        seconds.pass_by(600)

    assert left[0] == LONGEST_SECONDS and left[-1] >= 0
    assert len(left) == LONGEST_SECONDS // 600 + 1


@pytest.mark.parametrize(
    "change",
    [
        {"password": HASHED[:-1] + ("A" if HASHED[-1] != "A" else "B")},
        {"roles": ("read",)},
        {"registries": ("*",)},
        {"is_disabled": True},
        {"id": "somebody.else"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_the_account_ends_all_its_sessions_and_no_others(sessions, accounts, change):
    mine = [sessions.begin(accounts["zhang.201"]) for _ in range(3)]
    other = sessions.begin(accounts["li.7"])

    accounts["zhang.201"] = an_account(**change)

    assert [sessions.find(token) for token in mine] == [None] * 3
    assert sessions.find(other)


def test_logging_out_ends_one(sessions, accounts):
    one, other = (sessions.begin(accounts["zhang.201"]) for _ in range(2))

    sessions.end(one)

    assert sessions.find(one) is None
    assert sessions.find(other)


def test_of_one_account_the_session_unused_longest_gives_way(sessions, accounts, seconds):
    """Whoever knows one password cannot fill the memory."""
    tokens = []
    for _ in range(MOST_OF_ONE):
        tokens.append(sessions.begin(accounts["zhang.201"]))
        seconds.pass_by(1)
    sessions.find(tokens[0])
    sessions.begin(accounts["zhang.201"])

    assert sessions.count() == MOST_OF_ONE
    assert sessions.find(tokens[0])
    assert sessions.find(tokens[1]) is None
