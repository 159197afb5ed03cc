"""What makes a document genuine: the rules by which a hall, or anybody with the trust directory, judges a sealed PDF.

They are stricter than a library's "valid", which also accepts bytes appended after the signature, a signature that permits changes
and any certificate of the same authority. First the file is read (`read_document`: bytes, structure, exactly one certification
signature over all of it), then its seal is checked (`check_seal`: unchanged, and by this registry). No input or output, no clock.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from asn1crypto import cms, core, pem, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from spooler.wire import pages
from spooler.wire.refusal import Refusal, RefusalCode
from spooler.wire.trust import RegistryRecord

MAX_DOCUMENT_BYTES = 12 << 20
SIGNATURE_FIELD = "seal"
TICKET_NAME = "ticket.json"
ELECTRONIC_NAME = "electronic.json"
_MAX_TICKET_BYTES = 1 << 20
_DIGESTS = frozenset({"sha256", "sha384", "sha512"})
_USAGES = frozenset({"digital_signature", "non_repudiation"})
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*0\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s*\]")


@dataclass(frozen=True)
class ReadDocument:
    """A document of the right shape. Nothing in it is trusted before `check_seal`."""

    ticket: bytes
    page_sizes: tuple[pages.PageSize, ...]
    signer: str
    _signature: EmbeddedPdfSignature


def read_document(document: bytes, *, attached: str = TICKET_NAME) -> ReadDocument:
    """Return what the document holds, or raise the Refusal that says which rule it breaks. It holds one file of that name."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise Refusal(RefusalCode.DOCUMENT_TOO_LARGE, f"{len(document)} bytes, at most {MAX_DOCUMENT_BYTES}")
    byte_range = check_bytes(document)
    with _failing_as(RefusalCode.PDF_FORMAT, "not a strictly well-formed PDF"):
        reader = PdfFileReader(BytesIO(document), strict=True)
        if reader.encrypted:
            raise Refusal(RefusalCode.PDF_FORMAT, "the document is encrypted")
        if reader.total_revisions != 1:
            raise Refusal(RefusalCode.REVISIONS, f"{reader.total_revisions} revisions, must be one")
    signature = _only_signature(reader)
    _check_certification(reader, signature, byte_range)
    with _failing_as(RefusalCode.PDF_FORMAT, "its objects cannot be read"):
        pages.check_passive(reader, signature.sig_field)
        return ReadDocument(
            ticket=_embedded(reader, attached),
            page_sizes=pages.page_sizes(reader),
            signer=signature.signer_cert.sha256.hex(),
            _signature=signature,
        )


def check_seal(document: ReadDocument, registry: RegistryRecord, *, roots_pem: bytes, at: datetime) -> None:
    """Return if the document is as this registry sealed it, with a certificate good `at` that time; else raise the Refusal."""
    with _failing_as(RefusalCode.SIGNER_CHAIN, "the trusted authorities cannot be read"):
        roots = _roots(roots_pem)
    with _failing_as(RefusalCode.SIGNATURE_INVALID, "the signature cannot be checked"):
        status = _validate(document._signature, roots, at)
    if not (status.intact and status.valid):
        raise Refusal(RefusalCode.SIGNATURE_INVALID, "the document was changed after it was sealed")
    _check_pinned(document.signer, registry, at)
    _check_certificate(document._signature.signer_cert, at)
    if not status.trusted:
        raise Refusal(RefusalCode.SIGNER_CHAIN, "the seal's certificate is not from a trusted authority")


def check_bytes(document: bytes) -> list[int]:
    """Return the one ByteRange, which must leave out exactly the signature's hex string and nothing else of the file."""
    if not document.startswith(b"%PDF-"):
        code = RefusalCode.BYTES_BEFORE if b"%PDF-" in document else RefusalCode.BYTE_RULES
        raise Refusal(code, "the file does not start with %PDF-")
    if document.count(b"/ByteRange") != 1:
        raise Refusal(RefusalCode.SIGNATURE_COUNT, f"{document.count(b'/ByteRange')} signatures, must be one")
    found = _BYTE_RANGE.search(document)
    if found is None:
        raise Refusal(RefusalCode.BYTE_RULES, "the ByteRange is not four numbers that start at 0")
    before, after, length = (int(number) for number in found.groups())
    if after + length > len(document) or not 0 < before < after:
        raise Refusal(RefusalCode.BYTE_RULES, "the ByteRange is not one of this file")
    _check_nothing_follows(document[after + length :])
    _check_gap(document, before, after)
    return [0, before, after, length]


