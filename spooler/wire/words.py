"""What every message of the wire is made of: ids, paper, passes, persons and who acts. Version 1 (see `messages`)."""

from datetime import UTC
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from spooler.wire import strict

RegistryId = Annotated[str, Field(pattern=r"^\d{6}$")]
HallId = Annotated[str, Field(pattern=r"^\d{6}-\d{2}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Serial = Annotated[str, Field(pattern=r"^[A-Z]{0,2}\d{11}$")]
# Which grant of a pair: a 32-bit column holds it.
GrantSequence = Annotated[int, Field(ge=1, le=1_000_000_000)]
UtcTime = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


V = TypeVar("V")
# A field that came later: left out where it says nothing, so that what was written before is read and written the same.
Said = Annotated[V | None, Field(exclude_if=lambda value: value is None)]


class Message(BaseModel):
    """A value that crosses the wire: frozen, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_bytes(self) -> bytes:
        return strict.canonical(self.model_dump(mode="json"))


class AuditHead(Message):
    """The end of one side's audit log (spooler.wire.chain), told to the other side, which keeps it."""

    log: UUID
    sequence: int = Field(ge=1)
    sha256: Sha256


class Stock(StrEnum):
    """The paper a pass needs (domain.md §6)."""

    CERTIFICATE = "certificate"  # 不动产权证书, a numbered booklet
    PROOF = "proof"  # 不动产登记证明, a numbered A4 sheet
    PLAIN = "plain"  # white A4, no serial


class Seal(StrEnum):
    PRINTED = "printed"  # the red seal is part of the document: colour printers only
    STAMPED = "stamped"  # the hall stamps it; its place stays empty


class Turn(StrEnum):
    """What happens to the paper before this pass."""

    NONE = "none"
    PAGE = "page"  # the booklet is opened at its next spread


class Check(StrEnum):
    """核对签收单: what the applicant reads over and signs before the first blank is used."""

    OFFERED = "offered"  # it may be printed
    REQUIRED = "required"  # nothing is printed on a blank before somebody said that it was signed


class Pass(Message):
    """One side through the device: which pages of the document, on what."""

    number: int = Field(ge=1, le=99)
    name: str = Field(pattern=r"^[A-Z][A-Z0-9-]{0,15}$")
    pages: tuple[Annotated[int, Field(ge=0)], ...]
    stock: Stock
    width_mm: float
    height_mm: float
    turn: Turn = Turn.NONE
    # The check-and-sign sheet, the last of the passes, printed before all others and as often as somebody wants it.
    check: Check | None = Field(default=None, exclude_if=lambda check: check is None)

    @property
    def is_empty(self) -> bool:
        """An empty side is not sent to the device."""
        return not self.pages


class Case(Message):
    """受理编号: one case may yield several documents, and is complete only when all have serials."""

    number: str = Field(min_length=1, max_length=64)
    ordinal: int = Field(ge=1)
    of: int = Field(ge=1)


class Party(Message):
    """A person of the case, for hand-over. Never embedded, logged or reported."""

    role: str
    name: str
    id_type: str
    id_number: str
    mobile: str | None = None


class Actor(Message):
    """Who moved it: a login, a policy or the machine itself. Never a person's name."""

    id: str = Field(max_length=64)
    role: str = Field(max_length=32)
