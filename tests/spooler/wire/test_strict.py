"""JSON in one meaning: what two parsers could read in two ways is not read at all."""

import pytest

from spooler.wire import strict
from spooler.wire.errors import BadMessage


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"nul", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b"-Infinity"),
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


def test_equal_values_have_one_spelling():
    assert strict.canonical({"b": 1, "a": "望"}) == strict.canonical({"a": "望", "b": 1}) == '{"a":"望","b":1}'.encode()
