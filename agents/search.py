"""Persons as the ledger may hold them: masked for the eye, and as keyed hashes for search. Never their names."""

import hmac
import os
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from spooler.wire.messages import Ticket

_BETWEEN_NAMES = re.compile(r"[、,，;；\n]+")
_LONGEST_WORD = 40


class Words:
    """Hashes words with a key of this hall's own, so that the ledger alone does not tell who is in it."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def from_file(cls, path: Path) -> "Words":
        """Read the key, made at the first start."""
        if not path.exists():
            aside = path.with_suffix(".new")
            aside.touch(mode=0o600)
            aside.write_bytes(os.urandom(32))
            aside.replace(path)
        return cls(path.read_bytes())

    def hashed(self, word: str) -> bytes:
        return hmac.digest(self._key, "".join(word.split()).upper().encode(), sha256)

    def of(self, ticket: Ticket) -> set[bytes]:
        """Return what this order is found by: beginnings of names, the last four of ID numbers and of mobiles."""
        return {self.hashed(word) for word in _words(ticket)}


def _words(ticket: Ticket) -> Iterator[str]:
    for name in [*_names(ticket.holder), *(party.name for party in ticket.parties)]:
        yield from (name[:length] for length in range(1, min(len(name), _LONGEST_WORD) + 1))
    for party in ticket.parties:
        yield party.id_number
        yield party.id_number[-4:]
        if party.mobile:
            yield party.mobile[-4:]


def masked(holder: str) -> str:
    """张三 → 张*, 欧阳修文 → 欧***; of several the first, and how many there are."""
    names = _names(holder)
    first = names[0] if names else "*"
    shown = first[0] + "*" * min(len(first) - 1, 3) if len(first) > 1 else "*"
    return shown if len(names) < 2 else f"{shown}等{len(names)}人"


def _names(holder: str) -> list[str]:
    return ["".join(name.split()) for name in _BETWEEN_NAMES.split(holder) if name.strip()]
