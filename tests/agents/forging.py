"""Forgers at work: orders and documents of the office with one part made wrong, and what a hall says to them."""

import io
import json
import re
from datetime import timedelta

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers

from agents.verify import Refusal, verify
from spooler.seal.authority import Authority, fingerprint
from spooler.seal.seal import SealKey, _attach_ticket, seal_document
from spooler.wire import strict
from tests.sealing import HALL, HOME, NOW, a_pdf, address_of, contents_of


def judged(office, order, *, trust=None, hall=HALL, now=NOW, address=None, **contents):
    """Verify `order` as the hall would, with one part varied."""
    address = address or address_of(order.ticket)
    return verify(contents_of(order, **contents), address, trust=trust or office.trust, hall=hall, now=now)


def refused(office, order, **varied) -> str:
    with pytest.raises(Refusal) as e:
        judged(office, order, **varied)
    return str(e.value.code)


def changed_envelope(signed_ticket: bytes, **changes) -> bytes:
    return strict.canonical({**json.loads(signed_ticket), **changes})


def refused_document(office, order, document: bytes, **varied) -> str:
    return refused(office, office.order_around(document, order.ticket), **varied)


def with_range(document: bytes, text: bytes) -> bytes:
    """Return the document with another ByteRange of the same length."""
    found = re.search(rb"/ByteRange ?\[[^\]]*\] *", document)
    return document[: found.start()] + text.ljust(len(found[0])) + document[found.end() :]


def signed_otherwise(
    office,
    order,
    *,
    certify=True,
    permissions=fields.MDPPerm.NO_CHANGES,
    subfilter=None,
    alter=None,
    signer=None,
    md="sha256",
):
    """Return the order's document, signed by the right key in the wrong way."""
    writer = copy_into_new_writer(PdfFileReader(io.BytesIO(a_pdf())))
    _attach_ticket(writer, order.ticket.public_bytes())
    if alter:
        alter(writer)
    metadata = signers.PdfSignatureMetadata(
        field_name="seal",
        md_algorithm=md,
        subfilter=subfilter or fields.SigSeedSubFilter.PADES,
        certify=certify,
        docmdp_permissions=permissions,
    )
    by = signers.PdfSigner(metadata, signer=signer or office.seal_key()._signer)
    return by.sign_pdf(writer, bytes_reserved=8192).getvalue()


def sealed_with(office, order, *, issuer=None, private=None, **certified):
    """Return an order sealed with a certificate of its own, and the trust that pins it."""
    private = private or ec.generate_private_key(ec.SECP256R1())
    ca = office.directory / "ca"
    issuer = issuer or Authority.from_pem((ca / "ca.pem").read_bytes(), (ca / "ca.key").read_bytes())
    facts = {"registry": HOME, "name": "望奎县", "now": NOW - timedelta(days=10), **certified}
    certificate = issuer.certify_seal(private, **facts)
    document = seal_document(a_pdf(), order.ticket.public_bytes(), SealKey(private, certificate, []))
    trust = office.believing(seal_fingerprints=(fingerprint(certificate),))
    return office.order_around(document, order.ticket), trust


def altered(alter) -> bytes:
    """Return a print document into which somebody put something before it was sealed."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(a_pdf())) as pdf:
        alter(pdf)
        pdf.save(out)
    return out.getvalue()
