"""Step 2c: pictures within a foreign PDF are as large as they say, and no larger than we take. Only their heads are read."""

import struct
from io import BytesIO

import pikepdf
from PIL import Image

from spooler.render.annex.picture import LONGEST_SIDE, refuse_large, refuse_many_scans
from spooler.render.annex.streams import filters_of, picture_data
from spooler.render.annex.values import BadAnnex
from spooler.render.codes import RenderCode

_CODESTREAM, _JPX_SIZE = (
    b"\xff\x4f\xff\x51",
    8,
)  # where width, height and their offsets stand, after the marker of JPEG 2000
_JBIG2_PAGE = 48
_JBIG2_HEAD, _LONG_FORM, _UNKNOWN = 11, 7, 0xFFFFFFFF


def check_picture(image: pikepdf.Object) -> None:
    """Return if the picture's own head agrees with what is taken, or raise BadAnnex."""
    refuse_large(int(image.get("/Width", 0)), int(image.get("/Height", 0)))
    match filters_of(image)[-1:]:
        case ["/JPXDecode"]:
            _check_jpx(picture_data(image))
        case ["/JBIG2Decode"]:
            _check_jbig2(picture_data(image))
        case ["/DCTDecode"]:
            _check_jpeg(picture_data(image))


def _check_jpeg(content: bytes) -> None:
    refuse_many_scans(content)
    try:
        with Image.open(BytesIO(content), formats=["JPEG"]) as picture:
            refuse_large(*picture.size)
    except Image.DecompressionBombError:
        refuse_large(LONGEST_SIDE + 1, 1)


def _check_jpx(content: bytes) -> None:
    """The first code stream's own size; boxes around it may say what they like."""
    place = content.find(_CODESTREAM)
    if place < 0:
        raise BadAnnex(RenderCode.ANNEX_UNREADABLE, _DAMAGED)
    right, bottom, left, top = struct.unpack_from(">IIII", content, place + _JPX_SIZE)
    refuse_large(right - left, bottom - top)


def _check_jbig2(content: bytes) -> None:
    """Go through the heads of the segments to that of the page."""
    place = 0
    while place + _JBIG2_HEAD <= len(content):
        kind, start, length = _segment(content, place)
        if kind == _JBIG2_PAGE:
            width, height = struct.unpack_from(">II", content, start)
            # A height of all ones is not known yet: then stripes say it, and the PDF has said it too.
            refuse_large(width, 1 if height == _UNKNOWN else height)
        if length == _UNKNOWN:
            return
        place = start + length


def _segment(content: bytes, place: int) -> tuple[int, int, int]:
    """Return a segment's kind, where its data begins, and how much that is (ITU-T T.88, 7.2)."""
    number, flags, referred = struct.unpack_from(">IBB", content, place)
    place, count = place + 6, referred >> 5
    if count == _LONG_FORM:
        count = struct.unpack_from(">I", content, place - 1)[0] & 0x1FFFFFFF
        place += 3 + (count + 8) // 8
    place += count * (1 if number <= 256 else 2 if number <= 65536 else 4) + (4 if flags & 0x40 else 1)
    return flags & 0x3F, place + 4, struct.unpack_from(">I", content, place)[0]


_DAMAGED = "PDF 中的图像已损坏。A picture in the PDF is damaged."
