"""Parcels as GeoJSON: what may be drawn is read as it is, and what is wrong names the point that it is wrong at."""

import json
from math import cos, dist, pi, radians, sin, sqrt

import pytest

from spooler.render.annex.border import BadAnswer, _Parcel
from spooler.render.annex.boundary import area_of, is_inside
from spooler.render.annex.parcel import read_parcel
from spooler.render.annex.values import BadAnnex, Neighbours, Role

EAST, NORTH = 42_512_340.0, 5_186_420.0
SQUARE = ((0, 0), (20, 0), (20, 30), (0, 30))
ZONE_42 = "urn:ogc:def:crs:EPSG::4530"


def polygon(*rings, east=EAST, north=NORTH):
    return {"type": "Polygon", "coordinates": [[[east + x, north + y] for x, y in (*r, r[0])] for r in rings]}


def feature(*rings, **properties):
    return {"type": "Feature", "properties": properties, "geometry": polygon(*rings)}


def collection(*features, crs=ZONE_42):
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return {"type": "FeatureCollection", **named, "features": list(features)}


def read(document, role=Role.PARCEL_MAP):
    return read_parcel(json.dumps(document).encode(), role)


def refused(document) -> tuple[str, str]:
    with pytest.raises(BadAnnex) as caught:
        read(document)
    return str(caught.value.code), caught.value.message


def noted(document) -> list[str]:
    return [str(code) for code, _ in read(document).notes]


FLAWS = {
    "crosses itself": ([((0, 0), (20, 30), (20, 0), (0, 30))], "自相交", "[0][0]"),
    "touches itself at a point": ([((0, 0), (10, 15), (20, 0), (20, 30), (10, 15.0001), (0, 30))], "自相交", "[0][1]"),
    "touches itself on a side": ([((0, 0), (20, 0), (20, 30), (10, 0), (0, 30))], "自相交", "[0][3]"),
    "the same point twice": ([((0, 0), (20, 0), (20, 0.004), (20, 30), (0, 30))], "重合", "[0][1]"),
    "closes twice": ([((0, 0), (20, 0), (20, 30), (0, 30), (0, 0))], "重合", "[0][4]"),
    "goes back over itself": ([((0, 0), (20, 0), (20, 30), (20, 20), (0, 20))], "折回", "[0][2]"),
    "a line there and back": ([((0, 0), (20, 0), (40, 0))], "折回", "[0][2]"),
    "a hole outside": ([SQUARE, ((30, 5), (35, 5), (35, 9))], "不在外环之内", "[1][0]"),
    "a hole across the boundary": ([SQUARE, ((15, 5), (25, 5), (25, 9), (15, 9))], "自相交", "[1]"),
    "a hole that touches the boundary": ([SQUARE, ((0, 5), (5, 5), (5, 9))], "自相交", "[1]"),
    "a hole in a hole": ([SQUARE, ((2, 2), (18, 2), (18, 28), (2, 28)), ((5, 5), (9, 5), (9, 9))], "互相包含", "[1][0]"),
}  # fmt: skip


@pytest.mark.parametrize(("rings", "why", "where"), FLAWS.values(), ids=FLAWS.keys())
def test_a_boundary_that_is_none_is_refused_and_the_point_is_named(rings, why, where):
    """Nothing is repaired: what was meant is known to the surveyor alone."""
    code, message = refused(collection(feature(*rings)))

    assert code == "annex-geometry"
    assert why in message
    assert f"features[0].geometry.coordinates{where}" in message


def test_an_open_ring_names_its_last_point():
    code, message = refused({"type": "Polygon", "coordinates": [[[EAST + x, NORTH + y] for x, y in SQUARE]]})
    assert code == "annex-geometry" and "未闭合：coordinates[0][3]" in message


def test_collinear_points_and_narrow_corners_are_boundaries_too():
    """Surveyors put points on straight lines, and parcels have needles."""
    ring = ((0, 0), (10, 0), (20, 0), (20, 30), (10.02, 0.5), (10, 30), (0, 30))
    assert read(collection(feature(ring))).parcel


def test_lots_may_share_a_boundary_but_not_ground():
    """Rounding moves a shared line by a centimetre; that is no overlap."""
    beside = ((20, 0), (40, 0), (40, 30), (20.01, 15), (20, 30))
    assert len(read(collection(feature(SQUARE), feature(beside))).parcel.lots) == 2

    for over in (((10, 10), (40, 10), (40, 20)), ((5, 5), (10, 5), (10, 10)), SQUARE):
        code, message = refused(collection(feature(SQUARE), feature(over)))
        assert code == "annex-geometry" and "互相重叠" in message and "features[1]" in message


def test_one_lot_may_lie_in_the_hole_of_another():
    hole = ((5, 5), (15, 5), (15, 15), (5, 15))
    assert len(read(collection(feature(SQUARE, hole), feature(hole))).parcel.rings) == 3


def test_a_hole_is_no_area():
    parcel = read(collection(feature(SQUARE, ((5, 5), (15, 5), (15, 15), (5, 15))))).parcel
    (lot,) = parcel.lots
    assert area_of(lot.polygons[0]) == pytest.approx(500)
    assert is_inside((EAST + 1, NORTH + 1), lot.polygons[0]) and not is_inside((EAST + 9, NORTH + 9), lot.polygons[0])


def test_two_thousand_points_are_checked_in_a_moment():
    ring = [((1 + 0.2 * (i % 2)) * 300 * cos(pi * i / 999), 300 * sin(pi * i / 999)) for i in range(1998)]
    assert read(collection(feature(ring))).parcel


