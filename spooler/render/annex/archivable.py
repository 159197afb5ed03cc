"""Step 2c for the electronic face: an annex that may go into an archive as it is, or a picture of it that may.

PDF/A forbids much that a printer takes: colours without a meaning, LZW, JPEG 2000 outside its profile, smoothing asked of the viewer,
transfer functions, fonts whose widths contradict themselves. What is of none of these passes through untouched; of anything else a
picture of 300 dots to the inch is taken, by poppler, with nothing lost that paper would show.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pikepdf
from PIL import Image

from spooler.render.annex.fontcheck import is_sound
from spooler.render.annex.picture import LARGEST_PIXEL_MM, clean_png
from spooler.render.annex.values import NormalAnnex, Side

DOTS_PER_INCH = 300
LONGEST_PAPER_MM = 297
LONGEST_SECONDS = 60
PDFTOPPM = "pdftoppm"
_FORBIDDEN_NAMES = frozenset({"/DeviceCMYK", "/LZWDecode", "/JPXDecode", "/Crypt"})
_FORBIDDEN_KEYS = frozenset({"/TR", "/TR2", "/HTP", "/HTO", "/Alternates", "/OPI", "/PS", "/Ref"})
_CMYK_OPERATORS = frozenset({"k", "K", "INLINE IMAGE"})
_MM = 72 / 25.4


class CannotDraw(Exception):
    """poppler did not draw the annex."""


def archivable(annex: NormalAnnex) -> NormalAnnex:
    """Return the annex, or one whose every page is a picture of it."""
    if annex.parcel is not None or _may_be_archived(annex.pdf):
        return annex
    return replace(annex, pdf=_join([_as_picture(annex, n) for n in range(len(annex.sides))], annex))


def _may_be_archived(pdf: bytes) -> bool:
    with pikepdf.open(BytesIO(pdf)) as document:
        return all(_is_harmless(value) for value in document.objects)


def _is_harmless(value: pikepdf.Object) -> bool:
    return all(_part_is_harmless(part) for part in _parts(value))


def _parts(value: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Yield an object and all that stands directly in it; what it refers to is met as an object of its own."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, (pikepdf.Dictionary, pikepdf.Stream)):
            waiting += [
                child for _, child in part.items() if isinstance(child, pikepdf.Object) and not child.is_indirect
            ]
        elif isinstance(part, pikepdf.Array):
            waiting += [child for child in part if isinstance(child, pikepdf.Object) and not child.is_indirect]


def _part_is_harmless(part: pikepdf.Object) -> bool:
    if isinstance(part, pikepdf.Name):
        return str(part) not in _FORBIDDEN_NAMES
    if not isinstance(part, (pikepdf.Dictionary, pikepdf.Stream)):
        return True
    if _FORBIDDEN_KEYS & part.keys() or ("/Interpolate" in part and bool(part["/Interpolate"])):
        return False
    if part.get("/Type") == "/Font":
        return is_sound(part)
    return not (isinstance(part, pikepdf.Stream) and _is_content(part) and _paints_in_cmyk(part))


def _is_content(stream: pikepdf.Stream) -> bool:
    return stream.get("/Subtype") == "/Form" or "/PatternType" in stream


def _paints_in_cmyk(stream: pikepdf.Stream) -> bool:
    """Inline images hide their colours in abbreviations; they are rare enough to be turned into pictures all."""
    return any(
        str(one.operator) in _CMYK_OPERATORS or any(str(operand) == "/DeviceCMYK" for operand in one.operands)
        for one in pikepdf.parse_content_stream(stream, "k K cs CS BI ID EI")
    )


def _as_picture(annex: NormalAnnex, number: int) -> bytes:
    """Return a PNG of one page."""
    page, side = str(number + 1), annex.sides[number]
    dots = _dots(annex, side)
    command = [PDFTOPPM, "-png", "-r", f"{dots:.1f}", "-f", page, "-l", page, "-"]
    try:
        drawn = subprocess.run(command, input=annex.pdf, capture_output=True, check=True, timeout=LONGEST_SECONDS)
    except (OSError, subprocess.SubprocessError) as e:
        raise CannotDraw(f"page {page} of an annex: {type(e).__name__}") from e
    with Image.open(BytesIO(drawn.stdout)) as picture:
        out = BytesIO()
        picture.convert("RGB").save(out, "PNG", compress_level=6)
    return out.getvalue()


def _dots(annex: NormalAnnex, side: Side) -> float:
    """A picture keeps its pixels, one for one. What is larger than the paper is shown smaller: the dots are those of the paper."""
    if annex.is_picture:
        return 25.4 / LARGEST_PIXEL_MM
    return DOTS_PER_INCH * min(1.0, LONGEST_PAPER_MM / max(side.width, side.height))


def _join(pictures: list[bytes], annex: NormalAnnex) -> bytes:
    """Return the pictures as pages of the sides' own sizes."""
    with pikepdf.new() as joined:
        for picture, side in zip(pictures, annex.sides, strict=True):
            width, height = side.width * _MM, side.height * _MM
            with pikepdf.open(BytesIO(clean_png(picture, annex.role).pdf)) as source:
                form = joined.copy_foreign(source.pages[0].as_form_xobject(handle_transformations=False))
            page = joined.add_blank_page(page_size=(width, height))
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Annex=form))
            # One factor for both axes: the last row and column of dots may reach a little beyond the page.
            factor = 25.4 / LARGEST_PIXEL_MM / _dots(annex, side)
            top = height - float(form.BBox[3]) * factor
            page.Contents = joined.make_stream(f"q {factor:.6f} 0 0 {factor:.6f} 0 {top:.4f} cm /Annex Do Q".encode())
        out = BytesIO()
        joined.save(out, deterministic_id=True)
    return out.getvalue()
