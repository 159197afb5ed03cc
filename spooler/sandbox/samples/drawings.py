"""The annexes of the samples, drawn: parcel maps as PDF and GeoJSON, unit plans as pixels, a list as PDF."""

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

Point = tuple[float, float]
FRAME_MM = (125.4, 190.1)
EXIF_ORIENTATION = 0x0112
TURN_A_QUARTER_RIGHT = 6


def outline(seed: int, corners: int, width: float, height: float) -> list[Point]:
    """Return a plausible parcel in metres, its corners counter-clockwise."""
    chance = random.Random(seed)
    side = corners // 2
    right = [(width, height * i / (side - 1)) for i in range(side)]
    left = [(0.0, height * (side - 1 - i) / (side - 1)) for i in range(side)]
    return [(round(x + chance.uniform(-1.5, 1.5), 2), round(y + chance.uniform(-1.5, 1.5), 2)) for x, y in right + left]


def area_of(ring: Sequence[Point]) -> float:
    """Return the area within a ring, in square metres."""
    ends = [*ring[1:], ring[0]]
    return round(abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ends, strict=True))) / 2, 2)


def parcel_geojson(path: Path, unit: str, *rings: Sequence[Point], turned: bool = False) -> None:
    """Write one lot, its holes after its boundary; `turned` puts north before east, which is refused."""
    lots_geojson(path, [(unit, rings)], turned=turned)


def lots_geojson(path: Path, lots: Sequence[tuple[str, Sequence[Sequence[Point]]]], *, turned: bool = False) -> None:
    """Write lots in CGCS2000 / 3-degree zone 42 (EPSG 4530), as survey software does."""
    east, north = 42_512_340.0, 5_186_420.0
    neighbours = {"north": "道路", "east": "孙二宅", "south": "周六宅", "west": "村道"}
    features = []
    for unit, rings in lots:
        area = round(area_of(rings[0]) - sum(map(area_of, rings[1:])), 2)
        points = [[[round(east + x, 3), round(north + y, 3)] for x, y in (*ring, ring[0])] for ring in rings]
        if turned:
            points = [[point[::-1] for point in ring] for ring in points]
        features.append(
            {
                "type": "Feature",
                "properties": {"unit_number": unit, "area_m2": area, "neighbours": neighbours},
                "geometry": {"type": "Polygon", "coordinates": points},
            }
        )
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4530"}}
    collection = {"type": "FeatureCollection", "crs": crs, "features": features}
    path.write_text(json.dumps(collection, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def many_corners(seed: int, corners: int, radius: float) -> list[Point]:
    """Return a boundary with a corner every few steps, as fields along a brook have."""
    chance = random.Random(seed)
    reach = [radius * chance.uniform(0.82, 1.0) for _ in range(corners)]
    turns = [2 * math.pi * i / corners for i in range(corners)]
    return [
        (round(r * math.cos(t) + radius, 2), round(0.75 * r * math.sin(t) + radius, 2))
        for r, t in zip(reach, turns, strict=True)
    ]


def scaled_pdf(path: Path, ring: Sequence[Point], scale: int) -> None:
    """Write a map at a round scale on a page of its own size, that fits the frame beside nothing else."""
    canvas, font = _canvas(path, embed=True)
    factor = 1000 / scale * mm
    canvas.setPageSize((max(x for x, _ in ring) * factor + 24 * mm, max(y for _, y in ring) * factor + 24 * mm))
    canvas.translate(12 * mm, 12 * mm)
    for number, (start, end) in enumerate(zip(ring, [*ring[1:], ring[0]], strict=True), 1):
        _side(canvas, font, number, start, end, factor)
    canvas.save()


def parcel_pdf(path: Path, ring: Sequence[Point], *, rotate: int = 0, embed: bool = True) -> None:
    """Write a map with side lengths and corner names; without `embed` its font is only named, which is refused."""
    canvas, font = _canvas(path, embed)
    if rotate == 90:
        # The sheet lies on its side in the file; whoever obeys /Rotate sees it upright.
        canvas.setPageRotation(rotate)
        canvas.translate(A4[1], 0)
        canvas.rotate(90)
    canvas.rect(15 * mm, 15 * mm, 180 * mm, 267 * mm)
    scale = min(160 / max(x for x, _ in ring), 230 / max(y for _, y in ring)) * mm
    canvas.translate(25 * mm, 30 * mm)
    for number, (start, end) in enumerate(zip(ring, [*ring[1:], ring[0]], strict=True), 1):
        _side(canvas, font, number, start, end, scale)
    canvas.save()


def _side(canvas: Canvas, font: str, number: int, start: Point, end: Point, scale: float) -> None:
    (x1, y1), (x2, y2) = start, end
    canvas.line(x1 * scale, y1 * scale, x2 * scale, y2 * scale)
    canvas.circle(x1 * scale, y1 * scale, 2)
    canvas.setFont(font, 8)
    canvas.drawString(x1 * scale + 4, y1 * scale + 4, f"J{number}")
    length = ((x1 - x2) ** 2 + (y1 - y2) ** 2) ** 0.5
    canvas.drawString((x1 + x2) / 2 * scale, (y1 + y2) / 2 * scale, f"{length:.2f}")


def list_pdf(path: Path, title: str, lines: Sequence[str]) -> None:
    """Write a plain page of lines."""
    canvas, font = _canvas(path, embed=True)
    canvas.setFont(font, 14)
    canvas.drawString(25 * mm, 265 * mm, title)
    canvas.setFont(font, 10)
    for row, line in enumerate(lines):
        canvas.drawString(25 * mm, 250 * mm - row * 7 * mm, line)
    canvas.save()


def _canvas(path: Path, embed: bool) -> tuple[Canvas, str]:
    font = "Vera" if embed else "Helvetica"
    if embed:
        pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    return Canvas(str(path), pagesize=A4, invariant=1, initialFontName=font), font


def plan(path: Path, seed: int, *, mode: str, dpi: int, turned: bool = False, fax: bool = False) -> None:
    """Write a floor plan of the frame's size; `turned` lies on its side and says so in its EXIF; a `fax` has no square pixels."""
    image = _rooms(seed, mode, dpi)
    options: dict[str, Any] = {"dpi": (dpi, dpi // 2 if fax else dpi)}
    if path.suffix == ".jpg":
        options["quality"] = 80
    if path.suffix == ".tif":
        options["compression"] = "group4"
    if turned:
        image = image.rotate(90, expand=True)
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = TURN_A_QUARTER_RIGHT
        options["exif"] = exif
    image.save(path, **options)


def _rooms(seed: int, mode: str, dpi: int) -> Image.Image:
    chance = random.Random(seed)
    width, height = (round(side / 25.4 * dpi) for side in FRAME_MM)
    image = Image.new(mode, (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 20, height // 20, width * 19 // 20, height * 19 // 20), outline="black", width=dpi // 50)
    for _ in range(6):
        x, y = chance.randrange(width // 10, width // 2), chance.randrange(height // 10, height // 2)
        right, bottom = x + chance.randrange(width // 8, width // 3), y + chance.randrange(height // 8, height // 3)
        draw.rectangle((x, y, right, bottom), outline="black", width=max(2, dpi // 75))
    return image
