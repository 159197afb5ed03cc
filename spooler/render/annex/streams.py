"""Step 2c: a foreign PDF's compressed streams are whole, and not bombs. Inflated piece by piece, nothing is kept."""

import base64
import zlib

import pikepdf

from spooler.render.annex.values import BadAnnex
from spooler.render.codes import RenderCode

# An A4 page of a colour scan at 300 dpi has 26 MB.
MOST_INFLATED_BYTES = 256 << 20
_PIECE = 1 << 20
_FLATE = ("/FlateDecode", "/Fl")


class StreamCheck:
    """Checks the streams of one file, which have one allowance together."""

    def __init__(self, allowance: int = MOST_INFLATED_BYTES) -> None:
        self._left = allowance

    def check(self, stream: pikepdf.Object) -> None:
        """Return if the stream inflates to its end within the allowance, or raise BadAnnex."""
        filters = _filters(stream)
        if not any(name in _FLATE for name in filters):
            return
        if sum(name in _FLATE for name in filters) > 1:
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 数据被重复压缩。A stream is compressed twice.")
        before = filters[: next(i for i, name in enumerate(filters) if name in _FLATE)]
        self._inflate(_unwrapped(stream.read_raw_bytes(), before))

    def _inflate(self, data: bytes) -> None:
        inflater = zlib.decompressobj()
        try:
            while data and not inflater.eof:
                self._take(len(inflater.decompress(data, _PIECE)))
                data = inflater.unconsumed_tail
        except zlib.error:
            raise BadAnnex(RenderCode.ANNEX_UNREADABLE, _DAMAGED) from None
        if not inflater.eof:
            raise BadAnnex(RenderCode.ANNEX_UNREADABLE, _DAMAGED)

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 解压后过大。The PDF is too large once inflated.")


_DAMAGED = "PDF 数据已损坏，请重新导出。Data of the PDF is damaged: export it anew."


def _filters(stream: pikepdf.Object) -> list[str]:
    names = stream.get("/Filter", pikepdf.Array())
    return [str(name) for name in names] if isinstance(names, pikepdf.Array) else [str(names)]


def _unwrapped(data: bytes, filters: list[str]) -> bytes:
    """Undo the text encodings that may stand around compressed data."""
    for name in filters:
        if name in ("/ASCII85Decode", "/A85"):
            data = base64.a85decode(data.strip().removeprefix(b"<~").removesuffix(b"~>"))
        elif name in ("/ASCIIHexDecode", "/AHx"):
            data = bytes.fromhex(data.decode("ascii").split(">")[0])
        else:
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 数据编码层次过多。A stream is encoded in too many ways.")
    return data
