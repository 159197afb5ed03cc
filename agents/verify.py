"""Step 2 of the hall: an opened order becomes a verified one, or is refused by the rule that it breaks. No input or output.

Accepted if and only if the registry's own ticket key signed the ticket, for this hall, within its time and the registry's grants; the
document has the ticket's hash and length and is genuine by `wire.document`; the ticket inside it is the one outside; and
its pages are those of the ticket's passes. Whatever goes wrong while checking refuses too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from spooler.wire import strict
from spooler.wire.document import ReadDocument, check_seal, read_document
from spooler.wire.envelope import Address, Contents, identity
from spooler.wire.errors import BadMessage, BadSignature
from spooler.wire.messages import PRIVATE_TICKET_FIELDS, TICKET_TYPE, Stock, Ticket, read_ticket
from spooler.wire.pages import PageSize
from spooler.wire.refusal import Refusal, RefusalCode
from spooler.wire.signed import open_signed, signed_bytes
from spooler.wire.trust import RegistryRecord, Trust

__all__ = ["CLOCK_SKEW", "Refusal", "RefusalCode", "VerifiedOrder", "said_to_be_issued_at", "verify"]

# A ticket made a moment ago is good although this hall's clock is a little behind; its end is not stretched.
CLOCK_SKEW = timedelta(minutes=5)
MAX_SIGNED_TICKET_BYTES = 256 << 10
SIZE_TOLERANCE_MM = 0.5
PAPER = {"certificate": Stock.CERTIFICATE, "proof": Stock.PROOF, "record": Stock.PLAIN}


@dataclass(frozen=True)
class VerifiedOrder:
    """An order that this hall may print, exactly as verified."""

    ticket: Ticket
    document: bytes
    identity: str


def verify(contents: Contents, address: Address, *, trust: Trust, hall: str, now: datetime) -> VerifiedOrder:
    """Return the order as trusted, or raise the Refusal that says why not."""
    try:
        return _verify(contents, address, trust=trust, hall=hall, now=now)
    except Refusal:
        raise
    except Exception as e:
        raise Refusal(RefusalCode.VERIFY_ERROR, f"checking failed ({type(e).__name__})") from e


def said_to_be_issued_at(contents: Contents) -> datetime:
    """Return when the ticket says that it was issued: to be verified as of then, and not believed otherwise."""
    return _read_ticket(signed_bytes(contents.signed_ticket, TICKET_TYPE)).issued_at


def _verify(contents: Contents, address: Address, *, trust: Trust, hall: str, now: datetime) -> VerifiedOrder:
    registry = _registry(address, trust)
    payload = _open_ticket(contents.signed_ticket, registry, trust, now)
    ticket = _read_ticket(payload)
    _check_issuer(ticket, registry)
    _check_audience(ticket, address, hall)
    _check_grant(ticket, trust)
    _check_time(ticket, now)
    _check_seal_file(ticket)
    _check_same_bytes(ticket, contents.document)
    document = read_document(contents.document)
    _check_same_ticket(payload, document)
    check_seal(document, registry, roots_pem=trust.roots_pem, at=ticket.issued_at)
    _check_passes(ticket, document.page_sizes)
    # The signed payload, not its envelope: signing the same ticket again gives other bytes of signature.
    return VerifiedOrder(ticket, contents.document, identity(payload, contents.document))


def _registry(address: Address, trust: Trust) -> RegistryRecord:
    registry = trust.registries.get(address.registry)
    if registry is None:
        raise Refusal(RefusalCode.ISSUER, f"registry {address.registry} is not known here")
    return registry


def _open_ticket(signed_ticket: bytes, registry: RegistryRecord, trust: Trust, now: datetime) -> bytes:
    try:
        return _payload(signed_ticket, [registry], now)
    except BadMessage as e:
        raise Refusal(RefusalCode.TICKET_FORMAT, str(e)) from e
    except (BadSignature, ValueError) as e:
        if _is_signed_by(signed_ticket, trust.registries.values(), now):
            raise Refusal(RefusalCode.ISSUER, f"not signed by registry {registry.registry} but by another") from e
        raise Refusal(RefusalCode.TICKET_SIGNATURE, f"not signed by a key of registry {registry.registry}") from e


def _payload(signed_ticket: bytes, registries: Iterable[RegistryRecord], now: datetime) -> bytes:
    keys = [key for registry in registries for key in registry.ticket_keys]
    return open_signed(signed_ticket, TICKET_TYPE, keys=keys, use="ticket", at=now, max_bytes=MAX_SIGNED_TICKET_BYTES)


def _is_signed_by(signed_ticket: bytes, registries: Iterable[RegistryRecord], now: datetime) -> bool:
    try:
        _payload(signed_ticket, registries, now)
    except (BadMessage, BadSignature, ValueError):
        return False
    return True


def _read_ticket(payload: bytes) -> Ticket:
    try:
        return read_ticket(payload)
    except BadMessage as e:
        raise Refusal(RefusalCode.TICKET_FORMAT, str(e)) from e


def _check_issuer(ticket: Ticket, registry: RegistryRecord) -> None:
    if ticket.registry != registry.registry:
        raise Refusal(RefusalCode.ISSUER, f"a ticket of registry {ticket.registry}, sent by {registry.registry}")


def _check_audience(ticket: Ticket, address: Address, hall: str) -> None:
    if ticket.hall != hall or address.hall != hall:
        raise Refusal(RefusalCode.AUDIENCE, f"order {ticket.order_id} is for hall {ticket.hall}, this is {hall}")
    if ticket.order_id != address.order_id:
        raise Refusal(RefusalCode.AUDIENCE, f"order {ticket.order_id} came under the address of {address.order_id}")


def _check_grant(ticket: Ticket, trust: Trust) -> None:
    # As of the ticket: its own time is checked beside it, and a clock that is wrong ends no grant.
    if not trust.may_print(ticket.registry, ticket.hall, ticket.kind, ticket.issued_at):
        raise Refusal(RefusalCode.GRANT, f"registry {ticket.registry} may not print {ticket.kind} at {ticket.hall}")


def _check_time(ticket: Ticket, now: datetime) -> None:
    if now + CLOCK_SKEW < max(ticket.not_before, ticket.issued_at):
        raise Refusal(RefusalCode.TIME, f"not valid before {ticket.not_before.isoformat()}")
    if now > ticket.not_after:
        raise Refusal(RefusalCode.TIME, f"expired at {ticket.not_after.isoformat()}")


def _check_seal_file(ticket: Ticket) -> None:
    """It is carried for readers that know its standard; here it must only be whole."""
    try:
        if ticket.seal_file is not None:
            ticket.seal_file.opened()
    except ValueError as e:
        raise Refusal(RefusalCode.SEAL_FILE, str(e)) from e


def _check_same_bytes(ticket: Ticket, document: bytes) -> None:
    if len(document) != ticket.document_bytes:
        raise Refusal(RefusalCode.DOCUMENT_LENGTH, f"{len(document)} bytes, the ticket says {ticket.document_bytes}")
    if sha256(document).hexdigest() != ticket.document_sha256:
        raise Refusal(RefusalCode.DOCUMENT_HASH, "the document is not the one that the ticket names")


def _check_same_ticket(payload: bytes, document: ReadDocument) -> None:
    """Compare as JSON, so that a field this version does not know must be the same too."""
    outer = strict.parse(payload)
    public = strict.canonical({name: value for name, value in outer.items() if name not in PRIVATE_TICKET_FIELDS})
    if document.ticket != public:
        raise Refusal(RefusalCode.TICKET_EMBEDDED, "the ticket inside the document is not the one outside")


def _check_passes(ticket: Ticket, sizes: tuple[PageSize, ...]) -> None:
    """Every page is printed once, in order, at its size, and on the paper of its kind."""
    if [one.number for one in ticket.passes] != list(range(1, len(ticket.passes) + 1)):
        raise Refusal(RefusalCode.TICKET_MISMATCH, "the passes are not numbered 1, 2, 3, …")
    printed = [page for one in ticket.passes for page in one.pages]
    if printed != list(range(len(sizes))):
        raise Refusal(
            RefusalCode.TICKET_MISMATCH, f"the passes print {len(printed)} pages, the document has {len(sizes)}"
        )
    paper = PAPER.get(ticket.kind)
    if ticket.passes[0].stock is not paper:
        raise Refusal(RefusalCode.TICKET_MISMATCH, f"{ticket.kind} is not printed on {ticket.passes[0].stock}")
    checks = [one for one in ticket.passes if one.check is not None]
    if checks and (checks != [ticket.passes[-1]] or checks[0].stock is not Stock.PLAIN or checks[0].is_empty):
        raise Refusal(RefusalCode.TICKET_MISMATCH, "a check sheet is the last pass, alone, on plain paper")
    for one in ticket.passes:
        if one.stock not in (paper, Stock.PLAIN):
            raise Refusal(
                RefusalCode.TICKET_MISMATCH, f"pass {one.name} of {ticket.kind} is not printed on {one.stock}"
            )
        for page in one.pages:
            _check_size(page, sizes[page], one.width_mm, one.height_mm)


def _check_size(page: int, size: PageSize, width_mm: float, height_mm: float) -> None:
    off = max(abs(size.width_mm - width_mm), abs(size.height_mm - height_mm))
    if not off <= SIZE_TOLERANCE_MM:  # so that NaN refuses
        raise Refusal(
            RefusalCode.TICKET_MISMATCH,
            f"page {page} is {size.width_mm:.1f} × {size.height_mm:.1f} mm, its pass {width_mm:.1f} × {height_mm:.1f}",
        )
