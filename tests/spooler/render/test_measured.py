"""The figure of overprinting: each field of every spread, measured on the raster at 600 dpi against the template, ≤ 0.15 mm.

How: a text of known glyphs is printed into a field. Where its ink must be follows from the template alone (box, padding, alignment,
leading) and from the outlines in the font file, read by fontTools; not from the layout's own code. Poppler draws the page at
600 dpi, 0.04 mm a dot, and the edges of what is dark inside the field's room are compared with it, all four of them. The seal is told
apart by its red, the QR code by the count of its modules, annexes by a square of known size.
"""

import os
import subprocess
from dataclasses import dataclass, replace
from datetime import date

import pytest
import zxingcpp
from PIL import ImageChops

from spooler.render import Number, find_templates
from spooler.render.template import load_templates
from spooler.wire.messages import Seal

from . import glyphs
from .builders import MM, a_content, a_pdf, an_annex, ink_box, raster

TOLERANCE_MM = 0.15
DPI = 600
TEMPLATES = load_templates(find_templates())
KINDS = ["certificate", "proof"]
ASCENT = 0.88


@dataclass(frozen=True)
class Measured:
    """Where a field's ink is and where it must be: left, top, right, bottom in mm of the paper."""

    field: str
    found: tuple[float, float, float, float]
    expected: tuple[float, float, float, float]

    @property
    def deviation(self) -> float:
        return max(abs(one - other) for one, other in zip(self.found, self.expected, strict=True))


def measured(renderer, kind, length, change=lambda pdf: pdf):
    """Print every field of a kind with so many 国, and return all of them measured."""
    template = TEMPLATES[f"{kind}/1"]
    number = Number("国", 2024, "国国", "0001234")
    fields = dict.fromkeys(template.boxes, "国" * length)
    content = replace(
        a_content(kind), fields=fields, number=number, booked_on=date(2024, 12, 24), qr="", seal=Seal.STAMPED
    )
    pdf = change(renderer.print_document(content).pdf)
    pages = {name: raster(pdf, i, DPI) for i, name in enumerate([sheet.name for sheet in template.passes][:2], 1)}
    strings = {"province": "国", "year": "2024", "place": "国国", "sequence": "0001234"}
    strings |= {"booked_year": "2024", "booked_month": "12", "booked_day": "24"}
    found = [_line(pages, key, line, strings[key]) for key, line in template.lines.items()]
    return found + [_box(pages, key, box, "国" * length, template.type) for key, box in template.boxes.items()]


def _line(pages, key, line, text):
    width = sum(map(glyphs.advance, text)) * line.size / MM
    free = {"left": 0.0, "center": (line.width - width) / 2, "right": line.width - width}[line.align]
    inks = glyphs.ink_of(text, line.x + free, line.baseline, line.size / MM)
    room = (line.x - 1, line.baseline - 6, line.x + line.width + 1, line.baseline + 2)
    return Measured(f"lines.{key}", _ink_in(pages[line.on], room), _around(inks))


def _box(pages, key, box, text, kind_of_type):
    """Set 国 in a square of its own size by hand: as many a line as go, as many lines as it takes, at the first size that fits."""
    width, inset = box.width - 2 * box.padding, box.padding if box.vertical == "top" else 0
    for half_points in range(round(box.size * 2), round(kind_of_type.floor * 2) - 1, -1):
        size = half_points / 2 / MM
        a_line = int(width / size + 1e-9)
        lines = [text[i : i + a_line] for i in range(0, len(text), a_line)]
        if len(lines) * size * kind_of_type.leading <= box.height - 2 * inset:
            break
    leading = size * kind_of_type.leading
    above = (box.height - len(lines) * leading) / 2 if box.vertical == "middle" else inset
    first = box.y + above + (leading - size) / 2 + ASCENT * size
    inks = [
        ink
        for i, line in enumerate(lines)
        for ink in glyphs.ink_of(line, box.x + box.padding, first + i * leading, size)
    ]
    return Measured(
        f"boxes.{key}", _ink_in(pages[box.on], (box.x, box.y, box.x + box.width, box.y + box.height)), _around(inks)
    )


def _ink_in(page, room):
    part = tuple(round(edge / 25.4 * DPI) for edge in room)
    left, top = (edge * 25.4 / DPI for edge in part[:2])
    found = ink_box(page.crop(part), DPI)
    return (found[0] + left, found[1] + top, found[2] + left, found[3] + top)


def _around(inks):
    return (min(i[0] for i in inks), min(i[1] for i in inks), max(i[2] for i in inks), max(i[3] for i in inks))


def through_cups(pdf):
    """Return the document as CUPS's pdftopdf hands it to the printer."""
    sheet = TEMPLATES["certificate/1"].passes[0]
    options = f"PageSize=Custom.{sheet.width:g}x{sheet.height:g}mm print-scaling=none"
    command = ["/usr/lib/cups/filter/pdftopdf", "1", "user", "title", "1", options]
    return subprocess.run(command, input=pdf, capture_output=True, env={**os.environ, "PPD": ""}, check=True).stdout


def tell(capsys, what, measurements):
    worst = max(measurements, key=lambda one: one.deviation)
    with capsys.disabled():
        print(f"\n{what}: {len(measurements)} fields, largest deviation {worst.deviation:.3f} mm ({worst.field})")


