"""Enrolment, the hall's side: makes the hall's keys here, shows that it knows its one-time code, and lays down what it is answered.

DIR/credentials/{report.pem,wrap.pem,broker.pem}   private, never leave the machine; broker.pem gets its certificate at the end
DIR/grant.pem                                      for the people who may agree on grants: take it away from this machine
DIR/enrolment.json                                 what was asked, so that the same command goes on where it was
DIR/trust/                                         whom the hall believes
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from spooler.wire.enrolment import (
    EnrolmentAnswer,
    EnrolmentCode,
    EnrolmentRequest,
    fingerprint,
    is_mac,
    mac,
    read_answer,
    signed_request,
)
from spooler.wire.files import PRIVATE, AlreadyThere, write_again, write_new
from spooler.wire.keys import SigningKey, WrapKey

REQUEST = "enrolment.json"
SECONDS = 30.0


class EnrolmentFailed(Exception):
    """Refused, or not to be believed; the sentence is for the person at the hall."""


class HomeUnreachable(Exception):
    """Nobody answers at that address."""


@dataclass(frozen=True)
class Place:
    """The hall's directory."""

    directory: Path

    @property
    def credentials(self) -> Path:
        return self.directory / "credentials"

    @property
    def trust(self) -> Path:
        return self.directory / "trust"

    @property
    def request(self) -> Path:
        return self.directory / REQUEST


@dataclass(frozen=True)
class Request:
    """What is asked, byte for byte the same each time."""

    text: str
    signature: str

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.text.encode())


def prepare(place: Place, hall: str, now: datetime) -> Request:
    """Return what this hall asks: as it was begun here, or with keys made now."""
    if place.request.exists():
        kept = json.loads(place.request.read_text())
        request = Request(kept["request"], kept["signature"])
        if json.loads(request.text)["hall"] != hall:
            raise EnrolmentFailed(f"{place.request} 是另一大厅的 · is of another hall: take another directory")
        return request
    report, wrap, grant = SigningKey.generate(), WrapKey.generate(), SigningKey.generate()
    broker = ec.generate_private_key(ec.SECP256R1())
    for path, content in (
        (place.credentials / "report.pem", report.to_pem()),
        (place.credentials / "wrap.pem", wrap.to_pem()),
        (place.credentials / "broker.pem", _private_pem(broker)),
        (place.directory / "grant.pem", grant.to_pem()),
    ):
        _write(path, content)
    text = (
        EnrolmentRequest(
            hall=hall,
            at=now,
            report_key=report.record("report", now, now).public_key,
            wrap_key=wrap.record(now, now).public_key,
            grant_key=grant.record("grant", now, now).public_key,
            certificate_request=_certificate_request(broker, hall),
        )
        .to_bytes()
        .decode()
    )
    request = Request(text, report.sign(signed_request(text.encode())).hex())
    kept = {"request": request.text, "signature": request.signature}
    _write(place.request, json.dumps(kept, ensure_ascii=False).encode())
    return request


def ask(home: str, code: EnrolmentCode, request: Request) -> None:
    """Send the request; EnrolmentFailed when home refuses it."""
    shown = mac(code.key, "request", request.text.encode())
    _post(
        home,
        "/v1/enrolments",
        {"hall": code.hall, "request": request.text, "signature": request.signature, "mac": shown},
    )


def fetch(home: str, code: EnrolmentCode, request: Request) -> EnrolmentAnswer | None:
    """Return the answer, None while nobody has compared; EnrolmentFailed when it is refused, or not from whoever knows the code."""
    shown = mac(code.key, "ask", request.fingerprint.encode())
    body = {"hall": code.hall, "fingerprint": request.fingerprint, "mac": shown}
    told = _post(home, "/v1/enrolments/answer", body)
    if told.get("state") == "asked":
        return None
    if told.get("state") != "accepted":
        raise EnrolmentFailed("登记机构已拒绝 · home has refused: ask there for another code")
    text = str(told.get("answer"))
    if not is_mac(str(told.get("mac")), code.key, "answer", text.encode()):
        raise EnrolmentFailed("答复不可信 · what answers does not know the code: it is not home. Tell them.")
    answer = read_answer(text.encode())
    if (answer.hall, answer.fingerprint) != (code.hall, request.fingerprint):
        raise EnrolmentFailed("答复不符 · the answer is about another request")
    return answer


def lay_down(place: Place, answer: EnrolmentAnswer) -> None:
    """Write the certificate beside its key, and the trust directory; the certificate last: with it all is there."""
    key = serialization.load_pem_private_key((place.credentials / "broker.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(answer.certificate.encode())
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise EnrolmentFailed("证书不符 · the certificate is for another key")
    for name, content in answer.trust.items():
        path = _inside(place.trust, name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_again(path, content.encode())
    write_again(place.credentials / "broker.pem", _private_pem(key) + answer.certificate.encode(), PRIVATE)


def enrol(
    home: str,
    code: EnrolmentCode,
    place: Place,
    now: datetime,
    *,
    wait: Callable[[], bool],
    tell: Callable[[str], None],
) -> bool:
    """Ask, tell the fingerprint, and fetch until there is an answer or `wait` says no; say whether the hall is enrolled."""
    request = prepare(place, code.hall, now)
    ask(home, code, request)
    tell(request.fingerprint)
    while (answer := fetch(home, code, request)) is None:
        if not wait():
            return False
    lay_down(place, answer)
    return True


def _post(home: str, path: str, body: dict[str, str]) -> dict[str, Any]:
    try:
        # An internal network: a proxy from the environment would only be in the way.
        answer = httpx.post(home.rstrip("/") + path, json=body, timeout=SECONDS, trust_env=False)
    except (httpx.TransportError, httpx.InvalidURL, httpx.UnsupportedProtocol) as e:
        raise HomeUnreachable(f"{home} 无法连接 · does not answer ({type(e).__name__})") from e
    if answer.status_code == httpx.codes.FORBIDDEN:
        raise EnrolmentFailed(
            "登记机构不接受此码 · home does not take this code: used, expired, of another hall. Tell them."
        )
    if not answer.is_success:
        raise EnrolmentFailed(f"{home}: {answer.status_code} {answer.reason_phrase}")
    found = answer.json()
    return found if isinstance(found, dict) else {}


def _certificate_request(key: ec.EllipticCurvePrivateKey, hall: str) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hall)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _inside(trust: Path, name: str) -> Path:
    """Return where this file of the trust directory goes: below it, whatever it is called."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name:
        raise EnrolmentFailed("答复不可用 · the answer names a file outside the trust directory")
    return trust.joinpath(*parts)


def _write(path: Path, content: bytes) -> None:
    """Write a file that is not there yet: a key is never overwritten."""
    try:
        write_new(path, content, PRIVATE)
    except AlreadyThere as e:
        raise EnrolmentFailed(f"{path} 已存在，密钥从不覆盖 · is there already, and a key is never overwritten") from e
