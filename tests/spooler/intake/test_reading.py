"""Bytes become plain values with one meaning, or are refused with the place named."""

import json
import unicodedata

import pytest

from spooler.errors import Unreadable
from spooler.intake import reading
from spooler.intake.reading import read_json
from tests.spooler.intake.build import places


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"\xff{}",
        b"\xef\xbb\xbf{}",
        b'{"a": 1} x',
    ],
    ids=repr,
)
def test_what_is_no_object_is_not_read(body):
    with pytest.raises(Unreadable):
        read_json(body)


def test_a_body_nested_too_deep_is_not_read():
    for depth in (20, 100_000):
        with pytest.raises(Unreadable):
            read_json(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


def test_a_number_of_a_million_digits_is_not_read():
    """Turning it into an integer would take seconds."""
    with pytest.raises(Unreadable):
        read_json(b'{"a": ' + b"9" * 1_000_000 + b"}")


def test_a_key_that_stands_twice_is_named_with_its_path():
    _, found = read_json(b'{"case": {"number": "1", "number": "2"}, "x": [{"y": 1, "y": 1}]}')

    assert places(found) == [("case.number", "duplicate-key"), ("x.0.y", "duplicate-key")]


@pytest.mark.parametrize("character", ["\x00", "\x07", "\t", "\r", "\x0b", "\x1b", "\x7f", "\x85", "\x9f"])
def test_a_control_character_is_named_by_its_code_point(character):
    _, found = read_json(json.dumps({"document": {"fields": {"qlr": f"张{character}三"}}}).encode())

    assert places(found) == [("document.fields.qlr", "control-character")]
    assert f"U+{ord(character):04X}" in found[0].message
    assert "张" not in found[0].message


@pytest.mark.parametrize("character", ["\\ud800", "\\udfff", "\\uffff", "\\ufdd0", "\\udbff\\udfff"])
def test_what_is_no_character_is_refused(character):
    _, found = read_json(f'{{"a": "x{character}"}}'.encode())

    assert places(found) == [("a", "not-unicode")]


def test_a_surrogate_pair_is_one_character():
    """JSON may write 𬭎 as two escapes."""
    values, found = read_json(b'{"a": "\\ud872\\udf4e"}')

    assert (values, found) == ({"a": "𬭎"}, [])


def test_crlf_is_read_as_lf_and_lf_belongs_to_printed_fields_only():
    values, found = read_json(b'{"window": "1\\r\\n2", "document": {"fields": {"fj": "1\\r\\n2\\n3"}}}')

    assert values["document"]["fields"]["fj"] == "1\n2\n3"
    assert places(found) == [("window", "control-character")]


def test_a_strange_key_is_shortened_and_escaped_in_the_path():
    _, found = read_json(json.dumps({"k\u0000\ud800" + "x" * 500: "\x00"}).encode())

    assert found[0].field == "kU+0000U+D800" + "x" * 61


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "\u2028", "\U000e0041"])
def test_what_nobody_sees_is_refused_wherever_it_stands(character):
    """A name with a hidden mark is not found by search, and may be shown in another order than it was written."""
    _, found = read_json(json.dumps({"parties": [{"name": f"张{character}三"}]}).encode())

    assert places(found) == [("parties.0.name", "invisible-character")]


def test_every_invisible_character_of_unicode_is_known():
    known = [chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) in {"Cf", "Zl", "Zp"}]

    assert [f"U+{ord(one):04X}" for one in known if not reading._INVISIBLE.fullmatch(one)] == []
