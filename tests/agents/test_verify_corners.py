"""The rules of verification that no everyday forgery reaches: each still refuses, by its own code."""

import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import algos, cms, core
from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter, copy_into_new_writer
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from agents.verify import CLOCK_SKEW, Refusal, said_to_be_issued_at
from spooler.seal.seal import _attach_ticket, seal_document
from spooler.wire import document as documents
from spooler.wire import pages
from spooler.wire.document import read_document
from spooler.wire.envelope import _SUITE, MAX_WRAPPED_BYTES, Address, unwrap, wrap
from spooler.wire.errors import BadEnvelope, BadSignature
from spooler.wire.keys import SigningKey, WrapKey, check_signature, wrap_public_key
from spooler.wire.messages import TICKET_TYPE, Pass, Stock, Turn
from spooler.wire.signed import sign
from tests.agents.forging import judged, refused, refused_document, with_range
from tests.sealing import (
    HALL,
    HOME,
    NOW,
    OTHER_HALL,
    PROOF_SHEET,
    SPREAD,
    Office,
    a_pdf,
    address_of,
    contents_of,
    some_passes,
)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture(scope="module")
def order(office):
    return office.order()


class Torn(dict):
    """A trust directory whose reading fails in the middle."""

    def get(self, key, default=None):
        raise RuntimeError("torn")


def test_any_accident_while_checking_refuses(office, order):
    """Not only what was thought of: an error nobody expected prints nothing."""
    assert refused(office, order, trust=replace(office.trust, registries=Torn())) == "verify-error"


def test_when_a_ticket_was_issued_is_read_without_being_believed(office, order):
    assert said_to_be_issued_at(order.contents) == NOW
    broken = contents_of(order, signed_ticket=sign(b"{}", TICKET_TYPE, office.ticket_key()))
    with pytest.raises(Refusal, match="missing"):
        said_to_be_issued_at(broken)


@pytest.mark.parametrize("signed_ticket", [b"", b"{}", b'{"signatures":[]}', b"[]", b'"'])
def test_what_is_not_even_an_envelope_is_refused(office, order, signed_ticket):
    assert refused(office, order, signed_ticket=signed_ticket) == "ticket-format"


# ── passes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_pass(number: int, pages: tuple[int, ...], stock: Stock, size=PROOF_SHEET, **more) -> Pass:
    width, height = size
    return Pass(
        number=number,
        name=f"X{number}",
        pages=pages,
        stock=stock,
        width_mm=width,
        height_mm=height,
        turn=Turn.NONE,
        **more,
    )


def test_a_pass_on_the_stock_of_another_kind_is_refused(office):
    """A certificate whose third pass would go on a proof's blank."""
    passes = (*some_passes()[:2], a_pass(3, (2,), Stock.PROOF))
    order = office.order(pdf=a_pdf((SPREAD, SPREAD, PROOF_SHEET)), passes=passes)

    assert refused(office, order) == "ticket-mismatch"


def test_a_kind_that_has_no_paper_here_is_refused(office):
    """Granted, signed, and nothing that this hall knows how to print."""
    trust = replace(office.trust, grants=office.trust.grants | {(HOME, HALL, "banknote")})

    assert refused(office, office.order(kind="banknote"), trust=trust) == "ticket-mismatch"


@pytest.mark.parametrize("wrong", [None, "stock", "empty", "not-last"])
def test_a_check_sheet_is_the_last_pass_alone_on_plain_paper(office, wrong):
    check = "required"
    sheet = a_pass(
        3, () if wrong == "empty" else (2,), Stock.CERTIFICATE if wrong == "stock" else Stock.PLAIN, check=check
    )
    passes = [*some_passes()[:2], sheet]
    sizes = [SPREAD, SPREAD, *([] if wrong == "empty" else [PROOF_SHEET])]
    if wrong == "not-last":
        passes.append(a_pass(4, (3,), Stock.PLAIN))
        sizes.append(PROOF_SHEET)
    order = office.order(pdf=a_pdf(sizes), passes=tuple(passes))

    if wrong is None:
        assert judged(office, order).ticket == order.ticket
    else:
        assert refused(office, order) == "ticket-mismatch"


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_document_beyond_the_limit_is_not_even_read(office, order):
    document = b"%PDF-" + bytes(documents.MAX_DOCUMENT_BYTES)

    assert refused_document(office, order, document) == "document-too-large"


