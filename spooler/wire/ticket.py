"""The ticket of an order: who prints what, where, on what, until when. Version 1 (see `messages`)."""

from base64 import b64decode, b64encode
from datetime import date
from hashlib import sha256
from typing import Literal
from uuid import UUID

from pydantic import Field

from spooler.wire import strict
from spooler.wire.words import Case, Code, HallId, Message, Party, Pass, RegistryId, Said, Seal, Serial, Sha256, UtcTime

MOST_SEAL_FILE_BYTES = 64 << 10
LONGEST_SEAL_FILE = (MOST_SEAL_FILE_BYTES + 2) // 3 * 4


class Replaces(Message):
    """The paper in whose place this one is issued: 换发 renewal, 补发 replacement, 更正 correction."""

    issuance: Code
    number: str = Field(max_length=80)
    version: int = Field(ge=1)
    serial: Serial | None = None
    take_back: bool = False  # nothing is handed over before the hall has it back


class SealFile(Message):
    """An electronic seal of the registry after another standard (GB/T 38540 电子印章), carried as it is: nothing of ours looks into it."""

    standard: Literal["GB/T 38540"] = "GB/T 38540"
    sha256: Sha256
    content: str = Field(min_length=1, max_length=LONGEST_SEAL_FILE)  # base64

    @classmethod
    def of(cls, content: bytes) -> "SealFile":
        return cls(sha256=sha256(content).hexdigest(), content=b64encode(content).decode())

    def opened(self) -> bytes:
        """Return the file; ValueError if it is not the one that the digest is of."""
        content = b64decode(self.content, validate=True)
        if sha256(content).hexdigest() != self.sha256:
            raise ValueError("the seal file is not the one of its digest")
        return content


class Ticket(Message):
    """Who prints what, where, on what, until when. Signed by the registry; wrapped with its document for one hall."""

    version: Literal[1] = 1
    order_id: UUID
    job_id: UUID
    registry: RegistryId
    hall: HallId
    kind: str = Field(pattern=r"^[a-z_]{1,32}$")
    number: str = Field(max_length=80)
    number_version: int = Field(ge=1)
    template: str = Field(pattern=r"^[a-z_]{1,32}/\d{1,4}$")
    passes: tuple[Pass, ...] = Field(min_length=1, max_length=99)
    seal: Seal
    booked_on: date
    case: Case
    window: str | None = None
    deadline: UtcTime
    issued_at: UtcTime
    not_before: UtcTime
    not_after: UtcTime
    document_sha256: Sha256
    document_bytes: int = Field(gt=0)
    replaces: Said[Replaces] = None
    seal_file: Said[SealFile] = None
    holder: str = Field(min_length=1)
    parties: tuple[Party, ...] = ()

    def public_bytes(self) -> bytes:
        """Return what is embedded in the document: all but persons, and but the document's own hash."""
        return strict.canonical(self.model_dump(mode="json", exclude=set(PRIVATE_TICKET_FIELDS)))


# The document cannot hold its own hash, and it must not hold more about persons than its face shows.
PRIVATE_TICKET_FIELDS = ("holder", "parties", "document_sha256", "document_bytes")
