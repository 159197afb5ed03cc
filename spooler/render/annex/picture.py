"""Step 2c: raster annexes. JPEG, plain PNG and one-strip G4 data pass through as they are; all else is kept without loss."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO

import pikepdf
from PIL import Image

from spooler.render.annex.resolution import resolution_of
from spooler.render.annex.values import BadAnnex, NormalAnnex, Role, Side
from spooler.render.codes import RenderCode

MM = 72 / 25.4
MOST_PIXELS = 80_000_000
LONGEST_SIDE = 30_000
MOST_SCANS = 100
_SCAN = b"\xff\xda"
_STRIP, _PIECE = 256, 1 << 20
# A picture is never printed larger than at 100 dots to the inch.
LARGEST_PIXEL_MM = 0.254
# Tags of TIFF and EXIF.
_WIDTH, _HEIGHT, _PHOTOMETRIC, _FILL_ORDER = 0x0100, 0x0101, 0x0106, 0x010A
_STRIP_OFFSETS, _ORIENTATION, _STRIP_BYTES, _T6_OPTIONS = 0x0111, 0x0112, 0x0117, 0x0125
_SPACES = {"1": "/DeviceGray", "L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK"}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1}  # grey, RGB, palette; those with alpha are decoded

# Where the unit square of an image goes on a page of 1 × 1, by EXIF orientation.
_TURNS = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}


@dataclass(frozen=True)
class _Raster:
    """Pixels as a PDF image holds them, and how they are turned to stand upright."""

    width: int
    height: int
    data: bytes
    dictionary: dict[str, object]
    orientation: int = 1
    dots_per_inch: float | None = None


def clean_jpeg(content: bytes, role: Role) -> NormalAnnex:
    """Return the JPEG with its own bytes, turned by its EXIF orientation."""
    refuse_many_scans(content)
    with _opened(content, "JPEG") as image:
        width, height = image.size
        orientation, dots = _orientation(image), resolution_of(image)
        space = _space(image)
        # Adobe writes CMYK upside down.
        inverted = image.mode == "CMYK" and "adobe" in image.info
        # A small decode reads the whole stream, so that a cut file is found, in a quarter of the time.
        image.draft(image.mode, (width // 8, height // 8))
        image.load()
    dictionary: dict[str, object] = {"/Filter": "/DCTDecode", "/ColorSpace": space, "/BitsPerComponent": 8}
    if inverted:
        dictionary["/Decode"] = [1, 0] * 4
    return _as_annex(role, _Raster(width, height, content, dictionary, orientation, dots))


def clean_png(content: bytes, role: Role) -> NormalAnnex:
    """Return the PNG with its own compressed data where PDF can read it, else decoded."""
    with _opened(content, "PNG") as image:
        image.load()
        raster = _passed_through(content, _orientation(image)) or _decoded(image)
        dots = resolution_of(image)
    return _as_annex(role, replace(raster, dots_per_inch=dots))


def clean_tiff(content: bytes, role: Role) -> NormalAnnex:
    """Return a TIFF of one page: a fax of one strip with its own data, all others decoded."""
    with _opened(content, "TIFF") as image:
        if getattr(image, "n_frames", 1) != 1:
            raise BadAnnex(RenderCode.ANNEX_PAGES, "TIFF 只能有一页。A TIFF has exactly one page.")
        dots, fax = resolution_of(image), _fax(content, image)
        image.load()
        raster = fax or _decoded(image)
    return _as_annex(role, replace(raster, dots_per_inch=dots))


def refuse_many_scans(content: bytes) -> None:
    """A progressive JPEG is gone through once for each of its scans: writers make ten."""
    if content.count(_SCAN) > MOST_SCANS:
        raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, "JPEG 扫描次数过多。The JPEG has too many scans.")


@contextmanager
def _opened(content: bytes, kind: str) -> Iterator[Image.Image]:
    try:
        image = Image.open(BytesIO(content), formats=[kind])
    except Image.DecompressionBombError:
        raise BadAnnex(RenderCode.ANNEX_TOO_LARGE, f"图像过大。{_TOO_LARGE}") from None
    with image:
        refuse_large(*image.size)
        yield image


def refuse_large(width: int, height: int) -> None:
    """Return if pictures of this size are taken, or raise BadAnnex."""
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise BadAnnex(RenderCode.ANNEX_TOO_LARGE, f"图像过大（{width} × {height}）。{_TOO_LARGE}")


_TOO_LARGE = f"An image has at most {MOST_PIXELS // 1_000_000} megapixels, and {LONGEST_SIDE} pixels a side."


def _orientation(image: Image.Image) -> int:
    return _turn(image.getexif().get(_ORIENTATION, 1))


def _turn(orientation: object) -> int:
    return orientation if isinstance(orientation, int) and orientation in _TURNS else 1


def _space(image: Image.Image) -> str:
    if image.mode not in _SPACES:
        raise BadAnnex(
            RenderCode.ANNEX_COLOURS, f"不支持的颜色模式 {image.mode}。The colour mode {image.mode} is not supported."
        )
    return _SPACES[image.mode]


def _passed_through(content: bytes, orientation: int) -> _Raster | None:
    """Return a PNG's own data, or None where PDF's Flate filter cannot read it: interlaced, or with transparency."""
    chunks = list(_chunks(content))
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunks[0][1])
    names = {name for name, _ in chunks}
    if colour not in _PNG_CHANNELS or interlaced or b"tRNS" in names:
        return None
    data = b"".join(body for name, body in chunks if name == b"IDAT")
    if not _inflates_to(data, (1 + (width * _PNG_CHANNELS[colour] * bits + 7) // 8) * height):
        return None  # more behind the picture, or less: what a printer would do with it nobody knows
    palette = next((body for name, body in chunks if name == b"PLTE"), b"")
    channels = _PNG_CHANNELS[colour]
    parameters = {"/Predictor": 15, "/Colors": channels, "/BitsPerComponent": bits, "/Columns": width}
    dictionary: dict[str, object] = {
        "/Filter": "/FlateDecode",
        "/DecodeParms": parameters,
        "/BitsPerComponent": bits,
        "/ColorSpace": _png_space(colour, palette),
    }
    return _Raster(width, height, data, dictionary, orientation)


def _inflates_to(data: bytes, size: int) -> bool:
    """Say whether deflated data is of this size to the byte; nothing beyond it is unpacked."""
    inflater, found = zlib.decompressobj(), 0
    while data and not inflater.eof and found <= size:
        found += len(inflater.decompress(data, _PIECE))
        data = inflater.unconsumed_tail
    return inflater.eof and found == size and not inflater.unused_data


def _png_space(colour: int, palette: bytes) -> object:
    if colour == 3:
        return ["/Indexed", "/DeviceRGB", len(palette) // 3 - 1, palette]
    return "/DeviceGray" if colour == 0 else "/DeviceRGB"


def _fax(content: bytes, image: Image.Image) -> _Raster | None:
    """Return a bilevel TIFF's own data if all of it is one strip of CCITT group 4, as PDF has it."""
    tags = image.tag_v2  # type: ignore[attr-defined]  # of Pillow's TIFF images alone
    strips = tags.get(_STRIP_OFFSETS, ())
    if image.info.get("compression") != "group4" or len(strips) != 1 or tags.get(_FILL_ORDER, 1) != 1:
        return None
    if image.mode != "1" or tags.get(_T6_OPTIONS, 0) or tags.get(_PHOTOMETRIC) not in (0, 1):
        return None
    width, height = int(tags[_WIDTH]), int(tags[_HEIGHT])
    data = content[strips[0] : strips[0] + tags[_STRIP_BYTES][0]]
    parameters = {"/K": -1, "/Columns": width, "/Rows": height, "/BlackIs1": tags[_PHOTOMETRIC] == 1}
    dictionary: dict[str, object] = {
        "/Filter": "/CCITTFaxDecode",
        "/DecodeParms": parameters,
        "/BitsPerComponent": 1,
        "/ColorSpace": "/DeviceGray",
    }
    return _Raster(width, height, data, dictionary, _turn(tags.get(_ORIENTATION, 1)))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 8
    while position + 12 <= len(content):
        length, name = struct.unpack(">I4s", content[position : position + 8])
        yield name, content[position + 8 : position + 8 + length]
        position += length + 12


