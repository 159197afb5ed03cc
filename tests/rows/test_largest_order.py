"""F14 of docs/fault-rows.md, by arithmetic: what sealing, ticket and wrapping add at most has its room below the wire's limit."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from spooler.intake.check import MAX_RENDERED_BYTES
from spooler.prepare import ENVELOPE_BYTES
from spooler.wire.envelope import MAX_WRAPPED_BYTES
from spooler.wire.messages import Case, Party
from tests.agents.counter.conftest import office
from tests.sealing import Office, a_pdf

__all__ = ["office"]
MOST_PARTIES = 200
LONGEST_PARTY = Party(role="r" * 32, name="\U00020bb7" * 200, id_type="t" * 16, id_number="9" * 64, mobile="1" * 20)


@pytest.mark.fault_row("F14")
def test_a_request_with_everything_at_its_longest_still_fits_when_it_is_sealed(office: Office) -> None:
    """So that nothing answered 201 is found too large afterwards."""
    rendered = a_pdf()

    order = office.order(
        pdf=rendered,
        parties=(LONGEST_PARTY,) * MOST_PARTIES,
        holder="\U00020bb7" * 2000,
        number="黑（2024）" + "望" * 70,
        case=Case(number="c" * 64, ordinal=999, of=999),
        window="w" * 32,
    )

    assert len(PdfReader(BytesIO(order.document)).pages) == 2
    added = len(order.document) - len(rendered) + len(order.signed_ticket) + ENVELOPE_BYTES
    assert 100_000 < added <= MAX_WRAPPED_BYTES - MAX_RENDERED_BYTES
