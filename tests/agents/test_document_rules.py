"""The rules of a genuine document one by one: those that whole forgeries meet only behind another rule."""

import re
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import MDPPerm

from spooler.seal import authority
from spooler.seal.authority import Authority
from spooler.wire import document as documents
from spooler.wire.refusal import Refusal
from tests.agents.forging import judged, refused, refused_document, sealed_with, signed_otherwise, with_range
from tests.agents.test_pdf_attacks import usage
from tests.sealing import NOW, Office, a_pdf


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture(scope="module")
def order(office):
    return office.order()


def code_of(call, *arguments) -> str:
    with pytest.raises(Refusal) as e:
        call(*arguments)
    return str(e.value.code)


def a_dictionary(**entries) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name(f"/{name}"): value for name, value in entries.items()})


def a_reader(**catalog) -> SimpleNamespace:
    """What the rules see of a document: its catalog."""
    return SimpleNamespace(root=a_dictionary(**catalog), embedded_signatures=[SimpleNamespace()])


# ── the bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ranges(order) -> list[int]:
    return [int(number) for number in re.search(rb"/ByteRange ?\[(.*?)\]", order.document)[1].split()]


def test_a_range_that_covers_one_byte_before_the_gap_is_a_range_with_a_wrong_gap(office, order):
    """One byte is something: what is wrong is what the gap holds."""
    _, _, after, length = ranges(order)

    document = with_range(order.document, b"/ByteRange [0 1 %d %d]" % (after, length))
    assert refused_document(office, order, document) == "signature-gap"
    document = with_range(order.document, b"/ByteRange [0 0 %d %d]" % (after, length))
    assert refused_document(office, order, document) == "byte-rules"


def test_a_gap_of_nothing_is_no_range_of_a_file(office, order):
    _, before, after, length = ranges(order)

    document = with_range(order.document, b"/ByteRange [0 %d %d %d]" % (after, after, length))
    assert refused_document(office, order, document) == "byte-rules"
    document = with_range(order.document, b"/ByteRange [0 %d %d %d]" % (before, after, length + 1))
    assert refused_document(office, order, document) == "byte-rules"


def test_a_hexadecimal_string_that_is_not_the_contents_is_no_signature(office, order):
    document = order.document.replace(b"/Contents <", b"/Kontents <", 1)

    assert len(document) == len(order.document)
    assert refused_document(office, order, document) == "signature-gap"


def test_an_object_that_ends_with_another_word_is_refused_for_that(office, order):
    """Readers that are kind to broken files disagree about what is in them: before any signature is looked at."""
    document = order.document.replace(b"\nendobj\n", b"\nendobk\n", 1)

    assert refused_document(office, order, document) == "pdf-format"


# ── the form, the kind, the certification ────────────────────────────────────────────────────────────────────────────


A_SIGNATURE = a_dictionary(FT=pdf_name("/Sig"), V=a_dictionary())


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [A_SIGNATURE, A_SIGNATURE],
        [a_dictionary(FT=pdf_name("/Sig"))],
        [a_dictionary(FT=pdf_name("/Tx"), V=a_dictionary())],
    ],
    ids=["none", "two", "unsigned", "text"],
)
def test_a_form_of_anything_but_one_signature_is_refused(fields):
    reader = a_reader(AcroForm=a_dictionary(Fields=generic.ArrayObject(fields)))

    assert code_of(documents._only_signature, reader) == "signature-count"


def test_a_form_of_one_signature_is_read():
    reader = a_reader(AcroForm=a_dictionary(Fields=generic.ArrayObject([A_SIGNATURE])))

    assert documents._only_signature(reader) is reader.embedded_signatures[0]


def a_kind(*, kind="/Sig", subfilter="/ETSI.CAdES.detached", md="sha256", signed_with="sha256") -> SimpleNamespace:
    return SimpleNamespace(
        sig_object_type=kind,
        sig_object=a_dictionary(SubFilter=pdf_name(subfilter)),
        md_algorithm=md,
        signer_info={"signature_algorithm": SimpleNamespace(hash_algo=signed_with)},
    )


@pytest.mark.parametrize(("name", "digest"), [("sha384", hashes.SHA384()), ("sha512", hashes.SHA512())])
def test_a_pades_signature_with_a_stronger_hash_is_taken(office, order, name, digest):
    """Our own seals sign with SHA-256; another product's may do more."""

    class Stronger(type(office.seal_key()._signer)):
        async def async_sign_raw(self, data, digest_algorithm, dry_run=False):
            return self._key.private.sign(data, ec.ECDSA(digest))

    signer = office.seal_key()._signer
    signer.__class__ = Stronger
    document = signed_otherwise(office, order, signer=signer, md=name)

    assert judged(office, office.order_around(document, order.ticket)).document == document


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": "/DocTimeStamp"}, "signature-kind"),
        ({"subfilter": "/adbe.pkcs7.detached"}, "signature-kind"),
        ({"md": "sha1"}, "digest"),
        ({"signed_with": "sha1"}, "digest"),
        ({"md": "md5", "signed_with": "md5"}, "digest"),
    ],
)
def test_a_signature_of_another_kind_or_with_a_weak_hash_in_either_place_is_refused(wrong, code):
    assert code_of(documents._check_kind, a_kind(**wrong)) == code