@pytest.mark.parametrize(
    ("epsg", "words"),
    [
        (4491, "6°带第13带 中央子午线75°"),
        (4498, "6°带第20带 中央子午线117°"),
        (4509, "6°带 中央子午线117°"),
        (4513, "3°带第25带 中央子午线75°"),
        (4530, "3°带第42带 中央子午线126°"),
        (4551, "3°带 中央子午线126°"),
        (4554, "3°带 中央子午线135°"),
    ],
)
def test_every_projection_of_cgcs2000_is_known(epsg, words):
    """Four families of codes: 3° and 6°, with and without the zone's number before the easting."""
    number = {4491: 13, 4498: 20, 4513: 25, 4530: 42}.get(epsg, 0)
    document = {**polygon(SQUARE, east=number * 1e6 + 480_000), "crs": {"properties": {"name": f"EPSG:{epsg}"}}}

    annex = read(document)
    assert annex.parcel.system == f"2000国家大地坐标系 {words}" and not annex.notes


def test_a_zone_that_the_eastings_are_not_in_is_told():
    """The drawing then says the datum alone."""
    document = collection(feature(SQUARE), crs="urn:ogc:def:crs:EPSG::4525")

    assert noted(document) == ["annex-system-unsure"]
    assert read(document).parcel.system == "2000国家大地坐标系"


def test_a_local_system_is_one_that_is_not_named():
    document = {**polygon(SQUARE, east=61_200, north=33_400)}
    assert noted(document) == ["annex-system-unsure"]
    assert read(document).parcel.system == ""


@pytest.mark.parametrize("crs", ["urn:ogc:def:crs:EPSG::2436", "EPSG:3857", "Ningbo 2000", ""])
def test_an_unknown_system_is_refused(crs):
    assert refused({**polygon(SQUARE), "crs": {"type": "name", "properties": {"name": crs}}})[0] == "annex-coordinates"


TURNED = {
    "north before east": [[NORTH, EAST], [NORTH, EAST + 9], [NORTH + 9, EAST]],
    "north before east, no zone": [[NORTH, 512_340], [NORTH, 512_349], [NORTH + 9, 512_340]],
    "latitude before longitude": [[46.0, 126.0], [46.001, 126.0], [46.0, 126.001]],
    "elsewhere": [[2.0, 48.0], [2.001, 48.0], [2.0, 48.001]],
}


@pytest.mark.parametrize("points", TURNED.values(), ids=TURNED.keys())
def test_a_map_is_never_drawn_as_its_mirror_image(points):
    assert refused({"type": "Polygon", "coordinates": [[*points, points[0]]]})[0] == "annex-coordinates"


def meridian(latitude: float, steps: int = 20_000) -> float:
    """Return the length of the meridian from the equator, by Simpson's rule over its radius of curvature."""
    f = 1 / 298.257222101
    e2 = f * (2 - f)
    step = radians(latitude) / steps

    def radius(i: int) -> float:
        return 6_378_137 * (1 - e2) / (1 - e2 * sin(i * step) ** 2) ** 1.5

    return sum((radius(i) + 4 * radius(i + 0.5) + radius(i + 1)) * step / 6 for i in range(steps))


def test_degrees_become_metres_of_the_zone_that_they_lie_in():
    """Against the length of the meridian, and the scale of the projection away from it."""
    ring = [[127.0, 46.0], [127.001, 46.0], [127.001, 46.001], [127.0, 46.001], [126.0, 46.0005], [127.0, 46.0]]
    annex = read({"type": "Polygon", "coordinates": [ring]})

    points = annex.parcel.rings[0]
    e2 = (2 - 1 / 298.257222101) / 298.257222101
    across = 6_378_137 / sqrt(1 - e2 * sin(radians(46)) ** 2) * cos(radians(46)) * radians(0.001)
    off = points[0][0] - 42_500_000
    enlarged = 1 + off**2 / 2 / 6_378_700**2
    assert annex.parcel.system == "2000国家大地坐标系 3°带第42带 中央子午线126°"
    assert points[4] == pytest.approx((42_500_000, meridian(46.0005)), abs=0.001)
    assert dist(points[0], points[1]) == pytest.approx(across * enlarged, abs=0.001)
    assert dist(points[0], points[3]) == pytest.approx((meridian(46.001) - meridian(46)) * enlarged, abs=0.001)


def test_what_a_source_says_of_a_lot_is_read_under_our_names_and_those_of_the_cadastral_database():
    ours = {"unit_number": "2312…", "area_m2": 600.0, "neighbours": {"north": "道路", "east": "李四宅"}}
    theirs = {"BDCDYH": "2312…", "ZDMJ": 600.0, "ZDSZB": "道路", "ZDSZD": "李四宅"}

    for properties in (ours, theirs):
        (lot,) = read(collection(feature(SQUARE, **properties))).parcel.lots
        assert (lot.code, lot.stated_area) == ("2312…", 600)
        assert lot.neighbours == Neighbours(north="道路", east="李四宅")


@pytest.mark.parametrize(
    ("stated", "notes"), [(600.0, []), (600.4, []), (600.6, ["annex-area"]), (66.0, ["annex-area"])]
)
def test_an_area_that_is_not_that_of_the_coordinates_is_told(stated, notes):
    """They are given to the centimetre: 100 m of boundary, moved by half of one, is half a square metre."""
    assert noted(collection(feature(SQUARE, area_m2=stated))) == notes


def test_a_child_that_answers_more_points_than_are_drawn_is_not_believed():
    ring = [(float(i), 0.0) for i in range(2000)]
    lot = {"polygons": [[ring]], "code": "", "stated_area": None, "neighbours": ["", "", "", ""]}
    with pytest.raises(BadAnswer):
        _Parcel.model_validate({"lots": [lot, lot], "system": ""}).read()
