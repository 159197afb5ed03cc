"""Annexes on paper: never stretched, true to the scale that their source states, their own bytes, and no smaller than can be read."""

import zlib
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import pairwise

import pikepdf
import pytest
from PIL import Image

from spooler.errors import Code
from spooler.render import RenderCode, Renderer, find_templates
from spooler.render.annex.normal import normalise
from spooler.render.annex.place import NOTE_MM, Rect, Want, contain_above_note, divide, keeps_size
from spooler.render.annex.values import BadAnnex, Side
from spooler.render.electronic import ElectronicRenderer
from spooler.render.template import load_templates
from spooler.sandbox import samples
from spooler.seal.electronic import seal_electronic
from tests.sealing import Office

from .builders import a_content, a_pdf, an_annex, an_image, changed_pdf, raster, saved, text_of

FRAME = load_templates(find_templates())["certificate/1"].frame
PDF, PNG, JPEG, TIFF = "application/pdf", "image/png", "image/jpeg", "image/tiff"
POINT = 25.4 / 72


def rendered(renderer, *annexes, kind="certificate"):
    return renderer.print_document(a_content(kind, *annexes))


def codes(renderer, *annexes, kind="certificate") -> list[tuple[str, str]]:
    return [(found.field, str(found.code)) for found in rendered(renderer, *annexes, kind=kind).warnings]


def note_of(renderer, *annexes) -> str:
    return text_of(rendered(renderer, *annexes).pdf, "-raw", "-f", "3", "-l", "3")


# The shape: read off the matrices that the printer gets


def times(one, two):
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


@dataclass(frozen=True)
class Drawn:
    """A form or an image, and the matrix from its own space to the paper's."""

    name: str
    matrix: tuple[float, ...]
    pixels: tuple[int, int] | None

    @property
    def aspect_error(self) -> float:
        """Return by how much a unit across differs from a unit down: of the form's own, or of pixels."""
        a, b, c, d, _, _ = self.matrix
        across, down = self.pixels or (1, 1)
        assert a * b == 0 and c * d == 0, "turned by other than quarters"
        return abs((abs(a) + abs(b)) / across / ((abs(c) + abs(d)) / down) - 1)


