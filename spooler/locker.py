"""Documents at rest: each is locked with a key of its own, and that with a key from the credentials, so that a copied disk tells nothing.

    locked = mark ‖ which key ‖ nonce ‖ AES-256-GCM(key, the document's key) ‖ AES-256-GCM(the document's key, document)

The document's key is used once, so its nonce may be zero. What an earlier release kept open is read as it is, and locked at start.
"""

import os
from base64 import b64decode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from spooler.documents import LOCKED, DocumentDamaged

KEY_BYTES = 32
_KID_BYTES, _NONCE_BYTES, _WRAPPED_BYTES = 8, 12, KEY_BYTES + 16
_HEAD_BYTES = len(LOCKED) + _KID_BYTES
_ONCE = bytes(_NONCE_BYTES)


class KeyLocker:
    """Locks with the first of its keys; unlocks with whichever it was."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_kid(key): AESGCM(key) for key in keys}
        self.name = _kid(keys[0]).hex()
        self._head = LOCKED + _kid(keys[0])

    def lock(self, content: bytes) -> bytes:
        key, nonce = os.urandom(KEY_BYTES), os.urandom(_NONCE_BYTES)
        wrapped = self._keys[self._head[len(LOCKED) :]].encrypt(nonce, key, self._head)
        return b"".join((self._head, nonce, wrapped, AESGCM(key).encrypt(_ONCE, content, self._head)))

    def unlock(self, stored: bytes) -> bytes:
        if not stored.startswith(LOCKED):
            return stored
        head, rest = stored[:_HEAD_BYTES], stored[_HEAD_BYTES:]
        of_credentials = self._keys.get(head[len(LOCKED) :])
        if of_credentials is None:
            raise DocumentDamaged(f"a document is locked with key {head[len(LOCKED) :].hex()}, which is not among ours")
        nonce, rest = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
        try:
            key = of_credentials.decrypt(nonce, rest[:_WRAPPED_BYTES], head)
            return AESGCM(key).decrypt(_ONCE, rest[_WRAPPED_BYTES:], head)
        except (InvalidTag, ValueError) as e:
            raise DocumentDamaged("a locked document has changed on disk") from e

    def is_current(self, head: bytes) -> bool:
        """Say whether a file that begins so is locked with the first key."""
        return head.startswith(self._head)


def read_key(text: str) -> bytes:
    """Return the key in a credential (`openssl rand -base64 32`), or raise ValueError."""
    key = b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"{len(key)} bytes, a key has {KEY_BYTES}")
    return key


def _kid(key: bytes) -> bytes:
    return sha256(b"certspool documents\0" + key).digest()[:_KID_BYTES]
