"""Maps, plans and lists: their own shape, their own bytes, nothing else of their files; and all others refused before the 201."""

import json
import zlib
from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import pikepdf
import pytest
from PIL import Image, ImageFilter, ImageOps

from spooler.render import AnnexFile, find_templates
from spooler.render.annex.normal import normalise
from spooler.render.annex.place import Rect, contain, divide
from spooler.render.annex.streams import StreamCheck
from spooler.render.annex.values import BadAnnex, Side
from spooler.render.assemble import Inset, TooManyObjects, assemble
from spooler.render.fonts import shared_faces
from spooler.render.parcel.labels import LINE_MM
from spooler.render.parcel_drawing import draw_parcel
from spooler.render.template import load_templates
from spooler.wire.document import read_document
from tests.sealing import Office

from .builders import (
    a_content,
    a_parcel,
    a_pdf,
    an_annex,
    an_image,
    changed_pdf,
    ink_box,
    only,
    raster,
    saved,
    text_of,
)

FRAME = load_templates(find_templates())["certificate/1"].frame
WHOLE = (FRAME.x, FRAME.y, FRAME.width, FRAME.height)
DPI = 150
PDF, PNG, JPEG, TIFF, GEO = "application/pdf", "image/png", "image/jpeg", "image/tiff", "application/geo+json"


def drawn(renderer, *annexes, box=WHOLE, page=3, kind="certificate") -> Image.Image:
    """Return what stands in the frame of pass C."""
    return raster(renderer.print_document(replace(only(kind), annexes=annexes)).pdf, page, DPI, box=box)


def grey_box(image: Image.Image) -> tuple[float, float, float, float]:
    """Return where the grey square is, in mm; thin lines and the edges of letters are as grey, but not as broad."""
    grey = image.point(lambda value: 0 if 120 < value < 135 else 255)
    return ink_box(grey.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5)), DPI)


def shape(box: tuple[float, float, float, float]) -> float:
    left, top, right, bottom = box
    return (right - left) / (bottom - top)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("size", [(210, 297), (297, 210), (420, 297)])
def test_a_map_keeps_its_shape(renderer, size, rotate):
    """A square on the map is a square on paper, whatever the page is and however it is turned."""
    page = drawn(renderer, an_annex(a_pdf(size, rotate=rotate)))

    turned = size if rotate in (0, 180) else size[::-1]
    scale = min(FRAME.width / turned[0], FRAME.height / turned[1])
    left, top, right, bottom = grey_box(page)
    assert (right - left, bottom - top) == pytest.approx((100 * scale, 100 * scale), abs=0.35)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((FRAME.width / 2, FRAME.height / 2), abs=0.35)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_map_stands_as_a_viewer_shows_it(renderer, rotate):
    """The word at the page's foot tells which way it is turned."""
    source = a_pdf((200, 200), rotate=rotate)
    seen = raster(source, dpi=40)
    side = min(FRAME.width, FRAME.height)
    box = (FRAME.x, FRAME.y + (FRAME.height - side) / 2, side, side)
    printed = drawn(renderer, an_annex(source), box=box).resize(seen.size)

    assert abs_difference(seen, printed) < 2.5


def abs_difference(one: Image.Image, other: Image.Image) -> float:
    pairs = zip(one.convert("L").get_flattened_data(), other.convert("L").get_flattened_data(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / (one.width * one.height)


def test_only_what_the_crop_box_shows_is_printed(renderer):
    def crop(pdf):
        pdf.pages[0].cropbox = [100, 100, 500, 700]

    (side,) = normalise(an_annex(changed_pdf(a_pdf(), crop))).sides
    assert (side.width, side.height) == pytest.approx((400 * 25.4 / 72, 600 * 25.4 / 72))


def test_inherited_resources_come_along(renderer):
    """Pages may leave resources, sizes and turns to the page tree."""

    def hand_up(pdf):
        page = pdf.pages[0].obj
        for key in ("/Resources", "/MediaBox"):
            page.Parent[key] = page[key]
            del page[key]

    printed = renderer.print_document(a_content("certificate", an_annex(changed_pdf(a_pdf(), hand_up)))).pdf
    assert "Parcel" in text_of(printed, "-f", "3")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("TIFF", "image/tiff")])
