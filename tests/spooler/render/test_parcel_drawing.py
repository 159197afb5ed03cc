"""宗地图 drawn by us: true to its scale, complete, and legible; no lettering on other lettering, on a line, or out of its room."""

import json
import statistics
from itertools import combinations, pairwise
from math import cos, dist, hypot, pi, radians, sin
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageChops

from spooler.render.annex.parcel import read_parcel
from spooler.render.annex.place import Rect
from spooler.render.annex.values import Role
from spooler.render.fonts import shared_faces
from spooler.render.parcel.labels import LINE_MM
from spooler.render.parcel.paper import RED, Taken
from spooler.render.parcel.points import boundaries_of
from spooler.render.parcel.scale import SCALES, ground
from spooler.render.parcel_drawing import draw_parcel
from spooler.render.sheets import Pages

from . import glyphs
from .builders import MM, a_content, an_annex, raster, text_of

FACES = shared_faces()
FRAME = Rect(21.4, 26.8, 125.4, 190.1)
EAST, NORTH = 42_512_340.0, 5_186_420.0
CODE = "231221203002JC00031W00000000"
AROUND = {"north": "道路", "east": "孙二宅", "south": "周六宅", "west": "村道"}
SQUARE = ((0, 0), (20, 0), (20, 30), (0, 30))
CONCAVE = ((0, 0), (40, 0), (40, 12), (18, 12), (18, 30), (44, 30), (44, 46), (0, 46))
STRIP = ((0, 0), (160, 22), (160.7, 26.5), (81, 17), (0.3, 4.1))
HOLE = ((5, 5), (15, 5), (15, 15), (5, 15))


def lots(*each, **properties) -> bytes:
    """Return a file of lots, each given by its rings."""
    features = [
        {
            "type": "Feature",
            "properties": {"unit_number": CODE, "neighbours": AROUND, **properties},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[EAST + x, NORTH + y] for x, y in (*ring, ring[0])] for ring in rings],
            },
        }
        for rings in each
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4530"}}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}).encode()


def parcel(*rings, **properties):
    return read_parcel(lots(rings, **properties), Role.PARCEL_MAP).parcel


def round_shape(count: int, radii) -> list[tuple[float, float]]:
    return [
        (r * cos(2 * pi * i / count), r * 0.7 * sin(2 * pi * i / count))
        for i, r in zip(range(count), radii, strict=True)
    ]


SIXTY = round_shape(60, [60 + 15 * ((7 * i) % 11 - 5) / 5 for i in range(60)])


THOUSANDS = round_shape(1990, [300 + 15 * (i % 2) for i in range(1990)])


def texts_of(drawing) -> list[str]:
    return [letter.text for letter in drawing.letters]


# Names


def test_points_are_named_clockwise_from_the_north_west():
    """Whatever the file begins with, and whichever way it runs."""
    for ring in (SQUARE, SQUARE[::-1], (*SQUARE[2:], *SQUARE[:2])):
        (boundary,) = boundaries_of(parcel(ring))
        assert [(x - EAST, y - NORTH) for x, y in boundary.points] == [(0, 30), (20, 30), (20, 0), (0, 0)]
        assert boundary.names == ("J1", "J2", "J3", "J4")


def test_a_hole_is_named_against_the_clock():
    """So the parcel is always on the right hand of who walks its boundary."""
    _, hole = boundaries_of(parcel(SQUARE, HOLE))

    assert [(x - EAST, y - NORTH) for x, y in hole.points] == [(5, 15), (5, 5), (15, 5), (15, 15)]
    assert hole.names == ("J5", "J6", "J7", "J8")


def test_a_point_of_two_lots_has_one_name():
    beside = ((20, 0), (40, 0), (40, 30), (20, 30))
    shared = read_parcel(lots((SQUARE,), (beside,)), Role.PARCEL_MAP).parcel

    one, other = boundaries_of(shared)
    assert one.names == ("J1", "J2", "J3", "J4")
    assert other.names == ("J2", "J5", "J6", "J3")


# Scale


@pytest.mark.parametrize("ring", [SQUARE, CONCAVE, STRIP, SIXTY])
def test_every_point_stands_where_its_coordinates_say(ring):
    """One scale for both axes, north up; the distance of any two points on paper is that on the ground."""
    source = parcel(ring)
    drawing = draw_parcel(source, FRAME, FACES)
    (line,) = [stroke.points for stroke in drawing.strokes if stroke.width == LINE_MM]
    (boundary,) = boundaries_of(source)

    for (paper_one, paper_two), (one, two) in zip(combinations(line, 2), combinations(boundary.points, 2), strict=True):
        assert dist(paper_one, paper_two) == pytest.approx(dist(one, two) * 1000 / drawing.scale, abs=1e-6)
    assert line[0][1] < max(y for _, y in line)


