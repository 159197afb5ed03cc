"""A small office that seals: builders of valid orders, of which a test varies one part. Keys are made by code, the bad ones too."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from spooler.seal import pki
from spooler.seal.authority import SealAlgorithm
from spooler.seal.seal import SealKey
from spooler.seal.ticket import OrderFacts, SealedOrder, seal_order
from spooler.wire.envelope import Address, Contents
from spooler.wire.keys import SigningKey
from spooler.wire.messages import TICKET_TYPE, Case, Party, Pass, Seal, Stock, Ticket, Turn
from spooler.wire.signed import sign
from spooler.wire.trust import Trust, load_trust

NOW = datetime(2024, 5, 20, 2, 0, tzinfo=UTC)
HOME, OTHER_HOME = "231221", "231202"
HALL, OTHER_HALL = "231282-01", "231283-01"
SPREAD, PROOF_SHEET = (332.0, 239.0), (297.0, 210.0)
HOLDER = "赵㛃"


@dataclass(frozen=True)
class Office:
    """The keys of one deployment: two registries, two halls, all pairs granted."""

    directory: Path
    trust: Trust = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trust", load_trust(self.directory / "trust"))

    @classmethod
    def create(cls, directory: Path, algorithm: SealAlgorithm = SealAlgorithm.P_256) -> "Office":
        registries = [
            pki.NewRegistry(HOME, "望奎县", "黑", "望奎县"),
            pki.NewRegistry(OTHER_HOME, "北林区", "黑", "绥化市"),
        ]
        halls = [pki.NewHall(HALL, "肇东市 01"), pki.NewHall(OTHER_HALL, "海伦市 01")]
        pki.init(directory, registries, halls, now=NOW - timedelta(days=30), algorithm=algorithm)
        return cls(directory)

    def seal_key(self, registry: str = HOME) -> SealKey:
        return SealKey.from_pkcs12((self.directory / f"home/credentials/{registry}.seal.p12").read_bytes())

    def ticket_key(self, registry: str = HOME) -> SigningKey:
        return SigningKey.from_pem((self.directory / f"home/credentials/{registry}.ticket.pem").read_bytes())

    def order(self, *, pdf: bytes | None = None, **changes: Any) -> SealedOrder:
        return seal_order(some_facts(**changes), pdf or a_pdf(), seal_key=self.seal_key(), ticket_key=self.ticket_key())

    def order_around(self, document: bytes, ticket: Ticket) -> SealedOrder:
        """Return an order whose ticket names `document`, whatever that is: an attacker who even has the ticket key."""
        ticket = ticket.model_copy(
            update={"document_sha256": sha256(document).hexdigest(), "document_bytes": len(document)}
        )
        return SealedOrder(ticket, sign(ticket.to_bytes(), TICKET_TYPE, self.ticket_key()), document)

    def believing(self, **changes: Any) -> Trust:
        """Return the trust with the home's record changed."""
        record = self.trust.registries[HOME].model_copy(update=changes)
        return replace(self.trust, registries={**self.trust.registries, HOME: record})


def address_of(ticket: Ticket, **changes: Any) -> Address:
    return replace(Address(ticket.registry, ticket.hall, ticket.order_id, "0" * 16), **changes)


def contents_of(order: SealedOrder, **changes: bytes) -> Contents:
    return replace(order.contents, **changes)


def a_pdf(sizes: Sequence[tuple[float, float]] = (SPREAD, SPREAD), text: str = "0001234") -> bytes:
    """Return a print document with one page of each size (mm)."""
    out = BytesIO()
    canvas = Canvas(out, pageCompression=1)
    for width, height in sizes:
        canvas.setPageSize((width * mm, height * mm))
        canvas.drawString(40 * mm, 100 * mm, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def some_passes() -> tuple[Pass, ...]:
    """Return a booklet's passes, its last side empty."""
    width, height = SPREAD
    return tuple(
        Pass(number=n, name=name, pages=pages, stock=Stock.CERTIFICATE, width_mm=width, height_mm=height, turn=turn)
        for n, name, pages, turn in ((1, "A", (0,), Turn.NONE), (2, "B", (1,), Turn.PAGE), (3, "C", (), Turn.PAGE))
    )


def some_facts(**changes: Any) -> OrderFacts:
    facts = OrderFacts(
        order_id=uuid4(),
        job_id=uuid4(),
        registry=HOME,
        hall=HALL,
        kind="certificate",
        number="黑（2024）望奎县不动产权第0001234号",
        number_version=1,
        template="certificate/1",
        passes=some_passes(),
        seal=Seal.PRINTED,
        booked_on=date(2024, 5, 20),
        case=Case(number="20240520-1", ordinal=1, of=1),
        deadline=NOW + timedelta(hours=1),
        issued_at=NOW,
        not_before=NOW,
        not_after=NOW + timedelta(days=3),
        holder=HOLDER,
        parties=(Party(role="holder", name=HOLDER, id_type="resident", id_number="232324199001010019"),),
    )
    return replace(facts, **changes)
