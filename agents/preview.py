"""What a clerk looks at before a numbered blank is used: the text over a drawing of the blank, marked 样张 (as home's render.preview).

It is never printable: drawn anew from the verified document's pages it has no signature, and the mark lies over every side.
"""

from collections.abc import Sequence
from io import BytesIO
from math import hypot
from typing import Any

from agents import lettering
from spooler.daemon.late import loading
from spooler.wire.messages import Pass

WATERMARK = "样张"
POINTS_PER_MM = 72 / 25.4
_GREY = "0.9 g"
_MULTIPLY = "/Multiply"


def preview(document: bytes, passes: Sequence[Pass], blank: bytes | None) -> bytes:
    """Return a page for each pass: over its blank, where there is a drawing of one; an empty pass shows the blank alone."""
    with loading:
        from pypdf import PdfReader, PdfWriter
    printed, writer, out = PdfReader(BytesIO(document)), PdfWriter(), BytesIO()
    blanks = [] if blank is None else PdfReader(BytesIO(blank)).pages
    for i, side in enumerate(passes):
        under = [blanks[i]] if i < len(blanks) else []
        # A check sheet may have several pages.
        for over in [[printed.pages[n]] for n in side.pages] or [[]]:
            page = writer.add_blank_page(side.width_mm * POINTS_PER_MM, side.height_mm * POINTS_PER_MM)
            _draw(writer, page, under, over)
    writer.metadata = None
    writer.write(out)
    return out.getvalue()


def _draw(writer: Any, page: Any, under: Sequence[Any], over: Sequence[Any]) -> None:
    """Ink on ink: a picture's white hides nothing of the blank, and the mark hides no text."""
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    forms, drawn = DictionaryObject(), []
    for mode, sources in (("", under), ("/Multiply gs", over)):
        for source in sources:
            name = f"/Fx{len(forms)}"
            forms[NameObject(name)] = writer._add_object(_form(source).clone(writer))
            drawn.append(f"q {mode} {name} Do Q")
    width, height = float(page.mediabox.width), float(page.mediabox.height)
    drawn.append(f"q /Multiply gs {_GREY} {_watermark(width, height)} Q")
    states = DictionaryObject({NameObject(_MULTIPLY): DictionaryObject({NameObject("/BM"): NameObject(_MULTIPLY)})})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): forms, NameObject("/ExtGState"): states})
    content = DecodedStreamObject()
    content.set_data("\n".join(drawn).encode("ascii"))
    page[NameObject("/Contents")] = writer._add_object(content.flate_encode())


def _form(page: Any) -> Any:
    """Return a page as a drawing of its own: its marks without its annotations."""
    from pypdf.generic import DecodedStreamObject, NameObject

    content = page.get_contents()
    drawn = DecodedStreamObject()
    drawn.set_data(b"" if content is None else content.get_data())
    form = drawn.flate_encode()
    form[NameObject("/Type")] = NameObject("/XObject")
    form[NameObject("/Subtype")] = NameObject("/Form")
    form[NameObject("/BBox")] = page.mediabox
    form[NameObject("/Resources")] = page["/Resources"]
    return form


def _watermark(width: float, height: float) -> str:
    """Write the mark along the paper's diagonal, in outlines so that it is no text of the page."""
    diagonal = hypot(width, height)
    em = height / 3
    cosine, sine = width / diagonal, height / diagonal
    scale = em / 1000
    matrix = f"{scale * cosine:.5f} {scale * sine:.5f} {-scale * sine:.5f} {scale * cosine:.5f} {width / 2:.2f} {height / 2:.2f}"
    start = -500 * len(WATERMARK)
    glyphs = [f"q 1 0 0 1 {start + 1000 * i} -380 cm {lettering.outline(c)} f Q" for i, c in enumerate(WATERMARK)]
    return f"{matrix} cm {' '.join(glyphs)}"
