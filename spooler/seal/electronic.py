"""The seal on an electronic certificate: the same certification signature as on paper's document, over PDF/A-3b, in one revision.

What it says for machines is attached as electronic.json, without any person in it. A hall never prints such a file: it holds no ticket.
"""

from io import BytesIO
from typing import Any

from pyhanko.pdf_utils.embed import EmbeddedFileObject, EmbeddedFileParams, FileSpec, embed_file
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import copy_into_new_writer

from spooler.seal.key import SealKey
from spooler.wire import strict
from spooler.wire.document import ELECTRONIC_NAME

_PDF_1_7 = (1, 7)


def seal_electronic(pdf: bytes, facts: dict[str, Any], key: SealKey) -> bytes:
    """Return the face with its facts attached, sealed, in one revision."""
    writer = copy_into_new_writer(PdfFileReader(BytesIO(pdf)))
    file = EmbeddedFileObject.from_file_data(
        writer, strict.canonical(facts), mime_type="application/json", params=EmbeddedFileParams()
    )
    embed_file(
        writer,
        FileSpec(ELECTRONIC_NAME, file_name=ELECTRONIC_NAME, embedded_data=file, af_relationship=pdf_name("/Data")),
    )
    _write_as_pdf_1_7(writer)
    return key.sign_pdf(writer)


def _write_as_pdf_1_7(writer: Any) -> None:
    """pyHanko calls a file PDF 2.0 for its signature's sake (ETSI EN 319 142 asks it of no one); PDF/A-3 is PDF 1.7."""
    writer.output_version = _PDF_1_7
    writer.ensure_output_version = lambda version: None
