"""Step 2c: a PDF annex, reduced to page content and its resources. No action, annotation or script is carried over."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf

from spooler.render.annex.effort import check_effort
from spooler.render.annex.lettering import smallest_lettering
from spooler.render.annex.passive import make_passive
from spooler.render.annex.streams import StreamCheck
from spooler.render.annex.values import BadAnnex, NormalAnnex, Role, Side
from spooler.render.codes import RenderCode

MM = 72 / 25.4
MOST_PAGES = 90
SMALLEST_SIDE_MM = 10
LARGEST_SIDE_MM = 5000
_UNSEEN_ANNOTATIONS = frozenset({"/Link", "/Popup"})
_HIDDEN_FLAGS = 0b100010  # Hidden, NoView

# The matrix that stands a page of width w and height h upright, by its /Rotate.
_TURNS: dict[int, Callable[[float, float], tuple[float, ...]]] = {
    0: lambda w, h: (1, 0, 0, 1, 0, 0),
    90: lambda w, h: (0, -1, 1, 0, 0, w),
    180: lambda w, h: (-1, 0, 0, -1, w, h),
    270: lambda w, h: (0, 1, -1, 0, h, 0),
}


def clean_pdf(content: bytes, role: Role) -> NormalAnnex:
    """Return every page upright and by itself, or raise BadAnnex."""
    try:
        with pikepdf.open(BytesIO(content), attempt_recovery=False) as source, pikepdf.new() as clean:
            _refuse_unfit(source)
            streams = StreamCheck()
            pages = [_copy_page(page, clean, streams) for page in source.pages]
            notes = _notes(source)
            out = BytesIO()
            clean.save(out, deterministic_id=True)
            _refuse_damaged(source)
    except pikepdf.PasswordError:
        raise BadAnnex(RenderCode.ANNEX_ENCRYPTED, _ENCRYPTED) from None
    sides, lettering = zip(*pages, strict=True)
    return NormalAnnex(role, sides, out.getvalue(), notes=notes, own_size=sides[0], lettering=lettering)


_ENCRYPTED = "PDF 已加密，请解除后重新提交。The PDF is encrypted."


def _refuse_unfit(source: pikepdf.Pdf) -> None:
    if source.is_encrypted:
        raise BadAnnex(RenderCode.ANNEX_ENCRYPTED, _ENCRYPTED)
    if not 1 <= len(source.pages) <= MOST_PAGES:
        raise BadAnnex(RenderCode.ANNEX_PAGES, f"页数应为 1 至 {MOST_PAGES}。A PDF has 1 to {MOST_PAGES} pages.")
    layers = source.Root.get("/OCProperties", pikepdf.Dictionary()).get("/D", pikepdf.Dictionary())
    if len(layers.get("/OFF", [])) or layers.get("/BaseState") == "/OFF":
        # Taken by its content alone, the page would show layers that its author had switched off.
        raise BadAnnex(
            RenderCode.ANNEX_HIDDEN_LAYERS,
            "PDF 含已关闭的图层，请合并图层后重新提交。Some layers are switched off: flatten them.",
        )


def _refuse_damaged(source: pikepdf.Pdf) -> None:
    """What the reader had to guess while copying may be missing from the page."""
    if source.get_warnings():
        raise BadAnnex(RenderCode.ANNEX_UNREADABLE, "PDF 已损坏，请重新导出。The PDF is damaged: export it anew.")


def _copy_page(page: pikepdf.Page, clean: pikepdf.Pdf, streams: StreamCheck) -> tuple[Side, float | None]:
    """Add the page, turned upright, to the clean file and return its size and that of its smallest lettering."""
    left, bottom, right, top = _visible_box(page)
    unit, turn = float(_inherited(page, "/UserUnit") or 1), int(_inherited(page, "/Rotate") or 0) % 360
    width, height = (right - left) * unit, (top - bottom) * unit
    if turn not in _TURNS or not all(SMALLEST_SIDE_MM <= side / MM <= LARGEST_SIDE_MM for side in (width, height)):
        raise BadAnnex(RenderCode.ANNEX_PAGE_SIZE, _BAD_SIZE)
    _check_contents(page, streams)
    form = clean.copy_foreign(page.as_form_xobject(handle_transformations=False))
    make_passive(form, streams)
    check_effort(form)
    form.BBox = pikepdf.Array([left, bottom, right, top])
    form.Matrix = pikepdf.Array([unit, 0, 0, unit, -left * unit, -bottom * unit])
    upright = (width, height) if turn in (0, 180) else (height, width)
    matrix = " ".join(f"{value:.4f}" for value in _TURNS[turn](width, height))
    _add_page(clean, upright, form, f"q {matrix} cm /Annex Do Q")
    return Side(upright[0] / MM, upright[1] / MM), smallest_lettering(form)


_BAD_SIZE = (
    f"页面尺寸不合理，边长应为 {SMALLEST_SIDE_MM} 至 {LARGEST_SIDE_MM} 毫米，旋转应为 90 度的倍数。"
    f"A page's sides are {SMALLEST_SIDE_MM} to {LARGEST_SIDE_MM} mm, turned by a multiple of 90°."
)


def _check_contents(page: pikepdf.Page, streams: StreamCheck) -> None:
    contents = page.obj.get("/Contents", pikepdf.Array())
    for stream in contents if isinstance(contents, pikepdf.Array) else [contents]:
        streams.check(stream)


def _add_page(clean: pikepdf.Pdf, size: tuple[float, float], form: pikepdf.Object, content: str) -> None:
    page = clean.add_blank_page(page_size=size)
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Annex=form))
    page.Contents = clean.make_stream(content.encode())


def _visible_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Return what a viewer shows: the crop box within the media box."""
    media = _corners(_inherited(page, "/MediaBox"))
    crop = _corners(_inherited(page, "/CropBox") or _inherited(page, "/MediaBox"))
    return max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])


def _corners(box: Any) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _inherited(page: pikepdf.Page, key: str) -> Any:
    node: Any = page.obj
    for _ in range(50):
        if node is None or key in node:
            break
        node = node.get("/Parent")
    return None if node is None else node.get(key)


def _notes(source: pikepdf.Pdf) -> tuple[tuple[RenderCode, str], ...]:
    if any(_is_seen(annotation) for page in source.pages for annotation in page.obj.get("/Annots", [])):
        return ((RenderCode.ANNEX_ANNOTATIONS, "PDF 的批注不会打印，请核对。Annotations of the PDF are not printed."),)
    return ()


def _is_seen(annotation: pikepdf.Object) -> bool:
    hidden = int(annotation.get("/F", 0)) & _HIDDEN_FLAGS
    return "/AP" in annotation and not hidden and annotation.get("/Subtype") not in _UNSEEN_ANNOTATIONS
