"""Signature algorithms, one interface for tickets, reports and seals: the key's record or certificate says which, a message never does.

    ES256   ECDSA on P-256 with SHA-256 (FIPS 186-5); on the wire r‖s, 64 bytes (RFC 7518 §3.4), in a seal DER (RFC 5753)
    RS256   RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2): seals alone

Another one is another entry here; where the others would be, SM2 among them: docs/algorithms.md.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from spooler.wire.errors import BadSignature


class Algorithm(Protocol):
    """What a name in a record means. Signatures are as X.509 and CMS have them; `to_wire` and `from_wire` are for our own messages."""

    @property
    def name(self) -> str: ...

    def fits(self, public: Any) -> bool:
        """Say whether a key of this kind signs so."""

    def sign(self, private: Any, data: bytes) -> bytes: ...

    def verify(self, public: Any, data: bytes, signature: bytes) -> None:
        """Raise BadSignature unless it is this key's."""

    def to_wire(self, signature: bytes) -> bytes: ...

    def from_wire(self, signature: bytes) -> bytes: ...


class Signer(Protocol):
    """A private key, wherever it lies: in a file, in a token."""

    def public_key(self) -> Any: ...

    def sign(self, data: bytes) -> bytes:
        """Return the signature as X.509 and CMS have it."""


class _Es256:
    name = "ES256"
    _half = 32

    def fits(self, public: Any) -> bool:
        return isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1"

    def sign(self, private: Any, data: bytes) -> bytes:
        return bytes(private.sign(data, ec.ECDSA(hashes.SHA256())))

    def verify(self, public: Any, data: bytes, signature: bytes) -> None:
        try:
            public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as e:
            raise BadSignature("the signature is not by this key") from e

    def to_wire(self, signature: bytes) -> bytes:
        r, s = decode_dss_signature(signature)
        return r.to_bytes(self._half, "big") + s.to_bytes(self._half, "big")

    def from_wire(self, signature: bytes) -> bytes:
        if len(signature) != 2 * self._half:
            raise BadSignature("an ES256 signature has 64 bytes")
        r, s = signature[: self._half], signature[self._half :]
        return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


class _Rs256:
    name = "RS256"

    def fits(self, public: Any) -> bool:
        return isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048

    def sign(self, private: Any, data: bytes) -> bytes:
        return bytes(private.sign(data, padding.PKCS1v15(), hashes.SHA256()))

    def verify(self, public: Any, data: bytes, signature: bytes) -> None:
        try:
            public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as e:
            raise BadSignature("the signature is not by this key") from e

    def to_wire(self, signature: bytes) -> bytes:
        return signature

    def from_wire(self, signature: bytes) -> bytes:
        return signature


ES256: Algorithm = _Es256()
RS256: Algorithm = _Rs256()
ALGORITHMS: Mapping[str, Algorithm] = {one.name: one for one in (ES256, RS256)}


def algorithm_of(public: Any) -> Algorithm:
    """Return what a key of this kind signs with; BadSignature for one that nothing here fits."""
    for one in ALGORITHMS.values():
        if one.fits(public):
            return one
    raise BadSignature("no signature algorithm here is for a key of this kind")


class FileSigner:
    """A key that was read from a file."""

    def __init__(self, private: Any, algorithm: Algorithm) -> None:
        self.private = private
        self._algorithm = algorithm

    def public_key(self) -> Any:
        return self.private.public_key()

    def sign(self, data: bytes) -> bytes:
        return self._algorithm.sign(self.private, data)
