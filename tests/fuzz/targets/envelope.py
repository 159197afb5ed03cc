"""The wrapped order: any bytes open as what was wrapped, or are BadEnvelope. The first byte says on which side of the key the rest is."""

from collections.abc import Iterator

from spooler.wire.envelope import _SUITE, unwrap
from spooler.wire.errors import BadEnvelope
from spooler.wire.keys import wrap_public_key
from tests.fuzz.keys import ADDRESS, GOLDEN, WRAP, WRAP_RECORD

REFUSES = (BadEnvelope,)
MOST_MEGABYTES = 512
LONGEST = 8_192
OUTSIDE, INSIDE = b"o", b"i"  # an envelope from a stranger · what a home put into a real one

_KNOWN = (GOLDEN / "order.wrapped").read_bytes()


def read(data: bytes) -> None:
    side, rest = data[:1], data[1:]
    if side == INSIDE:
        contents = unwrap(_SUITE.encrypt(rest, wrap_public_key(WRAP_RECORD), info=ADDRESS.info()), ADDRESS, WRAP)
        size = len(contents.signed_ticket)
        assert rest == b"CSP1" + size.to_bytes(4, "big") + contents.signed_ticket + contents.document
    else:
        unwrap(rest, ADDRESS, WRAP)
        assert rest == _KNOWN, "an envelope that nobody wrapped has opened"


def seeds() -> Iterator[tuple[str, bytes]]:
    yield "golden", OUTSIDE + _KNOWN
    yield "short", OUTSIDE + _KNOWN[:40]
    ticket, document = (GOLDEN / "ticket.signed.json").read_bytes(), (GOLDEN / "document.pdf").read_bytes()
    yield "contents", INSIDE + b"CSP1" + len(ticket).to_bytes(4, "big") + ticket + document
    yield "no-ticket", INSIDE + b"CSP1\0\0\0\0" + document
    yield "other-version", INSIDE + b"CSP2\0\0\0\0"