def placed(pdf: bytes, page: int) -> list[Drawn]:
    """Return all that a page draws from elsewhere, at any depth."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return _placed(document.pages[page - 1])


def _placed(page) -> list[Drawn]:
    found = []

    def walk(stream, resources, matrix):
        stack = []
        for operands, operator in pikepdf.parse_content_stream(stream, "q Q cm Do"):
            if str(operator) == "q":
                stack.append(matrix)
            elif str(operator) == "Q":
                matrix = stack.pop()
            elif str(operator) == "cm":
                matrix = times([float(value) for value in operands], matrix)
            else:
                drawn = resources.XObject[str(operands[0])]
                inner = times([float(v) for v in drawn.get("/Matrix", [1, 0, 0, 1, 0, 0])], matrix)
                is_image = drawn.Subtype == "/Image"
                found.append(
                    Drawn(str(operands[0]), inner, (int(drawn.Width), int(drawn.Height)) if is_image else None)
                )
                if drawn.Subtype == "/Form":
                    walk(drawn, drawn.get("/Resources", pikepdf.Dictionary()), inner)

    walk(page, page.Resources, (1, 0, 0, 1, 0, 0))
    return found


SOURCES = {
    "A4": an_annex(a_pdf()),
    "A3, turned": an_annex(a_pdf((420, 297), rotate=90)),
    "upside down": an_annex(a_pdf((297, 210), rotate=180)),
    "of a third of a point": an_annex(a_pdf((211.337, 299.991))),
    "in other units": an_annex(changed_pdf(a_pdf(), lambda pdf: pdf.pages[0].obj.__setitem__("/UserUnit", 1.7))),
    "cropped": an_annex(changed_pdf(a_pdf(), lambda pdf: setattr(pdf.pages[0], "cropbox", [10.1, 20.2, 333.3, 700.7]))),
    "PNG": an_annex(saved(an_image("L", (997, 613)), "PNG"), PNG),
    "PNG of 300 dpi": an_annex(saved(an_image("L", (997, 613)), "PNG", dpi=(300, 300)), PNG),
    "turned JPEG": an_annex(saved(an_image("RGB", (613, 997)), "JPEG", exif=b"MM\0*\0\0\0\b\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"), JPEG),
    "TIFF": an_annex(saved(an_image("1", (2001, 1003)), "TIFF", compression="group4"), TIFF),
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
@pytest.mark.parametrize("scale", [None, 500])
def test_nothing_is_stretched(renderer, source, scale):
    """The aspect error of everything that is placed is 0: the figures themselves are equal, before any rounding by a printer."""
    drawn = placed(rendered(renderer, replace(source, scale=scale)).pdf, 3)

    assert drawn
    for each in drawn:
        assert each.aspect_error < 1e-12, each


@pytest.mark.parametrize("role", ["unit_plan", "attachment"])
def test_nothing_is_stretched_on_the_electronic_face_either(role):
    """Also where an archive wants a picture of it, whose dots never come out even."""
    faces = ElectronicRenderer(find_templates(), read=normalise)
    cmyk = an_annex(saved(an_image("CMYK", (613, 997)), "JPEG"), JPEG, role)
    odd = an_annex(changed_pdf(a_pdf((211.3, 133.7)), lambda pdf: pdf.pages[0].contents_add(b"0 1 1 0 k")), PDF, role)
    for annex in (cmyk, odd):
        for each in placed(faces.draw(a_content("certificate", annex)), 2):
            assert each.aspect_error < 1e-12, each


def test_a_picture_for_the_archive_keeps_its_pixels():
    """Neither more nor fewer: a CMYK picture is turned to RGB dot by dot."""
    faces = ElectronicRenderer(find_templates(), read=normalise)
    annex = an_annex(saved(an_image("CMYK", (613, 997)), "JPEG"), JPEG, "unit_plan")

    assert (613, 997) in {each.pixels for each in placed(faces.draw(a_content("certificate", annex)), 2)}


# The scale


def test_a_map_of_a_stated_scale_keeps_its_size(renderer):
    """100 mm of a map 1:500 are 100 mm on paper: 50 m of ground."""
    annex = replace(an_annex(a_pdf((120, 150))), scale=500)
    pdf = rendered(renderer, annex).pdf

    matrix = placed(pdf, 3)[0].matrix
    assert matrix[0] == matrix[3] == 1
    assert "比例尺1:500" in text_of(pdf, "-raw", "-f", "3")
    assert codes(renderer, annex) == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
def test_a_picture_of_a_stated_scale_keeps_the_size_of_its_pixels(renderer, kind):
    """Its resolution makes it so large: 600 dots of 200 to the inch are 76.2 mm."""
    annex = an_annex(saved(an_image("L", (600, 800)), kind, dpi=(200, 200)), f"image/{kind.lower()}", "unit_plan")
    pdf = rendered(renderer, replace(annex, scale=200)).pdf

    (image,) = [each.matrix for each in placed(pdf, 3) if each.pixels]
    assert (image[0] * POINT, image[3] * POINT) == pytest.approx((76.2, 101.6), rel=1e-5)
    assert "比例尺1:200" in text_of(pdf, "-raw", "-f", "3")


def test_what_states_no_scale_is_said_to_have_none(renderer):
    assert "不按比例" in note_of(renderer, an_annex(a_pdf((120, 150))))
    assert "比例尺" not in note_of(renderer, an_annex(a_pdf((120, 150))))


NOT_KEPT = {
    "larger than the frame": an_annex(a_pdf()),
    "as large as the frame, no room for the note": an_annex(a_pdf((125.4, 190.1))),
    "pixels of no stated size": an_annex(saved(an_image("L"), "PNG"), PNG),
    "pixels of no size but EXIF": SOURCES["turned JPEG"],
}


@pytest.mark.parametrize("annex", NOT_KEPT.values(), ids=NOT_KEPT.keys())
def test_a_scale_that_cannot_be_kept_is_told_and_not_printed(renderer, annex):
    """A false scale on a certificate would be measured from for decades."""
    stated = replace(annex, scale=500)

    assert "不按比例" in note_of(renderer, stated) and "1:500" not in note_of(renderer, stated)
    assert ("annexes.0", "annex-not-to-scale") in codes(renderer, stated)


@pytest.mark.parametrize(("kind", "options"), [
    ("PNG", {"dpi": (204, 98)}),
    ("JPEG", {"dpi": (204, 98)}),
    ("TIFF", {"dpi": (204, 98), "compression": "group4"}),
])  # fmt: skip
def test_pixels_that_are_not_square_are_refused(refusal, kind, options):
    """Such as a fax's: as squares, a house would be twice as long as it is wide."""
    image = saved(an_image("1" if kind == "TIFF" else "L"), kind, **options)
    annex = an_annex(image, f"image/{kind.lower()}", "unit_plan")
    assert refusal(a_content("certificate", annex)) == [("annexes.0", "annex-distorted")]


