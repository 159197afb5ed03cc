"""Step 2d for the electronic face: what lies beneath its own pages (the ornament) and over all pages (已注销)."""

import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO

import pikepdf

from spooler.render.face import Face
from spooler.render.guilloche import border, rosette
from spooler.render.layout import MM

Draw = Callable[[float, float], bytes]


def lay_beneath(pdf: pikepdf.Pdf, face: Face, pages: Sequence[int]) -> None:
    """Put the face's ornament under these pages."""
    form = pdf.make_stream(_ornament(face), Filter=pikepdf.Name.FlateDecode)
    form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
    form.BBox = pikepdf.Array([0, 0, face.page.width * MM, face.page.height * MM])
    form = pdf.make_indirect(form)
    for number in pages:
        page = pdf.pages[number]
        name = page.add_resource(form, pikepdf.Name.XObject, pikepdf.Name("/Ornament"))
        page.contents_add(f"q {name} Do Q\n".encode(), prepend=True)


def lay_over(pdf: pikepdf.Pdf, draw: Draw) -> None:
    """Put over every page what `draw` makes for its size (in mm)."""
    forms: dict[tuple[float, float], pikepdf.Object] = {}
    for page in pdf.pages:
        size = (round(float(page.mediabox[2]) / MM, 2), round(float(page.mediabox[3]) / MM, 2))
        if size not in forms:
            with pikepdf.open(BytesIO(draw(*size))) as drawn:
                source = drawn.pages[0].as_form_xobject(handle_transformations=False)
                forms[size] = pdf.copy_foreign(source)
        name = page.add_resource(forms[size], pikepdf.Name.XObject, pikepdf.Name("/Mark"))
        page.contents_add(f"\nq {name} Do Q\n".encode())


@lru_cache(maxsize=16)
def _ornament(face: Face) -> bytes:
    """Return the drawing's content stream, made and deflated once in a process."""
    edge, flower, look = face.ornament.border, face.ornament.rosette, face.ornament
    left, top = edge.x + edge.depth / 2, edge.y + edge.depth / 2
    across, down = edge.width - edge.depth, edge.height - edge.depth
    sides = (left * MM, top * MM, across * MM, down * MM)
    waves = border(sides, depth=edge.depth * MM, strands=edge.strands, wave=edge.wave * MM)
    middle = (flower.x * MM, (face.page.height - flower.y) * MM)
    petals = rosette(*middle, radius=flower.radius * MM, petals=flower.petals, rings=flower.rings)
    operators = f"{look.line} w {_rgb(look.pale)} RG {petals}\n{_rgb(look.ink)} RG {waves}"
    return zlib.compress(operators.encode(), 9)


def _rgb(colour: str) -> str:
    return " ".join(f"{int(colour[i : i + 2], 16) / 255:.3f}" for i in (1, 3, 5))
