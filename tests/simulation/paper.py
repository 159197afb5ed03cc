"""What a pass is as bytes: small whole PDFs that say which pages of which order they are, and torsos of them."""

import re
from collections.abc import Sequence
from uuid import UUID

_BODY = b"%%PDF-1.4\n1 0 obj<</Type/Page>>endobj\n%% of %s pages %s\n"
_OF = re.compile(rb"% of ([0-9a-f-]{36}) pages (\S*)\n")


def document_of(order_id: UUID) -> bytes:
    return str(order_id).encode()


def pages_of(document: bytes, pages: Sequence[int]) -> bytes:
    """Cut pages out, as `agents.pages` does."""
    body = _BODY % (document, ",".join(map(str, pages)).encode())
    return body + b"xref\n0 1\ntrailer<<>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def foreign_page() -> bytes:
    """What another user of the machine would like to print."""
    return pages_of(b"f" * 36, (0,))


def printed_by(content: bytes) -> tuple[str, str]:
    """Return whose order's which pages these are."""
    found = _OF.search(content)
    return (found[1].decode(), found[2].decode()) if found else ("nobody", "")