def _decoded(image: Image.Image) -> _Raster:
    """Return the pixels, transparency on white, palettes as the colours they stand for; strip by strip, since pixels take memory."""
    packer, data = zlib.compressobj(), bytearray()
    width, height = image.size
    for top in range(0, height, _STRIP):
        strip = _on_white(image.crop((0, top, width, min(height, top + _STRIP))))
        data += packer.compress(strip.tobytes())
    dictionary: dict[str, object] = {
        "/Filter": "/FlateDecode",
        "/ColorSpace": _space(strip),
        "/BitsPerComponent": 1 if strip.mode == "1" else 8,
    }
    return _Raster(width, height, bytes(data + packer.flush()), dictionary, _orientation(image))


def _on_white(strip: Image.Image) -> Image.Image:
    if strip.has_transparency_data:
        shown = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")
    return strip.convert("RGB") if strip.mode == "P" else strip


def _as_annex(role: Role, raster: _Raster) -> NormalAnnex:
    """Put the picture on a page of the largest size at which it is sensibly printed."""
    side = _side(raster, LARGEST_PIXEL_MM)
    own = _side(raster, 25.4 / raster.dots_per_inch) if raster.dots_per_inch else None
    is_grey = raster.dictionary["/ColorSpace"] == "/DeviceGray"
    a, b, c, d, e, f = _TURNS[raster.orientation]
    w, h = side.width * MM, side.height * MM
    matrix = " ".join(f"{value:.4f}" for value in (a * w, b * h, c * w, d * h, e * w, f * h))
    with pikepdf.new() as clean:
        page = clean.add_blank_page(page_size=(w, h))
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Annex=_image(clean, raster)))
        page.Contents = clean.make_stream(f"q {matrix} cm /Annex Do Q".encode())
        out = BytesIO()
        clean.save(out, deterministic_id=True)
    return NormalAnnex(role, (side,), out.getvalue(), is_picture=True, own_size=own, is_grey=is_grey)


def _side(raster: _Raster, pixel: float) -> Side:
    width, height = raster.width * pixel, raster.height * pixel
    return Side(width, height) if raster.orientation < 5 else Side(height, width)


def _image(clean: pikepdf.Pdf, raster: _Raster) -> pikepdf.Object:
    stream = clean.make_stream(raster.data)
    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    stream.Width, stream.Height = raster.width, raster.height
    for key, value in raster.dictionary.items():
        stream[key] = _as_object(value)
    return stream


def _as_object(value: object) -> object:
    if isinstance(value, str):
        return pikepdf.Name(value)
    if isinstance(value, bytes):
        return pikepdf.String(value)
    if isinstance(value, list):
        return pikepdf.Array([_as_object(item) for item in value])
    if isinstance(value, dict):
        return pikepdf.Dictionary({key: _as_object(item) for key, item in value.items()})
    return value