@pytest.mark.parametrize("length", [1, 56], ids=["one character", "several lines, set smaller"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_where_the_template_says(renderer, kind, length):
    """Number line and booking date in their parts, each box by its first line and by a full one."""
    found = measured(renderer, kind, length)

    assert len(found) == len(TEMPLATES[f"{kind}/1"].lines) + len(TEMPLATES[f"{kind}/1"].boxes)
    assert [(one.field, round(one.deviation, 3)) for one in found if one.deviation > TOLERANCE_MM] == []


def test_the_print_filter_moves_nothing(renderer):
    """The sheet as it leaves CUPS's pdftopdf, at true size."""
    found = measured(renderer, "certificate", 1, through_cups)

    assert [(one.field, round(one.deviation, 3)) for one in found if one.deviation > TOLERANCE_MM] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_seal_is_where_the_template_says(renderer, kind):
    one = the_seal(renderer, kind)

    assert one.found == pytest.approx(one.expected, abs=TOLERANCE_MM)


def the_seal(renderer, kind):
    """Its outer ring is drawn from 0.961 to 0.995 of its radius."""
    seal = TEMPLATES[f"{kind}/1"].seal
    pdf = renderer.print_document(a_content(kind, seal=Seal.PRINTED)).pdf
    corner = (seal.x - 25, seal.y - 25)
    red, green, _ = raster(pdf, 1, DPI, colour=True, box=(*corner, 50, 50)).split()
    # Red ink is light in red and dark in green; black is dark in both.
    red_ink = ImageChops.subtract(red, green).point(lambda value: 0 if value > 80 else 255)
    found = ink_box(red_ink, DPI)
    grid = tuple(round(edge / 25.4 * DPI) * 25.4 / DPI for edge in corner)
    radius = 0.995 * seal.diameter / 2
    expected = (seal.x - radius, seal.y - radius, seal.x + radius, seal.y + radius)
    return Measured("seal", tuple(edge + grid[i % 2] for i, edge in enumerate(found)), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_qr_code_is_where_the_template_says(renderer, kind):
    one = the_qr_code(renderer, kind)

    assert one.found == pytest.approx(one.expected, abs=TOLERANCE_MM)


def the_qr_code(renderer, kind):
    """Centred in its place with four modules of white around it."""
    place, text = TEMPLATES[f"{kind}/1"].qr, "https://bdc.example/verify/0001234?" + "x" * 40
    page = raster(renderer.print_document(replace(a_content(kind), qr=text)).pdf, 1, DPI)
    modules = len(
        memoryview(
            zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M").to_image(
                scale=1, add_quiet_zones=False
            )
        ).tolist()
    )
    side = min(place.width, place.height) / (modules + 8) * modules
    left, top = place.x + (place.width - side) / 2, place.y + (place.height - side) / 2
    room = (place.x, place.y, place.x + place.width, place.y + place.height)
    return Measured("qr", _ink_in(page, room), (left, top, left + side, top + side))


def test_an_annex_is_where_the_frame_says(renderer):
    one = the_annex(renderer)

    assert one.found == pytest.approx(one.expected, abs=TOLERANCE_MM)


def the_annex(renderer):
    """A page of 210 × 297 mm with a square of 100 mm in its middle: made as large as the frame lets it, centred."""
    frame = TEMPLATES["certificate/1"].frame
    pdf = renderer.print_document(a_content("certificate", an_annex(a_pdf()))).pdf
    half = 50 * min(frame.width / 210, frame.height / 297)
    x, y = frame.x + frame.width / 2, frame.y + frame.height / 2
    # The square is half grey; beyond 3 mm around it other things of the page begin.
    left, top = (round((edge - half - 3) / 25.4 * DPI) * 25.4 / DPI for edge in (x, y))
    part = raster(pdf, 3, DPI, box=(left, top, 2 * half + 6, 2 * half + 6))
    found = ink_box(part.point(lambda value: 0 if 64 < value < 192 else 255), DPI)
    found = (found[0] + left, found[1] + top, found[2] + left, found[3] + top)
    return Measured("frame", found, (x - half, y - half, x + half, y + half))


def test_a_template_moved_by_a_quarter_millimetre_is_noticed(renderer, monkeypatch):
    """The measure is fine enough: what is 0.25 mm off does not pass."""
    template = TEMPLATES["proof/1"]
    moved = {key: box.model_copy(update={"x": box.x + 0.25}) for key, box in template.boxes.items()}
    monkeypatch.setitem(TEMPLATES, "proof/1", template.model_copy(update={"boxes": moved}))

    found = [one for one in measured(renderer, "proof", 1) if one.field.startswith("boxes")]

    assert found and all(one.deviation > TOLERANCE_MM for one in found)


@pytest.mark.bench
def test_figures(renderer, capsys):
    """The largest deviation of each spread, for the record."""
    for kind in KINDS:
        fields = [one for length in (1, 8, 25, 56) for one in measured(renderer, kind, length)]
        tell(capsys, kind, [*fields, the_seal(renderer, kind), the_qr_code(renderer, kind)])
    tell(capsys, "certificate, pass C", [the_annex(renderer)])
    tell(capsys, "certificate, through pdftopdf", measured(renderer, "certificate", 1, through_cups))
