"""Step 2c: a parcel's boundary as GeoJSON, read into rings of metres around the parcel's middle."""

import json
from math import cos, isfinite, radians
from typing import Any

from spooler.render.annex.values import FRAME_ROLES, BadAnnex, NormalAnnex, Parcel, Role
from spooler.render.codes import RenderCode

MOST_POINTS = 2000
METRES_PER_DEGREE = 111_320.0
Ring = tuple[tuple[float, float], ...]


def read_parcel(content: bytes, role: Role) -> NormalAnnex:
    """Return the parcel, or raise BadAnnex."""
    if role not in FRAME_ROLES:
        raise BadAnnex(
            RenderCode.ANNEX_TYPE, "清单和其他附件不能用 GeoJSON。A list is not given as GeoJSON.", "media_type"
        )
    document = json.loads(content.decode("utf-8-sig"))
    rings = tuple(_ring(points) for polygon in _polygons(document) for points in polygon)
    if not rings:
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "GeoJSON 中没有多边形。The GeoJSON holds no polygon.")
    if sum(map(len, rings)) > MOST_POINTS:
        raise BadAnnex(
            RenderCode.ANNEX_TOO_COMPLEX, f"界址点超过 {MOST_POINTS} 个。More than {MOST_POINTS} boundary points."
        )
    return NormalAnnex(role, parcel=Parcel(_around_middle(_in_metres(rings))))


def _polygons(node: Any) -> list[Any]:
    """Return the coordinates of all polygons: of a geometry, a feature or a collection."""
    kind = node.get("type")
    if kind == "FeatureCollection":
        return [polygon for feature in node["features"] for polygon in _polygons(feature)]
    if kind == "Feature":
        return _polygons(node["geometry"])
    if kind == "Polygon":
        return [node["coordinates"]]
    if kind == "MultiPolygon":
        return list(node["coordinates"])
    raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "GeoJSON 只接受多边形。Only polygons are accepted.")


def _ring(points: Any) -> Ring:
    """Return one boundary without its closing point."""
    ring = tuple((float(point[0]), float(point[1])) for point in points)
    if not all(isfinite(x) and isfinite(y) for x, y in ring):
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "坐标不是有限数值。A coordinate is not finite.")
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "界址线未闭合。A boundary ring is not closed.")
    return ring[:-1]


def _in_metres(rings: tuple[Ring, ...]) -> tuple[Ring, ...]:
    """Turn degrees into metres (a degree of longitude is shorter than one of latitude); leave projected coordinates."""
    points = [point for ring in rings for point in ring]
    if any(abs(x) > 180 or abs(y) > 90 for x, y in points):
        return rings
    narrowing = cos(radians(sum(y for _, y in points) / len(points)))
    return tuple(tuple((x * narrowing * METRES_PER_DEGREE, y * METRES_PER_DEGREE) for x, y in ring) for ring in rings)


def _around_middle(rings: tuple[Ring, ...]) -> tuple[Ring, ...]:
    xs, ys = zip(*(point for ring in rings for point in ring), strict=True)
    if max(xs) - min(xs) < 0.01 or max(ys) - min(ys) < 0.01:
        raise BadAnnex(RenderCode.ANNEX_GEOMETRY, "宗地没有面积。The parcel has no extent.")
    middle_x, middle_y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return tuple(tuple((x - middle_x, y - middle_y) for x, y in ring) for ring in rings)
