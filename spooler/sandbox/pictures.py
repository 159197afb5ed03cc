"""The pictures of docs/pictures, made anew by `make pictures`: what goes on the blanks, and what a clerk sees before it does.

Each is the rendering of a sample, so that no picture shows a person, a parcel or a certificate that exists.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import pikepdf
from PIL import Image

from agents.calibration.correction import Point, Side
from agents.calibration.crosses import crosses_of
from agents.calibration.sheet import draw_proof, draw_sheet
from agents.templates import Templates
from spooler.render import AnnexFile, Content, Renderer, find_templates
from spooler.render.running import Sheets
from spooler.render.running.what import CHECK_SHEET, COLLATERAL_LIST, sample_of_sheet
from spooler.render.template import Frame, load_templates
from spooler.render.trial import sample_of
from spooler.sandbox import samples
from spooler.sandbox.virtual_printer import Misplacement, misplace
from spooler.wire.messages import Seal, Stock

DPI = 80
FRAME_DPI = 110
# Samples of which the frame is shown: parcels drawn by us, and a map at its scale.
FRAMES = ("homestead", "orchard", "two-lots", "map-scaled")
COLOURS = 48
MARGIN = 1
GREY = (170, 170, 170)
PDFTOPPM = "/usr/bin/pdftoppm"

Draw = Callable[[], Image.Image]


def all_pictures() -> Mapping[str, Draw]:
    """Return every picture by its file name."""
    drawn: dict[str, Draw] = {}
    for kind, passes in (("certificate", "ABC"), ("proof", "P"), ("record", "P")):
        for page, name in enumerate(passes, 1):
            stem = f"{kind}-{name}" if len(passes) > 1 else kind
            drawn[f"{stem}-print.png"] = partial(_page, _printed, kind, page)
            drawn[f"{stem}-preview.png"] = partial(_page, _previewed, kind, page)
    for kind, pages in ((COLLATERAL_LIST, (1, 2)), (CHECK_SHEET, (1,))):
        for page in pages:
            stem = f"{kind}-{page}" if len(pages) > 1 else kind
            drawn[f"{stem}.png"] = partial(_page, _sheet, kind, page)
    for name in ("calibration-sheet", "calibration-proof"):
        drawn[f"{name}.png"] = partial(_page, _calibration, name, 1)
    for name in FRAMES:
        drawn[f"annex-{name}.png"] = partial(_frame, name)
    return drawn


def as_png(picture: Image.Image) -> bytes:
    """Return the file: few colours, so that a repository holds it."""
    out = BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def write_all(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, draw in all_pictures().items():
        (directory / name).write_bytes(as_png(draw()))


@cache
def _renderer() -> Renderer:
    return Renderer(find_templates())


@cache
def _printed(kind: str) -> bytes:
    return _renderer().print_document(_sample(kind)).pdf


@cache
def _previewed(kind: str) -> bytes:
    return _renderer().preview(_sample(kind))


@cache
def _sheet(kind: str) -> bytes:
    sheets = Sheets(find_templates())
    newest = sheets.newest(kind)
    return sheets.draw_sample(newest, sample_of_sheet(newest))


@cache
def _calibration(name: str) -> bytes:
    """The sheet as it is drawn; and its proof over the sheet of a printer that errs, both as they lie on the paper."""
    side, errs = Templates().sides(Stock.CERTIFICATE)[1], Misplacement(4.5, -3, 1.2, -0.8, 0.7)
    sheet = draw_sheet(side, Stock.CERTIFICATE, "booklet-1", "8c1f03d2")
    if name == "calibration-sheet":
        return sheet
    points = {cross: _comes_out(errs, side)(place) for cross, place in crosses_of(side).items()}
    fields = Templates().fields(Stock.CERTIFICATE, side)
    proof = draw_proof(side, Stock.CERTIFICATE, "booklet-1", 3, points, fields, "8c1f03d2")
    return _over(misplace(sheet, errs), proof)


def _comes_out(errs: Misplacement, side: Side) -> Callable[[Point], Point]:
    """Return where a point comes out, in mm from the top left corner."""
    k, height = 72 / 25.4, side.height_mm
    a, b, c, d, e, f = errs.matrix(side.width_mm * k, height * k)

    def moved(at: Point) -> Point:
        x, y = at[0] * k, (height - at[1]) * k
        return (a * x + c * y + e) / k, height - (b * x + d * y + f) / k

    return moved


def _over(under: bytes, over: bytes) -> bytes:
    """Return one page with the other printed over it."""
    with pikepdf.open(BytesIO(under)) as below, pikepdf.open(BytesIO(over)) as above:
        below.pages[0].add_overlay(above.pages[0], None)
        out = BytesIO()
        below.save(out)
    return out.getvalue()


def _sample(kind: str) -> Content:
    """Return the newest template's own sample, sealed; a certificate with a map and a plan."""
    versions = [template for template in load_templates(find_templates()).values() if template.kind == kind]
    content = sample_of(max(versions, key=lambda template: template.version))
    annexes = _annexes() if kind == "certificate" else ()
    return replace(content, seal=Seal.PRINTED, annexes=annexes)


def _annexes() -> tuple[AnnexFile, ...]:
    directory = samples.directory() / "annexes"
    chosen = (("parcel_map", "map-house.pdf", "application/pdf"), ("unit_plan", "plan-grey.png", "image/png"))
    return tuple(AnnexFile(role, name, of, (directory / name).read_bytes()) for role, name, of in chosen)


def _frame(sample: str) -> Image.Image:
    """Return what a sample's request puts into the frame of its certificate."""
    request = json.loads((samples.directory() / "good" / f"{sample}.json").read_bytes())
    directory = samples.directory() / "annexes"
    annexes = tuple(
        AnnexFile(one["role"], one["name"], one["media_type"], (directory / one["name"]).read_bytes(), one.get("scale"))
        for one in request["annexes"]
    )
    base = _sample("certificate")
    unit = {"unit_number": request["document"]["fields"]["unit_number"]}
    content = replace(base, annexes=annexes, fields={**base.fields, **unit})
    frame = next(one for one in load_templates(find_templates()).values() if one.kind == "certificate").frame
    page = _page(lambda _: _renderer().print_document(content).pdf, "", 3, FRAME_DPI)
    left, top, right, bottom = (round(side / 25.4 * FRAME_DPI) for side in _around(frame))
    return page.crop((left, top, right, bottom))


def _around(frame: Frame | None) -> tuple[float, float, float, float]:
    """Return the edges of the frame and a little beyond, in mm."""
    if frame is None:
        raise LookupError("certificates have a frame")
    return frame.x - 3, frame.y - 3, frame.x + frame.width + 3, frame.y + frame.height + 3


def _page(pdf_of: Callable[[str], bytes], kind: str, page: int, dpi: int = DPI) -> Image.Image:
    """Return a page with a thin edge, so that white paper shows on a white page."""
    command = [PDFTOPPM, "-r", str(dpi), "-f", str(page), "-l", str(page), "-png", "-"]
    done = subprocess.run(command, input=pdf_of(kind), capture_output=True, check=True, timeout=60)
    shown = Image.open(BytesIO(done.stdout)).convert("RGB")
    framed = Image.new("RGB", (shown.width + 2 * MARGIN, shown.height + 2 * MARGIN), GREY)
    framed.paste(shown, (MARGIN, MARGIN))
    return framed


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
