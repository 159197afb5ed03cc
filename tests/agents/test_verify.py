"""What a hall prints: only what a trusted registry sealed, for this hall, now. Everything else has its own code."""

import hmac
import io
import json
import random
import re
import time
from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pikepdf
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers

from agents.verify import Refusal, RefusalCode
from spooler.seal import authority
from spooler.seal.authority import Authority, SealAlgorithm
from spooler.seal.seal import SealKey, _attach_ticket, seal_document
from spooler.seal.ticket import SealedOrder
from spooler.wire import strict
from spooler.wire.envelope import identity
from spooler.wire.keys import SigningKey
from spooler.wire.messages import TICKET_TYPE, Stock
from spooler.wire.signed import sign
from tests.agents.forging import (
    altered,
    changed_envelope,
    judged,
    refused,
    refused_document,
    sealed_with,
    signed_otherwise,
    with_range,
)
from tests.sealing import (
    HALL,
    HOME,
    NOW,
    OTHER_HALL,
    OTHER_HOME,
    PROOF_SHEET,
    SPREAD,
    Office,
    a_pdf,
    address_of,
    some_passes,
)


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture(scope="module")
def order(office) -> SealedOrder:
    return office.order()


# ── what is right ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("algorithm", [SealAlgorithm.P_256, SealAlgorithm.RSA_2048])
def test_an_order_for_this_hall_is_accepted(tmp_path, algorithm):
    """What a granted registry sealed for this hall is printed, exactly as it was verified."""
    office = Office.create(tmp_path / "pki", algorithm)
    order = office.order()

    verified = judged(office, order)

    assert verified.ticket == order.ticket
    assert verified.document == order.document
    assert verified.identity == identity(order.ticket.to_bytes(), order.document)


def test_the_same_ticket_signed_again_is_the_same_order(office, order):
    """ECDSA signatures differ each time; the identity is of what was said."""
    again = sign(order.ticket.to_bytes(), TICKET_TYPE, office.ticket_key())

    assert again != order.signed_ticket
    assert judged(office, order, signed_ticket=again).identity == judged(office, order).identity


def test_a_field_of_a_later_version_is_ignored(office):
    """Readers ignore unknown fields, as long as the ticket inside says the same."""
    order = office.order()
    later = {**json.loads(order.ticket.to_bytes()), "colour_profile": "coated"}
    private = ("holder", "parties", "document_sha256", "document_bytes")
    public = strict.canonical({k: v for k, v in later.items() if k not in private})
    document = seal_document(a_pdf(), public, office.seal_key())
    later |= {"document_sha256": sha256(document).hexdigest(), "document_bytes": len(document)}
    signed_ticket = sign(strict.canonical(later), TICKET_TYPE, office.ticket_key())

    assert judged(office, order, signed_ticket=signed_ticket, document=document).document == document


def test_a_certificate_that_expired_after_sealing_is_good(office, order):
    """A seal is judged at the time of sealing; the ticket's own end is what binds the hall."""
    home = office.trust.registries[HOME]
    keys = tuple(k.model_copy(update={"not_after": NOW + timedelta(days=9999)}) for k in home.ticket_keys)
    late = NOW + timedelta(days=3000)
    order = office.order(not_after=late + timedelta(days=1))

    assert judged(office, order, trust=office.believing(ticket_keys=keys), now=late).ticket == order.ticket


def test_a_hall_whose_clock_is_a_little_behind_accepts(office, order):
    assert judged(office, order, now=NOW - timedelta(minutes=4)).ticket == order.ticket


# ── the ticket ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.attack_row("S3")
def test_an_order_for_another_hall_is_refused(office, order):
    """A hall never prints what was addressed to a different hall."""
    assert refused(office, order, hall=OTHER_HALL) == "audience"


@pytest.mark.attack_row("S3")
def test_an_order_readdressed_to_this_hall_is_refused(office):
    """Whoever can wrap for a hall cannot make another hall's order its own."""
    order = office.order(hall=OTHER_HALL)

    assert refused(office, order, address=address_of(order.ticket, hall=HALL)) == "audience"


def test_an_order_under_another_orders_address_is_refused(office, order):
    assert refused(office, order, address=address_of(order.ticket, order_id=uuid4())) == "audience"


def test_an_unknown_registry_is_refused(office, order):
    assert refused(office, order, address=address_of(order.ticket, registry="110101")) == "issuer"


