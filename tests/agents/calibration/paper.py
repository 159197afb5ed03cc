"""Paper as a printer that errs leaves it: through CUPS's own filter, then misplaced as the virtual printer does; crosses measured on it."""

import io
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pypdf import PdfReader, PdfWriter

from agents.calibration.correction import IDENTITY, Correction, Point, Side
from agents.calibration.crosses import crosses_of
from agents.pages import place, slice_pages
from spooler.sandbox.virtual_printer import Misplacement, misplace
from tests.spooler.render.builders import raster

DPI = 600
AROUND_MM = 16.0  # a cross is looked for so far from where it was drawn


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
    window = paper.crop((left, top, left + size, top + size)).point(lambda value: 255 - value)
    columns, rows = window.resize((size, 1), 4), window.resize((1, size), 4)  # 4: the mean of a box
    x, y = (_peak(list(profile.tobytes())) for profile in (columns, rows))
    return (left + x) * 25.4 / DPI, (top + y) * 25.4 / DPI


def _peak(darkness: list[int], width: int = 12) -> float:
    """Return the middle of the darkest band, in dots: the long line of a cross, slightly turned perhaps."""
    sums = [sum(darkness[i : i + width]) for i in range(len(darkness) - width)]
    start = max(range(len(sums)), key=sums.__getitem__)
    band = range(max(0, start - width // 2), min(len(darkness), start + width + width // 2))
    floor = sorted(darkness[i] for i in band)[1]
    weights = {i: max(0, darkness[i] - floor) for i in band}
    return sum((i + 0.5) * weight for i, weight in weights.items()) / sum(weights.values())
