"""The seal on the document: one PAdES B-B certification signature that allows no change, with the ticket inside what it covers.

The file is written anew in one revision, so that a hall can insist on a signature over the whole file and nothing beside it
(an incremental update would leave the unsigned state readable as a revision of its own).
"""

from io import BytesIO
from typing import Any

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pyhanko.pdf_utils.embed import EmbeddedFileObject, EmbeddedFileParams, FileSpec, embed_file
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from spooler.seal.key import SealKey, UnusableKey
from spooler.wire.algorithms import Signer
from spooler.wire.document import SIGNATURE_FIELD, TICKET_NAME

__all__ = ["SealKey", "UnusableKey", "seal_document"]

# Twice the bytes of a CMS object with an RSA-4096 signature and one intermediate certificate, as hex digits.
_SIGNATURE_ROOM = 12288
_STREAM_END_AS_IT_COMES, _STREAM_END = b"\nendstream", b"\r\nendstream"


class CachedSigner(signers.Signer):
    """Signs with a key that is already loaded, or in a token; pyHanko's own loads (and checks) an RSA key each time, 70 ms."""

    def __init__(self, key: Signer, certificate: x509.Certificate, chain: list[x509.Certificate]) -> None:
        self._key = key
        super().__init__(
            signing_cert=_as_asn1(certificate),
            cert_registry=_store_of(chain),
            embed_roots=False,
        )

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if digest_algorithm != "sha256":
            raise UnusableKey(f"a seal signs with SHA-256, not {digest_algorithm}")
        return self._key.sign(data)


def certified(writer: Any, signer: CachedSigner) -> bytes:
    """Return the document in `writer` with a certification signature over all of it."""
    metadata = signers.PdfSignatureMetadata(
        field_name=SIGNATURE_FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    out = _Output()
    signers.PdfSigner(metadata, signer=signer).sign_pdf(writer, bytes_reserved=_SIGNATURE_ROOM, output=out)
    return bytes(out.getbuffer())


class _Output(BytesIO):
    """Ends each stream with CR LF where pyHanko writes LF.

    Of a stream whose own last byte is CR (one in 256), a reader takes CR LF for the end of the line, and its Length is then one
    too many for PDF/A (ISO 19005-3, 6.1.7.1).
    """

    def write(self, content: Any) -> int:
        return super().write(_STREAM_END if content == _STREAM_END_AS_IT_COMES else content)


def seal_document(pdf: bytes, ticket_public: bytes, key: SealKey) -> bytes:
    """Return `pdf` with the ticket attached, sealed, in one revision."""
    writer = copy_into_new_writer(PdfFileReader(BytesIO(pdf)))
    _attach_ticket(writer, ticket_public)
    return key.sign_pdf(writer)


def _attach_ticket(writer: Any, ticket_public: bytes) -> None:
    file = EmbeddedFileObject.from_file_data(
        writer, ticket_public, mime_type="application/json", params=EmbeddedFileParams()
    )
    embed_file(
        writer, FileSpec(TICKET_NAME, file_name=TICKET_NAME, embedded_data=file, af_relationship=pdf_name("/Data"))
    )


def _store_of(chain: list[x509.Certificate]) -> SimpleCertificateStore:
    """Return the intermediates; a root in a signature proves nothing."""
    store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    for certificate in chain:
        if certificate.subject != certificate.issuer:
            store.register(_as_asn1(certificate))
    return store


def _as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))
