"""Step 2 (render): a request's content becomes the print document, or an Unprintable that names every field at fault."""

from pathlib import Path

from spooler.render.content import Content, Finding, Rendered, Unprintable
from spooler.render.fonts import Faces, shared_faces
from spooler.render.layout import Layout, lay_out
from spooler.render.qr import Bar, qr_bars
from spooler.render.sheets import Pages
from spooler.render.template import Sheet, Template, load_templates
from spooler.wire.messages import Seal


class Renderer:
    """Renders every kind of document that has a template. May be shared by threads."""

    def __init__(self, templates: Path) -> None:
        self._templates = load_templates(templates)
        self._faces = shared_faces()

    def print_document(self, content: Content) -> Rendered:
        """Return what is overprinted on the blanks, one page a pass; raise Unprintable if anything about it is wrong."""
        template = self._template(content.kind)
        layout = lay_out(content, template, self._faces)
        bars = qr_bars(content.qr, template.qr)
        findings = (*layout.refused, *([bars] if isinstance(bars, Finding) else []))
        if findings or isinstance(bars, Finding):
            raise Unprintable(findings)
        pdf = self._draw(content, template, layout, bars)
        passes = tuple(sheet.as_pass(i + 1, (i,)) for i, sheet in enumerate(template.passes))
        return Rendered(pdf, template.name, passes, layout.noted)

    def _template(self, kind: str) -> Template:
        """Return the newest version for the kind."""
        versions = [template for template in self._templates.values() if template.kind == kind]
        if not versions:
            raise Unprintable(
                (Finding("kind", "unknown-kind", "没有这种文书的模板。There is no template of this kind."),)
            )
        return max(versions, key=lambda template: template.version)

    def _draw(self, content: Content, template: Template, layout: Layout, bars: list[Bar]) -> bytes:
        with self._faces.lock:
            pages = Pages(self._faces)
            for sheet in template.passes:
                pages.begin(sheet)
                self._draw_sheet(pages, sheet, content, template, layout, bars)
                pages.end()
            return pages.to_bytes()

    def _draw_sheet(
        self, pages: Pages, sheet: Sheet, content: Content, template: Template, layout: Layout, bars: list[Bar]
    ) -> None:
        if sheet.name == template.seal.on and content.seal is Seal.PRINTED:
            pages.seal(template.seal, content.registry_name)
        if sheet.name == template.qr.on and bars:
            pages.fill(bars)
        for placed in layout.texts:
            if placed.on == sheet.name:
                pages.write(placed)
