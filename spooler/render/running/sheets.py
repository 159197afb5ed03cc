"""Running sheets laid out for a document, by the version that its registry prints, and drawn."""

from dataclasses import replace
from pathlib import Path

from spooler.catalog import KINDS
from spooler.render.annex.pdf import MOST_PAGES
from spooler.render.codes import RenderCode
from spooler.render.content import Content, Finding, Unprintable
from spooler.render.fonts import shared_faces
from spooler.render.running.layout import Laid, Running, lay_out_sheet
from spooler.render.running.model import SheetTemplate
from spooler.render.running.read import load_sheets
from spooler.render.running.what import CHECK_SHEET, COLLATERAL_LIST, DEMANDS, SAYS, check_sheet_of, collateral_list_of
from spooler.render.sheets import Pages
from spooler.wire.messages import Check

# A hall reads documents of 200 pages: these, 90 of lists, and the sides of the certificate.
MOST_CHECK_PAGES = 100


class Sheets:
    """All sheets that there are. May be shared by threads."""

    def __init__(self, templates: Path, *, own: Path | None = None) -> None:
        self._sheets = load_sheets(templates, DEMANDS, own)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._sheets)

    def collateral_list(self, content: Content, *, beside: int = 0) -> Laid | None:
        """Return the list of what is mortgaged, if the document has one; `beside` pages of annexes go with it."""
        if not content.collateral:
            return None
        laid = self._laid(COLLATERAL_LIST, content, collateral_list_of(content))
        pages = len(laid.leaves) + beside
        if pages <= MOST_PAGES:
            return laid
        message = f"清单连同附件共 {pages} 页，最多 {MOST_PAGES} 页。The list and the annexes have {pages} pages, {MOST_PAGES} at most."
        return replace(laid, refused=(*laid.refused, Finding("collateral", RenderCode.DOES_NOT_FIT, message)))

    def check_sheet(self, content: Content) -> Laid | None:
        """Return the check-and-sign sheet, where the registry wants one; what a query found is read by itself."""
        if content.check is None or KINDS[content.kind].is_plain:
            return None
        laid = self._laid(CHECK_SHEET, content, check_sheet_of(content))
        pages = len(laid.leaves)
        if pages <= MOST_CHECK_PAGES:
            return laid
        message = f"核对签收单共 {pages} 页，最多 {MOST_CHECK_PAGES} 页。The check sheet has {pages} pages, {MOST_CHECK_PAGES} at most."
        return replace(laid, refused=(*laid.refused, Finding("collateral", RenderCode.DOES_NOT_FIT, message)))

    def of_sample(self, sheet: SheetTemplate, sample: Content) -> Laid:
        """Return what this version makes of a content."""
        running = SAYS[sheet.kind](sample)
        return lay_out_sheet(running, sheet, shared_faces(sheet.type.fonts))

    def draw_sample(self, sheet: SheetTemplate, sample: Content) -> bytes:
        """Return the sheet alone, as PDF."""
        return _drawn_alone(self.of_sample(sheet, sample))

    def draw_check_sheet(self, content: Content) -> bytes:
        """Return the check-and-sign sheet alone, as PDF; raise Unprintable where there is none or it does not print."""
        laid = self.check_sheet(replace(content, check=Check.OFFERED))
        if laid is None:
            message = "此类文书没有核对签收单。A document of this kind has no check sheet."
            raise Unprintable((Finding("kind", RenderCode.UNKNOWN_KIND, message),))
        if laid.refused:
            raise Unprintable(laid.refused)
        return _drawn_alone(laid)

    def newest(self, kind: str) -> SheetTemplate:
        return self._sheet_of(kind, None)

    def _laid(self, kind: str, content: Content, running: Running) -> Laid:
        sheet = self._sheet_of(kind, content.sheet_versions.get(kind))
        return lay_out_sheet(running, sheet, shared_faces(sheet.type.fonts))

    def _sheet_of(self, kind: str, version: int | None) -> SheetTemplate:
        """Return the version that the registry names, else the newest."""
        versions = [sheet for sheet in self._sheets.values() if sheet.kind == kind]
        wanted = [sheet for sheet in versions if version in (None, sheet.version)]
        if not wanted:
            message = f"没有这种清单的模板。There is no template {kind}."
            raise Unprintable((Finding("kind", RenderCode.UNKNOWN_KIND, message),))
        return max(wanted, key=lambda sheet: sheet.version)


def _drawn_alone(laid: Laid) -> bytes:
    with laid.faces.lock:
        pages = Pages(laid.faces)
        draw_laid(pages, laid)
        return pages.to_bytes()


def draw_laid(pages: Pages, laid: Laid) -> None:
    """Draw all its pages. Held under the faces' lock, as every drawing is."""
    pages.set_in(laid.faces)
    for leaf in laid.leaves:
        pages.begin(laid.template.page)
        pages.leaf(leaf)
        pages.end()
