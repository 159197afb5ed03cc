"""Step 2c: the coordinate systems that a parcel may come in, and degrees turned into metres.

Boundaries are surveyed in CGCS2000, projected by Gauss-Krüger into zones of 3° (6° for small scales), easting with or without the zone's
number before it. Degrees are projected here into the 3° zone that they lie in: lengths and areas are not read off degrees.
"""

import re
from dataclasses import dataclass
from functools import cache
from math import atan2, atanh, cos, cosh, radians, sin, sinh, sqrt

from spooler.render.annex.values import BadAnnex, Point
from spooler.render.codes import RenderCode

CGCS2000 = "2000国家大地坐标系"
FALSE_EASTING = 500_000.0
_SEMI_MAJOR = 6_378_137.0
_FLATTENING = 1 / 298.257222101
_EPSG = re.compile(r"(?:^|:)EPSG:(?:[\d.]*:)?(\d{4,5})$", re.IGNORECASE)
_DEGREES = frozenset({4490, 4326})
# China and its waters, in degrees; projected, in metres, without a zone's number.
_LONGITUDES, _LATITUDES = (73.0, 136.0), (3.0, 54.0)
_NORTHINGS, _EASTINGS = (300_000.0, 6_200_000.0), (100_000.0, 900_000.0)


@dataclass(frozen=True)
class Zone:
    """One Gauss-Krüger zone; `number` stands before the easting, unless it is None."""

    degrees: int
    meridian: int
    number: int | None

    @property
    def text(self) -> str:
        numbered = f"第{self.number}带 " if self.number else " "
        return f"{CGCS2000} {self.degrees}°带{numbered}中央子午线{self.meridian}°"

    def holds(self, point: Point) -> bool:
        """Say whether the easting lies in this zone, its number being right."""
        easting = point[0] - (self.number or 0) * 1_000_000
        return _is_in(easting, _EASTINGS) and _is_in(point[1], _NORTHINGS)


@dataclass(frozen=True)
class System:
    """What the coordinates of a file are, as far as it says so."""

    is_degrees: bool = False
    zone: Zone | None = None


def system_of(document: dict[str, object], points: list[Point]) -> System:
    """Return what `crs` says, else what the figures can only be; raise BadAnnex for what is neither."""
    name = _name(document)
    if name is None:
        return System(is_degrees=_look_like_degrees(points))
    if name.upper().endswith("CRS84"):
        return System(is_degrees=True)
    found = _EPSG.search(name)
    code = int(found[1]) if found else 0
    if code in _DEGREES:
        return System(is_degrees=True)
    zone = _zone(code)
    if zone is None:
        raise BadAnnex(RenderCode.ANNEX_COORDINATES, _UNKNOWN.format(name=name[:60]))
    return System(zone=zone)


_UNKNOWN = (
    "不支持坐标系 {name}；支持 CGCS2000（EPSG:4490、4491–4554），地方坐标系请省略 crs。"
    "{name} is not known: CGCS2000 is (EPSG:4490, 4491-4554); leave crs out for a local system."
)


def refuse_turned(system: System, points: list[Point]) -> None:
    """Raise BadAnnex where north stands before east, or degrees are elsewhere: the map would be a mirror image."""
    if system.is_degrees:
        fits = all(_is_in(x, _LONGITUDES) and _is_in(y, _LATITUDES) for x, y in points)
    else:
        fits = not all(_is_in(x, (1_500_000, 6_200_000)) and _is_easting(y) for x, y in points)
    if not fits:
        raise BadAnnex(RenderCode.ANNEX_COORDINATES, _TURNED)


_TURNED = (
    "坐标次序须为先东后北（横坐标 Y 在前），经纬度须为先经度后纬度且在中国范围内。"
    "Easting comes first, then northing; degrees are longitude, then latitude, in China."
)


def projected(points: list[Point]) -> tuple[list[Point], Zone]:
    """Return degrees as metres in the 3° zone of their middle."""
    number = round(sum(x for x, _ in points) / len(points) / 3)
    zone = Zone(3, number * 3, number)
    return [_gauss_krueger(x, y, zone) for x, y in points], zone


def _name(document: dict[str, object]) -> str | None:
    crs = document.get("crs")
    if crs is None:
        return None
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str):
        raise BadAnnex(RenderCode.ANNEX_COORDINATES, _UNKNOWN.format(name="crs"))
    return name.strip()


def _zone(code: int) -> Zone | None:
    """Return the zone of an EPSG code: four families, from the west of China to its east."""
    if 4491 <= code <= 4501:
        number = code - 4491 + 13
        return Zone(6, 6 * number - 3, number)
    if 4502 <= code <= 4512:
        return Zone(6, 75 + 6 * (code - 4502), None)
    if 4513 <= code <= 4533:
        number = code - 4513 + 25
        return Zone(3, 3 * number, number)
    if 4534 <= code <= 4554:
        return Zone(3, 75 + 3 * (code - 4534), None)
    return None


def _look_like_degrees(points: list[Point]) -> bool:
    return all(abs(x) <= 180 and abs(y) <= 180 for x, y in points)


def _is_easting(value: float) -> bool:
    return _is_in(value % 1_000_000, _EASTINGS) and (value < 1_000_000 or 13e6 <= value < 46e6)


def _is_in(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _gauss_krueger(longitude: float, latitude: float, zone: Zone) -> Point:
    """Krüger's series to the fourth power of the third flattening: exact to well under a millimetre within a zone."""
    radius, eccentricity, series = _ellipsoid()
    across, s = radians(longitude - zone.meridian), sin(radians(latitude))
    t = sinh(atanh(s) - eccentricity * atanh(eccentricity * s))
    north, east = atan2(t, cos(across)), atanh(sin(across) / sqrt(1 + t * t))
    terms = [(2 * j, a) for j, a in enumerate(series, 1)]
    x = east + sum(a * cos(k * north) * sinh(k * east) for k, a in terms)
    y = north + sum(a * sin(k * north) * cosh(k * east) for k, a in terms)
    return (zone.number or 0) * 1_000_000 + FALSE_EASTING + radius * x, radius * y


@cache
def _ellipsoid() -> tuple[float, float, tuple[float, ...]]:
    """Return the rectifying radius, the eccentricity, and the coefficients of the series."""
    n = _FLATTENING / (2 - _FLATTENING)
    radius = _SEMI_MAJOR / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    series = (
        n / 2 - 2 / 3 * n**2 + 5 / 16 * n**3 + 41 / 180 * n**4,
        13 / 48 * n**2 - 3 / 5 * n**3 + 557 / 1440 * n**4,
        61 / 240 * n**3 - 103 / 140 * n**4,
        49561 / 161280 * n**4,
    )
    return radius, 2 * sqrt(n) / (1 + n), series
