"""Bindings and permissions follow the grants: who has none has no way; who had one can still say what became of it."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from spooler.wire.granting import GrantDesk
from spooler.wire.grants import Side
from spooler.wire.topology import CONTROLS, NOTHING, ORDERS, REPORTS, describe, hall_queue, hall_user
from spooler.wire.ways import Ways, ways_of
from tests.granting import People, a_signed_office
from tests.sealing import HALL, HOME, NOW, OTHER_HALL, OTHER_HOME, Office

DAYS = 3
REGISTRIES, HALLS = [HOME, OTHER_HOME], [HALL, OTHER_HALL]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return a_signed_office(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def people(office: Office, tmp_path: Path) -> People:
    """The first hall has never agreed to the second registry."""
    people = People.with_a_copy(office, tmp_path / "trust")
    people.file(f"{OTHER_HOME}.{HALL}.1.json").unlink()
    return people


def ways(people: People, at=NOW) -> Ways:
    found = ways_of(people.trust, at, order_days=DAYS)
    assert found is not None
    return found


def keys_of(people: People, user: str, exchange: str, at=NOW) -> str:
    topology = describe(REGISTRIES, HALLS, ways=ways(people, at))
    return next(one.topics[exchange] for one in topology.users if one.name == user)


def may_write(people: People, user: str, exchange: str, key: str, at=NOW) -> bool:
    return re.search(keys_of(people, user, exchange, at), key) is not None


def bound(people: People, at=NOW) -> set[tuple[str, str]]:
    topology = describe(REGISTRIES, HALLS, ways=ways(people, at))
    return {(one.exchange, one.key) for one in topology.bindings if one.queue == hall_queue(HALL)}


def test_home_sends_orders_only_where_it_is_granted(people: People):
    for registry, hall, expected in ((HOME, HALL, True), (OTHER_HOME, HALL, False), (OTHER_HOME, OTHER_HALL, True)):
        assert expected is may_write(people, "home", ORDERS, f"{registry}.{hall}")
        assert expected is may_write(people, "home", CONTROLS, f"{registry}.{hall}")
    assert bound(people) == {(ORDERS, f"{HOME}.{HALL}"), (CONTROLS, f"{HOME}.{HALL}")}


def test_a_hall_reports_only_to_whom_it_has_agreed(people: People):
    assert may_write(people, hall_user(HALL), REPORTS, f"{HALL}.{HOME}")
    assert not may_write(people, hall_user(HALL), REPORTS, f"{HALL}.{OTHER_HOME}")
    assert not may_write(people, hall_user(HALL), REPORTS, f"{OTHER_HALL}.{HOME}")


def test_a_pattern_takes_whole_keys(people: People):
    """No key is let through because an allowed one is a part of it."""
    for key in (f"x{HOME}.{HALL}", f"{HOME}.{HALL}x", f"{HOME}.{HALL}.{HOME}", f"{HOME}x{HALL}", HOME, ""):
        assert not may_write(people, "home", ORDERS, key)


@pytest.mark.parametrize("side", list(Side))
def test_after_a_withdrawal_both_go_on_talking_and_orders_stop_when_none_can_be_on_its_way(people: People, side: Side):
    """Never lost: what the hall has it must be able to report, and home to cancel."""
    people.withdraws(side)
    long_after = NOW + timedelta(days=2 * DAYS + 3)

    assert may_write(people, "home", ORDERS, f"{HOME}.{HALL}"), "one on its way is refused by its hall, and ends"
    assert not may_write(people, "home", ORDERS, f"{HOME}.{HALL}", long_after)
    assert may_write(people, "home", CONTROLS, f"{HOME}.{HALL}", long_after)
    assert may_write(people, hall_user(HALL), REPORTS, f"{HALL}.{HOME}", long_after)
    assert bound(people, long_after) == {(CONTROLS, f"{HOME}.{HALL}")}


def test_after_its_end_a_grant_lets_no_orders_through(people: People):
    people.agree_anew(not_after=NOW + timedelta(days=1))
    long_after = NOW + timedelta(days=2 * DAYS + 4)

    assert may_write(people, "home", ORDERS, f"{HOME}.{HALL}", NOW + timedelta(days=2))
    assert not may_write(people, "home", ORDERS, f"{HOME}.{HALL}", long_after)
    assert may_write(people, hall_user(HALL), REPORTS, f"{HALL}.{HOME}", long_after)


def test_an_offer_opens_no_way(people: People):
    desk = GrantDesk(people.trust, Side.REGISTRY)
    key = Office(people.office.directory).directory / f"grants/{OTHER_HOME}.pem"
    desk.offer(
        (OTHER_HOME, HALL),
        ["proof"],
        not_before=NOW,
        not_after=NOW + timedelta(days=9),
        at=NOW,
        key=type(people.key(Side.REGISTRY)).from_pem(key.read_bytes()),
    )

    assert not may_write(people, "home", ORDERS, f"{OTHER_HOME}.{HALL}")
    assert not may_write(people, hall_user(HALL), REPORTS, f"{HALL}.{OTHER_HOME}")


def test_a_hall_that_never_agreed_to_anything_says_nothing(people: People):
    for file in people.trust.glob(f"grants/*.{HALL}.*"):
        file.unlink()

    assert keys_of(people, hall_user(HALL), REPORTS) == NOTHING
    assert bound(people) == set()


def test_two_homes_on_one_broker_describe_the_same_hall(people: People):
    """Each applies for its own registries; what a hall may say is the same whoever applied last."""
    first, second = (describe([one], HALLS, ways=ways(people)) for one in REGISTRIES)

    assert first.users[1:] == second.users[1:]


def test_the_plain_list_leaves_everything_as_it_was(tmp_path: Path):
    plain = Office.create(tmp_path / "pki")

    assert ways_of(plain.directory / "trust", NOW, order_days=DAYS) is None
