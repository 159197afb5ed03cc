"""Step 2d: join the drawn pages with the annexes, each as a form XObject of its own, its content untouched."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

import pikepdf

from spooler.render.annex.place import Rect
from spooler.render.layout import MM

# Halls refuse a document of more than 50,000 objects; sealing adds some.
MOST_OBJECTS = 45_000


class TooManyObjects(Exception):
    """All annexes together are more than a hall reads."""


@dataclass(frozen=True)
class Inset:
    """One page of a clean PDF, to stand in a rectangle of a page; `turned` a quarter to the left when it lies on its side."""

    page: int
    pdf: bytes
    side: int
    rect: Rect
    turned: bool = False
    is_grey: bool = False


def assemble(
    base: bytes,
    plain_pages: int,
    insets: Iterable[Inset],
    *,
    plain_size: tuple[float, float],
    behind: int = 0,
    most_objects: int = MOST_OBJECTS,
) -> bytes:
    """Return the base with plain pages (sized in mm) appended and all insets in place; the same input gives the same bytes.

    The last `behind` pages of the base stay the last.
    """
    insets = tuple(insets)
    if not insets and not plain_pages:
        return base
    with pikepdf.open(BytesIO(base)) as document:
        for _ in range(plain_pages):
            document.add_blank_page(page_size=(plain_size[0] * MM, plain_size[1] * MM))
        _to_the_end(document, len(document.pages) - plain_pages - behind, behind)
        for i, inset in enumerate(insets):
            _place(document, inset, f"/Annex{i}")
        if len(document.objects) > most_objects:
            raise TooManyObjects(len(document.objects))
        out = BytesIO()
        document.save(out, deterministic_id=True, min_version="1.7")
    return out.getvalue()


def _to_the_end(document: pikepdf.Pdf, first: int, count: int) -> None:
    for _ in range(count):
        page = document.pages[first]
        del document.pages[first]
        document.pages.append(page)


def _place(document: pikepdf.Pdf, inset: Inset, name: str) -> None:
    page = document.pages[inset.page]
    with pikepdf.open(BytesIO(inset.pdf)) as source:
        form = document.copy_foreign(source.pages[inset.side].as_form_xobject(handle_transformations=False))
    shown = as_grey(document, form) if inset.is_grey else form
    page.add_resource(shown, pikepdf.Name.XObject, pikepdf.Name(name))
    # Between line ends: some readers join a page's content streams without the space that belongs between them.
    content = f"\nq {_matrix(inset, form, float(page.mediabox[3]))} cm {name} Do Q\n"
    page.contents_add(content.encode())


def _matrix(inset: Inset, form: pikepdf.Object, paper_height: float) -> str:
    """Return the matrix that puts the form into the rectangle; both have the same shape, so its scale is one."""
    width, height = float(form.BBox[2]), float(form.BBox[3])
    left, bottom = inset.rect.x * MM, paper_height - (inset.rect.y + inset.rect.height) * MM
    scale = inset.rect.width * MM / (height if inset.turned else width)
    turned = (0.0, scale, -scale, 0.0, left + inset.rect.width * MM, bottom)
    values = turned if inset.turned else (scale, 0.0, 0.0, scale, left, bottom)
    return " ".join(f"{value:.6f}" for value in values)


def as_grey(document: pikepdf.Pdf, form: pikepdf.Object) -> pikepdf.Object:
    """Return a group that shows the form without its colours.

    Its bytes stay as they are: white of no saturation is laid over it, blended so that only the lightness beneath is left.
    """
    left, bottom, right, top = (float(value) for value in form.BBox)
    saturation = pikepdf.Dictionary(Type=pikepdf.Name.ExtGState, BM=pikepdf.Name.Saturation)
    content = f"/Annex Do q /Grey gs 1 1 1 rg {left} {bottom} {right - left} {top - bottom} re f Q"
    group = document.make_stream(content.encode())
    group.Type, group.Subtype, group.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, form.BBox
    group.Group = pikepdf.Dictionary(
        Type=pikepdf.Name.Group, S=pikepdf.Name.Transparency, CS=pikepdf.Name.DeviceRGB, I=True
    )
    group.Resources = pikepdf.Dictionary(
        XObject=pikepdf.Dictionary(Annex=document.make_indirect(form)),
        ExtGState=pikepdf.Dictionary(Grey=document.make_indirect(saturation)),
    )
    return document.make_indirect(group)