def test_an_encrypted_document_is_refused(office, order):
    """Sealed by the right key, and opened by anybody with the empty password; a hall reads no such thing."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(a_pdf())))
    assert isinstance(writer, PdfFileWriter)
    _attach_ticket(writer, order.ticket.public_bytes())
    writer.encrypt("", "")

    assert refused_document(office, order, office.seal_key().sign_pdf(writer)) == "pdf-format"


def test_a_range_that_only_a_comment_names_is_refused(office, order):
    """The bytes show one range, the reader sees another: a name may be written in two ways."""
    numbers = re.search(rb"/ByteRange ?\[(.*?)\]", order.document)[1]
    other = numbers[:-1] + bytes([numbers[-1] ^ 1])
    document = with_range(order.document, b"/Byte#52ange [%s]%%/ByteRange[%s]\n" % (other, numbers))

    assert len(document) == len(order.document)
    assert refused_document(office, order, document) == "byte-rules"


def test_what_the_library_itself_doubts_is_refused_too(office, order, monkeypatch):
    monkeypatch.setattr(
        EmbeddedPdfSignature, "evaluate_signature_coverage", lambda self: SignatureCoverageLevel.ENTIRE_REVISION
    )

    assert refused(office, order) == "coverage"


def test_something_in_the_room_behind_the_signature_is_refused(office, order):
    """The zeros after the signature are the only bytes that it does not cover."""
    found = re.search(rb"<[0-9a-fA-F]{200,}>", order.document)
    at = found.end() - 9
    document = order.document[:at] + b"deadbeef" + order.document[at + 8 :]

    assert refused_document(office, order, document) == "signature-gap"


def attached(office, name: str, data: bytes) -> bytes:
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(a_pdf())))
    file = EmbeddedFileObject.from_file_data(writer, data)
    embed_file(writer, FileSpec(name, file_name=name, embedded_data=file))
    return office.seal_key().sign_pdf(writer)


def test_a_document_with_another_file_than_the_ticket_is_refused(office, order):
    document = attached(office, "run.exe", order.ticket.public_bytes())

    assert refused_document(office, order, document) == "ticket-embedded"


def test_a_ticket_inside_beyond_the_limit_is_refused(office, order):
    """A megabyte of spaces packs well."""
    document = attached(office, "ticket.json", b" " * ((1 << 20) + 1))

    assert refused_document(office, order, document) == "ticket-embedded"


@pytest.mark.parametrize("limit", ["_MAX_OBJECTS", "_MAX_PAGES"])
def test_a_document_of_endless_objects_or_pages_is_refused(office, order, monkeypatch, limit):
    monkeypatch.setattr(pages, limit, 1)

    assert refused(office, order) == "pdf-format"


def test_a_sealed_page_tree_that_goes_round_is_refused(office, order):
    """A tree that holds itself: followed to the limit and no further."""

    node: dict = {}
    node["/Kids"] = [Kid(node)]

    with pytest.raises(Refusal) as e:
        list(pages._pages(Tree(node)))
    assert str(e.value.code) == "pdf-format"


class Kid:
    def __init__(self, node) -> None:
        self._node = node

    def get_object(self):
        return self._node


class Tree:
    def __init__(self, node) -> None:
        self.root = {"/Pages": node}


# ── the envelope and the keys ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def key() -> WrapKey:
    return WrapKey.generate()


@pytest.fixture
def address(order, key) -> Address:
    return Address(HOME, HALL, order.ticket.order_id, key.kid)


def test_a_wrapped_order_opens_for_its_hall_alone(order, address, key):
    wrapped = wrap(order.contents, address, key.record(NOW, NOW))

    assert unwrap(wrapped, address, key) == order.contents
    with pytest.raises(BadEnvelope):
        unwrap(wrapped, address, WrapKey.generate())


def test_an_envelope_beyond_the_limit_is_not_opened(address, key):
    with pytest.raises(BadEnvelope, match="at most"):
        unwrap(bytes(MAX_WRAPPED_BYTES + 1), address, key)


@pytest.mark.parametrize(
    "plain",
    [b"", b"CSP1", b"CSP2\0\0\0\1tt", b"CSP1\0\0\0\7ticket", b"CSP1\xff\xff\xff\xff" + bytes(99)],
    ids=["empty", "magic-alone", "other-magic", "ticket-cut", "ticket-endless"],
)
def test_an_envelope_that_opens_and_holds_no_order_is_refused(address, key, plain):
    """Whoever has the public key can wrap anything."""
    public = wrap_public_key(key.record(NOW, NOW))

    with pytest.raises(BadEnvelope, match="does not hold"):
        unwrap(_SUITE.encrypt(plain, public, info=address.info()), address, key)


def test_each_key_is_of_its_own_kind(key):
    """A wrap key signs nothing, and nothing is wrapped for a signing key."""
    signing = SigningKey.generate()
    with pytest.raises(BadSignature):
        SigningKey.from_pem(key.to_pem())
    with pytest.raises(BadSignature):
        WrapKey.from_pem(signing.to_pem())
    with pytest.raises(BadSignature):
        wrap_public_key(signing.record("ticket", NOW, NOW))
    with pytest.raises(BadSignature, match="64 bytes"):
        check_signature(b"", b"\0" * 63, signing.kid, [signing.record("ticket", NOW, NOW)], "ticket", NOW)


def test_a_seal_without_its_ticket_is_no_document(office, order):
    """The same document sealed with an empty ticket inside."""
    assert refused_document(office, order, seal_document(a_pdf(), b"", office.seal_key())) == "ticket-embedded"


@pytest.mark.parametrize(("kind", "stock"), [("proof", Stock.PROOF), ("record", Stock.PLAIN)])
def test_each_kind_is_accepted_on_its_own_paper_and_refused_on_anothers(office, kind, stock):
    def an_order(paper):
        passes = (a_pass(1, (0,), paper),)
        return office.order(kind=kind, template=f"{kind}/1", pdf=a_pdf((PROOF_SHEET,)), passes=passes)

    assert judged(office, an_order(stock)).ticket.kind == kind
    for other in set(Stock) - {stock}:
        assert refused(office, an_order(other)) == "ticket-mismatch"


def test_a_clock_that_is_behind_as_far_as_it_may_be_takes_what_was_issued_just_now(office, order):
    """To the second, at either end."""
    begin, end = order.ticket.not_before, order.ticket.not_after

    assert judged(office, order, now=begin - CLOCK_SKEW)
    assert refused(office, order, now=begin - CLOCK_SKEW - timedelta(seconds=1)) == "time"
    assert judged(office, order, now=end)
    assert refused(office, order, now=end + timedelta(seconds=1)) == "time"


def test_a_document_of_another_length_is_told_by_its_length(office, order):
    assert refused(office, order, document=order.document + b"x") == "document-length"
    assert refused(office, order, document=order.document[:-1]) == "document-length"


@pytest.mark.parametrize(
    ("off", "code"), [(0.49, None), (-0.49, None), (0.51, "ticket-mismatch"), (-0.51, "ticket-mismatch")]
)
def test_a_page_may_be_half_a_millimetre_off_and_no_more(office, off, code):
    """What layout and PDF round away; more is another paper."""
    width, height = PROOF_SHEET
    passes = (a_pass(1, (0,), Stock.PROOF),)
    order = office.order(kind="proof", template="proof/1", pdf=a_pdf(((width, height + off),)), passes=passes)

    assert (refused(office, order) if code else judged(office, order).ticket.kind) == (code or "proof")


def test_an_order_for_this_hall_under_anothers_address_is_refused(office, order):
    """What stands outside on the envelope is part of what was said."""
    assert refused(office, order, address=address_of(order.ticket, hall=OTHER_HALL)) == "audience"


def test_the_largest_ticket_inside_is_read_and_a_larger_one_is_not(office):
    largest = b"t" * (1 << 20)

    assert read_document(seal_document(a_pdf(), largest, office.seal_key())).ticket == largest
    with pytest.raises(Refusal, match="too large"):
        read_document(seal_document(a_pdf(), largest + b"t", office.seal_key()))


def test_a_document_is_too_large_beyond_its_limit_and_not_before():
    with pytest.raises(Refusal) as at_the_limit:
        read_document(bytes(12 * 1024 * 1024))
    with pytest.raises(Refusal) as beyond:
        read_document(bytes(12 * 1024 * 1024 + 1))

    assert (at_the_limit.value.code, beyond.value.code) == ("byte-rules", "document-too-large")


@pytest.mark.parametrize("parameters", [None, core.Null()], ids=["none", "NULL"])
def test_an_algorithm_is_its_name_without_parameters(parameters):
    """Both spellings are used; nothing else stands there."""
    given = {"algorithm": "sha256"} | ({} if parameters is None else {"parameters": parameters})
    algorithm = cms.DigestAlgorithm(given)

    assert documents._plain(algorithm, cms.DigestAlgorithm).dump() == algorithm.dump()


@pytest.mark.parametrize("beside", ["020101", "0400", "0c0141", "3000"])
def test_an_algorithm_with_something_beside_its_name_is_none(beside):
    """Where the library itself does not read it, whatever goes wrong refuses."""
    name = bytes.fromhex("0609608648016503040201")
    body = name + bytes.fromhex(beside)

    with pytest.raises((Refusal, ValueError)):
        documents._plain(cms.DigestAlgorithm.load(bytes([0x30, len(body)]) + body), cms.DigestAlgorithm)


def test_the_parameters_of_rsa_pss_are_left_as_they_are():
    parameters = algos.RSASSAPSSParams({"salt_length": 32})
    algorithm = cms.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})

    assert documents._plain(algorithm, cms.SignedDigestAlgorithm).dump() == algorithm.dump()


def test_a_signature_algorithm_with_something_beside_its_name_is_refused():
    name = bytes.fromhex("06082a8648ce3d040302")  # ecdsa-with-SHA256
    body = name + bytes.fromhex("020101")
    algorithm = cms.SignedDigestAlgorithm.load(bytes([0x30, len(body)]) + body)

    with pytest.raises(Refusal, match="has parameters"):
        documents._plain(algorithm, cms.SignedDigestAlgorithm)


@pytest.mark.parametrize("offset", [1, 2, 3, 23, 24, 25, 30, 41, 46])
def test_the_seals_own_envelope_is_written_in_one_way(office, order, offset):
    """Lengths, the version, names of algorithms: no signature covers them."""
    at = order.document.index(b"/Contents <") + len(b"/Contents <") + 2 * offset + 1
    document = order.document[:at] + bytes([order.document[at] ^ 1]) + order.document[at + 1 :]

    assert refused_document(office, order, document) == "signature-invalid"
