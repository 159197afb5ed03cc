"""JSON as it crosses a border: one meaning, one spelling.

Reading refuses what two parsers could read in two ways: a key twice, NaN, 1e999, a byte order mark, deep nesting (RFC 8259 leaves
them open). Writing is canonical, so that equal values have equal bytes and equal hashes (as in RFC 8785).
"""

import json
from math import isfinite
from typing import Any

from spooler.wire.errors import BadMessage

MAX_BYTES = 1 << 20
MAX_DEPTH = 16


class DuplicateKey(BadMessage):
    """The same key stands twice in one object."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} stands twice in one object")
        self.key = key


def canonical(value: Any) -> bytes:
    """Return the one spelling of `value`: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def parse(data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """Return the JSON value in `data`, or raise BadMessage."""
    if len(data) > max_bytes:
        raise BadMessage(f"{len(data)} bytes of JSON, at most {max_bytes} are read")
    if _depth(data) > max_depth:
        raise BadMessage(f"JSON nested deeper than {max_depth}")
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except BadMessage:
        raise
    except (ValueError, RecursionError) as e:
        raise BadMessage("not well-formed UTF-8 JSON") from e


def _depth(data: bytes) -> int:
    """Return how deep brackets nest outside strings, without recursion."""
    deepest = depth = 0
    in_string = escaped = False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise DuplicateKey(key)
        found[key] = value
    return found


def _finite(number: str) -> float:
    """Read a number; 1e999 is beyond all, and could be written down by nobody again."""
    read = float(number)
    if not isfinite(read):
        raise BadMessage("a number beyond what can be written")
    return read


def _no_constant(name: str) -> Any:
    raise BadMessage(f"{name} is not JSON")
