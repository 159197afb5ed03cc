"""Enrolment: a new hall and its home show each other that both know the same one-time code, and exchange public keys. No I/O.

    hall                                        home                                  where the authority is
      │ keys made here, code typed in             │ code made here, its key kept          │
      ├── request + MAC under the code's key ────▶│ kept, the code is spent               │
      │ fingerprint of the request, told by a person of the hall ──────────────────────▶  │ compared, certified, recorded
      │◀── answer + MAC: certificate, trust ──────┤◀──────────────────────────────────────┤

The code itself never travels, and nothing that does is secret: whoever changes a byte between has no MAC for it. A thief of the code
is met by the fingerprint: nobody is recorded whose keys a person has not compared.
"""

import hmac
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from spooler.wire import strict
from spooler.wire.errors import BadMessage, BadSignature
from spooler.wire.keys import KeyRecord, check_signature, kid_of
from spooler.wire.messages import HallId

SECRET_BYTES = 20  # 160 bits: not to be guessed, so that a plain hash keeps it
_GROUP = 4
_CONTEXT = b"certspool enrolment 1\0"
LONGEST_REQUEST = 16 << 10
What = Literal["request", "ask", "answer"]
Pem = Annotated[str, Field(max_length=4 << 10)]


class BadCode(ValueError):
    """What was typed is no code."""


@dataclass(frozen=True)
class EnrolmentCode:
    """A hall and a secret, as a person types them: 231282-09/ABCD-EFGH-…"""

    hall: str
    secret: str

    @classmethod
    def make(cls, hall: str) -> "EnrolmentCode":
        return cls(hall, b32encode(secrets.token_bytes(SECRET_BYTES)).decode())

    @classmethod
    def parse(cls, text: str) -> "EnrolmentCode":
        hall, slash, secret = text.strip().upper().partition("/")
        plain = secret.replace("-", "")
        if not slash or len(plain) != SECRET_BYTES * 8 // 5 or not plain.isalnum() or not plain.isascii():
            raise BadCode("a code is written as 231282-09/ABCD-EFGH-… (eight groups)")
        return cls(hall, plain)

    def __str__(self) -> str:
        groups = (self.secret[at : at + _GROUP] for at in range(0, len(self.secret), _GROUP))
        return f"{self.hall}/{'-'.join(groups)}"

    def __repr__(self) -> str:
        return f"EnrolmentCode({self.hall!r}, …)"

    @property
    def key(self) -> bytes:
        """Return what home keeps in the code's place: from it nobody finds the code."""
        return sha256(_CONTEXT + self.hall.encode() + b"\0" + self.secret.encode()).digest()


class EnrolmentRequest(BaseModel):
    """The public side of what a hall has made. Signed by its report key, and by its broker key (the request for a certificate)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    hall: HallId
    at: AwareDatetime
    report_key: Pem
    wrap_key: Pem
    grant_key: Pem  # of the people who may agree on grants
    certificate_request: Pem

    def to_bytes(self) -> bytes:
        return strict.canonical(self.model_dump(mode="json"))


class EnrolmentAnswer(BaseModel):
    """What a hall is given: its certificate at the broker, and whom it believes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    hall: HallId
    fingerprint: str  # of the request that this answers
    certificate: str  # PEM
    trust: dict[str, str]  # files below the trust directory

    def to_bytes(self) -> bytes:
        return strict.canonical(self.model_dump(mode="json"))


@dataclass(frozen=True)
class Asked:
    """A request as it was read: every key in it is of its kind, and whoever asks has the private ones."""

    hall: str
    report_key: KeyRecord
    wrap_key: KeyRecord
    grant_key: KeyRecord
    broker_key: ec.EllipticCurvePublicKey
    fingerprint: str


def mac(key: bytes, what: What, payload: bytes) -> str:
    """Return what shows that the sender knows the code: for this message, said in this direction."""
    return hmac.new(key, what.encode() + b"\0" + payload, sha256).hexdigest()


def is_mac(found: str, key: bytes, what: What, payload: bytes) -> bool:
    return hmac.compare_digest(found.encode(), mac(key, what, payload).encode())


def fingerprint(request: bytes) -> str:
    """Return what two people compare: 64 bits of the request's hash, in groups of four."""
    digits = sha256(_CONTEXT + request).hexdigest()[:16]
    return "-".join(digits[at : at + _GROUP] for at in range(0, len(digits), _GROUP))


def signed_request(request: bytes) -> bytes:
    """Return what the report key signs: a request is nothing else that it ever signs."""
    return _CONTEXT + request


def read_request(payload: bytes, signature: bytes, start: datetime, end: datetime) -> Asked:
    """Return what the hall asks, its keys good from `start` to `end`; BadMessage or BadSignature when it does not have them."""
    if len(payload) > LONGEST_REQUEST:
        raise BadMessage("an enrolment request is short")
    try:
        request = EnrolmentRequest.model_validate(strict.parse(payload))
        report_key = _signing_record("report", request.report_key, start, end)
        grant_key = _signing_record("grant", request.grant_key, start, end)
        wrap_key = _wrap_record(request.wrap_key, start, end)
        certificate_request = x509.load_pem_x509_csr(request.certificate_request.encode())
    except (ValidationError, ValueError) as e:
        raise BadMessage("not an enrolment request") from e
    check_signature(signed_request(payload), signature, report_key.kid, [report_key], "report", end)
    broker_key = _broker_key(certificate_request)
    return Asked(request.hall, report_key, wrap_key, grant_key, broker_key, fingerprint(payload))


def _signing_record(use: Literal["report", "grant"], pem: str, start: datetime, end: datetime) -> KeyRecord:
    public = serialization.load_pem_public_key(pem.encode())
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise BadSignature(f"the {use} key must be a P-256 key")
    return KeyRecord(
        kid=kid_of(public),
        use=use,
        algorithm="ES256",
        public_key=_pem(public),
        not_before=start,
        not_after=end,
    )


def _wrap_record(pem: str, start: datetime, end: datetime) -> KeyRecord:
    public = serialization.load_pem_public_key(pem.encode())
    if not isinstance(public, x25519.X25519PublicKey):
        raise BadSignature("the wrap key must be an X25519 key")
    return KeyRecord(
        kid=kid_of(public),
        use="wrap",
        algorithm="HPKE-X25519-SHA256-AES256GCM",
        public_key=_pem(public),
        not_before=start,
        not_after=end,
    )


def _pem(public: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> str:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _broker_key(request: x509.CertificateSigningRequest) -> ec.EllipticCurvePublicKey:
    """Only the key is taken from it: who it is for is not the asker's to say."""
    public = request.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise BadSignature("the key at the broker must be a P-256 key")
    if not request.is_signature_valid:
        raise BadSignature("the request for a certificate is not by its own key")
    return public


def read_answer(payload: bytes) -> EnrolmentAnswer:
    try:
        return EnrolmentAnswer.model_validate(strict.parse(payload))
    except ValidationError as e:
        raise BadMessage("not an enrolment answer") from e


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
