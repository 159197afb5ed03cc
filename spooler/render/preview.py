"""Step 2e: the variable text over the neutral drawing of the blank, watermarked 样张, to look at before a numbered blank is used."""

from collections.abc import Sequence
from io import BytesIO
from math import hypot

import pikepdf

from spooler.render.content import Rendered
from spooler.render.outlines import outline

WATERMARK = "样张"
_GREY = "0.9 g"


def overlay(rendered: Rendered, blank: bytes | None) -> bytes:
    """Return each pass over its blank; an empty pass shows the blank alone, a plain sheet has no blank."""
    with (
        pikepdf.open(BytesIO(rendered.pdf)) as printed,
        pikepdf.new() if blank is None else pikepdf.open(BytesIO(blank)) as blanks,
        pikepdf.new() as shown,
    ):
        for i, side in enumerate(rendered.passes):
            under = [blanks.pages[i]] if i < len(blanks.pages) else []
            # A check sheet may have several pages.
            for over in [[printed.pages[n]] for n in side.pages] or [[]]:
                page = shown.add_blank_page(page_size=(side.width_mm * 72 / 25.4, side.height_mm * 72 / 25.4))
                _draw(shown, page, under, over)
        out = BytesIO()
        shown.save(out, deterministic_id=True)
    return out.getvalue()


def _draw(shown: pikepdf.Pdf, page: pikepdf.Page, under: Sequence[pikepdf.Page], over: Sequence[pikepdf.Page]) -> None:
    # Multiplied, as ink on ink: a picture's white hides nothing of the blank, and the mark hides no text.
    multiply = page.add_resource(pikepdf.Dictionary(BM=pikepdf.Name.Multiply), pikepdf.Name.ExtGState)
    for mode, sources in (("", under), (f"{multiply} gs", over)):
        for source in sources:
            form = shown.copy_foreign(source.as_form_xobject(handle_transformations=False))
            name = page.add_resource(form, pikepdf.Name.XObject)
            page.contents_add(f"q {mode} {name} Do Q".encode())
    mark = _watermark(float(page.mediabox[2]), float(page.mediabox[3]))
    page.contents_add(f"q {multiply} gs {_GREY} {mark} Q".encode())


def _watermark(width: float, height: float) -> str:
    """Write the mark along the paper's diagonal, in outlines so that it is no text of the page."""
    diagonal = hypot(width, height)
    em = height / 3
    cosine, sine = width / diagonal, height / diagonal
    scale = em / 1000
    matrix = f"{scale * cosine:.5f} {scale * sine:.5f} {-scale * sine:.5f} {scale * cosine:.5f} {width / 2:.2f} {height / 2:.2f}"
    start = -500 * len(WATERMARK)
    glyphs = [f"q 1 0 0 1 {start + 1000 * i} -380 cm {outline(c)} f Q" for i, c in enumerate(WATERMARK)]
    return f"{matrix} cm {' '.join(glyphs)}"
