"""Passwords as argon2id hashes: made by an operator's command, compared by the daemon, few at once, since each takes 46 MiB.

The parameters are OWASP's first (46 MiB, one lane) with a second pass. What that costs us, and whoever stole the file: docs/accounts.md.
"""

import secrets
from base64 import b64encode
from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any
from unicodedata import normalize

MEMORY_KIB = 47_104
PASSES = 2
LANES = 1
SALT_BYTES = 16
HASH_BYTES = 32
# A hash that we made, of this release or another; the bound on its memory keeps a file from asking for more.
HASHED = r"^\$argon2id\$v=19\$m=\d{4,5},t=\d{1,2},p=1\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86}$"

AT_ONCE = 1
MOST_WAITING = 8


class TooManyAtOnce(Exception):
    """More passwords are waiting to be compared than there is room for."""


def hash_password(password: str) -> str:
    """Return what is kept of it."""
    made: str = _hasher().hash(normal(password))
    return made


def normal(password: str) -> str:
    """Return the password as it is compared: an input method writes Ｃ for C on one desk and not on the next."""
    return normalize("NFKC", password)


def nobodys_hash() -> str:
    """Return a hash of no password at all, which takes as long to compare as any."""
    salt, made = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (SALT_BYTES, HASH_BYTES))
    return f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${made}"


def is_same(hashed: str, password: str) -> bool:
    """Say whether this is the password; it takes the same time either way."""
    from argon2.exceptions import VerificationError

    try:
        return bool(_hasher().verify(hashed, normal(password)))
    except VerificationError:
        return False


class Comparing:
    """Compares for many threads: one at a time, some wait, and the rest are told to come again."""

    def __init__(self, compare: Callable[[str, str], bool] = is_same) -> None:
        self._compare = compare
        self._room = BoundedSemaphore(AT_ONCE + MOST_WAITING)
        self._turn = BoundedSemaphore(AT_ONCE)
        self._nobodys = nobodys_hash()

    def __call__(self, hashed: str | None, password: str) -> bool:
        """Say whether this is the password. Without a hash it never is, and takes as long."""
        if not self._room.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            with self._turn:
                is_right = self._compare(hashed or self._nobodys, password)
        finally:
            self._room.release()
        return is_right and hashed is not None


def _hasher() -> Any:
    from argon2 import PasswordHasher, Type  # only where somebody logs in

    return PasswordHasher(
        time_cost=PASSES,
        memory_cost=MEMORY_KIB,
        parallelism=LANES,
        hash_len=HASH_BYTES,
        salt_len=SALT_BYTES,
        type=Type.ID,
    )