def test_the_note_stands_below_its_map_and_not_on_it(renderer):
    for size in ((120, 150), (125.4, 190.1), (210, 297), (400, 100)):
        room = Rect(0, 0, FRAME.width, FRAME.height)
        rect = contain_above_note(Side(*size), room)
        assert rect.y + rect.height + NOTE_MM <= room.height + 1e-9
        assert rect.width / rect.height == pytest.approx(size[0] / size[1])
        assert rect.x + rect.width / 2 == pytest.approx(room.width / 2)


def test_the_frame_is_cut_where_both_are_as_large_as_can_be():
    """A wide map and a square plan: the plan gets the larger part; equal ones get halves."""
    frame = Rect(0, 0, 125.4, 190.1)
    map_room, plan_room = divide(frame, [Side(300, 100), Side(200, 200)])

    assert map_room.width == plan_room.width == frame.width
    assert plan_room.height > 1.5 * map_room.height
    areas = [
        box.width * box.height
        for box in map(contain_above_note, (Side(300, 100), Side(200, 200)), (map_room, plan_room))
    ]
    halves = divide(frame, [Side(200, 200), Side(200, 200)])
    assert min(areas) > 41 * 125
    assert halves[0].height == halves[1].height


def test_the_frame_is_cut_where_a_scale_is_kept():
    """A map 1:500 of 120 × 110 mm does not fit a half; it gets as much as it needs."""
    frame = Rect(0, 0, 125.4, 190.1)
    true = Want(Side(120, 110), keeps_size=True)

    rooms = divide(frame, [true, Side(200, 200)])
    assert keeps_size(true.side, rooms[0])
    for one, other in pairwise(rooms):
        assert one.y + one.height <= other.y or one.x + one.width <= other.x


# Lettering


def lettered(size: float, *, mode: int = 0, matrix: str = "1 0 0 1 30 30", unit: float = 1, form: float = 1) -> bytes:
    """Return an A4 page with a text of 12 points, and one more of this size, mode and matrix, inside a form of this scale."""

    def add(pdf):
        page = pdf.pages[0]
        font = next(iter(page.Resources.Font.keys()))
        inner = pdf.make_stream(f"BT {font} {size} Tf {mode} Tr {matrix} Tm (A) Tj ET".encode())
        inner.Type, inner.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        inner.BBox, inner.Matrix = pikepdf.Array([0, 0, 999, 999]), pikepdf.Array([form, 0, 0, form, 0, 0])
        inner.Resources = page.Resources
        page.obj.Resources.XObject = pikepdf.Dictionary(Small=pdf.make_indirect(inner))
        page.contents_add(b"q /Small Do Q")
        page.obj.UserUnit = unit

    return changed_pdf(a_pdf((100, 100)), add)


@pytest.mark.parametrize(
    ("content", "points"),
    [
        (lettered(9), 9),
        (lettered(4), 4),
        (lettered(1, matrix="5 0 0 5 30 30"), 5),
        (lettered(1, matrix="0 5 -5 0 30 30"), 5),
        (lettered(10, matrix="1 0 0 0.5 30 30"), 5),
        (lettered(10, form=0.4), 4),
        (lettered(4, unit=2), 8),
        (lettered(2, mode=3), 9),
        (a_pdf((100, 100), rotate=90), 9),
    ],
    ids=["larger", "small", "by its matrix", "upwards", "flat", "in a form", "in other units", "unseen", "turned"],
)
def test_the_smallest_lettering_of_a_page_is_measured(content, points):
    """By the size of its font under all matrices; `Parcel`, which every page has, is of 9 points."""
    (found,) = normalise(an_annex(content)).lettering
    assert found == pytest.approx(points * POINT)


def test_a_page_without_text_says_nothing():
    blank = changed_pdf(
        a_pdf(), lambda pdf: pdf.pages[0].obj.__setitem__("/Contents", pdf.make_stream(b"0 0 9 9 re f"))
    )
    assert normalise(an_annex(blank)).lettering == (None,)


def test_lettering_that_becomes_too_small_to_read_is_told(renderer):
    """4.3 points are 1.5 mm: an A3 map, shrunk to a third, brings its 9 points below that."""
    assert codes(renderer, an_annex(a_pdf((420, 297)))) == [("annexes.0", "annex-small")]
    assert codes(renderer, an_annex(a_pdf((210, 297)))) == []
    assert codes(renderer, an_annex(lettered(4))) == [("annexes.0", "annex-small")]