@pytest.mark.attack_row("S2")
def test_a_ticket_signed_by_another_registry_is_refused(office, order):
    """One county cannot speak for another."""
    foreign = sign(order.ticket.to_bytes(), TICKET_TYPE, office.ticket_key(OTHER_HOME))

    assert refused(office, order, signed_ticket=foreign) == "issuer"


@pytest.mark.attack_row("S2")
def test_a_ticket_sent_in_another_registrys_name_is_refused(office, order):
    """…nor send its own order under another's name."""
    foreign = sign(order.ticket.to_bytes(), TICKET_TYPE, office.ticket_key(OTHER_HOME))

    assert (
        refused(office, order, signed_ticket=foreign, address=address_of(order.ticket, registry=OTHER_HOME)) == "issuer"
    )


@pytest.mark.attack_row("S1")
def test_a_ticket_signed_by_a_stranger_is_refused(office, order):
    stranger = sign(order.ticket.to_bytes(), TICKET_TYPE, SigningKey.generate())

    assert refused(office, order, signed_ticket=stranger) == "ticket-signature"


def test_a_changed_ticket_is_refused(office, order):
    """One word of a signed ticket, changed: its hall's, say."""
    payload = b64decode(json.loads(order.signed_ticket)["payload"]).replace(HALL.encode(), OTHER_HALL.encode())
    changed = changed_envelope(order.signed_ticket, payload=b64encode(payload).decode())

    assert refused(office, order, signed_ticket=changed, hall=OTHER_HALL) == "ticket-signature"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
@pytest.mark.attack_row("S1")
def test_a_message_cannot_choose_its_algorithm(office, order, algorithm):
    """The algorithm is the key record's: an envelope that names one, signed with the public key as an HMAC secret or not at all."""
    kid = office.ticket_key().kid
    for signature in (b"", b"\0" * 64, sha256(b"x").digest()):
        only = {"keyid": kid, "sig": b64encode(signature).decode(), "alg": algorithm}
        changed = changed_envelope(order.signed_ticket, signatures=[only])
        assert refused(office, order, signed_ticket=changed) == "ticket-signature"


def test_a_revoked_ticket_key_is_refused(office, order):
    (key,) = office.trust.registries[HOME].ticket_keys
    trust = office.believing(ticket_keys=(key.model_copy(update={"revoked_at": NOW - timedelta(days=1)}),))

    assert refused(office, order, trust=trust) == "ticket-signature"


@pytest.mark.parametrize(
    "signed_ticket",
    [
        b"",
        b"not JSON",
        b"[]",
        b'{"payload":"","payload":"","payloadType":"","signatures":[]}',
        b'{"payload":NaN}',
        b"[" * 100_000,
        b'"' + b"x" * 10_000_000 + b'"',
        strict.canonical({"payload": "e30=", "payloadType": TICKET_TYPE, "signatures": []}),
        strict.canonical({"payload": "e30=", "payloadType": "text/plain", "signatures": [{"keyid": "a", "sig": ""}]}),
    ],
    ids=["empty", "text", "array", "key-twice", "nan", "deep", "10-MB", "unsigned", "other-type"],
)
@pytest.mark.attack_row("S8")
def test_what_is_not_a_signed_ticket_is_refused_at_once(office, order, signed_ticket):
    """Readable in one way only, and not read at all when too long or deep."""
    start = time.process_time()

    assert refused(office, order, signed_ticket=signed_ticket) == "ticket-format"
    assert time.process_time() - start < 0.05


@pytest.mark.attack_row("S1")
def test_a_public_key_used_as_a_shared_secret_signs_nothing(office, order):
    """The old confusion: HMAC over the message with the public key that everybody has."""
    (key,) = office.trust.registries[HOME].ticket_keys
    payload = order.ticket.to_bytes()
    said = b"DSSEv1 %d %s %d %s" % (len(TICKET_TYPE), TICKET_TYPE.encode(), len(payload), payload)
    for digest in ("sha256", "sha512"):
        mac = hmac.digest(key.public_key.encode(), said, digest)
        only = {"keyid": key.kid, "sig": b64encode(mac).decode(), "alg": "HS256"}
        changed = changed_envelope(order.signed_ticket, signatures=[only])
        assert refused(office, order, signed_ticket=changed) == "ticket-signature"