@settings(deadline=None, max_examples=50)
@given(st.floats(2, 2900), st.floats(2, 2900), st.floats(30, 260), st.floats(30, 260))
def test_the_scale_is_the_largest_round_one_that_fits(across, down, width, height):
    source, room = parcel(((0, 0), (across, 0), (across, down), (0, down))), Rect(0, 0, width, height)
    scale = ground(source, room).scale

    assert scale in SCALES
    assert across * 1000 / scale <= width + 1e-6 and down * 1000 / scale <= height + 1e-6
    larger = [other for other in SCALES if other < scale][-1:]
    assert all(across * 1000 / other > width - 1e-6 or down * 1000 / other > height - 1e-6 for other in larger)


def test_a_parcel_too_large_for_every_round_scale_is_refused(refusal):
    village = ((0, 0), (9000, 0), (9000, 9000), (0, 9000))
    content = a_content("certificate", an_annex(lots((village,)), "application/geo+json"))
    assert refusal(content) == [("annexes.0", "annex-no-scale")]


# What stands on it


def test_everything_a_surveyor_looks_for_is_on_it(renderer):
    """Read back from the document by pdftotext."""
    annex = an_annex(lots((SQUARE,), area_m2=600.0), "application/geo+json")
    found = text_of(renderer.print_document(a_content("certificate", annex)).pdf, "-raw", "-f", "3", "-l", "3")

    for text in (
        "宗地图",
        "231221203002JC00031",
        "600.00㎡",
        "J1",
        "J4",
        "20.00",
        "30.00",
        "北",
        "比例尺1:250",
        "道路",
    ):
        assert text in found, text
    for text in (
        "2000国家大地坐标系",
        "3°带第42带中央子午线126°",
        "界址点4个",
        "单位：米、平方米",
        "42512350",
        "5186440",
    ):
        assert text in found, text


def test_the_red_line_is_where_the_drawing_says(renderer):
    """On the raster at 300 dpi: the boundary's own colour, within two dots."""
    source = lots((SQUARE,))
    printed = renderer.print_document(a_content("certificate", an_annex(source, "application/geo+json"))).pdf
    drawing = draw_parcel(read_parcel(source, Role.PARCEL_MAP).parcel, FRAME, FACES)
    (line,) = [stroke.points for stroke in drawing.strokes if stroke.width == LINE_MM]

    red = raster(printed, 3, 300, colour=True).convert("RGB")
    channels = red.split()
    strong, weak = (channels[0].point(lambda v: 255 * (v > 180)), channels[1].point(lambda v: 255 * (v < 90)))
    box = [value * 25.4 / 300 for value in ImageChops.multiply(strong, weak).getbbox()]
    xs, ys = zip(*line, strict=True)
    assert box == pytest.approx([min(xs), min(ys), max(xs), max(ys)], abs=0.5)


@pytest.mark.parametrize("ring", [SQUARE, CONCAVE, STRIP])
def test_every_side_says_its_length(ring):
    """As the distance between its points, to the centimetre."""
    drawing = draw_parcel(parcel(ring), FRAME, FACES)
    lengths = sorted(f"{dist(a, b):.2f}" for a, b in pairwise((*ring, ring[0])))

    assert not drawing.has_table
    assert sorted(text for text in texts_of(drawing) if text in lengths) == lengths


def test_what_finds_no_room_on_the_map_stands_in_a_table():
    """Sixty points: name, northing, easting and length of each."""
    drawing = draw_parcel(parcel(SIXTY), FRAME, FACES)
    (boundary,) = boundaries_of(parcel(SIXTY))

    assert drawing.has_table and not drawing.is_thinned
    texts = texts_of(drawing)
    for name, (east, north), length in zip(boundary.names, boundary.points, boundary.lengths(), strict=True):
        assert {name, f"{north:.2f}", f"{east:.2f}", f"{length:.2f}"} <= set(texts)


def test_so_many_points_that_no_table_holds_them_are_thinned_and_told(renderer):
    many = round_shape(400, [200 + 8 * (i % 2) for i in range(400)])
    rendered = renderer.print_document(a_content("certificate", an_annex(lots((many,)), "application/geo+json")))

    assert "annex-thinned" in {str(warning.code) for warning in rendered.warnings}
    assert "J1" in texts_of(draw_parcel(parcel(many), FRAME, FACES))