def test_a_list_that_is_shrunk_to_plain_paper_is_told_too(renderer):
    list_of_a2 = an_annex(a_pdf((420, 594), pages=2), role="attachment")
    assert codes(renderer, list_of_a2, kind="proof") == []
    list_of_a0 = an_annex(a_pdf((841, 1189), pages=2), role="attachment")
    assert codes(renderer, list_of_a0, kind="proof") == [("annexes.0", "annex-small")] * 2


def test_of_a_picture_is_told_what_can_be_known(renderer):
    """A4 of 300 dpi is printed at less than three fifths: lettering of 2.5 mm falls below 1.5. Without a resolution nobody knows."""
    scan = Image.new("L", (2480, 3508), "white")
    assert codes(renderer, an_annex(saved(scan, "PNG", dpi=(300, 300)), PNG)) == [("annexes.0", "annex-small")]
    assert codes(renderer, an_annex(saved(scan, "PNG"), PNG)) == []


# Bytes


def idat(png: bytes) -> bytes:
    data, at = b"", 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += length + 12
    return data


def strip(tiff: bytes) -> bytes:
    with Image.open(BytesIO(tiff)) as image:
        return tiff[image.tag_v2[273][0] :][: image.tag_v2[279][0]]


def drawing(mode: str) -> Image.Image:
    """Return something that no two encoders write alike."""
    image = Image.effect_noise((640, 480), 60).convert("RGB")
    image.paste((200, 30, 30), (50, 50, 300, 200))
    return image.convert(mode)


def jpeg(mode: str) -> bytes:
    return saved(drawing(mode), "JPEG", quality=83)


PASSED = {
    "JPEG, grey": (jpeg("L"), JPEG, lambda source: source),
    "JPEG, colour": (jpeg("RGB"), JPEG, lambda source: source),
    "JPEG, progressive": (saved(drawing("RGB"), "JPEG", progressive=True), JPEG, lambda source: source),
    "PNG, bilevel": (saved(drawing("1"), "PNG"), PNG, idat),
    "PNG, grey": (saved(drawing("L"), "PNG"), PNG, idat),
    "PNG, palette": (saved(drawing("P"), "PNG"), PNG, idat),
    "PNG, colour": (saved(drawing("RGB"), "PNG"), PNG, idat),
    "TIFF, G4": (saved(drawing("1"), "TIFF", compression="group4"), TIFF, strip),
}


@pytest.mark.parametrize(("source", "media_type", "own_data"), PASSED.values(), ids=PASSED.keys())
def test_the_samples_of_a_picture_are_those_of_its_source(renderer, tmp_path, source, media_type, own_data):
    """In the sealed file of the hall and in the sealed electronic certificate: the very bytes, not only the same pixels."""
    content = a_content("certificate", an_annex(source, media_type, "unit_plan"))
    office = Office.create(tmp_path)
    printed = renderer.print_document(content)
    sealed = office.order(pdf=printed.pdf, passes=printed.passes).document
    face = ElectronicRenderer(find_templates(), read=normalise).draw(content)
    electronic = seal_electronic(face, {"v": 1}, office.seal_key())

    for document in (sealed, electronic):
        data, shown = image_of(document)
        assert data == own_data(source)
        assert shown.convert("RGB").tobytes() == opened(source).convert("RGB").tobytes()


def image_of(document: bytes) -> tuple[bytes, Image.Image]:
    """Return the one image of a file, as it is stored and as it is seen."""
    with pikepdf.open(BytesIO(document)) as pdf:
        streams = [value for value in pdf.objects if isinstance(value, pikepdf.Stream)]
        (image,) = [value for value in streams if value.get("/Subtype") == "/Image"]
        return image.read_raw_bytes(), pikepdf.PdfImage(image).as_pil_image()


def test_what_cannot_pass_through_loses_nothing():
    """A TIFF of several strips, or packed in a way that PDF does not have."""
    for options in (
        {"compression": "group4", "strip_size": 4096},
        {"compression": "group3"},
        {"compression": "packbits"},
    ):
        source = saved(drawing("1"), "TIFF", **options)
        _, shown = image_of(normalise(an_annex(source, TIFF)).pdf)
        assert shown.convert("1").tobytes() == opened(source).tobytes()


def opened(source: bytes) -> Image.Image:
    with Image.open(BytesIO(source)) as image:
        image.load()
        return image.copy()


