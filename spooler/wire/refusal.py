"""Why an order or a document is not trusted: a closed list of codes, one for each rule (docs/refusals.md)."""

from enum import StrEnum

from spooler.wire.errors import NotTrusted


class RefusalCode(StrEnum):
    """Each rule that an order must pass has its own code."""

    # the envelope and the ticket
    ENVELOPE = "envelope"  # it does not open with this hall's keys
    TICKET_FORMAT = "ticket-format"  # not a version 1 ticket, or JSON that can be read in two ways
    TICKET_SIGNATURE = "ticket-signature"  # not signed by a trusted key of the registry it comes from
    ISSUER = "issuer"  # an unknown registry, or another registry's signature
    AUDIENCE = "audience"  # for another hall, or sent under another order's address
    GRANT = "grant"  # the registry may not print this kind here
    TIME = "time"  # expired, or not yet valid
    TICKET_MISMATCH = "ticket-mismatch"  # passes, pages, sizes or stock are not those of the document
    SEAL_FILE = "seal-file"  # the seal file inside is not the one that the ticket's digest is of
    # the document against the ticket
    DOCUMENT_LENGTH = "document-length"
    DOCUMENT_HASH = "document-hash"
    TICKET_EMBEDDED = "ticket-embedded"  # the ticket inside is missing, or another
    # the document by itself
    DOCUMENT_TOO_LARGE = "document-too-large"
    BYTES_BEFORE = "bytes-before"  # something stands before the document
    BYTE_RULES = "byte-rules"  # the signed ranges are none, or not those of the whole file
    BYTES_AFTER = "bytes-after"  # something stands after what was signed
    LATER_UPDATE = "later-update"  # saved again after it was sealed: other content may be shown
    LATER_ANNOTATION = "later-annotation"  # the same, and a mark was laid over a page
    SIGNATURE_GAP = "signature-gap"  # what is not signed is more, or other, than the signature itself
    SIGNATURE_EMPTY = "signature-empty"  # where the signature should be there is none
    PDF_FORMAT = "pdf-format"  # not strictly well-formed
    SIGNATURE_COUNT = "signature-count"  # not exactly one
    SIGNATURE_KIND = "signature-kind"  # not a PAdES signature
    NOT_CERTIFIED = "not-certified"  # an approval signature, or one that permits changes
    REVISIONS = "revisions"  # more than one revision
    COVERAGE = "coverage"  # the signature does not cover the whole file
    DIGEST = "digest"  # a hash that is no longer trusted
    SIGNATURE_INVALID = "signature-invalid"  # changed after sealing
    SIGNER_NOT_PINNED = "signer-not-pinned"  # sealed with a certificate that is not this registry's
    SIGNER_REVOKED = "signer-revoked"
    SIGNER_KEY_USAGE = "signer-key-usage"  # the certificate is not for sealing
    SIGNER_VALIDITY = "signer-validity"  # the certificate was not valid when it sealed
    SIGNER_CHAIN = "signer-chain"  # the certificate is not from a trusted authority
    ACTIVE_CONTENT = "active-content"  # scripts, actions, layers, further files: none belongs into a certificate
    VERIFY_ERROR = "verify-error"  # checking itself failed, which refuses too


class Refusal(NotTrusted):
    """The order or document is refused, by the rule that `code` names."""

    def __init__(self, code: RefusalCode, message: str) -> None:
        super().__init__(message)
        self.code: RefusalCode = code
