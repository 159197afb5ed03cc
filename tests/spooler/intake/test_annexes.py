"""The annexes' bytes, inline or as parts, are what the request says of them."""

import base64
import hashlib

import pytest

from spooler.errors import TooLarge
from spooler.intake.annexes import MAX_ANNEX_BYTES
from tests.spooler.intake.build import changed, findings, judge, parts_of, places, sample

HOUSE = sample("house")
PARTS = parts_of(HOUSE)
MAP, PLAN = (annex["name"] for annex in HOUSE["annexes"])


def inline(request=HOUSE, parts=PARTS):
    annexes = [{**annex, "content": base64.b64encode(parts[annex["name"]]).decode()} for annex in request["annexes"]]
    return {**request, "annexes": annexes}


def test_inline_and_as_parts_are_the_same_request():
    as_parts, as_text = judge(HOUSE), judge(inline(), parts={})

    assert as_text.digest == as_parts.digest
    assert as_text.annexes == as_parts.annexes == tuple(PARTS.values())


def test_base64_may_be_wrapped_in_lines():
    wrapped = base64.encodebytes(PARTS[MAP]).decode()

    assert judge(changed(inline(), "annexes.0.content", wrapped), parts={}).annexes[0] == PARTS[MAP]


@pytest.mark.parametrize("text", ["%%%", "YWJjZA", "图", "YQ=A"])
def test_what_is_not_base64_is_named(text):
    request = changed(inline(), "annexes.1.content", text)

    assert places(findings(request, parts={})) == [("annexes.1.content", "not-base64")]


def test_an_annex_without_content_is_named():
    assert places(findings(HOUSE, parts={MAP: PARTS[MAP]})) == [("annexes.1.content", "no-content")]


def test_content_is_given_once():
    assert places(findings(inline(), parts={PLAN: PARTS[PLAN]})) == [("annexes.1.content", "content-twice")]


def test_a_part_that_no_annex_names_is_an_error():
    """A map that was meant to be printed must not be dropped in silence."""
    found = findings(HOUSE, parts={**PARTS, "forgotten.pdf": b"x"})

    assert places(found) == [("forgotten.pdf", "unknown-part")]


def test_one_changed_byte_is_found():
    spoilt = {**PARTS, PLAN: PARTS[PLAN][:-1] + b"\0"}

    assert places(findings(HOUSE, parts=spoilt)) == [("annexes.1.sha256", "hash-mismatch")]


def test_a_cut_file_is_found():
    cut = {**PARTS, MAP: PARTS[MAP][:-1]}

    assert places(findings(HOUSE, parts=cut)) == [
        ("annexes.0.bytes", "length-mismatch"),
        ("annexes.0.sha256", "hash-mismatch"),
    ]


def test_annexes_that_would_not_fit_into_an_order_are_too_large():
    """413 names the limit and the size."""
    large = bytes(MAX_ANNEX_BYTES + 1)
    entry = {**HOUSE["annexes"][0], "bytes": len(large), "sha256": hashlib.sha256(large).hexdigest()}
    request = {**HOUSE, "annexes": [entry]}

    with pytest.raises(TooLarge) as refused:
        judge(request, parts={MAP: large})

    assert str(MAX_ANNEX_BYTES) in refused.value.detail
    assert str(len(large)) in refused.value.detail


def test_other_content_is_another_request():
    """The digest covers annexes by their hashes, and every field."""
    other = inline()
    for path, value in (
        ("annexes.0.sha256", "0" * 64),
        ("document.fields.holder", "孙三"),
        ("hall", "231283-01"),
        ("seal", "stamped"),
    ):
        changed_request = changed(HOUSE, path, value)
        if path.startswith("annexes"):
            assert places(findings(changed_request)) == [("annexes.0.sha256", "hash-mismatch")]
        elif value != HOUSE.get(path):
            assert judge(changed_request).digest != judge(other, parts={}).digest


def test_a_map_may_say_its_scale():
    """1:500 at the size of its own page; what says nothing is the same request as before there was a scale."""
    scaled = judge(changed(HOUSE, "annexes.0.scale", 500))

    assert [annex.scale for annex in scaled.request.annexes] == [500, None]
    assert scaled.digest != judge(HOUSE).digest
    assert "scale" not in judge(HOUSE).request.model_dump(mode="json")["annexes"][0]


@pytest.mark.parametrize("scale", [0, 9, 100_001, "500", 500.5, True])
def test_a_scale_is_a_whole_number(scale):
    assert places(findings(changed(HOUSE, "annexes.0.scale", scale)))[0][0] == "annexes.0.scale"


@pytest.mark.parametrize("name", ["homestead", "collateral-list"])
def test_coordinates_say_their_scale_themselves_and_lists_have_none(name):
    assert places(findings(changed(sample(name), "annexes.0.scale", 500))) == [("annexes.0.scale", "not-with-this")]


BAD_NAMES = {
    "up": "../map.pdf",
    "up, backwards": "..\\map.pdf",
    "from the root": "/etc/passwd",
    "slash": "a/map.pdf",
    "escaped slash": "..%2fmap.pdf",
    "escaped NUL": "map%00.pdf",
    "NUL": "map\x00.pdf",
    "line end": "map.pdf\n",
    "written backwards": "map\u202efdp.exe",
    "full-width dots": "．．／map.pdf",
    "hidden": ".htaccess",
    "an option": "-o raw",
    "4 KB": "m" * 4096,
    "empty": "",
}


@pytest.mark.attack_row("S16")
@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_a_name_that_is_more_than_a_name_is_refused(name):
    """In the request, by its field: no path of ours is ever made of it."""
    (refused,) = {field for field, _ in places(findings(changed(inline(), "annexes.0.name", name), parts={}))}

    assert refused == "annexes.0.name"
