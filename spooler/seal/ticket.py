"""From a job's plain values and its rendered document to a sealed order: ticket, signature over the ticket, sealed document.

The ticket goes into the document without persons and without the document's own hash, the document is sealed, and only then is its
hash known and the whole ticket signed. So each points at the other, and neither can be exchanged alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from spooler.daemon.late import loading
from spooler.seal.key import SealKey
from spooler.wire.envelope import Contents
from spooler.wire.keys import SigningKey
from spooler.wire.messages import TICKET_TYPE, Case, Party, Pass, Replaces, Seal, SealFile, Ticket
from spooler.wire.signed import sign


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """What the home decides about an order, before there is a document to point at."""

    order_id: UUID
    job_id: UUID
    registry: str
    hall: str
    kind: str
    number: str
    number_version: int
    template: str
    passes: Sequence[Pass]
    seal: Seal
    booked_on: date
    case: Case
    deadline: datetime
    issued_at: datetime
    not_before: datetime
    not_after: datetime
    holder: str
    window: str | None = None
    parties: Sequence[Party] = ()
    replaces: Replaces | None = None
    seal_file: SealFile | None = None


@dataclass(frozen=True)
class SealedOrder:
    """An order ready to be kept and wrapped."""

    ticket: Ticket
    signed_ticket: bytes
    document: bytes

    @property
    def contents(self) -> Contents:
        return Contents(signed_ticket=self.signed_ticket, document=self.document)


def seal_order(facts: OrderFacts, pdf: bytes, *, seal_key: SealKey, ticket_key: SigningKey) -> SealedOrder:
    """Return the order with `pdf` sealed into it."""
    with loading:
        from spooler.seal.seal import seal_document  # and pyHanko with it, 0.5 s: the home is ready before
    document = seal_document(pdf, _ticket(facts, pdf).public_bytes(), seal_key)
    ticket = _ticket(facts, document)
    return SealedOrder(ticket, sign(ticket.to_bytes(), TICKET_TYPE, ticket_key), document)


def _ticket(facts: OrderFacts, document: bytes) -> Ticket:
    return Ticket(
        order_id=facts.order_id,
        job_id=facts.job_id,
        registry=facts.registry,
        hall=facts.hall,
        kind=facts.kind,
        number=facts.number,
        number_version=facts.number_version,
        template=facts.template,
        passes=tuple(facts.passes),
        seal=facts.seal,
        booked_on=facts.booked_on,
        case=facts.case,
        window=facts.window,
        deadline=facts.deadline,
        issued_at=facts.issued_at,
        not_before=facts.not_before,
        not_after=facts.not_after,
        document_sha256=sha256(document).hexdigest(),
        document_bytes=len(document),
        holder=facts.holder,
        parties=tuple(facts.parties),
        replaces=facts.replaces,
        seal_file=facts.seal_file,
    )
