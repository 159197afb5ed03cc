"""A seal after another standard (GB/T 38540) goes with the order as it is: bound by both signatures, looked into by nobody."""

import json
from dataclasses import replace

import pytest

from agents.verify import verify
from spooler.daemon.settings import SettingsError
from spooler.ground import _seal_file
from spooler.seal.ticket import seal_order
from spooler.wire.document import read_document
from spooler.wire.messages import TICKET_TYPE, SealFile
from spooler.wire.refusal import Refusal
from spooler.wire.signed import sign
from spooler.wire.ticket import MOST_SEAL_FILE_BYTES
from tests.sealing import HALL, NOW, Office, a_pdf, address_of, some_facts

SEAL = b"0\x82\x01\x00 an ASN.1 structure that nothing of ours reads"


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


def order_with(office: Office, seal_file: SealFile | None):
    facts = some_facts(seal_file=seal_file)
    return seal_order(facts, a_pdf(), seal_key=office.seal_key(), ticket_key=office.ticket_key())


def judged(office: Office, order):
    return verify(order.contents, address_of(order.ticket), trust=office.trust, hall=HALL, now=NOW)


def test_it_arrives_at_the_hall_byte_for_byte_and_is_in_the_document(office):
    order = order_with(office, SealFile.of(SEAL))

    assert judged(office, order).ticket.seal_file.opened() == SEAL
    inside = json.loads(read_document(order.document).ticket)["seal_file"]
    assert inside == order.ticket.seal_file.model_dump()


def test_the_largest_one_goes_through(office):
    order = order_with(office, SealFile.of(bytes(MOST_SEAL_FILE_BYTES)))

    assert len(judged(office, order).ticket.seal_file.opened()) == MOST_SEAL_FILE_BYTES


@pytest.mark.parametrize("content", ["AAAA", "not base64", SealFile.of(SEAL + b".").content])
def test_another_file_than_the_digests_is_refused(office, content):
    """Even when both signatures are the registry's own."""
    other = SealFile.of(SEAL).model_copy(update={"content": content})

    with pytest.raises(Refusal) as refused:
        judged(office, order_with(office, other))
    assert refused.value.code == "seal-file"


def test_one_that_is_exchanged_on_the_way_breaks_the_tickets_signature(office):
    order = order_with(office, SealFile.of(SEAL))
    changed = order.ticket.model_copy(update={"seal_file": SealFile.of(b"another")})

    for key, code in ((office.ticket_key("231202"), "issuer"), (office.ticket_key(), "ticket-embedded")):
        forged = replace(order, ticket=changed, signed_ticket=sign(changed.to_bytes(), TICKET_TYPE, key))
        with pytest.raises(Refusal) as refused:
            judged(office, forged)
        assert refused.value.code == code


def test_without_one_a_ticket_says_nothing_of_it(office):
    assert b"seal_file" not in order_with(office, None).ticket.to_bytes()


@pytest.mark.parametrize("content", [b"", bytes(MOST_SEAL_FILE_BYTES + 1)], ids=["empty", "too large"])
def test_a_file_that_cannot_be_carried_is_told_at_the_start(tmp_path, content):
    file = tmp_path / "seal.esl"
    file.write_bytes(content)

    with pytest.raises(SettingsError, match="seal_file_gbt38540"):
        _seal_file("registries.231221.seal_file_gbt38540", file)
    with pytest.raises(SettingsError, match="seal_file_gbt38540"):
        _seal_file("registries.231221.seal_file_gbt38540", tmp_path / "nowhere")