def test_two_lots_each_say_their_area_and_the_head_their_sum():
    beside = ((20, 0), (40, 0), (40, 30), (20, 30))
    texts = texts_of(draw_parcel(read_parcel(lots((SQUARE,), (beside,)), Role.PARCEL_MAP).parcel, FRAME, FACES))

    assert texts.count("600.00㎡") == 2
    assert "合计1200.00㎡" in texts
    assert any(text.startswith("四至") for text in texts)


def test_the_area_that_the_source_states_is_the_one_that_is_drawn():
    """It is what was registered; where it disagrees a person is told."""
    assert "612.34㎡" in texts_of(draw_parcel(parcel(SQUARE, area_m2=612.34), FRAME, FACES))


def test_a_neighbour_too_long_for_its_side_is_told_below_the_map():
    long = {**AROUND, "north": "绥化市北林区永安满族镇永安村第三村民小组农民集体所有土地以及相邻的田间道路"}
    texts = texts_of(draw_parcel(parcel(SQUARE, neighbours=long), FRAME, FACES))

    assert "".join(texts).count(long["north"]) == 1
    assert any(text.startswith("四至：东至孙二宅；南至周六宅；西至村道；北至绥化市") for text in texts)


@pytest.mark.parametrize(("text", "code"), [("孙\ue0a1", "private-use-character"), ("\U0003fffd", "no-glyph")])
def test_a_neighbour_that_cannot_be_written_is_refused(refusal, text, code):
    annex = an_annex(lots((SQUARE,), neighbours={"east": text}), "application/geo+json")
    assert refusal(a_content("certificate", annex))[0][0] == "annexes.0"


def test_a_map_of_another_parcel_is_told(renderer):
    """The worst of mistakes: everything on it is right, but it belongs to somebody else."""
    unit = "231221 203002 JC00031 W00000000"
    annex = an_annex(lots((SQUARE,)), "application/geo+json")

    def codes(text: str) -> set[str]:
        return {
            str(found.code)
            for found in renderer.print_document(a_content("certificate", annex, unit_number=text)).warnings
        }

    assert "annex-other-parcel" not in codes(unit)
    assert "annex-other-parcel" in codes(unit.replace("JC00031", "JC00032"))


# Legible: the same for random parcels


@st.composite
def rings(draw) -> list[list[tuple[float, float]]]:
    """Return a random simple polygon around a middle, perhaps with a hole."""
    count = draw(st.integers(3, 40))
    size = draw(st.floats(3, 900))
    flat = draw(st.floats(0.08, 1.0))
    turn = draw(st.floats(0, pi))
    shares = draw(st.lists(st.floats(0.35, 1.0), min_size=count, max_size=count))
    outer = [
        (size * r * cos(2 * pi * i / count), size * r * flat * sin(2 * pi * i / count)) for i, r in enumerate(shares)
    ]
    inner = [(x * 0.4, y * 0.4) for x, y in outer] if draw(st.booleans()) and size * flat > 20 else None
    turned = [[(x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)) for x, y in ring]
              for ring in (outer, inner) if ring]  # fmt: skip
    return turned


rooms = st.sampled_from([FRAME, Rect(21.4, 26.8, 125.4, 93), Rect(10, 10, 62, 190), Rect(16, 30, 265, 160)])
neighbourhoods = st.sampled_from([{}, AROUND, {**AROUND, "west": "G1111 国道"}])


@settings(deadline=None, max_examples=40)
@given(rings(), rooms, neighbourhoods)
def test_no_lettering_stands_on_anything_or_out_of_its_room(shape, room, around):
    """Measured by the outlines in the font files, not by the code under test."""
    source = parcel(*shape, neighbours=around)
    drawing = draw_parcel(source, room, FACES)

    boxes = [(letter.text, ink_box(letter)) for letter in drawing.letters]
    for text, box in boxes:
        for x, y in box:
            assert room.x - 0.01 <= x <= room.x + room.width + 0.01, text
            assert room.y - 0.3 <= y <= room.y + room.height + 0.01, text
    for (one, box), (other, second) in combinations(boxes, 2):
        assert apart(box, second), (one, other)
    lines = [edge for stroke in drawing.strokes for edge in edges_of(stroke)]
    for text, box in boxes:
        assert all(apart(box, line) for line in lines), text
        assert all(apart(box, square_of(mark)) for mark in drawing.marks), text
    assert_legible(drawing)
    assert_complete(source, drawing)


