"""The seal: what comes out is one revision, certified, whole, with the ticket inside and nobody's name beside the face."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pikepdf
import pytest

from spooler.seal.authority import SealAlgorithm
from spooler.seal.seal import SealKey, UnusableKey, seal_document
from spooler.wire.document import check_seal, read_document
from spooler.wire.signed import open_signed
from tests.sealing import HOLDER, HOME, NOW, OTHER_HOME, Office, a_pdf


@pytest.fixture(scope="module", params=list(SealAlgorithm))
def office(request, tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp(request.param) / "pki", request.param)


def test_a_sealed_document_is_genuine(office):
    """What a registry seals is accepted by the rules of the hall, whatever its algorithm."""
    order = office.order()

    document = read_document(order.document)
    check_seal(document, office.trust.registries[HOME], roots_pem=office.trust.roots_pem, at=NOW)

    assert document.ticket == order.ticket.public_bytes()
    assert document.signer == office.seal_key().fingerprint


def test_pdfsig_says_valid_and_total_document(office, tmp_path):
    """A reader that is not ours (poppler) agrees: one signature, valid, over everything."""
    document = tmp_path / "sealed.pdf"
    document.write_bytes(office.order().document)

    said = subprocess.run(["pdfsig", "-nocert", str(document)], capture_output=True, text=True, check=True).stdout

    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said
    assert said.count("Signature #") == 1


def test_the_document_holds_no_person(office):
    """The ticket inside names nobody: holder and parties travel only in the signed ticket."""
    with pikepdf.open(BytesIO(office.order().document)) as pdf:
        inside = pdf.attachments["ticket.json"].get_file().read_bytes()

    assert HOLDER not in inside.decode()
    assert not {"holder", "parties", "document_sha256", "document_bytes"} & json.loads(inside).keys()


def test_the_ticket_is_attached_as_data(office):
    """Readers that list attachments show it as what it is (ISO 32000-2, associated files)."""
    with pikepdf.open(BytesIO(office.order().document)) as pdf:
        assert list(pdf.attachments) == ["ticket.json"]
        assert pdf.attachments["ticket.json"].relationship == "/Data"
        assert len(pdf.Root.AF) == 1


def test_pages_are_sealed_as_they_were_rendered(office):
    """Sealing adds the seal; the pages' contents and sizes stay byte for byte."""
    pdf = a_pdf()

    with pikepdf.open(BytesIO(pdf)) as before, pikepdf.open(BytesIO(office.order(pdf=pdf).document)) as after:
        assert [p.Contents.read_bytes() for p in before.pages] == [p.Contents.read_bytes() for p in after.pages]
        assert [list(p.MediaBox) for p in before.pages] == [list(p.MediaBox) for p in after.pages]


def test_the_signed_ticket_names_the_sealed_document(office):
    order = office.order()

    payload = json.loads(
        open_signed(
            order.signed_ticket,
            "application/vnd.certspool.ticket.v1+json",
            keys=office.trust.registries[HOME].ticket_keys,
            use="ticket",
            at=NOW,
        )
    )

    assert payload["document_bytes"] == len(order.document)
    assert payload["holder"] == HOLDER


def test_several_threads_seal_with_one_key(office):
    """One key object serves the whole home."""
    key, pdf = office.seal_key(), a_pdf()

    with ThreadPoolExecutor(4) as pool:
        sealed = list(pool.map(lambda n: seal_document(pdf, b'{"n":%d}' % n, key), range(12)))

    assert [read_document(document).ticket for document in sealed] == [b'{"n":%d}' % n for n in range(12)]


def test_sealing_takes_at_most_25_ms(office):
    """The private key is loaded once, not for every signature (which costs 70 ms): the best of ten is under the target."""
    key, pdf = office.seal_key(), a_pdf()

    def seconds() -> float:
        start = time.process_time()
        seal_document(pdf, b"{}", key)
        return time.process_time() - start

    assert min(seconds() for _ in range(10)) < 0.025


def test_a_key_without_its_own_certificate_is_refused(office):
    mine, other = office.seal_key(HOME), office.seal_key(OTHER_HOME)

    with pytest.raises(UnusableKey):
        SealKey(mine._private, other.certificate, [])


def test_what_is_not_a_key_is_refused():
    with pytest.raises(UnusableKey):
        SealKey.from_pkcs12(b"not a PKCS#12 file")
