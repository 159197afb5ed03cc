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

from PIL import Image

from spooler.render import AnnexFile, Content, Renderer, find_templates
from spooler.render.running import Sheets
from spooler.render.running.what import CHECK_SHEET, COLLATERAL_LIST, sample_of_sheet
from spooler.render.template import Frame, load_templates
from spooler.render.trial import sample_of
from spooler.sandbox import samples
from spooler.wire.messages import Seal

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
