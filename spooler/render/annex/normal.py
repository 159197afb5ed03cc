"""Step 2c: one annex file in, one NormalAnnex out, or a BadAnnex that says why not. Needs no font and no template.

Everything that parses a foreign file is behind `normalise`; its argument and its answer are plain values. A home runs it in a
process of its own (`apart`).
"""

from collections.abc import Callable

from spooler.render.annex.parcel import read_parcel
from spooler.render.annex.pdf import clean_pdf
from spooler.render.annex.picture import clean_jpeg, clean_png, clean_tiff
from spooler.render.annex.values import FRAME_ROLES, BadAnnex, NormalAnnex, Role
from spooler.render.codes import RenderCode
from spooler.render.content import AnnexFile

_READERS: dict[str, Callable[[bytes, Role], NormalAnnex]] = {
    "application/pdf": clean_pdf,
    "image/png": clean_png,
    "image/jpeg": clean_jpeg,
    "image/tiff": clean_tiff,
    "application/geo+json": read_parcel,
}
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"II*\x00": "image/tiff",
    b"MM\x00*": "image/tiff",
}


def normalise(annex: AnnexFile) -> NormalAnnex:
    """Return the annex ready to place, or raise BadAnnex."""
    role = _role(annex)
    if annex.media_type not in _READERS:
        raise BadAnnex(
            RenderCode.ANNEX_TYPE, f"不支持的文件类型；支持 {_KNOWN}。Media type must be one of {_KNOWN}.", "media_type"
        )
    found = _sniff(annex.content)
    if found != annex.media_type:
        message = f"内容与声明的类型不符（{found or '未知类型'}）。The bytes are {found or 'of an unknown type'}."
        raise BadAnnex(RenderCode.ANNEX_TYPE_DIFFERS, message, "media_type")
    normal = _read(annex, role)
    if role in FRAME_ROLES and not normal.parcel and len(normal.sides) != 1:
        raise BadAnnex(
            RenderCode.ANNEX_PAGES,
            f"附图只能有一页，此文件有 {len(normal.sides)} 页。A map or plan has exactly one page.",
        )
    return normal


_KNOWN = ", ".join(_READERS)


def _role(annex: AnnexFile) -> Role:
    try:
        return Role(annex.role)
    except ValueError:
        raise BadAnnex(RenderCode.ROLE_NOT_ALLOWED, "未知的附件用途。Unknown annex role.", "role") from None


def _read(annex: AnnexFile, role: Role) -> NormalAnnex:
    try:
        return _READERS[annex.media_type](annex.content, role)
    except BadAnnex:
        raise
    except MemoryError:
        message = "文件过于复杂，读取所需内存过多。Reading the file needs too much memory."
        raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, message) from None
    # The parsers of foreign files fail in more ways than their authors list; each of them means this file.
    except Exception as e:
        message = "文件已损坏或无法读取。The file is damaged or cannot be read."
        raise BadAnnex(RenderCode.ANNEX_UNREADABLE, message) from e


def _sniff(content: bytes) -> str | None:
    """Return the media type that the bytes themselves show."""
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    # Readers allow up to 1,024 bytes before a PDF's head (ISO 32000-1, annex H).
    if b"%PDF-" in content[:1024]:
        return "application/pdf"
    return "application/geo+json" if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else None
