"""A template tried as a whole: does its sample print, and is its blank drawn from it? What the start of a home does not look at."""

import json
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

import pikepdf

from spooler.render.blank import draw_blank
from spooler.render.content import Content, Finding, Number, Unprintable
from spooler.render.electronic import ElectronicRenderer
from spooler.render.face import Face
from spooler.render.fonts import shared_faces
from spooler.render.renderer import Renderer
from spooler.render.running import Sheets
from spooler.render.running.model import SheetTemplate
from spooler.render.running.what import sample_of_sheet
from spooler.render.template import Template
from spooler.render.template.files import BLANK, SAMPLE
from spooler.wire.messages import Seal


@dataclass(frozen=True)
class Trial:
    """What was found: faults stand in the way, the rest is for a look."""

    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()


def sample_of(template: Template) -> Content:
    """Return the content of the template's sample.json; ValueError or KeyError if it is none."""
    values: dict[str, Any] = json.loads((template.directory / SAMPLE).read_text(encoding="utf-8"))
    return Content(
        kind=template.kind,
        registry_name=values["registry_name"],
        number=Number(**values["number"]),
        booked_on=date.fromisoformat(values["booked_on"]),
        qr=values["qr"],
        fields=values["fields"],
        seal=Seal(values["seal"]),
        template_version=template.version,
    )


def try_template(template: Template, renderer: Renderer) -> Trial:
    """Print the sample, and compare the drawing of the blank with what the template says."""
    faults = [] if blank_is_current(template) else [f"{template.directory / BLANK}: is not drawn from this template"]
    sample = template.directory / SAMPLE
    try:
        warnings = renderer.print_document(sample_of(template)).warnings
    except Unprintable as e:
        return Trial((*faults, *(_told(sample, finding) for finding in e.findings)))
    except (ValueError, KeyError, TypeError) as e:
        return Trial((*faults, f"{sample}: is no sample: {type(e).__name__} {e}"))
    return Trial(tuple(faults), tuple(_told(sample, finding) for finding in warnings))


def try_sheet(sheet: SheetTemplate, sheets: Sheets) -> Trial:
    """Lay the sample of a running sheet out."""
    path = sheet.directory / SAMPLE
    try:
        laid = sheets.of_sample(sheet, sample_of_sheet(sheet))
    except (ValueError, KeyError, TypeError) as e:
        return Trial((f"{path}: is no sample: {type(e).__name__} {e}",))
    return Trial(tuple(_told(path, one) for one in laid.refused), tuple(_told(path, one) for one in laid.noted))


def try_face(face: Face, template: Template, renderer: ElectronicRenderer) -> Trial:
    """Draw the electronic face of what its kind's print template has as its sample."""
    path = template.directory / SAMPLE
    try:
        renderer.draw(sample_of(template))
    except Unprintable as e:
        return Trial(tuple(f"{face.name}: {_told(path, finding)}" for finding in e.findings))
    return Trial(())


def blank_is_current(template: Template) -> bool:
    """Say whether blank.pdf draws what the template says; the fonts in it may be of another edition. Plain paper has none."""
    if template.blank is None:
        return True
    drawn = draw_blank(template, shared_faces(template.type.fonts))
    try:
        return _pages((template.directory / BLANK).read_bytes()) == _pages(drawn)
    except pikepdf.PdfError:
        return False


def _pages(pdf: bytes) -> list[tuple[list[float], bytes]]:
    """Return size and drawing operators of each page."""
    with pikepdf.open(BytesIO(pdf)) as document:
        return [
            ([float(side) for side in page.mediabox.as_list()], page.Contents.read_bytes()) for page in document.pages
        ]


def _told(path: object, finding: Finding) -> str:
    return f"{path}: {finding.field}: {finding.code}: {finding.message}"