def test_a_fax_is_black_on_white_whichever_it_calls_black(renderer):
    """TIFF has two words for it, and PDF a third."""
    for photometric in (0, 1):
        source = saved(an_image("1"), "TIFF", compression="group4", tiffinfo={262: photometric})
        shown = raster(normalise(an_annex(source, TIFF)).pdf, dpi=25)
        expected = opened(source).convert("L").resize(shown.size)
        assert shown.getpixel((5, 5)) == pytest.approx(expected.getpixel((5, 5)), abs=60)
        assert shown.getpixel((shown.width - 5, shown.height - 5)) == pytest.approx(
            expected.getpixel((shown.width - 5, shown.height - 5)), abs=60
        )


# Colour


def grey_frame(tmp_path) -> Renderer:
    """Return a renderer whose own template asks for grey."""
    own = tmp_path / "own" / "certificate" / "1"
    own.mkdir(parents=True)
    for file in (find_templates() / "certificate" / "1").iterdir():
        text = file.read_bytes()
        (own / file.name).write_bytes(text.replace(b"[frame]\n", b'[frame]\ncolour = "grey"\n'))
    return Renderer(find_templates(), own=tmp_path / "own", read=normalise)


def colours(pdf: bytes) -> set[bool]:
    shown = raster(pdf, 3, 60, colour=True).convert("RGB")
    return {max(pixel) - min(pixel) > 3 for pixel in shown.get_flattened_data()}


COLOURED = {
    "JPEG": an_annex(jpeg("RGB"), JPEG, "unit_plan"),
    "PNG": an_annex(saved(drawing("P"), "PNG"), PNG, "unit_plan"),
    "PDF": an_annex(changed_pdf(a_pdf(), lambda pdf: pdf.pages[0].contents_add(b"1 0 0 rg 99 99 200 200 re f 0 1 1 0 k 9 9 80 80 re f"))),
}  # fmt: skip


@pytest.mark.parametrize("annex", COLOURED.values(), ids=COLOURED.keys())
def test_colour_is_turned_to_what_the_template_wants(renderer, tmp_path, annex):
    """The sealed document itself is grey, so that no printer decides; and the picture's bytes are still its own."""
    content = a_content("certificate", annex)
    grey = grey_frame(tmp_path).print_document(content).pdf

    assert True in colours(renderer.print_document(content).pdf)
    assert colours(grey) == {False}
    if annex.media_type == JPEG:
        assert annex.content in grey


def test_grey_keeps_how_light_a_colour_is(tmp_path):
    """Yellow stays light and blue dark."""
    stripes = Image.new("RGB", (300, 300), "yellow")
    stripes.paste("blue", (0, 150, 300, 300))
    annex = an_annex(saved(stripes, "PNG"), PNG, "unit_plan")

    shown = raster(grey_frame(tmp_path).print_document(a_content("certificate", annex)).pdf, 3, 60, colour=True)
    x = round((FRAME.x + FRAME.width / 2) / 25.4 * 60)
    y = round((FRAME.y + FRAME.height / 2) / 25.4 * 60)
    assert shown.convert("RGB").getpixel((x, y - 30))[0] > 200
    assert shown.convert("RGB").getpixel((x, y + 30))[0] < 60


def test_a_bomb_of_text_is_not_followed_for_ever():
    """What is too much to measure is simply not known."""
    content = b"BT /F1 9 Tf " + b"(a) Tj " * 100_100 + b"ET"

    def add(pdf):
        stream = pdf.make_stream(zlib.compress(content))
        stream.Filter = pikepdf.Name.FlateDecode
        pdf.pages[0].obj.Contents = stream

    assert normalise(an_annex(changed_pdf(a_pdf(), add))).lettering == (None,)


def test_the_own_samples_state_what_is_said_of_them():
    """The plans have a resolution, the map a page."""
    for name, media_type in (("plan-grey.png", PNG), ("plan-colour.jpg", JPEG), ("plan-black.tif", TIFF)):
        annex = an_annex((samples.directory() / "annexes" / name).read_bytes(), media_type, "unit_plan")
        own = normalise(annex).own_size
        assert own is not None and (own.width, own.height) == pytest.approx((125.4, 190.1), abs=0.3)


def test_annexes_that_were_refused_are_still_refused():
    with pytest.raises(BadAnnex):
        normalise(an_annex(b"?", PNG))


def test_every_code_of_this_room_is_one_that_the_home_tells_of():
    """docs/errors.md is made from the home's list: what is not in it would be nowhere."""
    assert {code.value for code in RenderCode} <= {code.value for code in Code}
