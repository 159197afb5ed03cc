"""The wrapped order: HPKE (RFC 9180, base mode) for one hall's key over the signed ticket and the document.

`info` binds version, registry, hall, order and key, so that a ciphertext moved to another hall, order or key does not open.
Wrapping is randomised: the same order wrapped twice has other bytes, hence `identity` for "is it the same order".
"""

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from spooler.wire.errors import BadEnvelope
from spooler.wire.keys import KeyRecord, WrapKey, wrap_public_key

MAX_WRAPPED_BYTES = 12 << 20
MAX_TICKET_BYTES = 1 << 20
_MAGIC = b"CSP1"
ENCAPSULATED_BYTES = (
    32  # an envelope begins with them: an X25519 key of its own, without which the hall's key opens nothing
)
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True)
class Address:
    """What stands outside on the envelope: ids only."""

    registry: str
    hall: str
    order_id: UUID
    kid: str

    def info(self) -> bytes:
        return "\0".join(("certspool/1", self.registry, self.hall, str(self.order_id), self.kid)).encode()


@dataclass(frozen=True)
class Contents:
    """What is inside: the signed ticket (DSSE) and the document (PDF)."""

    signed_ticket: bytes
    document: bytes


def wrap(contents: Contents, address: Address, key: KeyRecord) -> bytes:
    """Return the envelope that only the hall can open."""
    plain = _MAGIC + len(contents.signed_ticket).to_bytes(4, "big") + contents.signed_ticket + contents.document
    return _SUITE.encrypt(plain, wrap_public_key(key), info=address.info())


def unwrap(envelope: bytes, address: Address, key: WrapKey) -> Contents:
    """Return what is inside, or raise BadEnvelope: one error, whatever is wrong."""
    if len(envelope) > MAX_WRAPPED_BYTES:
        raise BadEnvelope(f"{len(envelope)} bytes, at most {MAX_WRAPPED_BYTES} are opened")
    try:
        plain = _SUITE.decrypt(envelope, key.private, info=address.info())
    except (InvalidTag, ValueError) as e:
        raise BadEnvelope("the envelope does not open with this hall's key") from e
    size = int.from_bytes(plain[4:8], "big")
    if plain[:4] != _MAGIC or size > MAX_TICKET_BYTES or len(plain) < 8 + size:
        raise BadEnvelope("the envelope does not hold a ticket and a document")
    return Contents(signed_ticket=plain[8 : 8 + size], document=plain[8 + size :])


def identity(ticket: bytes, document: bytes) -> str:
    """Return sha256(ticket ‖ document): the same for the same order, however it was wrapped."""
    return sha256(ticket + document).hexdigest()