def test_a_picture_stands_upright(renderer, kind, media_type, orientation):
    """Cameras and scanners turn by a tag; all eight turns are printed as they are meant."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = saved(an_image(), kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(BytesIO(source)))
    normal = normalise(an_annex(source, media_type, "unit_plan"))

    shown = raster(normal.pdf, dpi=25)
    (side,) = normal.sides
    assert side.width / side.height == pytest.approx(upright.width / upright.height)
    assert abs_difference(upright.resize(shown.size), shown) < 4


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_passes_through_untouched(renderer, mode):
    """Encoding it again would blur thin lines."""
    source = saved(an_image(mode), "JPEG", quality=85)
    printed = renderer.print_document(a_content("certificate", an_annex(source, "image/jpeg", "unit_plan"))).pdf

    assert source in printed
    assert_same_picture(source, printed)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_a_png_loses_nothing(renderer, mode):
    source = saved(an_image("RGB").convert("L").convert("I;16") if mode == "I;16" else an_image(mode), "PNG")

    printed = renderer.print_document(a_content("certificate", an_annex(source, "image/png", "unit_plan"))).pdf
    if mode in ("1", "L", "P", "RGB"):
        assert_same_picture(source, printed)


def test_transparency_shows_the_paper(renderer):
    """A drawing on nothing is printed on white, not on black."""
    image = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (100, 100, 200, 200))

    page = drawn(renderer, an_annex(saved(image, "PNG"), "image/png", "unit_plan"))
    assert sum(value < 128 for value in page.get_flattened_data()) < 0.04 * page.width * page.height


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "group4", "tiff_deflate"])
def test_a_tiff_loses_nothing(renderer, mode, compression):
    if (compression == "group4") != (mode == "1") and compression is not None:
        compression = "tiff_adobe_deflate"
    source = saved(an_image(mode), "TIFF", compression=compression)

    printed = renderer.print_document(a_content("certificate", an_annex(source, "image/tiff", "unit_plan"))).pdf
    assert_same_picture(source, printed)


def assert_same_picture(source: bytes, printed: bytes) -> None:
    """Compare pixel by pixel what was sent with what stands in the document."""
    with pikepdf.open(BytesIO(printed)) as document:
        images = [value for value in document.objects if is_image(value)]
        assert len(images) == 1
        kept = pikepdf.PdfImage(images[0]).as_pil_image()
        sent = Image.open(BytesIO(source))
        assert kept.size == sent.size
        assert abs_difference(sent.convert("RGB"), kept.convert("RGB")) < (3 if sent.mode == "CMYK" else 0.001)


def is_image(value) -> bool:
    return isinstance(value, pikepdf.Stream) and value.get("/Subtype") == "/Image"


def test_map_and_plan_share_the_frame(renderer):
    """Two parts, the map first, whatever the order in the request; neither touches the other."""
    plan = an_annex(saved(an_image("L", (800, 600)), "PNG"), "image/png", "unit_plan")
    page = drawn(renderer, plan, an_annex(a_pdf((200, 150))))

    upper, lower = page.crop((0, 0, page.width, page.height // 2)), page.crop((0, page.height // 2, *page.size))
    assert shape(grey_box(upper)) == pytest.approx(1, abs=0.02)
    # What is broad is the plan's dark quarter; the note of its scale beneath it is thin.
    dark = lower.filter(ImageFilter.MaxFilter(9)).filter(ImageFilter.MinFilter(9))
    assert shape(ink_box(dark, DPI)) == pytest.approx(800 / 600, abs=0.02)


def test_the_halves_follow_the_pictures():
    frame = Rect(0, 0, 104, 204)
    wide, tall = Side(200, 100), Side(50, 400)

    assert divide(frame, [wide]) == [frame]
    assert divide(frame, [wide, wide]) == [Rect(0, 0, 104, 100), Rect(0, 104, 104, 100)]
    assert divide(frame, [tall, tall]) == [Rect(0, 0, 50, 204), Rect(54, 0, 50, 204)]


def test_a_small_map_is_not_enlarged():
    """Its scale is stated for its own size."""
    assert contain(Side(40, 30), Rect(10, 20, 100, 200)) == Rect(40, 105, 40, 30)


def test_a_small_picture_is_enlarged_to_a_hundred_dots_an_inch_at_most():
    (side,) = normalise(an_annex(saved(an_image("L", (100, 50)), "PNG"), "image/png", "unit_plan")).sides

    assert (side.width, side.height) == pytest.approx((25.4, 12.7))


def test_a_landscape_list_keeps_its_size(renderer):
    """It lies on its side on the upright sheet."""
    page = drawn(renderer, an_annex(a_pdf((297, 210)), role="attachment"), box=(0, 0, 210, 297), page=2, kind="proof")

    assert grey_box(page) == pytest.approx((55, 98.5, 155, 198.5), abs=0.35)


def test_a_parcel_is_drawn_by_us(renderer):
    """All boundary points are named and north is marked."""
    pdf = renderer.print_document(a_content("certificate", an_annex(a_parcel(), "application/geo+json"))).pdf
    found = text_of(pdf, "-f", "3")
    assert all(name in found for name in ("J1", "J2", "J3", "J4", "北"))


def test_both_axes_of_a_parcel_have_one_scale():
    """20 × 30 m stay 2 : 3 on paper, at the largest round scale that the room allows."""
    parcel = normalise(an_annex(a_parcel(), GEO)).parcel
    drawing = draw_parcel(parcel, Rect(0, 0, 118, 300), shared_faces())
    (ring,) = [stroke.points for stroke in drawing.strokes if stroke.width == LINE_MM]

    xs, ys = zip(*ring, strict=True)
    assert drawing.scale == 250
    assert (max(xs) - min(xs), max(ys) - min(ys)) == pytest.approx((80, 120), abs=1e-6)


def test_degrees_are_not_squares(renderer):
    """At 46° north a degree of longitude is 0.697 of one of latitude, on the ellipsoid of CGCS2000 (on a sphere, 0.695)."""
    ring = [[126.0, 46.0], [126.001, 46.0], [126.001, 46.001], [126.0, 46.001], [126.0, 46.0]]
    document = {"type": "Polygon", "coordinates": [ring]}
    parcel = normalise(an_annex(json.dumps(document).encode(), "application/geo+json")).parcel

    (west, south), _, (east, north), _ = parcel.rings[0]
    assert (east - west) / (north - south) == pytest.approx(0.69690, abs=0.00002)


def layers_off(pdf):
    group = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="hidden"))
    off = pikepdf.Dictionary(OFF=pikepdf.Array([group]))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array([group]), D=off)


def with_postscript(pdf):
    form = pdf.make_stream(b"showpage")
    form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.PS
    pdf.pages[0].add_resource(form, pikepdf.Name.XObject)


def with_outside_data(pdf):
    image = pdf.make_stream(b"")
    image.Type, image.Subtype, image.F = pikepdf.Name.XObject, pikepdf.Name.Image, "/etc/passwd"
    pdf.pages[0].add_resource(image, pikepdf.Name.XObject)


def huge(pdf):
    pdf.pages[0].mediabox = [0, 0, 1e9, 1e9]


def flat(pdf):
    pdf.pages[0].mediabox = [0, 0, 595, 0]


def compressed_twice(pdf):
    stream = pdf.make_stream(zlib.compress(zlib.compress(b"q Q")))
    stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode])
    pdf.pages[0].obj.Contents = stream


AS_IS = {"compress_streams": False, "stream_decode_level": pikepdf.StreamDecodeLevel.none}


def damaged(content: bytes, after: bytes) -> bytes:
    """Change one byte in the middle of the first stream after these bytes."""
    start = content.index(b"stream", content.index(after)) + 300
    return content[:start] + bytes([content[start] ^ 255]) + content[start + 1 :]


def encrypted(**passwords) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(a_pdf())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(**passwords))
    return out.getvalue()


BAD = {
    "font left out": (a_pdf(font="Helvetica"), PDF, "font-not-embedded"),
    "two pages": (a_pdf(pages=2), PDF, "annex-pages"),
    "cut": (a_pdf()[:700], PDF, "annex-unreadable"),
    "a damaged font": (damaged(a_pdf(), b"/Length1"), PDF, "annex-unreadable"),
    "compressed twice": (changed_pdf(a_pdf(), compressed_twice, **AS_IS), PDF, "annex-too-complex"),
    "only a head": (b"%PDF-1.7\n", PDF, "annex-unreadable"),
    "encrypted": (encrypted(owner="x", user="y"), PDF, "annex-encrypted"),
    "encrypted without password": (encrypted(owner="x", user=""), PDF, "annex-encrypted"),
    "layers off": (changed_pdf(a_pdf(), layers_off), PDF, "annex-hidden-layers"),
    "PostScript": (changed_pdf(a_pdf(), with_postscript), PDF, "annex-active"),
    "outside data": (changed_pdf(a_pdf(), with_outside_data), PDF, "annex-active"),
    "a page of 350 km": (changed_pdf(a_pdf(), huge), PDF, "annex-page-size"),
    "a page of no height": (changed_pdf(a_pdf(), flat), PDF, "annex-page-size"),
    "cut PNG": (saved(an_image("L", (900, 900)), PNG[6:])[:-60], PNG, "annex-unreadable"),
    "cut JPEG": (saved(an_image("L", (900, 900)), JPEG[6:])[:1500], JPEG, "annex-unreadable"),
    "cut TIFF": (saved(an_image("L"), TIFF[6:])[:900], TIFF, "annex-unreadable"),
    "two pages of TIFF": (
        saved(an_image(), TIFF[6:], save_all=True, append_images=[an_image()]),
        TIFF,
        "annex-pages",
    ),
    "too many pixels": (saved(Image.new("1", (9_000, 9_000)), PNG[6:]), PNG, "annex-too-large"),
    "too long a side": (saved(Image.new("1", (40_000, 10)), PNG[6:]), PNG, "annex-too-large"),
    "floating point pixels": (saved(Image.new("F", (20, 20)), TIFF[6:]), TIFF, "annex-colours"),
    "not JSON": (b'{"type": ', GEO, "annex-unreadable"),
    "deep JSON": (b'{"type":' + b"[" * 100_000, GEO, "annex-unreadable"),
    "a line": (b'{"type": "LineString", "coordinates": [[0, 0], [1, 1]]}', GEO, "annex-geometry"),
    "no feature": (b'{"type": "FeatureCollection", "features": []}', GEO, "annex-geometry"),
    "not closed": (a_parcel(((0, 0), (9, 0), (9, 9), (0, 9))), GEO, "annex-geometry"),
    "no extent": (a_parcel(((0, 0), (9, 0), (5, 0), (0, 0))), GEO, "annex-geometry"),
    "not a number": (
        b'{"type": "Polygon", "coordinates": [[[NaN, 0], [1, 0], [1, 1], [NaN, 0]]]}',
        GEO,
        "annex-geometry",
    ),
    "too many points": (a_parcel([(i, i * i) for i in range(2100)] + [(0, 0)]), GEO, "annex-too-complex"),
}


@pytest.mark.parametrize(("content", "media_type", "code"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_printed_right_is_refused(refusal, content, media_type, code):
    """With a code, naming the annex: never a traceback, never half a map."""
    assert refusal(a_content("certificate", an_annex(content, media_type))) == [("annexes.0", code)]


def test_a_bomb_is_stopped_while_it_inflates():
    """A thousandth of it is in the file; no more than the allowance is ever unpacked."""
    with pikepdf.new() as pdf:
        stream = pdf.make_stream(zlib.compress(b" " * 3_000_000))
        stream.Filter = pikepdf.Name.FlateDecode
        StreamCheck(3_000_000).check(stream)
        with pytest.raises(BadAnnex):
            StreamCheck(2_000_000).check(stream)


def test_together_annexes_may_not_exceed_what_a_hall_reads():
    form = a_pdf()
    with pytest.raises(TooManyObjects):
        assemble(a_pdf(), 60, [Inset(0, form, 0, Rect(0, 0, 210, 297))], plain_size=(210, 297), most_objects=50)


def test_two_annexes_stay_apart_in_a_reader_that_joins_streams_without_space():
    """`Q` and `q` joined to `Qq` once put the plan into the map, on paper only."""
    insets = [Inset(0, a_pdf(), 0, Rect(0, top, 100, 100)) for top in (0, 150)]

    whole = assemble(a_pdf(), 0, insets, plain_size=(210, 297))

    with pikepdf.open(BytesIO(whole)) as pdf:
        streams = [stream.read_bytes() for stream in pdf.pages[0].Contents]
    assert all(one[-1:].isspace() or two[:1].isspace() for one, two in pairwise(streams))


@pytest.mark.parametrize("media_type", [PDF, PNG, JPEG, TIFF, GEO])
def test_the_bytes_must_be_what_is_said(refusal, media_type):
    other = saved(an_image(), "GIF") if media_type != GEO else b"[1, 2]"

    assert refusal(a_content("certificate", an_annex(other, media_type))) == [
        ("annexes.0.media_type", "annex-type-differs")
    ]


def test_an_unknown_type_is_refused(refusal):
    annex = AnnexFile("parcel_map", "map.dwg", "image/vnd.dwg", b"AC1032")
    assert refusal(a_content("certificate", annex)) == [("annexes.0.media_type", "annex-type")]


def test_a_list_is_not_given_as_geometry(refusal):
    annex = an_annex(a_parcel(), GEO, "collateral_list")
    assert refusal(a_content("certificate", annex)) == [("annexes.0.media_type", "annex-type")]


def test_a_proof_has_no_place_for_a_map(refusal):
    assert refusal(a_content("proof", an_annex(a_pdf()))) == [("annexes.0.role", "role-not-allowed")]


def test_a_second_map_has_no_place(refusal):
    content = a_content("certificate", an_annex(a_pdf()), an_annex(a_pdf()))
    assert refusal(content) == [("annexes.1.role", "role-not-allowed")]


def test_each_bad_annex_is_named(refusal):
    content = a_content("certificate", an_annex(a_pdf(font="Helvetica")), an_annex(b"?", PNG, "unit_plan"))
    assert refusal(content) == [("annexes.0", "font-not-embedded"), ("annexes.1.media_type", "annex-type-differs")]


def test_a_font_inside_a_form_must_be_embedded_too(refusal):
    """Resources hide fonts at any depth."""

    def bury(pdf):
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name("/Times-Roman")
        )
        form = pdf.make_stream(b"BT /F1 9 Tf (x) Tj ET")
        form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        form.BBox, form.Resources = pikepdf.Array([0, 0, 9, 9]), pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        pdf.pages[0].add_resource(form, pikepdf.Name.XObject)

    assert refusal(a_content("certificate", an_annex(changed_pdf(a_pdf(), bury)))) == [
        ("annexes.0", "font-not-embedded")
    ]


def loaded_with_tricks(pdf):
    """All that a PDF can carry beside its drawing."""
    script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    page = pdf.pages[0].obj
    pdf.Root.OpenAction = script
    page.AA = pikepdf.Dictionary(O=script)
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=pikepdf.Array([0, 0, 9, 9]))
    link.A = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="http://example")
    page.Annots = pikepdf.Array([pdf.make_indirect(link)])
    group = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="shown"))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=pikepdf.Array([group]), D=pikepdf.Dictionary())
    form = pdf.make_stream(b"0 0 9 9 re f")
    form.Type, form.Subtype, form.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, pikepdf.Array([0, 0, 9, 9])
    form.OC, form.AA, form.PieceInfo = group, pikepdf.Dictionary(O=script), pikepdf.Dictionary(A=script)
    # A form may well be named /P or /A: names are no actions.
    page.Resources.XObject = pikepdf.Dictionary(P=form, A=form)
    page.Resources.Properties = pikepdf.Dictionary(MC0=group)
    content = b"/OC /MC0 BDC q /P Do Q EMC\n" + page.Contents.read_bytes()
    page.Contents = pdf.make_stream(content)
    pdf.attachments["trick.exe"] = b"MZ"


def test_nothing_but_the_drawing_is_carried_over(renderer):
    printed = renderer.print_document(a_content("certificate", an_annex(changed_pdf(a_pdf(), loaded_with_tricks)))).pdf

    with pikepdf.open(BytesIO(printed)) as document:
        plain = document_without_streams(document)
    for trace in (b"/JS", b"/AA ", b"/URI", b"/OC", b"OCG", b"/EF", b"/Annot", b"/PieceInfo", b"trick"):
        assert trace not in plain, trace
    assert "Parcel" in text_of(printed, "-f", "3")
    assert len(raster(printed, 3, 40).getcolors()) > 1


def document_without_streams(document: pikepdf.Pdf) -> bytes:
    return b"\n".join(value.unparse(resolved=True) for value in document.objects)


def test_annotations_that_are_left_out_are_said(renderer):
    """A stamp on the map would be missed: somebody should look."""

    def stamp(pdf):
        drawing = pdf.make_stream(b"0 0 9 9 re f")
        annotation = pikepdf.Dictionary(Subtype=pikepdf.Name.Stamp, Rect=pikepdf.Array([0, 0, 9, 9]))
        annotation.AP = pikepdf.Dictionary(N=drawing)
        pdf.pages[0].obj.Annots = pikepdf.Array([pdf.make_indirect(annotation)])

    warnings = renderer.print_document(a_content("certificate", an_annex(changed_pdf(a_pdf(), stamp)))).warnings
    assert [(warning.field, str(warning.code)) for warning in warnings] == [("annexes.0", "annex-annotations")]


@pytest.mark.parametrize("trick", [lambda pdf: None, loaded_with_tricks], ids=["plain", "loaded with tricks"])
def test_what_we_accept_a_hall_accepts(renderer, tmp_path, trick):
    """After the 201 no annex may make a hall refuse the sealed document."""
    content = a_content("certificate", an_annex(changed_pdf(a_pdf(), trick)), an_annex(a_pdf(), role="attachment"))
    rendered = renderer.print_document(content)

    sealed = Office.create(tmp_path).order(pdf=rendered.pdf, passes=rendered.passes)

    sizes = [(round(side.width_mm, 2), round(side.height_mm, 2)) for side in read_document(sealed.document).page_sizes]
    assert sizes == [(332, 239)] * 3 + [(210, 297)]
