"""The known attacks on signed PDF files, made from our own: whatever a library says to them, a hall refuses, each with its own code.

The attacker is the strongest that there is: one whose ticket, signed by the registry's own key, names the changed file.
"""

import io
import re

import pytest
from cryptography import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from spooler.seal import authority
from spooler.seal.authority import Authority
from spooler.seal.seal import seal_document
from tests.agents.forging import judged, refused, refused_document, sealed_with, signed_otherwise, with_range
from tests.sealing import NOW, OTHER_HOME, Office, a_pdf


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture(scope="module")
def order(office):
    return office.order()


def updated(document: bytes, change) -> bytes:
    """Return the document with an incremental update: the signed bytes stand as they were."""
    writer = IncrementalPdfFileWriter(io.BytesIO(document))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    assert out.getvalue().startswith(document)
    return out.getvalue()


def test_what_is_attacked_here_is_accepted_without_the_attack(office, order):
    assert judged(office, order).document == order.document


@pytest.mark.attack_row("S9", "P1")
def test_a_page_replaced_by_a_later_update_is_refused(office, order):
    def replace_page(writer):
        page = writer.root["/Pages"]["/Kids"][0]
        page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"0 0 9 9 re f"))
        writer.update_container(page)

    assert refused_document(office, order, updated(order.document, replace_page)) == "later-update"


@pytest.mark.attack_row("S9", "P2")
def test_an_annotation_laid_over_a_page_later_is_refused(office, order):
    def lay_over(writer):
        rectangle = generic.ArrayObject(generic.NumberObject(number) for number in (0, 0, 900, 600))
        kind = {"/Type": "/Annot", "/Subtype": "/FreeText"}
        stamp = generic.DictionaryObject({generic.NameObject(k): generic.NameObject(v) for k, v in kind.items()})
        stamp["/Rect"] = rectangle
        page = writer.root["/Pages"]["/Kids"][0]
        page["/Annots"] = generic.ArrayObject([*page.get("/Annots", []), writer.add_object(stamp)])
        writer.update_container(page)

    assert refused_document(office, order, updated(order.document, lay_over)) == "later-annotation"


@pytest.mark.attack_row("S9", "P3")
@pytest.mark.parametrize("tail", [b" ", b"\n", b"\0", b"% a comment\n", b"\n%%EOF\n", b"9 0 obj null endobj\n"])
def test_bytes_appended_after_the_signature_are_refused(office, order, tail):
    assert refused_document(office, order, order.document + tail) == "bytes-after"


@pytest.mark.attack_row("S9", "P4")
@pytest.mark.parametrize("head", [b" ", b"\n", b"junk\n", b"\xef\xbb\xbf", b"GIF89a"])
def test_junk_before_the_document_is_refused(office, order, head):
    assert refused_document(office, order, head + order.document) == "bytes-before"


@pytest.mark.attack_row("S9", "P5")
def test_one_flipped_byte_is_refused_by_the_hash_and_by_the_signature(office, order):
    at = order.document.index(b"stream") + 20
    document = order.document[:at] + bytes([order.document[at] ^ 1]) + order.document[at + 1 :]

    assert refused(office, order, document=document) == "document-hash"
    assert refused_document(office, order, document) == "signature-invalid"


@pytest.mark.attack_row("S9", "P6")
@pytest.mark.parametrize(
    "text",
    [
        *(b"/ByteRange null", b"/ByteRange []", b"/ByteRange [0 0 0 0]", b"/ByteRange [-1 2 3 4]"),
        *(b"/ByteRange [1 9 20 9]", b"/ByteRange [0 9 20 999999999]", b"/ByteRange [0 20 9 9]"),
    ],
)
def test_a_signature_over_nothing_is_refused(office, order, text):
    assert refused_document(office, order, with_range(order.document, text)) == "byte-rules"


@pytest.mark.attack_row("S9", "P7")
@pytest.mark.parametrize("filling", ["zeros", "removed", "empty-string"])
def test_a_signature_zeroed_or_removed_is_refused(office, order, filling):
    found = re.search(rb"<[0-9a-fA-F]{200,}>", order.document)
    room = len(found[0])
    fill = {"zeros": b"<" + b"0" * (room - 2) + b">", "removed": b" " * room, "empty-string": b"<>".ljust(room)}
    document = order.document[: found.start()] + fill[filling] + order.document[found.end() :]

    assert len(document) == len(order.document)
    assert refused_document(office, order, document) == "signature-empty"


@pytest.mark.attack_row("S9", "P8")
@pytest.mark.parametrize("wrapped", [b"8 spaces", b"\n/X (x)", b"        "])
def test_a_moved_second_range_is_refused(office, order, wrapped):
    """Signature wrapping: room for content of one's own between the signature and what it covers."""
    _, before, after, length = (int(n) for n in re.search(rb"/ByteRange ?\[(.*?)\]", order.document)[1].split())
    document = with_range(order.document, b"/ByteRange [0 %d %d %d]" % (before, after + len(wrapped), length))

    assert refused_document(office, order, document[:after] + wrapped + document[after:]) == "signature-gap"


@pytest.mark.attack_row("S9", "S12", "P9")
def test_a_seal_of_an_unknown_authority_is_refused(office, order):
    other, trust = sealed_with(office, order, issuer=Authority.create("another", NOW))

    assert refused(office, other, trust=trust) == "signer-chain"


@pytest.mark.attack_row("S12")
def test_an_authority_that_the_operating_system_trusts_is_unknown_here(office, order, tmp_path, monkeypatch):
    """The list of roots is ca.pem and nothing else, whatever OpenSSL's variables and the system's store say."""
    public = Authority.create("a public authority", NOW)
    (tmp_path / "roots.pem").write_bytes(public.certificate_pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "roots.pem"))
    other, trust = sealed_with(office, order, issuer=public)

    assert refused(office, other, trust=trust) == "signer-chain"


@pytest.mark.attack_row("S9", "S11", "P10")
@pytest.mark.parametrize("usages", [{"crl_sign": True}, {"key_encipherment": True}, {"key_agreement": True}])
def test_a_certificate_that_is_not_for_signing_is_refused(office, order, monkeypatch, usages):
    monkeypatch.setattr(authority, "_usage", lambda **_: usage(**usages))
    other, trust = sealed_with(office, order)

    assert refused(office, other, trust=trust) == "signer-key-usage"


def usage(**usages: bool) -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    more = ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: usages.get(name, False) for name in (*names, *more)})


@pytest.mark.attack_row("S9", "S10", "P11")
def test_another_countys_seal_of_the_same_authority_is_refused(office, order):
    """Libraries say valid: the authority certified both."""
    document = seal_document(a_pdf(), order.ticket.public_bytes(), office.seal_key(OTHER_HOME))

    assert refused_document(office, order, document) == "signer-not-pinned"


@pytest.mark.attack_row("S9", "P12")
def test_an_approval_signature_alone_is_refused(office, order):
    """Libraries say valid; but it forbids no later change."""
    assert refused_document(office, order, signed_otherwise(office, order, certify=False)) == "not-certified"


@pytest.mark.attack_row("S9", "P13")
def test_a_second_signature_on_a_document_is_refused(office, order):
    first = signed_otherwise(office, order, permissions=fields.MDPPerm.FILL_FORMS)
    metadata = signers.PdfSignatureMetadata(field_name="second", subfilter=fields.SigSeedSubFilter.PADES)
    signer = signers.PdfSigner(metadata, signer=office.seal_key()._signer)
    document = signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(first)), bytes_reserved=8192).getvalue()

    assert refused_document(office, order, document) == "signature-count"