@pytest.mark.parametrize("missing", ["the signature", "the catalog", "another's"])
def test_both_the_signature_and_the_catalog_must_say_that_nothing_may_change(missing):
    value = a_dictionary()
    signature = SimpleNamespace(docmdp_level=MDPPerm.NO_CHANGES, sig_object=value)
    documents._check_permissions(a_reader(Perms=a_dictionary(DocMDP=value)), signature)

    reader = a_reader(Perms=a_dictionary(DocMDP=a_dictionary() if missing == "another's" else value))
    if missing == "the signature":
        signature.docmdp_level = MDPPerm.FILL_FORMS
    if missing == "the catalog":
        reader = a_reader()
    assert code_of(documents._check_permissions, reader, signature) == "not-certified"


# ── the file inside ──────────────────────────────────────────────────────────────────────────────────────────────────


def with_files(*names: str) -> SimpleNamespace:
    stream = generic.StreamObject(stream_data=b"data")
    pairs = [(generic.TextStringObject(name), a_dictionary(EF=a_dictionary(F=stream))) for name in names]
    files = a_dictionary(Names=generic.ArrayObject([one for pair in pairs for one in pair]))
    return a_reader(Names=a_dictionary(EmbeddedFiles=files))


def test_one_file_of_the_right_name_is_read():
    assert documents._embedded(with_files("ticket.json"), "ticket.json") == b"data"


@pytest.mark.parametrize("names", [(), ("other.json",), ("ticket.json", "ticket.json"), ("ticket.json", "x")])
def test_no_file_another_or_more_than_one_is_refused(names):
    assert code_of(documents._embedded, with_files(*names), "ticket.json") == "ticket-embedded"


# ── the seal ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_signature_value_over_the_same_bytes_is_refused(office, order):
    """What was signed is intact, and nobody signed it."""
    found = re.search(rb"<([0-9a-fA-F]{200,}?)(?:00)*>", order.document)
    at = found.end(1) - 1  # the last digit of the signature's own value
    other = b"0" if order.document[at : at + 1] != b"0" else b"1"
    document = order.document[:at] + other + order.document[at + 1 :]

    assert refused_document(office, order, document) == "signature-invalid"


@pytest.mark.parametrize("usages", [{"digital_signature": True}, {"content_commitment": True}])
def test_either_use_that_is_meant_for_signing_is_enough(office, order, monkeypatch, usages):
    monkeypatch.setattr(authority, "_usage", lambda **_: usage(**usages))
    other, trust = sealed_with(office, order)

    assert judged(office, other, trust=trust).document == other.document


def test_a_certificate_that_names_no_use_at_all_is_refused():
    moment = {"not_valid_before": NOW, "not_valid_after": NOW}
    named = SimpleNamespace(native={"digital_signature"})
    documents._check_certificate(SimpleNamespace(ca=False, key_usage_value=named, **moment), NOW)

    for ca, usages in ((False, None), (True, named), (False, SimpleNamespace(native={"crl_sign"}))):
        certificate = SimpleNamespace(ca=ca, key_usage_value=usages, **moment)
        assert code_of(documents._check_certificate, certificate, NOW) == "signer-key-usage"


@pytest.mark.parametrize("seconds", [-1, 1])
def test_a_certificate_is_good_from_its_first_second_to_its_last(seconds):
    named = SimpleNamespace(native={"digital_signature"})
    certificate = SimpleNamespace(ca=False, key_usage_value=named, not_valid_before=NOW, not_valid_after=NOW)

    assert code_of(documents._check_certificate, certificate, NOW + timedelta(seconds=seconds)) == "signer-validity"


def test_every_authority_of_the_list_is_believed(office, order):
    """During a change of authorities there are two, in either order."""
    other = Authority.create("another authority", NOW).certificate_pem()
    for roots in (office.trust.roots_pem + other, other + office.trust.roots_pem):
        assert judged(office, order, trust=replace(office.trust, roots_pem=roots)).ticket == order.ticket


def test_what_a_document_holds_is_told(order):
    read = documents.read_document(order.document)

    assert read.ticket == order.ticket.public_bytes()
    assert len(read.page_sizes) == len(documents.read_document(order.document).page_sizes) == 2
    assert re.fullmatch("[0-9a-f]{64}", read.signer)


def test_the_names_that_others_look_for():
    assert (documents.SIGNATURE_FIELD, documents.ELECTRONIC_NAME) == ("seal", "electronic.json")


def test_what_is_no_pdf_from_its_first_byte(office, order):
    assert code_of(documents.check_bytes, b"GIF89a") == "byte-rules"
    assert code_of(documents.check_bytes, b"GIF89a%PDF-1.7") == "bytes-before"
    assert refused(office, order, document=a_pdf()) in ("document-hash", "document-length")
