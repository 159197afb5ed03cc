"""Some pages of the verified document as a PDF of their own: what one pass sends (step 5)."""

import io
from collections.abc import Sequence

from spooler.daemon.late import loading


def slice_pages(document: bytes, pages: Sequence[int]) -> bytes:
    """Return a PDF of these pages of the verified document, without annotations: the signature's widget marks nothing."""
    with loading:
        from pypdf import PdfReader, PdfWriter
    reader, writer = PdfReader(io.BytesIO(document)), PdfWriter()
    for index in pages:
        writer.add_page(reader.pages[index], excluded_keys=("/Annots",))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