@pytest.mark.attack_row("S1")
@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()], ids=["P-384", "secp256k1"])
def test_a_key_on_another_curve_signs_nothing(office, order, curve):
    """Even one that got into the trust directory: the record says ES256, which is P-256."""
    (key,) = office.trust.registries[HOME].ticket_keys
    other = ec.generate_private_key(curve)
    pem = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    trust = office.believing(ticket_keys=(key.model_copy(update={"public_key": pem}),))
    signer = SigningKey(other)
    signer.kid = key.kid
    try:
        signed_ticket = sign(order.ticket.to_bytes(), TICKET_TYPE, signer)
    except OverflowError:  # P-384's numbers do not even fit
        signed_ticket = order.signed_ticket

    assert refused(office, order, signed_ticket=signed_ticket, trust=trust) == "ticket-signature"


@pytest.mark.attack_row("S4")
def test_an_old_order_sent_again_is_the_one_that_is_known(office, order):
    """Replayed, it verifies and has the identity of the first: the inbox prints nothing of it."""
    assert judged(office, order).identity == judged(office, order, now=NOW + timedelta(hours=1)).identity


@pytest.mark.attack_row("S5")
def test_an_old_document_in_a_new_ticket_is_refused(office, order):
    """The ticket names the old file itself: the ticket inside that file is another."""
    assert refused_document(office, office.order(number_version=2), order.document) == "ticket-embedded"


@pytest.mark.attack_row("S8")
@pytest.mark.parametrize(
    "payload",
    [b'{"version":1,"version":1}', b'{"version":NaN}', b"[" * 60_000, b'{"a":' * 20_000, b" " * 180_000, b"\xff\xfe"],
    ids=["key-twice", "nan", "deep", "deep-objects", "long", "not-utf-8"],
)
def test_a_signed_ticket_that_can_be_read_in_two_ways_is_refused_at_once(office, order, payload):
    """Also when the registry's own key signed it."""
    signed_ticket = sign(payload, TICKET_TYPE, office.ticket_key())
    start = time.process_time()

    assert refused(office, order, signed_ticket=signed_ticket) == "ticket-format"
    assert time.process_time() - start < 0.05


@pytest.mark.parametrize("change", [{"version": 2}, {"passes": []}, {"not_after": "2024-05-20"}, {"document_bytes": 0}])
@pytest.mark.attack_row("S8")
def test_a_signed_ticket_of_another_shape_is_refused(office, order, change):
    """A version that this hall does not know is refused, not guessed at."""
    payload = strict.canonical({**json.loads(order.ticket.to_bytes()), **change})

    assert refused(office, order, signed_ticket=sign(payload, TICKET_TYPE, office.ticket_key())) == "ticket-format"


def test_a_kind_without_a_grant_is_refused(office, order):
    """A registry prints at a hall only what was granted."""
    trust = replace(office.trust, grants=office.trust.grants - {(HOME, HALL, "certificate")})

    assert refused(office, order, trust=trust) == "grant"


@pytest.mark.attack_row("S6")
def test_an_expired_order_is_refused(office, order):
    assert refused(office, order, now=NOW + timedelta(days=3, seconds=1)) == "time"


@pytest.mark.attack_row("S6")
def test_an_order_not_yet_valid_is_refused(office, order):
    assert refused(office, order, now=NOW - timedelta(minutes=6)) == "time"


# ── the document under its ticket ────────────────────────────────────────────────────────────────────────────────────


