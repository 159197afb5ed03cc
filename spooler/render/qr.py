"""Step 2b: the QR code as vector modules. Its text is opaque: the home county supplies it."""

from dataclasses import dataclass
from typing import Any

import zxingcpp

from spooler.render.codes import RenderCode
from spooler.render.content import Finding
from spooler.render.layout import MM
from spooler.render.template import Place

QUIET_MODULES = 4
# Below this a phone no longer reads what a 24-pin printer marked.
SMALLEST_MODULE_MM = 0.35


@dataclass(frozen=True)
class Bar:
    """A horizontal stretch of dark modules, in points from the top left corner of the paper."""

    x: float
    y: float
    width: float
    height: float


def qr_bars(text: str, place: Place) -> list[Bar] | Finding:
    """Return the code centred in its place with its quiet zone, or why it cannot be there."""
    if not text:
        return []
    rows = _modules(text)
    module = 0.0 if rows is None else min(place.width, place.height) / (len(rows) + 2 * QUIET_MODULES)
    if rows is None or module < SMALLEST_MODULE_MM:
        return Finding("qr", RenderCode.DOES_NOT_FIT, _TOO_LONG)
    side = module * len(rows)
    left, top = place.x + (place.width - side) / 2, place.y + (place.height - side) / 2
    return [
        Bar((left + start * module) * MM, (top + y * module) * MM, length * module * MM, module * MM)
        for y, row in enumerate(rows)
        for start, length in _stretches(row)
    ]


_TOO_LONG = "二维码内容过长，印出后无法识读。The QR text is too long to be read once printed."


def _modules(text: str) -> list[list[bool]] | None:
    try:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    except ValueError:
        return None
    pixels: Any = code.to_image(scale=1, add_quiet_zones=False)
    image: Any = memoryview(pixels).tolist()
    return [[value < 128 for value in row] for row in image]


def _stretches(row: list[bool]) -> list[tuple[int, int]]:
    """Return start and length of each run of dark modules."""
    edges = [i for i, (before, after) in enumerate(zip([False, *row], [*row, False], strict=True)) if before != after]
    return [(start, end - start) for start, end in zip(edges[::2], edges[1::2], strict=True)]
