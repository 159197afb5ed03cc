"""Overprinting is a matter of tenths of a millimetre: places measured on the raster, against the template."""

from dataclasses import replace
from datetime import date

import pytest
from fontTools.ttLib import TTFont

from spooler.render import Number, find_templates
from spooler.render.fonts import CHAIN, FONT_DIRECTORY
from spooler.render.template import load_templates
from spooler.wire.messages import Seal

from .builders import MM, a_content, ink_box, only, raster

TEMPLATES = load_templates(find_templates())
BOXES = [(template, key) for template in TEMPLATES.values() for key in template.boxes]
TOLERANCE_MM = 0.15
DPI = 600


@pytest.fixture(scope="module")
def ink_of():
    """Return a character's ink in mm around its origin, y down, from the font file itself."""
    font = TTFont(FONT_DIRECTORY / CHAIN[0].path, lazy=True)
    unit, table, cmap = font["head"].unitsPerEm, font["glyf"], font.getBestCmap()

    def of(character: str, size: float) -> tuple[float, float, float, float]:
        glyph = table[cmap[ord(character)]]
        edges = (glyph.xMin, -glyph.yMax, glyph.xMax, -glyph.yMin)
        return tuple(edge / unit * size / MM for edge in edges)

    return of


def page_of(template, on: str) -> int:
    return [sheet.name for sheet in template.passes].index(on) + 1


@pytest.mark.parametrize(("template", "key"), BOXES, ids=[f"{template.name}-{key}" for template, key in BOXES])
def test_a_field_stands_where_its_box_is(renderer, ink_of, template, key):
    """Its first character begins at the padding; a row's text is centred in its height, other text begins at the top."""
    box = template.boxes[key]
    pdf = renderer.print_document(only(template.kind, **{key: "国"})).pdf
    # On plain paper the box's own edges are printed.
    edge = 0.5 if template.form else 0.0
    part = (box.x + edge, box.y + edge, box.width - 2 * edge, box.height - 2 * edge)

    inside = ink_box(raster(pdf, page_of(template, box.on), DPI, box=part), DPI)
    left, top, right, bottom = (value + edge for value in inside)

    ink = ink_of("国", box.size)
    line = box.size * template.type.leading / MM
    above = (box.height - line) / 2 if box.vertical == "middle" else box.padding
    baseline = above + ((template.type.leading - 1) / 2 + 0.88) * box.size / MM
    expected = (box.padding + ink[0], baseline + ink[1], box.padding + ink[2], baseline + ink[3])
    assert (left, top, right, bottom) == pytest.approx(expected, abs=TOLERANCE_MM)


@pytest.mark.parametrize("kind", ["certificate", "proof"])
@pytest.mark.parametrize("key", ["province", "year", "place", "sequence"])
def test_the_number_stands_on_its_line(renderer, ink_of, kind, key):
    """Each of its four parts stands on the baseline, in the middle of its own room."""
    template = TEMPLATES[f"{kind}/1"]
    line = template.lines[key]
    content = replace(only(kind), number=Number("国", 1111, "国", "1111"))
    part = (line.x, line.baseline - 6, line.width, 8)

    found = ink_box(raster(renderer.print_document(content).pdf, page_of(template, line.on), DPI, box=part), DPI)

    character = "国" if key in ("province", "place") else "1"
    ink = ink_of(character, line.size)
    assert found[3] == pytest.approx(6 + ink[3], abs=TOLERANCE_MM)
    if character == "国":
        middle = (line.width - line.size / MM) / 2
        assert found[0] == pytest.approx(middle + ink[0], abs=TOLERANCE_MM)


@pytest.mark.parametrize("kind", ["certificate", "proof"])
@pytest.mark.parametrize(("key", "right"), [("booked_year", 0), ("booked_month", 1), ("booked_day", 2)])
def test_the_date_ends_before_its_words(renderer, kind, key, right):
    """年, 月 and 日 are on the blank: the digits end where domain geometry says."""
    edges = {"certificate": (264, 278.7, 293), "proof": (92.5, 105.5, 118.5)}[kind]
    line = TEMPLATES[f"{kind}/1"].lines[key]
    assert line.x + line.width == pytest.approx(edges[right])
    content = replace(only(kind), booked_on=date(2024, 12, 24))
    part = (line.x, line.baseline - 6, line.width + 4, 8)

    found = ink_box(raster(renderer.print_document(content).pdf, dpi=DPI, box=part), DPI)

    assert line.width - 0.5 < found[2] < line.width + TOLERANCE_MM


def test_the_seal_is_a_circle_in_its_place(renderer):
    seal = TEMPLATES["certificate/1"].seal
    content = replace(only(), seal=Seal.PRINTED, booked_on=date(1111, 11, 11))
    part = (seal.x - 25, seal.y - 25, 50, 50)

    pdf = renderer.print_document(content).pdf
    found = ink_box(raster(pdf, dpi=300, box=part), 300, darker_than=200)

    left, top, right, bottom = found
    radius = seal.diameter / 2
    assert (top, bottom) == pytest.approx((25 - radius, 25 + radius), abs=0.3)
    assert right == pytest.approx(25 + radius, abs=0.3)
    assert left < 25 - radius + 0.3  # the year's digits may stand out of it on this side


def test_a_stamped_seal_leaves_its_place_empty(renderer):
    """The hall stamps it by hand; nothing red is on the paper."""
    for seal, is_red in ((Seal.PRINTED, True), (Seal.STAMPED, False)):
        page = raster(renderer.print_document(a_content(seal=seal)).pdf, dpi=60, colour=True)
        red = [(r, g) for r, g, _ in page.get_flattened_data() if r > 150 and g < 100]
        assert bool(red) is is_red
