"""Keys by record: the record says which algorithm a key is for, a message never does (`algorithms` says what each is)."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from pydantic import AwareDatetime, BaseModel, ConfigDict

from spooler.wire.algorithms import ALGORITHMS, ES256, FileSigner, Signer
from spooler.wire.errors import BadSignature

SignatureAlgorithm = Literal["ES256"]
WrapAlgorithm = Literal["HPKE-X25519-SHA256-AES256GCM"]


class KeyRecord(BaseModel):
    """A public key, what it is for, and from when to when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kid: str
    use: Literal["ticket", "report", "wrap", "grant"]
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
    """A private P-256 key, in a file or in a token, and its kid."""

    algorithm = ES256

    def __init__(self, private: ec.EllipticCurvePrivateKey | Signer) -> None:
        if isinstance(private, ec.EllipticCurvePrivateKey):
            private = FileSigner(private, self.algorithm)
        self._signer: Signer = private
        self.kid = kid_of(self._signer.public_key())

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
        if not isinstance(self._signer, FileSigner):
            raise BadSignature("the private key is in a token, and stays there")
        return _private_pem(self._signer.private)

    def record(self, use: Literal["ticket", "report", "grant"], not_before: datetime, not_after: datetime) -> KeyRecord:
        """Return the public side, as others hold it."""
        return KeyRecord(
            kid=self.kid,
            use=use,
            algorithm="ES256",
            public_key=_public_pem(self._signer.public_key()),
            not_before=not_before,
            not_after=not_after,
        )

    def sign(self, data: bytes) -> bytes:
        return self.algorithm.to_wire(self._signer.sign(data))


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
            _check(data, signature, record)
            return record
    raise BadSignature(f"no {use} key {kid} is trusted at {at.isoformat()}")


def _check(data: bytes, signature: bytes, record: KeyRecord) -> None:
    algorithm = ALGORITHMS.get(record.algorithm)
    public = serialization.load_pem_public_key(record.public_key.encode())
    if algorithm is None or not algorithm.fits(public):
        raise BadSignature(f"key {record.kid} is not a key for {record.algorithm} signatures")
    algorithm.verify(public, data, algorithm.from_wire(signature))


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


def kid_of_pem(pem: bytes) -> str:
    """Return the name of the key whose public side this is."""
    public = serialization.load_pem_public_key(pem)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise BadSignature("not the public side of a signing key")
    return kid_of(public)


def _public_pem(public: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> str:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _private_pem(private: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
