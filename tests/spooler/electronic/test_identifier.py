"""The identifier of an electronic certificate, held against identifiers and check characters that others published."""

import pytest
from stdnum.iso7064 import mod_37_36

from spooler.electronic.identifier import Identity, NotACreditCode, credit_code, is_identifier
from spooler.electronic.opening import Openings, new_code

# In use and published by others: a proof of registration, and a licence of another ministry.
PUBLISHED = [
    "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
]


def test_the_check_character_is_that_of_the_standards_example():
    """The Global Release Identifier standard prints A1-2425G-ABC1234002-M for ISO 7064 MOD 37,36."""
    assert mod_37_36.calc_check_digit("A12425GABC1234002") == "M"


@pytest.mark.parametrize("published", PUBLISHED)
def test_published_identifiers_are_right_and_changed_ones_are_not(published):
    """The root is not counted, and one changed or swapped character shows."""
    assert is_identifier(published)
    assert not is_identifier(published.replace(".001.", ".002."))
    assert not is_identifier(published[:-1] + ("A" if published[-1] != "A" else "B"))
    assert not is_identifier(published.removeprefix("1."))


def test_an_identifier_has_its_parts_in_order():
    identity = Identity("certificate", "11231221MB00000012", 42)

    first = identity.identifier(1)

    root, rest = first[: len("1.2.156.3005.2")], first[len("1.2.156.3005.2.") :].split(".")
    assert root == "1.2.156.3005.2"
    assert rest[:-1] == ["11100000MB03271699001", "11231221MB00000012", "000000042", "001"]
    assert is_identifier(first) and is_identifier(identity.identifier(2)) and first != identity.identifier(2)


def test_a_proof_has_a_type_of_its_own():
    assert ".11100000MB03271699022." in Identity("proof", "11231221MB00000012", 1).identifier(1)


@pytest.mark.parametrize(("serial", "edition"), [(0, 1), (1_000_000_000, 1), (1, 0), (1, 1000)])
def test_what_has_no_room_is_no_identifier(serial, edition):
    with pytest.raises(ValueError):
        Identity("proof", "11231221MB00000012", serial).identifier(edition)


def test_the_ministrys_own_code_is_a_credit_code():
    """GB 32100, as published for the ministry whose number stands in the types."""
    assert credit_code("11100000MB03271699") == "11100000MB03271699"
    assert credit_code(" 11100000mb03271699 ") == "11100000MB03271699"


@pytest.mark.parametrize("wrong", ["11100000MB03271698", "1110000MB03271699", "", "望奎县", "11100000MB0327169I"])
def test_another_is_refused(wrong):
    with pytest.raises(NotACreditCode):
        credit_code(wrong)


def test_a_code_is_random_and_long_enough():
    """26 letters and digits, of which none is read wrongly: 128 bits."""
    codes = {new_code() for _ in range(2000)}

    assert len(codes) == 2000
    assert all(len(code) == 26 and set(code) <= set("abcdefghijklmnopqrstuvwxyz234567") for code in codes)


def test_a_registry_without_a_credit_code_issues_none():
    openings = Openings({"231221": "11231221MB00000012"}, {"231221": "望奎县自然资源局"})

    assert openings.of("231202", "proof") is None
    assert openings.of("231221", "record") is None
    assert openings.of("231221", "proof").issuer == "11231221MB00000012"
