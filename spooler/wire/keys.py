"""Keys by record: the record says which algorithm a key is for, a message never does.

Signing is ES256 (FIPS 186-5, P-256 with SHA-256; the signature is r‖s, 64 bytes, as in RFC 7518 §3.4).
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pydantic import AwareDatetime, BaseModel, ConfigDict

from spooler.wire.errors import BadSignature

SignatureAlgorithm = Literal["ES256"]
WrapAlgorithm = Literal["HPKE-X25519-SHA256-AES256GCM"]


class KeyRecord(BaseModel):
    """A public key, what it is for, and from when to when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kid: str
    use: Literal["ticket", "report", "wrap"]
    algorithm: SignatureAlgorithm | WrapAlgorithm
    public_key: str
    not_before: AwareDatetime
    not_after: AwareDatetime
    revoked_at: AwareDatetime | None = None

    def serves(self, use: str, at: datetime) -> bool:
        """Say whether this key is good for `use` at that time."""
        revoked = self.revoked_at is not None and self.revoked_at <= at
        return self.use == use and self.not_before <= at <= self.not_after and not revoked


class SigningKey:
    """A private P-256 key and its kid."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        self.kid = kid_of(private.public_key())

    @classmethod
    def generate(cls) -> "SigningKey":
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        private = serialization.load_pem_private_key(pem, None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
            raise BadSignature("a signing key must be a P-256 private key")
        return cls(private)

    def to_pem(self) -> bytes:
        return _private_pem(self._private)

    def record(self, use: Literal["ticket", "report"], not_before: datetime, not_after: datetime) -> KeyRecord:
        """Return the public side, as others hold it."""
        return KeyRecord(
            kid=self.kid,
            use=use,
            algorithm="ES256",
            public_key=_public_pem(self._private.public_key()),
            not_before=not_before,
            not_after=not_after,
        )

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class WrapKey:
    """A hall's private X25519 key: what is wrapped for it, only it can open."""

    def __init__(self, private: x25519.X25519PrivateKey) -> None:
        self.private = private
        self.kid = kid_of(private.public_key())

    @classmethod
    def generate(cls) -> "WrapKey":
        return cls(x25519.X25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: bytes) -> "WrapKey":
        private = serialization.load_pem_private_key(pem, None)
        if not isinstance(private, x25519.X25519PrivateKey):
            raise BadSignature("a wrap key must be an X25519 private key")
        return cls(private)

    def to_pem(self) -> bytes:
        return _private_pem(self.private)

    def record(self, not_before: datetime, not_after: datetime) -> KeyRecord:
        """Return the public side, as others hold it."""
        return KeyRecord(
            kid=self.kid,
            use="wrap",
            algorithm="HPKE-X25519-SHA256-AES256GCM",
            public_key=_public_pem(self.private.public_key()),
            not_before=not_before,
            not_after=not_after,
        )


def check_signature(
    data: bytes, signature: bytes, kid: str, keys: Iterable[KeyRecord], use: str, at: datetime
) -> KeyRecord:
    """Return the record whose key made `signature`, or raise BadSignature."""
    for record in keys:
        if record.kid == kid and record.serves(use, at):
            _check_es256(data, signature, record)
            return record
    raise BadSignature(f"no {use} key {kid} is trusted at {at.isoformat()}")


def _check_es256(data: bytes, signature: bytes, record: KeyRecord) -> None:
    public = serialization.load_pem_public_key(record.public_key.encode())
    if (
        record.algorithm != "ES256"
        or not isinstance(public, ec.EllipticCurvePublicKey)
        or public.curve.name != "secp256r1"
    ):
        raise BadSignature(f"key {record.kid} is not a P-256 key")
    if len(signature) != 64:
        raise BadSignature("an ES256 signature has 64 bytes")
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public.verify(der, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as e:
        raise BadSignature(f"the signature is not by key {record.kid}") from e


def wrap_public_key(record: KeyRecord) -> x25519.X25519PublicKey:
    """Return the key to wrap for."""
    public = serialization.load_pem_public_key(record.public_key.encode())
    if record.use != "wrap" or not isinstance(public, x25519.X25519PublicKey):
        raise BadSignature(f"key {record.kid} is not a wrap key")
    return public


def kid_of(public: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> str:
    """Return the key's name: 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(der).hexdigest()[:16]


def _public_pem(public: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> str:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _private_pem(private: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