def test_one_flipped_byte_is_refused(office, order):
    document = bytearray(order.document)
    document[len(document) // 2] ^= 1

    assert refused(office, order, document=bytes(document)) == "document-hash"


def test_one_appended_byte_is_refused(office, order):
    assert refused(office, order, document=order.document + b"\n") == "document-length"


@pytest.mark.attack_row("S5")
def test_another_genuine_document_is_refused(office, order):
    """An old document under a new ticket, or the other way about."""
    assert refused(office, order, document=office.order(number_version=2).document) in (
        "document-hash",
        "document-length",
    )


# ── the document by itself: an attacker who even has the ticket key ──────────────────────────────────────────────────


def test_every_flipped_byte_is_refused(office, order):
    """Wherever in the file, also when the ticket names the changed file."""
    size = len(order.document)
    for at in range(0, size, size // 60):
        document = bytearray(order.document)
        document[at] ^= 0x01
        refused_document(office, order, bytes(document))


def test_a_flipped_byte_of_a_page_breaks_the_signature(office, order):
    at = order.document.index(b"stream") + 20
    document = order.document[:at] + bytes([order.document[at] ^ 1]) + order.document[at + 1 :]

    assert refused_document(office, order, document) == "signature-invalid"


@pytest.mark.parametrize("tail", [b" ", b"\n", b"% a comment\n", b"\n%%EOF\n", b"9 0 obj null endobj\n"])
def test_bytes_after_the_signature_are_refused(office, order, tail):
    """Libraries still say valid."""
    assert refused_document(office, order, order.document + tail) == "bytes-after"


@pytest.mark.parametrize("head", [b" ", b"\n", b"junk\n", b"\xef\xbb\xbf"])
def test_bytes_before_the_document_are_refused(office, order, head):
    assert refused_document(office, order, head + order.document) == "bytes-before"


@pytest.mark.parametrize(
    "text",
    [b"/ByteRange null", b"/ByteRange []", b"/ByteRange [0 0 0 0]", b"/ByteRange [-1 2 3 4]", b"/ByteRange [1 9 20 9]"],
)
def test_a_signature_over_nothing_is_refused(office, order, text):
    """Universal signature forgery: ranges that sign nothing."""
    assert refused_document(office, order, with_range(order.document, text)) == "byte-rules"


def test_a_moved_second_range_is_refused(office, order):
    """Signature wrapping: room between the signature and the second range."""
    _, before, after, length = (int(n) for n in re.search(rb"/ByteRange ?\[(.*?)\]", order.document)[1].split())
    document = with_range(order.document, b"/ByteRange [0 %d %d %d]" % (before, after + 8, length))

    assert refused_document(office, order, document[:after] + b"8 spaces" + document[after:]) == "signature-gap"


def test_an_emptied_signature_is_refused(office, order):
    found = re.search(rb"/Contents ?<([0-9a-fA-F]+)>", order.document)
    document = order.document[: found.start(1)] + b"0" * len(found[1]) + order.document[found.end(1) :]

    assert refused_document(office, order, document) == "signature-empty"


def test_a_page_replaced_in_an_update_is_refused(office, order):
    """Incremental saving: the signed bytes are still there, and no longer what is printed."""
    writer = IncrementalPdfFileWriter(io.BytesIO(order.document))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.root["/Pages"]["/Kids"][1].raw_get("/Contents")
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)

    assert refused_document(office, order, out.getvalue()) == "later-update"


def test_an_approval_signature_is_refused(office, order):
    """Libraries say valid; but later changes would be permitted."""
    assert refused_document(office, order, signed_otherwise(office, order, certify=False)) == "not-certified"


def test_a_certification_that_permits_changes_is_refused(office, order):
    document = signed_otherwise(office, order, permissions=fields.MDPPerm.FILL_FORMS)

    assert refused_document(office, order, document) == "not-certified"


def test_a_signature_of_another_kind_is_refused(office, order):
    document = signed_otherwise(office, order, subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED)

    assert refused_document(office, order, document) == "signature-kind"


@pytest.mark.attack_row("S11")
def test_a_weak_hash_is_refused(office, order):
    """SHA-1 collides: a second document could be found for the same signature."""

    class Weak(type(office.seal_key()._signer)):
        async def async_sign_raw(self, data, digest_algorithm, dry_run=False):
            return self._key.private.sign(data, ec.ECDSA(hashes.SHA1()))

    signer = office.seal_key()._signer
    signer.__class__ = Weak

    assert refused_document(office, order, signed_otherwise(office, order, signer=signer, md="sha1")) == "digest"


def test_a_document_with_a_past_is_refused(office, order):
    """Signed in an incremental update: the whole file is covered, and another state of it can still be read."""
    writer = IncrementalPdfFileWriter(io.BytesIO(a_pdf()))
    _attach_ticket(writer, order.ticket.public_bytes())

    assert refused_document(office, order, office.seal_key().sign_pdf(writer)) == "revisions"


def test_a_second_signature_is_refused(office, order):
    first = signed_otherwise(office, order, permissions=fields.MDPPerm.FILL_FORMS)
    metadata = signers.PdfSignatureMetadata(field_name="second", subfilter=fields.SigSeedSubFilter.PADES)
    signer = signers.PdfSigner(metadata, signer=office.seal_key()._signer)
    document = signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(first)), bytes_reserved=8192).getvalue()

    assert refused_document(office, order, document) == "signature-count"


def test_an_unsealed_document_is_refused(office, order):
    assert refused_document(office, order, a_pdf()) == "signature-count"


