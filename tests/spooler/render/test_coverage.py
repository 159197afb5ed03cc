"""Every ideograph that the law knows prints, and reads back as itself. The long forms run by `make bench`."""

from collections import Counter
from hashlib import sha256
from io import BytesIO

import pypdf
import pytest
from fontTools.ttLib import TTFont

from spooler.render import find_templates
from spooler.render.characters import check_characters
from spooler.render.fonts import CHAIN, FONT_DIRECTORY, shared_faces
from spooler.render.layout import lay_out
from spooler.render.template import load_templates

from .builders import only, raster, text_of
from .standard import level_3, standard_characters

TEMPLATE = load_templates(find_templates())["certificate/1"]
FACES = shared_faces()
# The notes hold 49 lines of 55 ideographs at the floor.
A_PAGE = 2600
NUMBER_LINE = "黑2024望奎县0001234"
RARE = "㛃䶮𬭎𬬭𫖯𣲗𡋾𬀩𠅤𫚖"


def pages_of(text):
    return [text[i : i + A_PAGE] for i in range(0, len(text), A_PAGE)]


def test_the_lists_are_what_they_say():
    """8,105 characters of three levels, 196 of them beyond the BMP; 87,887 ideographs, each once."""
    characters = standard_characters()

    assert (len(characters), len(set(characters))) == (8105, 8105)
    assert sum(ord(character) > 0xFFFF for character in characters) == 196
    assert (characters[0], characters[3499], characters[6499], characters[8104]) == ("一", "矗", "齉", "蠼")
    assert set(characters) < set(level_3()) and len(set(level_3())) == len(level_3()) == 87_887


def test_the_chain_covers_level_3():
    """87,887 of 87,887, each with a glyph that leaves ink, and none refused."""
    refused, noted = check_characters("holder", level_3(), FACES)

    assert refused == []
    faces = Counter(FACES.runs(character)[0].face for character in level_3())
    assert sum(faces.values()) == 87_887 and set(faces) == {file.name for file in CHAIN}
    assert len(noted) == 87_887 - faces["LXGW WenKai"]


def test_each_standard_character_is_in_the_first_face_or_is_said():
    """通用规范汉字表 in one face: a name does not change its hand in the middle."""
    _, noted = check_characters("holder", standard_characters(), FACES)

    assert [finding.message[1] for finding in noted] == []


def test_each_standard_character_is_drawn_and_reads_back(renderer):
    """8,105 of 8,105: extracted by pdftotext in their order; and each has ink of its own on the raster."""
    found, inkless = "", []
    for text in pages_of(standard_characters()):
        content = only(notes=text)
        pdf = renderer.print_document(content).pdf
        found += notes_of(pdf)
        inkless += without_ink(content, raster(pdf, 2, 200))

    assert found == standard_characters()
    assert inkless == []


def part_of(pdf, page):
    """Return one page of the document."""
    writer = pypdf.PdfWriter()
    writer.add_page(pypdf.PdfReader(BytesIO(pdf)).pages[page - 1])
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def notes_of(pdf):
    """Return what is read from the second spread after its number line."""
    found = text_of(part_of(pdf, 2))
    assert found.startswith(NUMBER_LINE)
    return found.removeprefix(NUMBER_LINE)


def without_ink(content, page):
    """Return the characters whose place on the page is white."""
    per_point = 200 / 72
    (notes,) = [placed for placed in lay_out(content, TEMPLATE, FACES).texts if placed.field == "fields.notes"]
    missing = []
    for line in notes.lines:
        x = line.x
        for character in line.text:
            width = FACES.width(character) * notes.size
            cell = (x, line.baseline - 0.8 * notes.size, x + width, line.baseline + 0.1 * notes.size)
            if page.crop(tuple(round(edge * per_point) for edge in cell)).getextrema()[0] > 128:
                missing.append(character)
            x += width
    return missing


@pytest.mark.parametrize("character", RARE)
def test_a_rare_name_reads_back_by_both_readers(renderer, character):
    """The ten of domain.md: by poppler and by pypdf, alone and beside others."""
    pdf = renderer.print_document(only(holder=f"王{character}", notes=RARE)).pdf

    assert f"王{character}" in text_of(pdf) and RARE in text_of(pdf)
    extracted = "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)
    assert f"王{character}" in extracted and RARE in extracted


@pytest.mark.parametrize("name", [file.name for file in CHAIN])
def test_the_outline_on_paper_is_the_one_of_the_face(renderer, name):
    """What is embedded draws each character as its font file does: no other glyph under the right code."""
    place = [file.name for file in CHAIN].index(name)
    theirs = [character for character in RARE + level_3()[::4000] if FACES.runs(character)[0].face == name][:12]
    pdf = renderer.print_document(only(holder="".join(theirs))).pdf
    source = TTFont(FONT_DIRECTORY / CHAIN[place].path, lazy=True)

    outlines = {outline(source, source.getBestCmap()[ord(character)]) for character in theirs}

    assert theirs and outlines <= embedded_outlines(pdf)


def outline(font, glyph):
    coordinates, ends, _ = font["glyf"][glyph].getCoordinates(font["glyf"])
    return sha256(repr((list(coordinates), list(ends))).encode()).hexdigest()


def embedded_outlines(pdf):
    found = set()
    for page in pypdf.PdfReader(BytesIO(pdf)).pages:
        for entry in page["/Resources"]["/Font"].values():
            program = entry.get_object()["/FontDescriptor"]["/FontFile2"].get_data()
            font = TTFont(BytesIO(program), lazy=True)
            found |= {outline(font, name) for name in font.getGlyphOrder() if font["glyf"][name].numberOfContours}
    return found


@pytest.mark.bench
@pytest.mark.parametrize("first", range(0, 87_887, 12_000))
def test_all_of_level_3_is_drawn_and_reads_back(renderer, first):
    """87,887 of 87,887 through the whole of rendering, by pdftotext."""
    wanted = level_3()[first : first + 12_000]

    found = "".join(notes_of(renderer.print_document(only(notes=text)).pdf) for text in pages_of(wanted))

    assert found == wanted
