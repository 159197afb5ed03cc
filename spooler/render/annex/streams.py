"""Step 2c: a foreign PDF's compressed streams are whole, and not bombs. Inflated piece by piece, nothing is kept."""

import base64
import zlib

import pikepdf

from spooler.render.annex.values import BadAnnex
from spooler.render.codes import RenderCode

# An A4 page of a colour scan at 300 dpi has 26 MB.
MOST_INFLATED_BYTES = 256 << 20
WIDEST_ROW_BYTES = 1 << 20
_PIECE = 1 << 20
_FLATE = "/FlateDecode"
_BY_QPDF = frozenset({"/LZWDecode", "/RunLengthDecode"})
_SHORT = {
    "/Fl": _FLATE,
    "/LZW": "/LZWDecode",
    "/RL": "/RunLengthDecode",
    "/A85": "/ASCII85Decode",
    "/AHx": "/ASCIIHexDecode",
    "/DCT": "/DCTDecode",
    "/CCF": "/CCITTFaxDecode",
}
_KNOWN = frozenset({*_SHORT.values(), "/JPXDecode", "/JBIG2Decode"})


class StreamCheck:
    """Checks the streams of one file, which have one allowance together."""

    def __init__(self, allowance: int = MOST_INFLATED_BYTES) -> None:
        self._left = allowance

    def check(self, stream: pikepdf.Object) -> None:
        """Return if the stream unpacks to its end within the allowance, or raise BadAnnex."""
        filters = filters_of(stream)
        if len(set(filters)) < len(filters):
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 数据被重复压缩。A stream is compressed twice.")
        if not _KNOWN.issuperset(filters):
            raise BadAnnex(RenderCode.ANNEX_UNREADABLE, "PDF 数据的编码方式不支持。A stream has an unknown filter.")
        _refuse_wide_rows(stream)
        if _FLATE in filters:
            self._inflate(_unwrapped(stream.read_raw_bytes(), filters[: filters.index(_FLATE)]))
        elif _BY_QPDF.intersection(filters):
            # It unpacks them whole; what is beyond our memory is too complex by that alone.
            self._take(len(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized)))

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


def filters_of(stream: pikepdf.Object) -> list[str]:
    """Return the names of its filters, in full."""
    names = stream.get("/Filter", pikepdf.Array())
    return [_SHORT.get(str(name), str(name)) for name in (names if isinstance(names, pikepdf.Array) else [names])]


def picture_data(stream: pikepdf.Object) -> bytes:
    """Return what a picture's own decoder gets; the stream was checked before."""
    before = filters_of(stream)[:-1]
    if _FLATE not in before:
        return _unwrapped(stream.read_raw_bytes(), before)
    place = before.index(_FLATE)
    inflated = zlib.decompressobj().decompress(_unwrapped(stream.read_raw_bytes(), before[:place]))
    return _unwrapped(inflated, before[place + 1 :])


def _refuse_wide_rows(stream: pikepdf.Object) -> None:
    """A predictor keeps a row in memory, whatever there is of it."""
    given = stream.get("/DecodeParms", pikepdf.Array())
    for one in given if isinstance(given, pikepdf.Array) else [given]:
        if isinstance(one, pikepdf.Dictionary) and int(one.get("/Predictor", 1)) > 1:
            bits = int(one.get("/Columns", 1)) * int(one.get("/Colors", 1)) * int(one.get("/BitsPerComponent", 8))
            if not 0 < bits <= 8 * WIDEST_ROW_BYTES:
                raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 图像行过宽。A row of pixels is too wide.")


def _unwrapped(data: bytes, filters: list[str]) -> bytes:
    """Undo the text encodings that may stand around compressed data."""
    for name in filters:
        if name == "/ASCII85Decode":
            data = base64.a85decode(data.strip().removeprefix(b"<~").removesuffix(b"~>"))
        elif name == "/ASCIIHexDecode":
            data = bytes.fromhex(data.decode("ascii").split(">")[0])
        else:
            raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "PDF 数据编码层次过多。A stream is encoded in too many ways.")
    return data