@pytest.mark.parametrize("document", [b"", b"%PDF-", b"x" * 1000])
def test_what_is_no_document_is_refused(office, order, document):
    ticket = order.ticket.model_copy(update={"document_sha256": sha256(document).hexdigest(), "document_bytes": 1})
    with pytest.raises(Refusal):
        judged(office, SealedOrder(ticket, sign(ticket.to_bytes(), TICKET_TYPE, office.ticket_key()), document))


# ── who sealed it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_registrys_seal_is_refused(office, order):
    """The same authority certified it, and libraries say valid; but it is not this registry's seal."""
    document = seal_document(a_pdf(), order.ticket.public_bytes(), office.seal_key(OTHER_HOME))

    assert refused_document(office, order, document) == "signer-not-pinned"


@pytest.mark.attack_row("S11")
def test_a_revoked_seal_is_refused(office, order):
    trust = office.believing(revoked_fingerprints=(office.seal_key().fingerprint,))

    assert refused(office, order, trust=trust) == "signer-revoked"


def test_a_new_pinned_seal_is_accepted(office, order):
    """The control of the tests below: the same way of making it, nothing wrong."""
    other, trust = sealed_with(office, order)

    assert judged(office, other, trust=trust).ticket == other.ticket


@pytest.mark.attack_row("S11")
def test_a_certificate_that_had_expired_when_it_sealed_is_refused(office, order):
    other, trust = sealed_with(office, order, life=timedelta(days=9))

    assert refused(office, other, trust=trust) == "signer-validity"


def test_a_certificate_from_later_is_refused(office, order):
    other, trust = sealed_with(office, order, now=NOW + timedelta(days=1))

    assert refused(office, other, trust=trust) == "signer-validity"


def test_a_certificate_of_another_authority_is_refused(office, order):
    """Also if somebody got it pinned: the roots are ours, never the operating system's."""
    other, trust = sealed_with(office, order, issuer=Authority.create("another", NOW - timedelta(days=20)))

    assert refused(office, other, trust=trust) == "signer-chain"


@pytest.mark.attack_row("S12")
def test_without_roots_nothing_is_trusted(office, order):
    assert refused(office, order, trust=replace(office.trust, roots_pem=b"")) == "signer-chain"


def test_a_certificate_that_is_not_for_sealing_is_refused(office, order, monkeypatch):
    usage = authority._usage
    monkeypatch.setattr(authority, "_usage", lambda **_: usage(crl_sign=True))
    other, trust = sealed_with(office, order)

    assert refused(office, other, trust=trust) == "signer-key-usage"


@pytest.mark.attack_row("S11")
def test_an_authoritys_certificate_is_no_seal(office, order):
    other = Authority.create("certspool authority", NOW - timedelta(days=20))
    key = SealKey(other._private, other.certificate, [])
    document = seal_document(a_pdf(), order.ticket.public_bytes(), key)
    trust = office.believing(seal_fingerprints=(key.fingerprint,))

    assert refused_document(office, order, document, trust=trust) == "signer-key-usage"


# ── what is in it ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_ticket_inside_is_refused(office, order):
    document = seal_document(a_pdf(), office.order().ticket.public_bytes(), office.seal_key())

    assert refused_document(office, order, document) == "ticket-embedded"


@pytest.mark.parametrize(
    "sizes",
    [[SPREAD], [SPREAD] * 3, [SPREAD, PROOF_SHEET], [(333, 239), SPREAD], []],
    ids=["fewer", "more", "other-size", "1-mm-wider", "none"],
)
@pytest.mark.attack_row("S7")
def test_other_pages_than_the_tickets_are_refused(office, sizes):
    order = office.order(pdf=a_pdf(sizes) if sizes else None, passes=some_passes() if sizes else some_passes()[2:])

    assert refused(office, order) == "ticket-mismatch"


@pytest.mark.parametrize(
    "change",
    [
        {"pages": (0, 0)},
        {"pages": (1,)},
        {"stock": Stock.PLAIN},
        {"stock": Stock.PROOF},
        {"width_mm": 300.0},
        {"number": 2},
    ],
    ids=["twice", "other-order", "plain-paper", "proof-paper", "size", "numbering"],
)
@pytest.mark.attack_row("S7")
def test_passes_that_do_not_match_are_refused(office, change):
    """Two copies, other paper, another size: the ticket is signed, and still refused."""
    first, *others = some_passes()
    order = office.order(passes=(first.model_copy(update=change), *others))

    assert refused(office, order) == "ticket-mismatch"


SCRIPT = {"/Type": pikepdf.Name.Action, "/S": pikepdf.Name.JavaScript, "/JS": "app.alert(1)"}


