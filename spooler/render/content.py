"""What goes into step 2 (render) and what comes out of it: plain values, no drawing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from spooler.catalog import number_text
from spooler.render.codes import RenderCode
from spooler.wire.messages import Check, Pass, Seal


@dataclass(frozen=True)
class Number:
    """A document's number, in the four strings that are printed apart."""

    province: str
    year: int
    place: str
    sequence: str

    def text(self, kind: str) -> str:
        return number_text(kind, province=self.province, year=self.year, place=self.place, sequence=self.sequence)


@dataclass(frozen=True)
class AnnexFile:
    """A file that came with the request, as its sender names and types it."""

    role: str
    name: str
    media_type: str
    content: bytes
    scale: int | None = None  # 500: one millimetre on its own page is half a metre of ground


@dataclass(frozen=True)
class Content:
    """All that one document says. Texts are printed as they are, never shortened or rewritten."""

    kind: str
    registry_name: str
    number: Number
    booked_on: date
    qr: str
    fields: Mapping[str, str]
    seal: Seal
    annexes: tuple[AnnexFile, ...] = ()
    template_version: int | None = None  # None: the newest
    collateral: tuple[Mapping[str, str], ...] = ()  # 抵押物清单, a row each
    case: str = ""  # 受理编号
    check: Check | None = None  # with a check-and-sign sheet
    sheet_versions: Mapping[str, int] = field(default_factory=dict)  # of running sheets, by kind; else the newest


@dataclass(frozen=True)
class Finding:
    """One thing wrong, or worth a look, with the field it is in: `fields.holder`, `number.place`, `qr`, `annexes.0`."""

    field: str
    code: RenderCode
    message: str


@dataclass(frozen=True)
class Rendered:
    """The print document, unsigned: variable text only, on pages of the stock's true size."""

    pdf: bytes
    template: str
    passes: tuple[Pass, ...]
    warnings: tuple[Finding, ...]


class Unprintable(Exception):
    """The content cannot be printed as it is; every finding names its field."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(f"{finding.field}: {finding.code}" for finding in findings))
        self.findings = findings
