"""The envelope to the byte: what is taken, how much of it, and one error for everything else."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest

from spooler.wire.envelope import (
    _SUITE,
    MAX_TICKET_BYTES,
    MAX_WRAPPED_BYTES,
    Address,
    Contents,
    identity,
    unwrap,
    wrap,
)
from spooler.wire.errors import BadEnvelope
from spooler.wire.keys import WrapKey, wrap_public_key

OVERHEAD = 32 + 16 + 8  # the sender's key, the tag, and what stands before the ticket
NOW = datetime(2026, 5, 20, tzinfo=UTC)
KEY = WrapKey.generate()
RECORD = KEY.record(not_before=NOW, not_after=NOW + timedelta(days=1))
ADDRESS = Address("231221", "231282-01", UUID(int=1), RECORD.kid)


def inside(plain: bytes) -> Contents:
    """Open what somebody who knows the hall's public key put into a real envelope."""
    return unwrap(_SUITE.encrypt(plain, wrap_public_key(RECORD), info=ADDRESS.info()), ADDRESS, KEY)


@pytest.mark.parametrize(
    "contents", [Contents(b"", b""), Contents(b"t", b""), Contents(b"", b"d"), Contents(b"t" * 70_000, b"d")]
)
def test_what_was_put_in_comes_out(contents):
    assert unwrap(wrap(contents, ADDRESS, RECORD), ADDRESS, KEY) == contents


def test_the_largest_envelope_is_opened_and_a_larger_one_is_not_even_tried():
    largest = wrap(Contents(b"", b"d" * (MAX_WRAPPED_BYTES - OVERHEAD)), ADDRESS, RECORD)

    assert len(largest) == MAX_WRAPPED_BYTES == 12 * 1024 * 1024
    assert len(unwrap(largest, ADDRESS, KEY).document) == MAX_WRAPPED_BYTES - OVERHEAD
    with pytest.raises(BadEnvelope, match="at most"):
        unwrap(largest + b"\0", ADDRESS, KEY)


def test_the_largest_ticket_is_taken_and_a_larger_one_is_not():
    ticket = b"t" * MAX_TICKET_BYTES

    assert len(ticket) == 1024 * 1024
    assert inside(b"CSP1" + len(ticket).to_bytes(4, "big") + ticket).signed_ticket == ticket
    with pytest.raises(BadEnvelope):
        inside(b"CSP1" + (len(ticket) + 1).to_bytes(4, "big") + ticket + b"t")


@pytest.mark.attack_row("S17")
@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"CSP1",
        b"CSP1\0\0\0",
        b"CSP2\0\0\0\0",
        b"csp1\0\0\0\1t",
        b"CSP1\0\0\0\2t",
        b"CSP1\1\0\0\1td",
        b"CSP1\xff\xff\xff\xfft",
    ],
)
def test_what_holds_no_ticket_of_the_length_it_says_is_refused(plain):
    with pytest.raises(BadEnvelope, match="does not hold"):
        inside(plain)


def test_an_order_is_known_by_its_ticket_and_its_document():
    assert identity(b"ticket", b"document") == sha256(b"ticketdocument").hexdigest()
