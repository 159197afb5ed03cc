"""Step 1c: the request as a registration system makes it, under our names: shape, types, lengths, patterns.

What one field decides by itself stands here; what several fields, the trust records or the clock decide is in `rules`.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt
from pydantic_core import PydanticCustomError

from spooler.catalog import KINDS
from spooler.errors import Code
from spooler.wire.messages import Seal

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})")
_YEAR = re.compile(r"[0-9]{4}")


def _wrong(code: Code, expected: str) -> PydanticCustomError:
    return PydanticCustomError(code.value, "{expected}", {"expected": expected})


def _day(value: Any) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # no such day: the same answer as any other wrong text
    raise _wrong(Code.BAD_FORMAT, "YYYY-MM-DD")


def _moment(value: Any) -> datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # no such time: the same answer as any other wrong text
    raise _wrong(Code.BAD_FORMAT, "RFC 3339, 2024-11-15T09:12:00+08:00")


def _year(value: Any) -> Any:
    """A registration system may send 年 as text."""
    return int(value) if isinstance(value, str) and _YEAR.fullmatch(value) else value


Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
Year = Annotated[StrictInt, Field(ge=1949, le=2999), BeforeValidator(_year)]
Text32 = Annotated[str, Field(min_length=1, max_length=32)]
Text64 = Annotated[str, Field(min_length=1, max_length=64)]
Text200 = Annotated[str, Field(min_length=1, max_length=200)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Part(BaseModel):
    """A part of the request: frozen, an unknown field is an error, and no value is repeated in one."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class CaseRef(Part):
    """受理编号: the k-th of N documents of one case."""

    number: Text64
    ordinal: StrictInt = Field(ge=1, le=999)
    of: StrictInt = Field(ge=1, le=999)


class NumberParts(Part):
    """The number line in its four separate strings."""

    province: Annotated[str, Field(min_length=1, max_length=8)]
    year: Year
    place: Text32
    sequence: Annotated[str, Field(pattern=r"^[0-9]{6,9}$")]


class Replaced(Part):
    """The paper that this one replaces."""

    number: Annotated[str, Field(min_length=1, max_length=80)]
    version: StrictInt = Field(default=1, ge=1, le=9999)
    serial: Annotated[str, Field(pattern=r"^[A-Z]{0,2}[0-9]{11}$")] | None = None


class Notice(Part):
    """遗失声明, on the registry's own site."""

    published_on: Day


class Issuance(Part):
    """首次 first · 换发 renewal · 补发 replacement · 更正 correction."""

    type: Literal["first", "renewal", "replacement", "correction"]
    replaces: Replaced | None = None
    old_returned: StrictBool | None = None
    notice: Notice | None = None


class PartyIn(Part):
    """A person of the case, for hand-over and search; travels only inside the wrapped order."""

    role: Word
    name: Text200
    id_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
    id_number: Text64
    mobile: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 -]{3,19}$")] | None = None


class AnnexIn(Part):
    """A file that is printed with the document; its bytes come inline or as a part of that name."""

    role: Literal["parcel_map", "unit_plan", "collateral_list", "attachment"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    media_type: Literal["application/pdf", "image/png", "image/jpeg", "image/tiff", "application/geo+json"]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: StrictInt = Field(ge=1)
    # 500 where the map is 1:500 at its own size; left out where it is not used, so that a repeat from before it was there is the same.
    scale: StrictInt | None = Field(default=None, ge=10, le=100_000, exclude_if=lambda scale: scale is None)
    content: str | None = Field(default=None, repr=False, exclude=True)


class CollateralIn(Part):
    """One row of the list of what is mortgaged (抵押物清单), as it is printed."""

    unit_number: Text64
    certificate: Annotated[str, Field(max_length=200)] = ""
    location: Annotated[str, Field(min_length=1, max_length=400)]
    usage: Annotated[str, Field(max_length=100)] = ""
    area: Annotated[str, Field(max_length=100)] = ""
    amount: Annotated[str, Field(max_length=100)] = ""
    notes: Annotated[str, Field(max_length=200)] = ""


class DocumentIn(Part):
    """What is printed. `fields` depend on the kind (see `catalog`)."""

    kind: Annotated[str, Field(min_length=1, max_length=32, json_schema_extra={"enum": list(KINDS)})]
    number: NumberParts
    version: StrictInt = Field(ge=1, le=9999)
    booked_on: Day
    qr: Annotated[str, Field(min_length=1, max_length=1000)]
    units: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(max_length=2000)
    fields: dict[str, str] = Field(repr=False)
    issuance: Issuance | None = None
    # Left out where it is not used: a repeat of a request from before it was there is still the same.
    collateral: tuple[CollateralIn, ...] | None = Field(
        default=None, min_length=1, max_length=2000, repr=False, exclude_if=lambda rows: rows is None
    )


class Request(Part):
    """One document that a registry asks to be printed at a hall. `item` is a code of the catalogue of registration items."""

    request_id: Annotated[str, Field(pattern=r"^[!-~]{1,100}$")]
    registry: Annotated[str, Field(min_length=1, max_length=32)]
    hall: Annotated[str, Field(min_length=1, max_length=32)]
    case: CaseRef
    # Left out where it is not used: a repeat of a request from before it was there is still the same.
    item: Text64 | None = Field(default=None, exclude_if=lambda item: item is None)
    document: DocumentIn
    annexes: tuple[AnnexIn, ...] = Field(default=(), max_length=40)
    applied_at: Moment | None = None
    deadline: Moment | None = None
    channel: Literal["window", "enterprise", "online"] | None = None
    window: Text32 | None = None
    seal: Seal = Seal.PRINTED
    booked_by: Text64 | None = None
    parties: tuple[PartyIn, ...] = Field(default=(), max_length=200, repr=False)
