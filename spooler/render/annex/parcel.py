"""Step 2c: parcels as GeoJSON, read into rings of metres that are known to be drawable.

Each feature with a polygon is one lot (宗地). Of its properties those are read that a 宗地图 shows, under our names or those of the
cadastral database: code, area, neighbours. Everything else is left alone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import dist, isfinite
from typing import Any

from spooler.render.annex.boundary import Named, NamedPolygon, area_of, check_boundary
from spooler.render.annex.systems import CGCS2000, System, projected, refuse_turned, system_of
from spooler.render.annex.values import FRAME_ROLES, BadAnnex, Lot, Neighbours, NormalAnnex, Parcel, Point, Role
from spooler.render.codes import RenderCode

MOST_POINTS = 2000
MOST_POLYGONS = 100
LONGEST_TEXT = 60
# How far the boundary may lie off its coordinates before an area that is stated disagrees with them: they are given to the centimetre.
AREA_OFF_M = 0.005
LEAST_AREA_OFF = 0.1

_CODES = ("unit_number", "parcel_code", "bdcdyh", "BDCDYH", "zddm", "ZDDM")
_AREAS = ("area_m2", "zdmj", "ZDMJ", "mj", "MJ")
_NEIGHBOURS = {
    "north": ("north", "北", "zdszb", "ZDSZB"),
    "east": ("east", "东", "zdszd", "ZDSZD"),
    "south": ("south", "南", "zdszn", "ZDSZN"),
    "west": ("west", "西", "zdszx", "ZDSZX"),
}
_Notes = tuple[tuple[RenderCode, str], ...]


@dataclass(frozen=True)
class _Feature:
    """A lot as it is written."""

    polygons: tuple[NamedPolygon, ...]
    properties: Mapping[str, Any]


def read_parcel(content: bytes, role: Role) -> NormalAnnex:
    """Return the lots, or raise BadAnnex."""
    if role not in FRAME_ROLES:
        raise BadAnnex(
            RenderCode.ANNEX_TYPE, "清单和其他附件不能用 GeoJSON。A list is not given as GeoJSON.", "media_type"
        )
    document = json.loads(content.decode("utf-8-sig"))
    features = [feature for feature in _features(document, document, "") if feature.polygons]
    _refuse_count(features)
    points = [point for ring in _rings(features) for point in ring.points]
    system = system_of(document, points)
    refuse_turned(system, points)
    if system.is_degrees:
        system, features = _in_metres(features, points)
    check_boundary([polygon for feature in features for polygon in feature.polygons])
    lots = tuple(_lot(feature) for feature in features)
    words, doubt = _in_words(system, _rings(features))
    return NormalAnnex(role, parcel=Parcel(lots, words), notes=(*doubt, *_area_notes(lots)))


def _refuse_count(features: list[_Feature]) -> None:
    polygons = sum(len(feature.polygons) for feature in features)
    points = sum(len(ring.points) for ring in _rings(features))
    if not polygons:
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "GeoJSON 中没有多边形。The GeoJSON holds no polygon.")
    if points > MOST_POINTS or polygons > MOST_POLYGONS:
        raise BadAnnex(
            RenderCode.ANNEX_TOO_COMPLEX,
            f"界址点不得超过 {MOST_POINTS} 个，多边形不得超过 {MOST_POLYGONS} 个（有 {points} 个、{polygons} 个）。"
            f"At most {MOST_POINTS} boundary points and {MOST_POLYGONS} polygons are drawn; there are {points} and {polygons}.",
        )


def _features(node: Any, properties: Any, path: str) -> Iterator[_Feature]:
    """Yield the lots of a geometry, a feature or a collection."""
    kind = node.get("type")
    if kind == "FeatureCollection":
        for i, feature in enumerate(node["features"]):
            yield from _features(feature, {}, f"features[{i}].")
    elif kind == "Feature":
        yield from _features(node["geometry"], node.get("properties") or {}, f"{path}geometry.")
    elif kind == "Polygon":
        yield _Feature((_polygon(node["coordinates"], f"{path}coordinates"),), properties)
    elif kind == "MultiPolygon":
        polygons = enumerate(node["coordinates"])
        yield _Feature(tuple(_polygon(each, f"{path}coordinates[{i}]") for i, each in polygons), properties)
    else:
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "GeoJSON 只接受多边形。Only polygons are accepted.")


def _polygon(rings: Any, path: str) -> NamedPolygon:
    if not rings:
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, f"多边形没有界址线：{path}。A polygon without a ring: {path}.")
    return tuple(_ring(points, f"{path}[{i}]") for i, points in enumerate(rings))


def _ring(points: Any, path: str) -> Named:
    """Return one boundary without its closing point."""
    ring = tuple((float(point[0]), float(point[1])) for point in points)
    for i, (x, y) in enumerate(ring):
        if not (isfinite(x) and isfinite(y) and max(abs(x), abs(y)) < 1e9):
            raise BadAnnex(
                RenderCode.ANNEX_GEOMETRY, f"坐标不是有效数值：{path}[{i}]。A coordinate is no number: {path}[{i}]."
            )
    if len(ring) < 4 or ring[0] != ring[-1]:
        last = f"{path}[{max(0, len(ring) - 1)}]"
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, f"界址线未闭合：{last}。A boundary ring is not closed: {last}.")
    return Named(ring[:-1], path)


def _rings(features: list[_Feature]) -> list[Named]:
    return [ring for feature in features for polygon in feature.polygons for ring in polygon]


def _in_metres(features: list[_Feature], points: list[Point]) -> tuple[System, list[_Feature]]:
    metres, zone = projected(points)
    each = iter(metres)

    def turned(ring: Named) -> Named:
        return Named(tuple(next(each) for _ in ring.points), ring.path)

    return System(zone=zone), [
        _Feature(tuple(tuple(map(turned, polygon)) for polygon in feature.polygons), feature.properties)
        for feature in features
    ]


def _in_words(system: System, rings: list[Named]) -> tuple[str, _Notes]:
    """Return what the drawing says of its coordinates: no more than is sure."""
    zone = system.zone
    if zone is None:
        message = "未注明坐标系，图上不注坐标系名称。The file does not say its coordinate system."
        return "", ((RenderCode.ANNEX_SYSTEM_UNSURE, message),)
    if not all(zone.holds(point) for ring in rings for point in ring.points):
        message = f"坐标不在所注明的 {zone.text} 范围内，请核对。The coordinates do not lie in the zone that crs says."
        return CGCS2000, ((RenderCode.ANNEX_SYSTEM_UNSURE, message),)
    return zone.text, ()


def _lot(feature: _Feature) -> Lot:
    properties = feature.properties if isinstance(feature.properties, dict) else {}
    polygons = tuple(tuple(ring.points for ring in polygon) for polygon in feature.polygons)
    return Lot(polygons, _text(properties, _CODES), _number(properties, _AREAS), _neighbours(properties))


def _neighbours(properties: Mapping[str, Any]) -> Neighbours:
    below = properties.get("neighbours")
    given = {**properties, **below} if isinstance(below, dict) else properties
    return Neighbours(**{side: _text(given, names) for side, names in _NEIGHBOURS.items()})


def _text(properties: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Return the first of these properties that holds a text, on one line."""
    found = next((properties[name] for name in names if isinstance(properties.get(name), str)), "")
    text = " ".join(found.split())
    if len(text) > LONGEST_TEXT:
        message = f"GeoJSON 属性文字超过 {LONGEST_TEXT} 字。A text among the properties is longer than {LONGEST_TEXT} characters."
        raise BadAnnex(RenderCode.ANNEX_TOO_COMPLEX, message)
    return text


def _number(properties: Mapping[str, Any], names: tuple[str, ...]) -> float | None:
    found = next((properties[name] for name in names if _is_number(properties.get(name))), None)
    return None if found is None else float(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12


def _area_notes(lots: tuple[Lot, ...]) -> _Notes:
    """Say where an area that the source states is not that of its own coordinates."""
    found = []
    for lot in lots:
        computed = sum(map(area_of, lot.polygons))
        around = sum(dist(a, b) for ring in lot.rings for a, b in zip(ring, (*ring[1:], ring[0]), strict=True))
        if lot.stated_area is not None and abs(lot.stated_area - computed) > max(LEAST_AREA_OFF, AREA_OFF_M * around):
            found.append((RenderCode.ANNEX_AREA, _AREA.format(stated=lot.stated_area, computed=computed)))
    return tuple(found)


_AREA = (
    "所注面积 {stated:.2f} ㎡ 与坐标计算面积 {computed:.2f} ㎡ 不符，图上用所注面积，请核对。"
    "The stated area is not that of the coordinates; the stated one is drawn."
)
