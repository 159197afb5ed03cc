"""A seal's certificate that ends while the order is on its way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.verify import Refusal, verify
from spooler.wire.envelope import Address
from spooler.wire.trust import Trust
from tests.sealing import HALL, HOME, Office


def judged(office: Office, issued_at, now):
    order = office.order(
        issued_at=issued_at, not_before=issued_at, not_after=issued_at + timedelta(days=3), deadline=issued_at
    )
    address = Address(HOME, HALL, order.ticket.order_id, office.trust.halls[HALL].wrap_keys[0].kid)
    return verify(order.contents, address, trust=with_lasting_ticket_keys(office), hall=HALL, now=now)


def with_lasting_ticket_keys(office: Office) -> Trust:
    """Only the seal's certificate ends in these tests."""
    home = office.trust.registries[HOME]
    lasting = tuple(
        key.model_copy(update={"not_after": key.not_after + timedelta(days=365)}) for key in home.ticket_keys
    )
    registries = {**office.trust.registries, HOME: home.model_copy(update={"ticket_keys": lasting})}
    return replace(office.trust, registries=registries)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.mark.fault_row("F39")
def test_an_order_sealed_in_time_is_good_after_its_certificate_has_ended(office):
    """It waited in the queue for two days; it was sealed within the certificate's time, and its ticket has not run out."""
    ends_at = office.seal_key().certificate.not_valid_after_utc

    verified = judged(office, issued_at=ends_at - timedelta(hours=1), now=ends_at + timedelta(days=2))

    assert verified.ticket.issued_at < ends_at


@pytest.mark.fault_row("F39")
def test_an_order_sealed_too_late_is_refused(office):
    ends_at = office.seal_key().certificate.not_valid_after_utc

    with pytest.raises(Refusal) as caught:
        judged(office, issued_at=ends_at + timedelta(hours=1), now=ends_at + timedelta(hours=2))

    assert caught.value.code == "signer-validity"
