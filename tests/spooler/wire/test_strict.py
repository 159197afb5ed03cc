"""JSON in one meaning: what two parsers could read in two ways is not read at all."""

import pytest

from spooler.wire import strict
from spooler.wire.errors import BadMessage


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"nul", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b"-Infinity", b"1e999", b"[-1e999]"),
        *(
            b'{"a":1,"a":1}',
            b'[{"b":{"a":1,"a":2}}]',
            b"[" * 17 + b"]" * 17,
            b'{"":' * 17 + b"1" + b"}" * 17,
            b" " * 65,
        ),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(data):
    with pytest.raises(BadMessage):
        strict.parse(data, max_bytes=64)


@pytest.mark.parametrize(
    "data", [b"[" * 16 + b"]" * 16, b'"[[[[[[[[[[[[[[[[[[[["', b'"\\"[[[[[[[[[[[[[[[[[[[["', b"[1,{}]"]
)
def test_brackets_in_strings_are_no_depth(data):
    strict.parse(data)


@pytest.mark.parametrize(
    "before", ["", '"a",', '"\\\\",', '"\\"",', '"[",', "{},", "[[[]]],", '"a\\\\\\"b",', "[],[],{},"]
)
def test_depth_is_counted_whatever_stands_before(before):
    """A string that ends, a quote or a backslash in it, brackets that are closed again."""
    deepest = "[" * 15 + "]" * 15

    strict.parse(f"[{before}{deepest}]".encode())
    with pytest.raises(BadMessage, match="deeper than 16"):
        strict.parse(f"[{before}[{deepest}]]".encode())


def test_so_many_bytes_are_read_and_no_more():
    assert strict.parse(b'"abcd"', max_bytes=6) == "abcd"
    with pytest.raises(BadMessage, match="at most 6"):
        strict.parse(b'"abcde"', max_bytes=6)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_no_reader_takes_is_not_written(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        strict.canonical({"a": value})


def test_what_is_said_of_a_key_that_stands_twice_names_it():
    """Also to those who catch the error of any kind of bad message."""
    with pytest.raises(BadMessage, match="'a' stands twice") as told:
        strict.parse(b'{"a":1,"a":2}')

    assert isinstance(told.value, strict.DuplicateKey) and told.value.key == "a"


def test_equal_values_have_one_spelling():
    assert strict.canonical({"b": 1, "a": "望"}) == strict.canonical({"a": "望", "b": 1}) == '{"a":"望","b":1}'.encode()
