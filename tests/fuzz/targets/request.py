"""A request's body: a request whose every part is in bounds, or a refusal that can be written down, with codes of the closed list."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from spooler.errors import Code, HomeError
from spooler.intake.check import read_request
from tests.spooler.intake.build import OWN, checker

REFUSES = ()  # a refusal is written down here, and so is no exception any more
MOST_MEGABYTES = 256
LONGEST = 16_384

_CODES = frozenset(code.value for code in Code)
_CHECKER = checker(now=datetime(2026, 6, 2, 4, 0, tzinfo=UTC))


def read(data: bytes) -> None:
    try:
        received = read_request(data, {})
        assert read_request(data, {}).digest == received.digest
        _CHECKER.check(received)
    except HomeError as e:
        assert {item.code for item in e.errors} <= _CODES
        json.dumps([item.to_json() for item in e.errors], ensure_ascii=False).encode("utf-8")


def seeds() -> Iterator[tuple[str, bytes]]:
    """Those of the samples that need no annex, good and bad ones: the others would be refused for its absence alone."""
    for kind in ("good", "bad"):
        for path in sorted((OWN / kind).glob("*.json")):
            if not json.loads(path.read_bytes()).get("annexes"):
                yield f"{kind}-{path.stem}", path.read_bytes()
