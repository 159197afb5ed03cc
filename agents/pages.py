"""Some pages of the verified document as a PDF of their own, under the printer's correction: what one pass sends (step 5)."""

import io
from collections.abc import Sequence
from typing import Any

from agents.calibration.correction import IDENTITY, Correction
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


def place(document: bytes, correction: Correction) -> bytes:
    """Return these pages moved by the correction: a matrix before what each draws, and nothing else. Identity leaves every byte."""
    if correction == IDENTITY:
        return document
    with loading:
        from pypdf import PdfReader, PdfWriter
    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(document))), io.BytesIO()
    for page in writer.pages:
        _move(writer, page, correction)
    writer.write(out)
    return out.getvalue()


def _move(writer: Any, page: Any, correction: Correction) -> None:
    """Put a stream before and one after the page's own, which stay as they are."""
    from pypdf.generic import ArrayObject, DecodedStreamObject, NameObject

    box = page.mediabox
    if box.left != 0 or box.bottom != 0 or page.rotation % 360:
        raise ValueError("a verified page begins at 0, 0 and is not turned")
    matrix = " ".join(f"{number:.7f}" for number in correction.in_points(float(box.height)))
    around = []
    for operators in (f"q {matrix} cm\n", "\nQ"):
        stream = DecodedStreamObject()
        stream.set_data(operators.encode("ascii"))
        around.append(writer._add_object(stream))
    own = page.get("/Contents")
    pieces = [] if own is None else list(own) if isinstance(own, ArrayObject) else [page.raw_get("/Contents")]
    page[NameObject("/Contents")] = ArrayObject([around[0], *pieces, around[1]])
