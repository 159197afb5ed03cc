"""Step 2c: what a foreign PDF page drags along is made passive: nothing in it acts, hides, or is fetched from elsewhere.

A hall refuses a document that holds any of this (`spooler.wire.pages`), so it is taken out, or refused, before the seal.
"""

from collections.abc import Iterator
from typing import Any

import pikepdf

from spooler.render.annex.size import check_picture
from spooler.render.annex.streams import StreamCheck
from spooler.render.annex.values import BadAnnex
from spooler.render.codes import RenderCode

MOST_OBJECTS = 20_000
# What a hall refuses wherever it stands: actions, and what could print otherwise than it was seen.
_FORBIDDEN_NAMES = frozenset(
    {
        *("/OpenAction", "/AA", "/JS", "/JavaScript", "/XFA", "/URI", "/RichMediaContent", "/Collection"),
        *("/OCProperties", "/OC", "/Alternates", "/OPI", "/Ref", "/EF", "/Annots"),
    }
)
# Layers go too: those switched off were refused before, so what is left is all shown. The others lead back to the file.
_DROPPED = _FORBIDDEN_NAMES | frozenset(
    {"/A", "/Parent", "/P", "/StructParent", "/StructParents", "/Metadata", "/PieceInfo", "/AF", "/LastModified"}
)
_NAMED = frozenset(
    {
        "/Font",
        "/XObject",
        "/ExtGState",
        "/ColorSpace",
        "/Pattern",
        "/Shading",
        "/CharProcs",
        "/Colorants",
        "/Properties",
    }
)
_FETCHED = ("/F", "/FFilter", "/FDecodeParms")
_FONTS = frozenset({"/Type1", "/MMType1", "/TrueType", "/CIDFontType0", "/CIDFontType2"})
_FONT_FILES = ("/FontFile", "/FontFile2", "/FontFile3")


def make_passive(form: pikepdf.Object, streams: StreamCheck) -> None:
    """Drop from the form all that is not drawing; raise BadAnnex where that cannot be done, or a font is not embedded.

    The form's own content is not read here: its caller has seen the streams that it is made of.
    """
    for node in _reachable(form):
        if node.get("/Subtype") == "/PS" or (isinstance(node, pikepdf.Stream) and any(key in node for key in _FETCHED)):
            message = "PDF 含 PostScript 或外部数据。The PDF holds PostScript, or data kept in another file."
            raise BadAnnex(RenderCode.ANNEX_ACTIVE, message)
        if isinstance(node, pikepdf.Stream) and node.objgen != form.objgen:
            streams.check(node)
        if node.get("/Subtype") == "/Image":
            check_picture(node)
        if node.get("/Subtype") in _FONTS and "/BaseFont" in node:
            _refuse_left_out(node)


def _refuse_left_out(font: pikepdf.Object) -> None:
    descriptor = font.get("/FontDescriptor", pikepdf.Dictionary())
    if not any(key in descriptor for key in _FONT_FILES):
        name = str(font.get("/BaseFont", "/?")).lstrip("/")[:60]
        message = f"PDF 未嵌入字体 {name}，请嵌入全部字体。The font {name} is not embedded."
        raise BadAnnex(RenderCode.FONT_NOT_EMBEDDED, message)


def _reachable(form: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Yield every dictionary, streams' too, once it is rid of what is dropped; what only that led to is never seen."""
    waiting: list[tuple[str, Any]] = [("", form)]
    seen: set[tuple[int, int]] = set()
    count = 0
    while waiting:
        key, node = waiting.pop()
        if not isinstance(node, pikepdf.Object) or (node.is_indirect and node.objgen in seen):
            continue
        seen.add(node.objgen)
        count += 1
        if len(seen) > MOST_OBJECTS or count > 10 * MOST_OBJECTS:
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 结构过于复杂。The PDF has too many objects.")
        if isinstance(node, pikepdf.Array):
            waiting += [(key, item) for item in node]
        elif isinstance(node, pikepdf.Dictionary | pikepdf.Stream):
            _drop(key, node)
            yield node
            waiting += node.items()


def _drop(key: str, node: pikepdf.Object) -> None:
    """Take out what is no drawing. Below some keys a dictionary's own keys are names that the page gave (a font /A, a glyph /P)."""
    if key in _NAMED and _FORBIDDEN_NAMES & set(node.keys()):
        raise BadAnnex(
            RenderCode.ANNEX_ACTIVE, "PDF 资源名称不被接受。The PDF has a resource of a name that halls refuse."
        )
    if key == "/Properties":
        # Marked content still finds its name, but no layer behind it.
        for name in list(node.keys()):
            node[name] = pikepdf.Dictionary()
    elif key not in _NAMED:
        for unwanted in _DROPPED & set(node.keys()):
            del node[unwanted]