def _check_nothing_follows(tail: bytes) -> None:
    """What follows refuses, whatever it is; which attack it looks like is told only for those who must search."""
    if not tail:
        return
    if b"startxref" not in tail:
        raise Refusal(RefusalCode.BYTES_AFTER, f"{len(tail)} bytes stand after what was signed")
    if b"/Rect" in tail:
        raise Refusal(RefusalCode.LATER_ANNOTATION, "saved again after it was sealed, with something laid over a page")
    raise Refusal(RefusalCode.LATER_UPDATE, "saved again after it was sealed")


def _check_gap(document: bytes, before: int, after: int) -> None:
    gap = document[before:after]
    if not gap.strip(b"<>()0 \t\r\n\0"):
        raise Refusal(RefusalCode.SIGNATURE_EMPTY, "where the signature should be there is none")
    if not re.fullmatch(rb"<(?:[0-9A-Fa-f]{2})+>", gap) or not document[:before].rstrip().endswith(b"/Contents"):
        raise Refusal(RefusalCode.SIGNATURE_GAP, "the gap in the signed bytes is not exactly the signature")


@contextmanager
def _failing_as(code: RefusalCode, message: str) -> Iterator[None]:
    """Let any failure of a library on foreign bytes refuse: whatever cannot be read is not trusted."""
    try:
        yield
    except Refusal:
        raise
    except Exception as e:
        raise Refusal(code, f"{message} ({type(e).__name__})") from e


def _only_signature(reader: PdfFileReader) -> EmbeddedPdfSignature:
    with _failing_as(RefusalCode.PDF_FORMAT, "its form fields cannot be read"):
        form_fields = _form_fields(reader)
        if len(form_fields) != 1 or "/V" not in form_fields[0] or pages.entry(form_fields[0], "/FT") != "/Sig":
            raise Refusal(RefusalCode.SIGNATURE_COUNT, f"{len(form_fields)} form fields, must be one signature")
    with _failing_as(RefusalCode.SIGNATURE_INVALID, "the signature cannot be read"):
        (only,) = reader.embedded_signatures
        signature: EmbeddedPdfSignature = only
        return signature


def _form_fields(reader: PdfFileReader) -> list[generic.DictionaryObject]:
    form = pages.entry(reader.root, "/AcroForm", {})
    return [field.get_object() for field in pages.entry(form, "/Fields", [])]


def _check_certification(reader: PdfFileReader, signature: EmbeddedPdfSignature, byte_range: list[int]) -> None:
    with _failing_as(RefusalCode.SIGNATURE_INVALID, "the signature cannot be read"):
        _check_kind(signature)
        _check_room(signature)
        _check_writing(signature)
        _check_permissions(reader, signature)
        if [int(number) for number in signature.byte_range] != byte_range:
            raise Refusal(RefusalCode.BYTE_RULES, "the signature's ByteRange is not the one in the file")
        if signature.evaluate_signature_coverage() != SignatureCoverageLevel.ENTIRE_FILE:
            raise Refusal(RefusalCode.COVERAGE, "the signature does not cover the whole file")


def _check_kind(signature: EmbeddedPdfSignature) -> None:
    kind, filter_name = signature.sig_object_type, pages.entry(signature.sig_object, "/SubFilter")
    if kind != "/Sig" or filter_name != "/ETSI.CAdES.detached":
        raise Refusal(RefusalCode.SIGNATURE_KIND, f"{kind} {filter_name} is not a PAdES signature")
    hashes = {signature.md_algorithm, signature.signer_info["signature_algorithm"].hash_algo}
    if not hashes <= _DIGESTS:
        raise Refusal(RefusalCode.DIGEST, f"signed with {', '.join(sorted(hashes - _DIGESTS))}")


def _check_room(signature: EmbeddedPdfSignature) -> None:
    """The room left after the signature is the only part of the file that it does not cover: nothing may stand there."""
    written = signature.pkcs7_content
    if written[len(cms.ContentInfo.load(written).dump()) :].strip(b"\0"):
        raise Refusal(RefusalCode.SIGNATURE_GAP, "something stands in the room after the signature")


