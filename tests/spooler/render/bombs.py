"""Files made to hang, fill or mislead whoever reads them: each from a few lines here, none from elsewhere.

A bomb names the code that its request is refused with, or None where it is taken because what is left of it is harmless.
"""

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import pikepdf
from PIL import Image

from .builders import a_pdf, an_image, saved

PDF, PNG, JPEG, TIFF, GEO = "application/pdf", "image/png", "image/jpeg", "image/tiff", "application/geo+json"
GIGABYTE = 1 << 30
_PIECE = 1 << 20
COMPLEX, LARGE, DAMAGED = "annex-too-complex", "annex-too-large", "annex-unreadable"
ENCRYPTED, PAGES, SIZE, GEOMETRY = "annex-encrypted", "annex-pages", "annex-page-size", "annex-geometry"


@dataclass(frozen=True)
class Bomb:
    name: str
    media_type: str
    make: Callable[[], bytes]
    code: str | None
    is_slow: bool = False


@lru_cache(maxsize=4)
def inflates_to(size: int, byte: bytes = b"\0", start: bytes = b"") -> bytes:
    """Return deflated data of so many equal bytes behind a start; a thousandth of it is made, and repeated."""
    packer = zlib.compressobj(9)
    head = packer.compress(start + byte * _PIECE) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(byte * _PIECE) + packer.flush(zlib.Z_FULL_FLUSH)
    check = zlib.adler32(start)
    for _ in range(size // _PIECE):
        check = zlib.adler32(byte * _PIECE, check)
    return head + again * (size // _PIECE - 1) + b"\x03\x00" + struct.pack(">I", check)


# PDF, written by hand: what no library would write.

PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 5 0 R>>"
SKELETON = {
    1: b"<</Type/Catalog/Pages 2 0 R>>",
    2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    3: PAGE,
    4: b"<</Length 10>>stream\n0 0 9 9 re\nendstream",
    5: b"<<>>",
}


def pdf_of(objects: Mapping[int, bytes], trailer: bytes = b"") -> bytes:
    """Return the skeleton with some objects in place of its own, and others added."""
    out, places = bytearray(b"%PDF-1.7\n"), {}
    whole = {**SKELETON, **objects}
    for number, body in whole.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in sorted(places.items()):
        out += b"%d 1\n%010d 00000 n \n" % (number, place)
    out += b"trailer<</Root 1 0 R/Size %d%s>>startxref\n%d\n%%%%EOF\n" % (max(places) + 1, trailer, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n" % (entries, len(data)) + data + b"\nendstream"


def form(content: bytes, resources: bytes = b"<<>>") -> bytes:
    return stream(content, b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources" + resources)


def showing(xobject: bytes, content: bytes = b"q 500 0 0 500 0 0 cm /X Do Q") -> bytes:
    """Return a page that draws one XObject."""
    return pdf_of({4: stream(content), 5: b"<</XObject<</X 6 0 R>>>>", 6: xobject})


def image(data: bytes, entries: bytes, size: tuple[int, int] = (100, 100)) -> bytes:
    head = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Width %d/Height %d" % size
    return showing(stream(data, head + entries))


def flate_bomb() -> bytes:
    return pdf_of({4: stream(inflates_to(GIGABYTE, b" "), b"/Filter/FlateDecode")})


def double_flate() -> bytes:
    return pdf_of({4: stream(zlib.compress(inflates_to(GIGABYTE, b" ")), b"/Filter[/FlateDecode/FlateDecode]")})


def two_hundred_contents() -> bytes:
    page = PAGE.replace(b"4 0 R", b"[" + b"4 0 R " * 200 + b"]")
    return pdf_of({3: page, 4: stream(inflates_to(74 << 20, b" "), b"/Filter/FlateDecode")})


def object_stream_bomb() -> bytes:
    """The catalogue stands in an object stream that inflates to a gigabyte."""
    out, places = bytearray(b"%PDF-1.7\n"), {}
    raw = inflates_to(GIGABYTE, b" ", b"1 0 <</Type/Catalog/Pages 2 0 R>>")
    bodies = {n: body for n, body in SKELETON.items() if n != 1}
    bodies[6] = stream(raw, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode")
    for number, body in bodies.items():
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    rows = [struct.pack(">BIH", 0, 0, 65535), struct.pack(">BIH", 2, 6, 0)]
    rows += [struct.pack(">BIH", 1, places[n], 0) for n in range(2, 7)] + [struct.pack(">BIH", 1, start, 0)]
    table = stream(b"".join(rows), b"/Type/XRef/W[1 4 2]/Size 8/Root 1 0 R")
    return bytes(out + b"7 0 obj\n" + table + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % start)


def page_references(count: int) -> bytes:
    return pdf_of({2: b"<</Type/Pages/Kids[" + b"3 0 R " * count + b"]/Count %d>>" % count})


def page_tree_of_diamonds() -> bytes:
    """Each node has the next twice: 2^30 pages of one."""
    nodes = {n: b"<</Type/Pages/Kids[%d 0 R %d 0 R]/Count 2>>" % (n + 1, n + 1) for n in range(10, 40)}
    return pdf_of({2: b"<</Type/Pages/Kids[10 0 R]/Count 1073741824>>", **nodes, 40: PAGE})


def cyclic_page_tree() -> bytes:
    return pdf_of({2: b"<</Type/Pages/Kids[2 0 R]/Count 1>>"})


def a_hundred_thousand_pages() -> bytes:
    count = 100_000
    pages = {n: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>" for n in range(10, 10 + count)}
    kids = b" ".join(b"%d 0 R" % n for n in pages)
    return pdf_of({2: b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids), **pages})


def forms_in_forms() -> bytes:
    """Twelve forms, each with ten of the next: 10^12 rectangles from 3 KB."""
    forms = {n: form(b"/X Do " * 10, b"<</XObject<</X %d 0 R>>>>" % (n + 1)) for n in range(6, 18)}
    return pdf_of({4: stream(b"/X Do"), 5: b"<</XObject<</X 6 0 R>>>>", **forms, 18: form(b"0 0 9 9 re f")})


def form_in_itself() -> bytes:
    return showing(form(b"/X Do", b"<</XObject<</X 6 0 R>>>>"))


def form_with_the_pages_resources() -> bytes:
    """Without resources of its own a form draws from the page's, itself too."""
    return showing(stream(b"/X Do " * 9, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"))


def image_drawn_often() -> bytes:
    data = inflates_to(64 << 20)
    head = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Width 8192/Height 8192"
    return showing(stream(data, head + b"/Filter/FlateDecode"), b"/X Do " * 50_000)


def nested_arrays() -> bytes:
    return pdf_of({5: b"<</Deep " + b"[" * 100_000 + b"]" * 100_000 + b">>"})


def nested_arrays_in_content() -> bytes:
    return pdf_of({4: stream(b"[" * 100_000 + b"]" * 100_000 + b" 0 d")})


def previous_table_is_this() -> bytes:
    whole = pdf_of({}, b"/Prev 0000000000")
    place = whole.index(b"xref\n0 1")
    return whole.replace(b"/Prev 0000000000", b"/Prev %010d" % place)


def xref_of_garbage() -> bytes:
    whole = pdf_of({})
    start = whole.index(b"xref\n0 1")
    return whole[:start] + b"xref\n0 99999999\n" + b"\xff\xfe 0 R garbage\n" * 5000 + whole[start + 9 :]


def lying_length() -> bytes:
    return pdf_of({4: b"<</Length 2000000000>>stream\n0 0 9 9 re\nendstream"})


def with_box(box: bytes) -> bytes:
    return pdf_of({3: PAGE.replace(b"[0 0 595 842]", box)})


def encrypted(password: str) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(a_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=password))
    return out.getvalue()


def jpx_bomb() -> bytes:
    """A JPEG 2000 head of two thousand million pixels a side, and nothing behind it."""
    size = struct.pack(
        ">HHHIIIIIIIIHBBB", 0xFF51, 41, 0, 2**31 - 1, 2**31 - 1, 0, 0, 2**31 - 1, 2**31 - 1, 0, 0, 1, 7, 1, 1
    )
    return image(b"\xff\x4f" + size + b"\xff\xd9", b"/Filter/JPXDecode")


def jbig2_bomb() -> bytes:
    page = struct.pack(">IBBBI", 0, 48, 0, 1, 19) + struct.pack(">IIIIBH", 60_000, 4_000_000_000, 0, 0, 0, 0)
    return image(page, b"/Filter/JBIG2Decode/DecodeParms<<>>")


def image_declared_small() -> bytes:
    return image(inflates_to(GIGABYTE), b"/Filter/FlateDecode", (1, 1))


def image_declared_huge() -> bytes:
    return image(inflates_to(_PIECE), b"/Filter/FlateDecode", (2_000_000, 2_000_000))


def predictor_of_wide_rows() -> bytes:
    parameters = b"/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2147483647/Colors 4>>"
    return image(inflates_to(_PIECE), parameters)


def lzw(size: int) -> bytes:
    """Return LZW data of so many equal bytes, as TIFF and PDF have it: each code a byte longer than the one before."""
    table, codes, made = 258, [(256, 9), (0, 9)], 1
    while made < size:
        if table == 4094:
            codes += [(256, 12), (0, 9)]
            table, made = 258, made + 1
        bits = 9 + (table >= 511) + (table >= 1023) + (table >= 2047)
        codes.append((table, bits))
        made += table - 256
        table += 1
    return _bits([*codes, (257, 12)])


def _bits(codes: list[tuple[int, int]]) -> bytes:
    out, held, count = bytearray(), 0, 0
    for code, bits in codes:
        held, count = (held << bits) | code, count + bits
        while count >= 8:
            count -= 8
            out.append((held >> count) & 255)
            held &= (1 << count) - 1
    return bytes(out + bytes([(held << (8 - count)) & 255]))


def pdf_lzw_bomb() -> bytes:
    """Two hundred streams of LZW, of ten megabytes each."""
    page = PAGE.replace(b"4 0 R", b"[" + b"4 0 R " * 200 + b"]")
    return pdf_of({3: page, 4: stream(lzw(10 << 20), b"/Filter/LZWDecode")})


def run_lengths() -> bytes:
    data = b"\x81\x20" * (4 << 20) + b"\x80"
    return pdf_of({4: stream(zlib.compress(zlib.compress(data)), b"/Filter[/Fl/Fl/RunLengthDecode/RL/RL]")})


def ascii85_chain() -> bytes:
    return pdf_of({4: stream(b"z" * 1000 + b"~>", b"/Filter[" + b"/ASCII85Decode" * 8 + b"]")})


def seventeen_filters() -> bytes:
    return pdf_of({4: stream(b"30>", b"/Filter[" + b"/ASCIIHexDecode" * 17 + b"]")})


FONT = b"/Type/Font/Subtype/TrueType/BaseFont/Bomb/FirstChar 65/LastChar 65/Widths[500]/FontDescriptor 8 0 R"
DESCRIPTOR = b"<</Type/FontDescriptor/FontName/Bomb/Flags 4/FontFile2 9 0 R>>"
WRITES_A = b"BT /F 9 Tf (A) Tj ET"


def with_font(more: Mapping[int, bytes], font: bytes = FONT) -> bytes:
    return pdf_of({4: stream(WRITES_A), 5: b"<</Font<</F 7 0 R>>>>", 7: b"<<" + font + b">>", 8: DESCRIPTOR, **more})


def font_bomb() -> bytes:
    return with_font({9: stream(inflates_to(GIGABYTE), b"/Filter/FlateDecode")})


def to_unicode_bomb() -> bytes:
    table = stream(inflates_to(GIGABYTE, b"<"), b"/Filter/FlateDecode")
    return with_font({9: stream(b"no font"), 10: table}, FONT + b"/ToUnicode 10 0 R")


TYPE_3 = (
    b"/Type/Font/Subtype/Type3/FontBBox[0 0 9 9]/FontMatrix[1 0 0 1 0 0]/FirstChar 65/LastChar 65/Widths[9]"
    b"/CharProcs<</a 9 0 R>>/Encoding<</Differences[65/a]>>/Resources 5 0 R"
)


def type_3_in_itself() -> bytes:
    return with_font({9: stream(b"9 0 d0 " + b"BT /F 1 Tf (AAAAAAAAAA) Tj ET " * 10)}, TYPE_3)


def type_3_in_type_3() -> bytes:
    """Ten fonts, each of whose letters is a line of a hundred letters of the next."""
    fonts = {}
    for n in range(20, 40, 2):
        resources = b"<</Font<</F %d 0 R>>>>" % (n + 2)
        named = TYPE_3.replace(b"5 0 R", resources).replace(b"9 0 R", b"%d 0 R" % (n + 1))
        fonts |= {n: b"<<" + named + b">>", n + 1: stream(b"9 0 d0 BT /F 1 Tf (" + b"A" * 100 + b") Tj ET")}
    last = TYPE_3.replace(b"9 0 R", b"41 0 R").replace(b"/Resources 5 0 R", b"")
    fonts |= {40: b"<<" + last + b">>", 41: stream(b"9 0 d0 0 0 9 9 re f")}
    return pdf_of({4: stream(WRITES_A), 5: b"<</Font<</F 20 0 R>>>>", **fonts})


def pattern_in_itself() -> bytes:
    pattern = stream(
        b"/Pattern cs /P scn 0 0 9 9 re f",
        b"/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 9/YStep 9/Resources 5 0 R",
    )
    return pdf_of({4: stream(b"/Pattern cs /P scn 0 0 500 500 re f"), 5: b"<</Pattern<</P 6 0 R>>>>", 6: pattern})


def soft_mask_in_itself() -> bytes:
    mask = form(b"/G gs 0 0 9 9 re f", b" 5 0 R").replace(b"/Type/XObject", b"/Group<</S/Transparency/CS/DeviceGray>>")
    state = b"<</Type/ExtGState/SMask<</S/Luminosity/G 6 0 R>>>>"
    return pdf_of({4: stream(b"/G gs 0 0 500 500 re f"), 5: b"<</ExtGState<</G 7 0 R>>>>", 6: mask, 7: state})


# Pictures.


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(
    size: tuple[int, int], data: bytes, *, bits: int = 8, colour: int = 0, interlaced: int = 0, before: bytes = b""
) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


SMALL = zlib.compress(b"\0" * 101 * 100)


def small_png(before: bytes) -> bytes:
    return png_of((100, 100), SMALL, before=before)


def png_truncated() -> bytes:
    noise = Image.effect_noise((900, 900), 90)
    return saved(noise, "PNG")[:200_000]


def animated_png() -> bytes:
    """A hundred thousand frames, of which the first is meant to be seen."""
    control = chunk(b"acTL", struct.pack(">II", 100_000, 0))
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 100, 100, 0, 0, 1, 1, 0, 0))
    late = chunk(b"fdAT", struct.pack(">I", 1) + SMALL)
    return png_of((100, 100), SMALL, before=control + frame).replace(chunk(b"IEND", b""), (frame + late) * 20_000)


def icc_profile() -> bytes:
    return small_png(chunk(b"iCCP", b"x\0\0" + inflates_to(GIGABYTE)))


def compressed_text() -> bytes:
    return small_png(chunk(b"zTXt", b"x\0\0" + inflates_to(GIGABYTE)) * 3)


def jpeg_that_lies() -> bytes:
    """A few pixels that say they are 65,500 a side."""
    small = saved(an_image("L", (8, 8)), "JPEG")
    start = small.index(b"\xff\xc0") + 5
    return small[:start] + struct.pack(">HH", 65_500, 65_500) + small[start + 4 :]


def jpeg_that_lies_a_little() -> bytes:
    """The same within what we take: the rest of its picture is missing."""
    small = saved(an_image("L", (8, 8)), "JPEG")
    start = small.index(b"\xff\xc0") + 5
    return small[:start] + struct.pack(">HH", 8_000, 8_000) + small[start + 4 :]


def jpeg_of_many_scans() -> bytes:
    """A progressive picture whose last refinement comes five thousand times."""
    whole = saved(Image.new("L", (8_000, 8_000), 128), "JPEG", progressive=True)
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    return whole[:-2] + scan * min(5_000, (8 << 20) // len(scan)) + whole[-2:]


def jpeg_of_many_scans_in_a_pdf() -> bytes:
    return image(jpeg_of_many_scans(), b"/Filter/DCTDecode", (8_000, 8_000))


def tiff_of(entries: Mapping[int, tuple[int, int, int]], data: bytes = b"", following: int = 0) -> bytes:
    """Return a TIFF of one directory at 8: tag to type, count, value; data stands from 1,000 on."""
    rows = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)
    return head.ljust(1000, b"\0") + data


def tiff_head(width: int, height: int, compression: int, length: int) -> dict[int, tuple[int, int, int]]:
    return {
        256: (4, 1, width),
        257: (4, 1, height),
        258: (3, 1, 8),
        259: (3, 1, compression),
        262: (3, 1, 1),
        273: (4, 1, 1000),
        277: (3, 1, 1),
        278: (4, 1, height),
        279: (4, 1, length),
    }


def cyclic_tiff() -> bytes:
    return tiff_of(tiff_head(10, 10, 1, 100), bytes(100), following=8)


def tiff_strips() -> bytes:
    """One strip that inflates to a gigabyte, for a hundred pixels."""
    data = inflates_to(GIGABYTE)
    return tiff_of(tiff_head(10, 10, 8, len(data)), data)


def tiff_of_fifty_thousand() -> bytes:
    return tiff_of(tiff_head(50_000, 50_000, 1, 100), bytes(100))


def tiff_of_a_million_strips() -> bytes:
    entries = tiff_head(1_000, 1_000_000, 1, 0) | {278: (4, 1, 1), 273: (4, 1_000_000, 1000), 279: (4, 1_000_000, 1000)}
    return tiff_of(entries, bytes(4_000_000))


def tiff_lzw() -> bytes:
    data = lzw(64 << 20)
    return tiff_of(tiff_head(100, 100, 5, len(data)), data)


# Parcels.


def a_million_points() -> bytes:
    return b'{"type":"Polygon","coordinates":[[' + b"[0,0]," * 999_999 + b"[0,0]]]}"


def a_polygon(first: bytes) -> bytes:
    return b'{"type":"Polygon","coordinates":[[[%s,0],[1,0],[1,1],[%s,0]]]}' % (first, first)


def a_comb() -> bytes:
    """Two thousand corners, every side across all others."""
    points = [[500_000 + (i % 2) * 900 + i * 0.01, 5_000_000 + i * 0.02] for i in range(1_990)]
    return json.dumps({"type": "Polygon", "coordinates": [[*points, points[0]]]}).encode()


def _pdf_bombs() -> Iterator[Bomb]:
    yield Bomb("flate bomb of 1 GB", PDF, flate_bomb, COMPLEX, is_slow=True)
    yield Bomb("flate in flate", PDF, double_flate, COMPLEX)
    yield Bomb("200 × 74 MB of contents", PDF, two_hundred_contents, COMPLEX, is_slow=True)
    yield Bomb("object stream of 1 GB", PDF, object_stream_bomb, DAMAGED, is_slow=True)
    yield Bomb("200,000 references to a page", PDF, lambda: page_references(200_000), PAGES, is_slow=True)
    yield Bomb("page tree of diamonds, 2^30", PDF, page_tree_of_diamonds, DAMAGED)
    yield Bomb("page tree in itself", PDF, cyclic_page_tree, DAMAGED)
    yield Bomb("100,000 pages", PDF, a_hundred_thousand_pages, PAGES, is_slow=True)
    yield Bomb("forms in forms, 10^12", PDF, forms_in_forms, COMPLEX)
    yield Bomb("form in itself", PDF, form_in_itself, COMPLEX)
    yield Bomb("form drawing from the page", PDF, form_with_the_pages_resources, COMPLEX)
    yield Bomb("picture drawn 50,000 times", PDF, image_drawn_often, COMPLEX)
    yield Bomb("arrays 100,000 deep", PDF, nested_arrays, DAMAGED)
    yield Bomb("arrays 100,000 deep in content", PDF, nested_arrays_in_content, COMPLEX)
    yield Bomb("Prev that leads to itself", PDF, previous_table_is_this, DAMAGED)
    yield Bomb(
        "Count of a thousand million", PDF, lambda: pdf_of({2: b"<</Type/Pages/Kids[3 0 R]/Count 999999999>>"}), None
    )
    yield Bomb("Length of two gigabytes", PDF, lying_length, DAMAGED)
    yield Bomb("cross references of garbage", PDF, xref_of_garbage, DAMAGED)
    yield Bomb("encrypted, empty password", PDF, lambda: encrypted(""), ENCRYPTED)
    yield Bomb("encrypted", PDF, lambda: encrypted("secret"), ENCRYPTED)
    yield Bomb("page of 350,000 km", PDF, lambda: with_box(b"[0 0 1000000000 1000000000]"), SIZE)
    yield Bomb("page of NaN", PDF, lambda: with_box(b"[0 0 NaN NaN]"), DAMAGED)
    yield Bomb("page of negative size", PDF, lambda: with_box(b"[0 0 -595 -842]"), None)
    yield Bomb("page of no size", PDF, lambda: with_box(b"[0 0 0 0]"), SIZE)
    yield Bomb("JPEG 2000 of 2^62 pixels", PDF, jpx_bomb, LARGE)
    yield Bomb("JBIG2 of 2^47 pixels", PDF, jbig2_bomb, LARGE)
    yield Bomb("1 GB in a picture of one pixel", PDF, image_declared_small, COMPLEX, is_slow=True)
    yield Bomb("picture of 2,000,000 × 2,000,000", PDF, image_declared_huge, LARGE)
    yield Bomb("predictor with rows of 8 GB", PDF, predictor_of_wide_rows, COMPLEX)
    yield Bomb("200 × 10 MB of LZW", PDF, pdf_lzw_bomb, COMPLEX)
    yield Bomb("run lengths in run lengths", PDF, run_lengths, COMPLEX)
    yield Bomb("ASCII85, eight times", PDF, ascii85_chain, COMPLEX)
    yield Bomb("17 filters", PDF, seventeen_filters, COMPLEX)
    yield Bomb("font of 1 GB", PDF, font_bomb, COMPLEX, is_slow=True)
    yield Bomb("ToUnicode of 1 GB", PDF, to_unicode_bomb, COMPLEX, is_slow=True)
    yield Bomb("Type 3 font in itself", PDF, type_3_in_itself, COMPLEX)
    yield Bomb("Type 3 in Type 3, 100^10", PDF, type_3_in_type_3, COMPLEX)
    yield Bomb("pattern in itself", PDF, pattern_in_itself, COMPLEX)
    yield Bomb("soft mask in itself", PDF, soft_mask_in_itself, COMPLEX)
    yield Bomb("JPEG of 5,000 scans in a PDF", PDF, jpeg_of_many_scans_in_a_pdf, COMPLEX)


def _picture_bombs() -> Iterator[Bomb]:
    yield Bomb("PNG of 50,000 × 50,000", PNG, lambda: png_of((50_000, 50_000), inflates_to(_PIECE), bits=1), LARGE)
    yield Bomb("PNG that inflates past its size", PNG, lambda: png_of((100, 100), inflates_to(GIGABYTE)), None)
    yield Bomb(
        "PNG, interlaced, 80 megapixels",
        PNG,
        lambda: png_of((8900, 8900), inflates_to(_PIECE), interlaced=1, colour=2),
        DAMAGED,
    )
    yield Bomb("PNG, IDAT cut", PNG, png_truncated, DAMAGED)
    yield Bomb("PNG of 100,000 frames", PNG, animated_png, None)
    yield Bomb("PNG, profile of 1 GB", PNG, icc_profile, DAMAGED)
    yield Bomb("PNG, text of 1 GB", PNG, compressed_text, DAMAGED)
    yield Bomb("JPEG that says 65,500 × 65,500", JPEG, jpeg_that_lies, LARGE)
    yield Bomb("JPEG that says 8,000 × 8,000", JPEG, jpeg_that_lies_a_little, None)
    yield Bomb("JPEG of 5,000 scans", JPEG, jpeg_of_many_scans, COMPLEX)
    yield Bomb("TIFF, directory in itself", TIFF, cyclic_tiff, None)
    yield Bomb("TIFF, strip of 1 GB", TIFF, tiff_strips, None)
    yield Bomb("TIFF of 50,000 × 50,000", TIFF, tiff_of_fifty_thousand, LARGE)
    yield Bomb("TIFF of a million strips", TIFF, tiff_of_a_million_strips, LARGE, is_slow=True)
    yield Bomb("TIFF, LZW of 64 MB", TIFF, tiff_lzw, None)


def _parcel_bombs() -> Iterator[Bomb]:
    yield Bomb("GeoJSON 100,000 deep", GEO, lambda: b'{"type":' + b"[" * 100_000, DAMAGED)
    yield Bomb("GeoJSON of a million points", GEO, a_million_points, COMPLEX, is_slow=True)
    yield Bomb("GeoJSON with NaN", GEO, lambda: a_polygon(b"NaN"), GEOMETRY)
    yield Bomb("GeoJSON with 1e400", GEO, lambda: a_polygon(b"1e400"), GEOMETRY)
    yield Bomb("GeoJSON, a number of 1,000,000 figures", GEO, lambda: a_polygon(b"9" * 1_000_000), DAMAGED)
    yield Bomb("GeoJSON that crosses itself a million times", GEO, a_comb, GEOMETRY)


BOMBS = (*_pdf_bombs(), *_picture_bombs(), *_parcel_bombs())
