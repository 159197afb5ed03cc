"""Step 1a: from the bytes of a body to plain values with one meaning, every string clean.

Refused here, with the path as the caller wrote it: a key twice in one object, a control character other than LF, what is no Unicode
character, and what nobody sees. CRLF is read as LF.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from spooler.errors import Code, Finding, Unreadable, finding

MAX_DEPTH = 12
MAX_FINDINGS = 100
LONGEST_SEGMENT = 64

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Surrogates (JSON may escape a lone one) and the noncharacters of Unicode 23.8.
_NO_CHARACTER = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
# Categories Cf, Zl, Zp: nobody sees them, and some turn the direction of what stands beside them.
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_PRINTED_FIELD = re.compile(r"document\.fields\.")
_INLINE_CONTENT = re.compile(r"annexes\.\d+\.content")


class _Doubled(dict[str, Any]):
    """An object in which keys stand twice."""

    keys_twice: tuple[str, ...] = ()


def read_json(body: bytes) -> tuple[dict[str, Any], list[Finding]]:
    """Return the object in `body` and what is wrong with its keys and characters; Unreadable if it is none."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _malformed() from None
    if not isinstance(value, dict):
        raise _malformed()
    found: list[Finding] = []
    cleaned = _clean(value, (), found)
    return cleaned, found[:MAX_FINDINGS]


def path_of(segments: tuple[str | int, ...]) -> str:
    """Return the dotted path of these keys and indexes; strange keys are shortened and escaped."""
    return ".".join(_segment(segment) for segment in segments)


def _segment(segment: str | int) -> str:
    text = str(segment)[:LONGEST_SEGMENT]
    return "".join(c if c.isprintable() else f"U+{ord(c):04X}" for c in text)


def _malformed() -> Unreadable:
    return Unreadable(errors=(finding("", Code.MALFORMED),))


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    doubled = _Doubled(found)
    keys = [key for key, _ in pairs]
    doubled.keys_twice = tuple(key for key in found if keys.count(key) > 1)
    return doubled


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _clean(value: Any, path: tuple[str | int, ...], found: list[Finding]) -> Any:
    if len(path) > MAX_DEPTH:
        raise _malformed()
    if isinstance(value, dict):
        if isinstance(value, _Doubled):
            found.extend(finding(path_of((*path, key)), Code.DUPLICATE_KEY) for key in value.keys_twice)
        return {key: _clean(below, (*path, key), found) for key, below in value.items()}
    if isinstance(value, list):
        return [_clean(below, (*path, index), found) for index, below in enumerate(value)]
    if isinstance(value, str):
        return _clean_text(value, path_of(path), found)
    return value


def _clean_text(text: str, path: str, found: list[Finding]) -> str:
    if _INLINE_CONTENT.fullmatch(path):
        return text  # base64 is judged where it is read
    text = text.replace("\r\n", "\n")
    found.extend(_character_findings(text, path))
    return text


def _character_findings(text: str, path: str) -> Iterator[Finding]:
    """Find the first character of each kind that may not stand here."""
    allowed = "\n" if _PRINTED_FIELD.match(path) else ""
    control = next((m.group() for m in _CONTROL.finditer(text) if m.group() not in allowed), None)
    if control is not None:
        yield finding(path, Code.CONTROL_CHARACTER, character=_code_point(control))
    for pattern, code in ((_NO_CHARACTER, Code.NOT_UNICODE), (_INVISIBLE, Code.INVISIBLE_CHARACTER)):
        found = pattern.search(text)
        if found is not None:
            yield finding(path, code, character=_code_point(found.group()))


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"
