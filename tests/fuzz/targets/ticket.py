"""The signed ticket, by the hall's whole verification: never accepted, only refused; and a ticket that is read is written the same."""

from collections.abc import Iterator

from agents.verify import verify
from spooler.wire.envelope import Contents
from spooler.wire.errors import BadMessage
from spooler.wire.messages import PRIVATE_TICKET_FIELDS, TICKET_TYPE, read_ticket
from spooler.wire.refusal import Refusal
from spooler.wire.signed import sign
from spooler.wire.trust import RegistryRecord, Trust
from tests.fuzz.keys import ADDRESS, GOLDEN, TICKET, TICKET_RECORD, WHEN

REFUSES = (Refusal, BadMessage)
MOST_MEGABYTES = 128
LONGEST = 16_384
ENVELOPE, PAYLOAD = b"e", b"p"  # from a stranger · what a home in other hands signs

_DOCUMENT = (GOLDEN / "document.pdf").read_bytes()  # no document that could be accepted
_TRUST = Trust(
    registries={
        ADDRESS.registry: RegistryRecord(
            registry=ADDRESS.registry,
            name="望奎县不动产登记中心",
            province="黑",
            place="望奎县",
            ticket_keys=(TICKET_RECORD,),
            seal_fingerprints=(),
        )
    },
    grants=frozenset({(ADDRESS.registry, ADDRESS.hall, "certificate")}),
)


def read(data: bytes) -> None:
    side, rest = data[:1], data[1:]
    if side == PAYLOAD:
        _read_and_write(rest)
    signed = sign(rest, TICKET_TYPE, TICKET) if side == PAYLOAD else rest
    verify(Contents(signed, _DOCUMENT), ADDRESS, trust=_TRUST, hall=ADDRESS.hall, now=WHEN)
    raise AssertionError("an order without a sealed document was accepted")


def _read_and_write(payload: bytes) -> None:
    try:
        ticket = read_ticket(payload)
    except BadMessage:
        return
    written = ticket.to_bytes()
    assert read_ticket(written).to_bytes() == written
    assert not any(b'"%s":' % name.encode() in ticket.public_bytes() for name in PRIVATE_TICKET_FIELDS)


def seeds() -> Iterator[tuple[str, bytes]]:
    yield "signed", ENVELOPE + (GOLDEN / "ticket.signed.json").read_bytes()
    for name in ("ticket", "ticket.check-sheet", "ticket.renewal", "ticket.public"):
        yield name, PAYLOAD + (GOLDEN / f"{name}.json").read_bytes()
    yield "not-json", PAYLOAD + b"{"
    yield "no-signatures", ENVELOPE + b'{"payload":"e30=","payloadType":"%s","signatures":[]}' % TICKET_TYPE.encode()