@pytest.mark.bench
@settings(deadline=None, max_examples=1500)
@given(rings(), rooms, neighbourhoods)
def test_the_long_form(shape, room, around):
    test_no_lettering_stands_on_anything_or_out_of_its_room.hypothesis.inner_test(shape, room, around)


def assert_legible(drawing) -> None:
    """The lowest figures are 1.5 mm high."""
    for letter in drawing.letters:
        height = -glyphs.ink("8")[1] * letter.size / MM
        assert height >= 1.5, letter


def assert_complete(source, drawing) -> None:
    """Names and lengths are on the map, or all of them in the table, or the drawing says that some are missing."""
    texts = texts_of(drawing)
    for boundary in boundaries_of(source):
        named = all(name in texts for name in boundary.names)
        lengths = all(f"{length:.2f}" in texts for length in boundary.lengths())
        assert (named and lengths) or drawing.is_thinned


def edges_of(stroke):
    """Yield a stroke's lines: the boundary, the frame, the table's rules, ticks, crosses, the arrow, leaders."""
    points = (*stroke.points, stroke.points[0]) if stroke.is_closed else stroke.points
    return pairwise(points)


def square_of(mark) -> list[tuple[float, float]]:
    (x, y), r = mark.middle, mark.radius
    return [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]


def ink_box(letter) -> list[tuple[float, float]]:
    """Return the rectangle that the letters' ink fills, turned as they are."""
    ink = glyphs.ink_of(letter.text, 0, 0, letter.size / MM)
    left, top = min(box[0] for box in ink), min(box[1] for box in ink)
    right, bottom = max(box[2] for box in ink), max(box[3] for box in ink)
    c, s = cos(radians(letter.angle)), sin(radians(letter.angle))
    return [(letter.x + x * c + y * s, letter.y - x * s + y * c)
            for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]  # fmt: skip


def apart(one, other) -> bool:
    """Say whether a line separates two convex shapes."""
    for shape in (one, other):
        for (x1, y1), (x2, y2) in pairwise((*shape, shape[0])):
            length = hypot(x2 - x1, y2 - y1)
            nx, ny = (y2 - y1) / length, (x1 - x2) / length
            for ax, ay in ((nx, ny), (-ny, nx)):
                a, b = [x * ax + y * ay for x, y in one], [x * ax + y * ay for x, y in other]
                if max(a) <= min(b) + 1e-3 or max(b) <= min(a) + 1e-3:
                    return True
    return False


def test_a_grey_drawing_has_no_colour():
    drawing = draw_parcel(parcel(SQUARE), FRAME, FACES, colour="#000000")
    assert RED not in {stroke.colour for stroke in drawing.strokes} | {mark.colour for mark in drawing.marks}


@pytest.mark.bench
@pytest.mark.parametrize(("points", "ring"), [(4, SQUARE), (8, CONCAVE), (60, SIXTY), (1990, THOUSANDS)])
def test_what_a_drawing_costs(points, ring):
    """Medians of CPU: read and judged in the child; laid out; written as a page."""
    content, source = lots((ring,)), parcel(ring)
    drawing = draw_parcel(source, FRAME, FACES)
    costs = [
        median_ms(lambda: read_parcel(content, Role.PARCEL_MAP)),
        median_ms(lambda: draw_parcel(source, FRAME, FACES)),
        median_ms(lambda: page_with(drawing)) - median_ms(lambda: page_with(None)),
    ]
    print(f"\nparcel of {points} points: " + ", ".join(f"{cost:.1f}" for cost in costs) + " ms to read, lay out, write")


def median_ms(task) -> float:
    spent = []
    for _ in range(21):
        start = process_time()
        task()
        spent.append(process_time() - start)
    return statistics.median(spent) * 1000


def page_with(drawing) -> bytes:
    with FACES.lock:
        pages = Pages(FACES)
        pages.begin(FRAME)
        if drawing:
            pages.parcel(drawing)
        pages.end()
        return pages.to_bytes()


def test_what_is_free_keeps_its_distance_from_everything_and_from_the_edge():
    """Shapes turned any way: their bounds may meet where they themselves do not."""
    taken = Taken(Rect(0, 0, 50, 50), 0.3)
    taken.add(((10, 10), (20, 20)))

    assert taken.is_free(((15, 10), (20, 10), (20, 14)))
    assert not taken.is_free(((15, 10), (20, 10), (15, 14.8)))
    assert taken.is_free(((40, 40), (49.6, 40), (49.6, 49.6)))
    assert not taken.is_free(((40, 40), (49.8, 40), (49.8, 49.6)))
    assert not taken.is_free(((-1, 40), (3, 40), (3, 45)))