def _check_writing(signature: EmbeddedPdfSignature) -> None:
    """No signature covers its own envelope: lengths, versions, algorithms. There is one way to write these; no other is taken."""
    expected = _as_it_is_written(signature)
    if not signature.pkcs7_content.startswith(expected):
        raise Refusal(RefusalCode.SIGNATURE_INVALID, "the signature's envelope is not written as it must be")


def _as_it_is_written(signature: EmbeddedPdfSignature) -> bytes:
    info, certificate = signature.signer_info, signature.signer_cert
    signer = cms.IssuerAndSerialNumber({"issuer": certificate.issuer, "serial_number": certificate.serial_number})
    digest = _plain(info["digest_algorithm"], cms.DigestAlgorithm)
    signed = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": signature.signed_data["certificates"],
            "signer_infos": [
                {
                    "version": "v1",
                    "sid": cms.SignerIdentifier("issuer_and_serial_number", signer),
                    "digest_algorithm": digest,
                    "signed_attrs": info["signed_attrs"],
                    "signature_algorithm": _plain(info["signature_algorithm"], cms.SignedDigestAlgorithm),
                    "signature": info["signature"].native,
                }
            ],
        }
    )
    written: bytes = cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()
    return written


def _plain(algorithm: Any, kind: type[Any]) -> Any:
    """Return the algorithm by its name, with no parameters or NULL; those of RSA-PSS, which has some, as they are."""
    name, parameters = algorithm["algorithm"].native, algorithm["parameters"].dump()
    if name == "rsassa_pss":
        return algorithm
    if parameters not in (b"", core.Null().dump()):
        raise Refusal(RefusalCode.SIGNATURE_INVALID, f"{name} has parameters")
    return kind({"algorithm": name, "parameters": core.Null()} if parameters else {"algorithm": name})


def _check_permissions(reader: PdfFileReader, signature: EmbeddedPdfSignature) -> None:
    """Both the signature and the catalog must say: certified, no changes."""
    certified = pages.entry(pages.entry(reader.root, "/Perms", {}), "/DocMDP")
    if signature.docmdp_level is not MDPPerm.NO_CHANGES or certified is not signature.sig_object:
        raise Refusal(RefusalCode.NOT_CERTIFIED, "not a certification that permits no changes")


def _embedded(reader: PdfFileReader, name: str) -> bytes:
    """Return the one attached file; `pages.check_passive` has seen that no other is anywhere in the document."""
    files = pages.entry(pages.entry(reader.root, "/Names", {}), "/EmbeddedFiles", {})
    names = pages.entry(files, "/Names", [])
    if len(names) != 2 or names[0] != name:
        raise Refusal(RefusalCode.TICKET_EMBEDDED, f"it has no {name}")
    data = bytes(names[1]["/EF"]["/F"].data)
    if len(data) > _MAX_TICKET_BYTES:
        raise Refusal(RefusalCode.TICKET_EMBEDDED, f"the {name} inside is too large")
    return data


def _roots(roots_pem: bytes) -> list[x509.Certificate]:
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(roots_pem, multiple=True)]


def _validate(signature: EmbeddedPdfSignature, roots: list[x509.Certificate], at: datetime) -> Any:
    # Never the operating system's roots: the list is given, and pyHanko fetches nothing.
    context = ValidationContext(trust_roots=roots, moment=at, allow_fetching=False)
    usage = KeyUsageConstraints(key_usage=set(_USAGES))
    return validate_pdf_signature(signature, context, key_usage_settings=usage, skip_diff=True)


def _check_pinned(signer: str, registry: RegistryRecord, at: datetime) -> None:
    if registry.is_revoked(signer, at):
        raise Refusal(RefusalCode.SIGNER_REVOKED, f"the seal {signer[:16]} was revoked")
    if signer not in registry.seal_fingerprints:
        raise Refusal(RefusalCode.SIGNER_NOT_PINNED, f"{signer[:16]} is not a seal of registry {registry.registry}")


def _check_certificate(certificate: Any, at: datetime) -> None:
    usages = certificate.key_usage_value
    if certificate.ca or usages is None or not _USAGES & set(usages.native):
        raise Refusal(RefusalCode.SIGNER_KEY_USAGE, "the certificate is not one for sealing documents")
    if not certificate.not_valid_before <= at <= certificate.not_valid_after:
        raise Refusal(RefusalCode.SIGNER_VALIDITY, f"the certificate was not valid at {at.isoformat()}")
