"""The catalogue of registration items: sound as it ships, and a site's own told what is wrong with it by file, line and key."""

import pytest

from spooler.catalog import KINDS
from spooler.items import NONE, BadItems, find_items, load_items

SOUND = """
[items]
house = { name = "房屋", english = "House", yields = "certificate", source = "细则第二十条" }
pledge = { name = "抵押", english = "Mortgage", yields = "proof", source = "细则第二十条" }
"""


@pytest.fixture
def written(tmp_path):
    """Write a catalogue; return where it lies."""

    def write(text):
        path = tmp_path / "items.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_shipped_catalogue_knows_what_each_right_is_answered_with():
    """细则第二十条: mortgage, easement, advance notice and objection by a proof, all other rights by a certificate."""
    items = load_items(find_items())

    yields = {code: item.yields for code, item in items.items()}
    assert {yields[f"{right}-{act}"] for right in RIGHTS for act in ("first", "transfer", "change")} == {"certificate"}
    assert {yields[code] for code in PROOFS} == {"proof"}
    assert {yields[code] for code in NOTHING} == {NONE}
    assert yields["archive-query"] == "record"
    assert set(yields.values()) == {*KINDS, NONE}


RIGHTS = [
    "state-land",
    "state-land-building",
    "homestead-building",
    "collective-land",
    "contracted-land",
    "forest",
    "sea",
]
PROOFS = [
    "mortgage-first",
    "maximum-mortgage-fixing",
    "easement-first",
    "habitation-first",
    "notice-presale",
    "objection",
]
NOTHING = ["seizure", "seizure-release", "cancellation", "common-parts"]


def test_what_is_issued_again_says_how():
    items = load_items(find_items())

    said = {code: item.issuance for code, item in items.items() if item.issuance}
    assert said == {
        f"{how}-{kind}": how for how in ("renewal", "replacement", "correction") for kind in ("certificate", "proof")
    }


def test_a_sound_catalogue_of_ones_own_is_read(written):
    assert list(load_items(written(SOUND))) == ["house", "pledge"]


WRONG = [
    (
        '"proof", source',
        '"prof", source',
        4,
        "items.pledge.yields: there is no kind prof; known are certificate, proof, ",
    ),
    ('name = "抵押"', 'name = "房屋"', 4, "items.pledge.name: house has the same name"),
    ("pledge = {", "Pledge = {", 4, "items.Pledge: String should match pattern"),
    ('name = "抵押", ', "", 4, "items.pledge.name: Field required"),
    ("pledge = {", 'pledge = { color = "red",', 4, "items.pledge.color: Extra inputs are not permitted; nobody reads"),
    ("pledge = {", 'pledge = { issuance = "copy",', 4, "items.pledge.issuance: Input should be 'first', 'renewal'"),
    (
        'yields = "proof"',
        'yields = "none", issuance = "renewal"',
        4,
        "items.pledge.issuance: nothing is issued for this item",
    ),
    ("[items]", "[item]", 2, "item: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), WRONG)
def test_a_fault_is_told_with_file_line_and_key(written, old, new, line, told):
    path = written(SOUND.replace(old, new))

    with pytest.raises(BadItems) as refused:
        load_items(path)

    assert any(fault.startswith(f"{path}:{line}: {told}") for fault in str(refused.value).split("\n")), refused.value


def test_a_file_that_cannot_be_read_is_named(tmp_path, written):
    with pytest.raises(BadItems, match=r"items\.toml: No such file"):
        load_items(tmp_path / "items.toml")
    with pytest.raises(BadItems, match=r"items\.toml: Invalid initial character"):
        load_items(written("[items]\nhouse = {"))