def put(where, key, value):
    """Return an alteration that sets one entry, `value` as an indirect object."""

    def alter(pdf):
        target = pdf.Root if where == "catalog" else pdf.pages[0].obj
        target[key] = pdf.make_indirect(pikepdf.Object.parse(value) if isinstance(value, bytes) else value(pdf))

    return alter


ACTIVE = {
    "open-action": put("catalog", "/OpenAction", lambda pdf: pikepdf.Dictionary(SCRIPT)),
    "catalog-aa": put("catalog", "/AA", b"<< /WC << /S /Named /N /Print >> >>"),
    "page-aa": put("page", "/AA", b"<< /O << /S /JavaScript /JS (x) >> >>"),
    "named-script": put("catalog", "/Names", b"<< /JavaScript << /Names [(a) << /S /JavaScript /JS (x) >>] >> >>"),
    "layers": put("catalog", "/OCProperties", b"<< /OCGs [] /D << >> >>"),
    "launch": put("page", "/PieceInfo", b"<< /A << /S /Launch /F (cmd.exe) >> >>"),
    "link": put("page", "/Annots", b"[<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>]"),
    "overlay": put("page", "/Annots", b"[<< /Type /Annot /Subtype /Stamp /Rect [0 0 9 9] >>]"),
    "second-file": lambda pdf: pdf.attachments.__setitem__("run.exe", b"MZ"),
    "hidden-file": put("page", "/PieceInfo", b"<< /X << /Type /Filespec /F (x) /EF << /F null >> >> >>"),
    "alternate-image": put("page", "/PieceInfo", b"<< /X << /Alternates [] >> >>"),
    "external-stream": put("page", "/PieceInfo", lambda pdf: pdf.make_stream(b"", {"/F": "http://example.org"})),
}


@pytest.mark.parametrize("name", ACTIVE)
def test_anything_that_acts_or_hides_is_refused(office, name):
    """Scripts, actions, layers, annotations, further files, data from elsewhere: none belongs into a certificate."""
    assert refused(office, office.order(pdf=altered(ACTIVE[name]))) == "active-content"


@pytest.mark.parametrize(
    "alter",
    [
        put("page", "/Rotate", lambda pdf: 90),
        put("page", "/UserUnit", lambda pdf: 2),
        put("page", "/CropBox", lambda pdf: pikepdf.Array([0, 0, 100, 100])),
    ],
    ids=["turned", "scaled", "cropped"],
)
def test_pages_that_are_not_of_their_true_size_are_refused(office, alter):
    assert refused(office, office.order(pdf=altered(alter))) == "ticket-mismatch"


def test_a_second_form_field_is_refused(office, order):
    """An empty field waits for somebody's signature: the form has the seal and nothing else."""

    def alter(writer):
        fields.append_signature_field(writer, fields.SigFieldSpec("later"))

    assert refused_document(office, order, signed_otherwise(office, order, alter=alter)) == "signature-count"


# ── checking itself ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.attack_row("S9")
def test_a_failure_while_checking_refuses(office, order):
    """Whatever goes wrong, nothing is printed: here, a trust record with a key that is none."""
    (key,) = office.trust.registries[HOME].ticket_keys
    trust = office.believing(ticket_keys=(key.model_copy(update={"public_key": "not a key"}),))

    assert refused(office, order, trust=trust) in ("verify-error", "ticket-signature")


def test_a_refusal_names_no_person(office, order):
    """Messages go into logs and reports: ids and numbers only."""
    with pytest.raises(Refusal) as e:
        judged(office, order, hall=OTHER_HALL)

    assert order.ticket.holder not in str(e.value)


def test_every_code_is_documented():
    page = (Path(__file__).parents[2] / "docs/refusals.md").read_text()

    assert [code for code in RefusalCode if f"`{code}`" not in page] == []


def test_verifying_takes_at_most_100_ms_at_one_megabyte(office):
    """A hall verifies in the time nobody notices: nine of ten under 50 ms of processor time, all under 100."""
    noise = random.Random(1).randbytes(1 << 20)
    big = altered(lambda pdf: pdf.pages[0].Resources.__setitem__("/X", pdf.make_stream(noise)))
    order = office.order(pdf=big)
    assert len(order.document) > 1 << 20

    def seconds() -> float:
        start = time.process_time()
        judged(office, order)
        return time.process_time() - start

    taken = sorted(seconds() for _ in range(20))
    assert taken[17] < 0.05
    assert taken[-1] < 0.1
