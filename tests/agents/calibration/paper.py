"""Paper as a printer that errs leaves it: through CUPS's own filter, then misplaced as the virtual printer does; crosses measured on it."""

import io
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image
from pypdf import PdfReader, PdfWriter

from agents.calibration.correction import IDENTITY, Correction, Point, Side
from agents.calibration.crosses import crosses_of
from agents.pages import place, slice_pages
from spooler.sandbox.virtual_printer import Misplacement, misplace
from tests.spooler.render.builders import raster

DPI = 600
AROUND_MM = 16.0  # a cross is looked for so far from where it was drawn
STROKE_MM = 5.0  # nothing else near a cross is as long


@dataclass(frozen=True)
class Printer:
    """One side of one printer: what it is corrected by, and how it errs all the same."""

    side: Side
    errs: Misplacement
    correction: Correction = IDENTITY

    def prints(self, page: bytes) -> bytes:
        """Return the sheet that comes out when this page is sent."""
        return misplace(through_cups(place(page, self.correction), self.side), self.errs)


@dataclass(frozen=True)
class Hall:
    """A renderer whose documents are seen as they come out on paper: what measures a renderer measures it."""

    renderer: Any
    printers: Mapping[str, Printer]  # by spread

    def print_document(self, content: Any) -> Any:
        rendered = self.renderer.print_document(content)
        sheets = [
            self.printers[side.name].prints(slice_pages(rendered.pdf, side.pages))
            for side in rendered.passes
            if side.pages and side.name in self.printers
        ]
        return replace(rendered, pdf=joined(sheets))


def through_cups(page: bytes, side: Side) -> bytes:
    """Return the page as CUPS's pdftopdf hands it to the printer."""
    options = f"PageSize=Custom.{side.width_mm:g}x{side.height_mm:g}mm print-scaling=none"
    command = ["/usr/lib/cups/filter/pdftopdf", "1", "user", "title", "1", options]
    environment = {**os.environ, "PPD": ""}
    return subprocess.run(command, input=page, capture_output=True, env=environment, check=True, timeout=60).stdout


def joined(sheets: list[bytes]) -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    for sheet in sheets:
        writer.append(PdfReader(io.BytesIO(sheet)))
    writer.write(out)
    return out.getvalue()


def measured_crosses(sheet: bytes, side: Side, read: Callable[[float], float] = lambda mm: mm) -> dict[int, Point]:
    """Return where the middle of each cross lies on this sheet: a person with a very good ruler."""
    paper = raster(sheet, 1, DPI)
    found = {cross: _middle(paper, at) for cross, at in crosses_of(side).items()}
    return {cross: (read(x), read(y)) for cross, (x, y) in found.items()}


def _middle(paper: Any, at: Point) -> Point:
    left, top = (round((mm - AROUND_MM) / 25.4 * DPI) for mm in at)
    size = round(2 * AROUND_MM / 25.4 * DPI)
    window = paper.crop((left, top, left + size, top + size)).point(lambda value: 1 if value < 128 else 0)
    x, y = _long_line(window.transpose(Image.Transpose.TRANSPOSE)), _long_line(window)
    return (left + x) * 25.4 / DPI, (top + y) * 25.4 / DPI


def _long_line(window: Any) -> float:
    """Return the row, in dots, of the one line that is longer than any stroke of a letter or tick: an arm of the cross, turned a little."""
    dots, (width, height) = window.tobytes(), window.size
    rows = [dots[start : start + width] for start in range(0, width * height, width)]
    runs = [max(map(len, row.split(b"\0"))) for row in rows]
    longest = {row: run for row, run in enumerate(runs) if run > STROKE_MM / 25.4 * DPI}
    return sum((row + 0.5) * run for row, run in longest.items()) / sum(longest.values())
