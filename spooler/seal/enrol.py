"""Take a new hall in, where the authority is: its keys into the trust record, a certificate at the broker, and what it is told.

The hall made its keys itself; no private one ever comes here. It is granted nothing yet (docs/grants.md).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spooler.seal import broker_keys
from spooler.seal.authority import CLOCK_MARGIN
from spooler.seal.pki import KEY_LIFE, to_json
from spooler.wire.enrolment import EnrolmentAnswer, certificate_pem, read_request
from spooler.wire.errors import BadMessage
from spooler.wire.files import PUBLIC, AlreadyThere, write_new
from spooler.wire.trust import HallRecord, SiteKind

MOST_BYTES = 80_000


class OtherFingerprint(Exception):
    """What came is not what the person at the hall read out: somebody else has the code."""


@dataclass(frozen=True)
class NewcomerRequest:
    """What home keeps of a hall that asks."""

    hall: str
    name: str
    site: SiteKind
    request: bytes
    signature: bytes


def take_in(directory: Path, newcomer: NewcomerRequest, fingerprint: str, now: datetime) -> EnrolmentAnswer:
    """Record the hall and return its answer; OtherFingerprint, AlreadyThere or a WireError when it is not to be; then nothing changed."""
    asked = read_request(newcomer.request, newcomer.signature, now - CLOCK_MARGIN, now + KEY_LIFE)
    if asked.fingerprint != fingerprint.strip().lower():
        raise OtherFingerprint(f"{newcomer.hall}: what came has the fingerprint {asked.fingerprint}")
    if asked.hall != newcomer.hall:
        raise BadMessage(f"the request is of {asked.hall}, and came as {newcomer.hall}")
    record = HallRecord(
        hall=asked.hall,
        name=newcomer.name,
        report_keys=(asked.report_key,),
        wrap_keys=(asked.wrap_key,),
        grant_keys=(asked.grant_key,),
        site=newcomer.site,
    )
    path = directory / f"trust/halls/{asked.hall}.json"
    if path.exists():
        raise AlreadyThere(f"{path} is there already: a hall is enrolled once; renew its keys by certspool pki issue")
    content = to_json(record.model_dump(mode="json"))
    told = _trust_for(directory / "trust", asked.hall) | {f"halls/{asked.hall}.json": content.decode()}
    if sum(map(len, told.values())) > MOST_BYTES:
        raise BadMessage("the trust directory is too large to be told: make the hall's keys with certspool hall add")
    certificate = broker_keys.certify(directory, asked.hall, asked.broker_key, now)
    write_new(path, content, PUBLIC)
    told["broker-ca.pem"] = (directory / "trust/broker-ca.pem").read_text()
    return EnrolmentAnswer(
        hall=asked.hall, fingerprint=asked.fingerprint, certificate=certificate_pem(certificate), trust=told
    )


def _trust_for(trust: Path, hall: str) -> dict[str, str]:
    """Return what the hall needs to believe its registries; of other halls it need not know."""
    files = [
        *sorted((trust / "registries").glob("*.json")),
        *sorted(trust.glob(f"grants/*.{hall}.*.json")),
        *(trust / name for name in ("grants.json", "ca.pem", "ca.crl")),
    ]
    return {str(file.relative_to(trust)): file.read_text() for file in files if file.exists()}
