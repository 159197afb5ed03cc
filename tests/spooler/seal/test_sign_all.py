"""Moving over from the plain list: both sides sign what it grants, in one step, and nothing is granted otherwise meanwhile."""

import json
from pathlib import Path

import pytest

from spooler.seal import grants, pki
from spooler.seal.authority import SealAlgorithm
from spooler.wire import grant_files
from spooler.wire.grants import Side
from spooler.wire.trust import load_trust
from tests.granting import People, a_signed_office
from tests.sealing import HALL, HOME, NOW, OTHER_HALL, OTHER_HOME, Office

NEW_HALL = "231283-02"


@pytest.fixture
def plain(tmp_path: Path) -> Office:
    return Office.create(tmp_path / "pki")


def granted(office: Office, **how: bool) -> frozenset[tuple[str, str, str]]:
    return load_trust(office.directory / "trust", now=NOW, **how).grants


def test_exactly_what_the_list_grants_is_signed(plain: Office):
    listed = plain.directory / "trust/grants.json"
    narrow = [
        {"registry": HOME, "hall": HALL, "kinds": ["proof"]},
        {"registry": "999999", "hall": HALL, "kinds": ["proof"]},
    ]
    listed.write_text(json.dumps([*narrow, {"registry": OTHER_HOME, "hall": OTHER_HALL, "kinds": ["proof", "record"]}]))

    signed = grants.sign_all(plain.directory, NOW)

    assert signed == [(OTHER_HOME, OTHER_HALL), (HOME, HALL)], "nobody signs for a registry that is not known"
    assert granted(plain) == {
        (HOME, HALL, "proof"),
        (OTHER_HOME, OTHER_HALL, "proof"),
        (OTHER_HOME, OTHER_HALL, "record"),
    }


def test_done_twice_it_signs_nothing_more(plain: Office):
    assert len(grants.sign_all(plain.directory, NOW)) == 4
    before = granted(plain)

    assert grants.sign_all(plain.directory, NOW) == []
    assert granted(plain) == before


def test_until_then_a_new_hall_goes_into_the_plain_list(plain: Office):
    """One signed grant would end all those of the list."""
    pki.init(plain.directory, [], [pki.NewHall(NEW_HALL, "海伦市 02")], now=NOW, signed=True)

    assert not grant_files.are_signed(plain.directory / "trust")
    assert (HOME, NEW_HALL, "proof") in granted(plain)


def test_afterwards_a_new_hall_is_granted_with_both_signatures(tmp_path: Path):
    office = a_signed_office(tmp_path / "pki")
    pki.init(office.directory, [], [pki.NewHall(NEW_HALL, "海伦市 02")], now=NOW, signed=True)

    assert not (office.directory / "trust/grants.json").exists()
    assert load_trust(office.directory / "trust", now=NOW).marks[HOME, NEW_HALL].agreed == 1


def test_whose_key_lies_elsewhere_is_asked_to_sign(tmp_path: Path):
    """The registry's key is in a safe: the hall has offered, and prints nothing for it yet."""
    office = a_signed_office(tmp_path / "pki")
    grants.credential(office.directory, Side.REGISTRY, HOME).rename(tmp_path / "safe.pem")
    pki.init(office.directory, [], [pki.NewHall(NEW_HALL, "海伦市 02")], now=NOW, signed=True)
    trust = office.directory / "trust"

    assert not load_trust(trust, now=NOW).may_print(HOME, NEW_HALL, "proof")
    assert load_trust(trust, now=NOW).may_print(OTHER_HOME, NEW_HALL, "proof")


def test_a_sandboxes_grants_are_signed_for_all_pairs(tmp_path: Path):
    """As `certspool pki init` makes them; each registry may print at each hall."""
    registries = [pki.NewRegistry(HOME, "望奎县", "黑", "望奎县")]
    pki.init(
        tmp_path / "pki", registries, [pki.NewHall(HALL, "肇东")], now=NOW, algorithm=SealAlgorithm.P_256, signed=True
    )
    people = People(Office(tmp_path / "pki"), tmp_path / "pki/trust")

    assert {one.name for one in people.trust.glob("grants/*")} == {f"{HOME}.{HALL}.1.json"}
    assert all(people.key(side).kid for side in Side)
    assert grants.credential(tmp_path / "pki", Side.HALL, HALL).stat().st_mode & 0o077 == 0
