"""Builders of valid content and annexes, of which a test varies one part; and what poppler says of a PDF."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pikepdf
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from spooler.render import AnnexFile, Content, Number, find_templates
from spooler.wire.messages import Seal

MM = 72 / 25.4
ANNEX_NAMES = {
    "application/pdf": "map.pdf",
    "image/png": "plan.png",
    "image/jpeg": "plan.jpg",
    "image/tiff": "plan.tif",
    "application/geo+json": "parcel.geojson",
}


def a_content(kind: str = "certificate", *annexes: AnnexFile, seal: Seal = Seal.STAMPED, **fields: str) -> Content:
    """Return the template's own sample, with some fields changed."""
    sample = content_of(json.loads((find_templates() / kind / "1" / "sample.json").read_text(encoding="utf-8")), kind)
    return replace(sample, fields={**sample.fields, **fields}, annexes=annexes, seal=seal)


def only(kind: str = "certificate", **fields: str) -> Content:
    """Return a content that says nothing but these fields."""
    return replace(a_content(kind), fields=fields, qr="")


def content_of(sample: Mapping, kind: str) -> Content:
    return Content(
        kind=kind,
        registry_name=sample["registry_name"],
        number=Number(**sample["number"]),
        booked_on=date.fromisoformat(sample["booked_on"]),
        qr=sample["qr"],
        fields=sample["fields"],
        seal=Seal(sample["seal"]),
    )


def an_annex(content: bytes, media_type: str = "application/pdf", role: str = "parcel_map") -> AnnexFile:
    return AnnexFile(role, ANNEX_NAMES[media_type], media_type, content)


def a_pdf(size: tuple[float, float] = (210, 297), *, pages: int = 1, rotate: int = 0, font: str = "Vera") -> bytes:
    """Return a PDF with a square of 100 × 100 mm around the middle of each page, and a word."""
    if font == "Vera":
        pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    out = BytesIO()
    canvas = Canvas(out, pagesize=(size[0] * MM, size[1] * MM), invariant=1, initialFontName=font)
    for _ in range(pages):
        canvas.setFillGray(0.5)
        canvas.rect((size[0] / 2 - 50) * MM, (size[1] / 2 - 50) * MM, 100 * MM, 100 * MM, stroke=0, fill=1)
        canvas.setFillGray(0)
        canvas.setFont(font, 9)
        canvas.drawString(20 * MM, 20 * MM, "Parcel")
        canvas.showPage()
    canvas.save()
    return changed_pdf(out.getvalue(), lambda pdf: [page.rotate(rotate, relative=False) for page in pdf.pages])


def changed_pdf(content: bytes, change, **saving) -> bytes:
    """Return the PDF after `change` had its way with it."""
    with pikepdf.open(BytesIO(content)) as pdf:
        change(pdf)
        out = BytesIO()
        pdf.save(out, **saving)
    return out.getvalue()


def an_image(mode: str = "RGB", size: tuple[int, int] = (400, 600)) -> Image.Image:
    """Return a white picture whose upper left quarter is dark, so that every turn of it shows."""
    image = Image.new("RGB", size, "white")
    image.paste((20, 30, 60), (0, 0, size[0] // 2, size[1] // 2))
    return image.convert(mode)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def a_parcel(ring=((0, 0), (20, 0), (20, 30), (0, 30), (0, 0))) -> bytes:
    points = [[42_500_000 + x, 5_160_000 + y] for x, y in ring]
    geometry = {"type": "Polygon", "coordinates": [points]}
    return json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}).encode()


def text_of(pdf: bytes, *options: str) -> str:
    """Return what pdftotext finds, without white space."""
    found = subprocess.run(["pdftotext", *options, "-", "-"], input=pdf, capture_output=True, check=True)
    return squeezed(found.stdout.decode())


def squeezed(text: str) -> str:
    return "".join(text.split())


def raster(pdf: bytes, page: int = 1, dpi: int = 100, *, colour: bool = False, box=None) -> Image.Image:
    """Return one page as poppler draws it; `box` is a part of it: x, y, width, height in mm."""
    command = ["pdftoppm", "-r", str(dpi), "-f", str(page), "-l", str(page), *([] if colour else ["-gray"])]
    if box:
        x, y, width, height = (round(value / 25.4 * dpi) for value in box)
        command += ["-x", str(x), "-y", str(y), "-W", str(width), "-H", str(height)]
    found = subprocess.run([*command, "-"], input=pdf, capture_output=True, check=True)
    return Image.open(BytesIO(found.stdout))


def ink_box(image: Image.Image, dpi: float, darker_than: int = 128) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what is dark, in mm."""
    box = image.convert("L").point(lambda value: 255 if value < darker_than else 0).getbbox()
    assert box is not None, "nothing was drawn"
    return tuple(value * 25.4 / dpi for value in box)


def shared_samples() -> list[Path]:
    """Return the sample requests that lie beside the checkout, if they do."""
    return sorted((Path(__file__).resolve().parents[4] / "shared" / "samples" / "good").glob("*.json"))
