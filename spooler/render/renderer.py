"""Step 2 (render): a request's content becomes the print document, or an Unprintable that names every field at fault.

content ─▶ lay_out (texts) ─┐
           qr_bars          ├▶ nothing refused? ─▶ draw ─▶ assemble ─▶ Rendered
           read_annexes ────┤
           running sheets ──┘
"""

from dataclasses import dataclass
from itertools import count
from pathlib import Path

from spooler.render.annex.apart import shared_reader
from spooler.render.annex.place import Rect, contain
from spooler.render.annex.read import Annexes, Read, read_annexes
from spooler.render.annex.values import NormalAnnex, Side
from spooler.render.assemble import Inset, TooManyObjects, assemble
from spooler.render.codes import RenderCode
from spooler.render.content import Content, Finding, Rendered, Unprintable
from spooler.render.fonts import Faces, shared_faces
from spooler.render.forms import draw_form
from spooler.render.framing import Framed, small, stand
from spooler.render.layout import Layout, lay_out
from spooler.render.leaf import Leaf
from spooler.render.parcel.scale import SMALLEST_ON_PAPER
from spooler.render.preview import overlay
from spooler.render.qr import Bar, qr_bars
from spooler.render.running import Laid, Sheets, draw_laid
from spooler.render.sheets import Pages
from spooler.render.template import Sheet, Template, load_templates
from spooler.render.template.files import BLANK
from spooler.render.template.issuance import Issuance, issuance_of
from spooler.wire.messages import Check, Pass, Seal, Stock

PLAIN_PAPER = Rect(0, 0, 210, 297)
PICTURE_MARGIN_MM = 10.0
CHECK_PASS = "K"  # 核对


@dataclass(frozen=True)
class Plan:
    """Everything that will be drawn, decided and found good."""

    content: Content
    template: Template
    layout: Layout
    qr: list[Bar]
    annexes: Annexes
    framed: Framed
    collateral: Laid | None = None
    check: Laid | None = None

    @property
    def lists(self) -> tuple[Leaf, ...]:
        """Return the pages of the collateral list that we draw."""
        return self.collateral.leaves if self.collateral else ()

    @property
    def noted(self) -> tuple[Finding, ...]:
        annexes = (*self.annexes.noted, *self.framed.noted, *_listed_notes(self.annexes))
        # What is noted of the check sheet is noted of the fields themselves.
        return (*self.layout.noted, *(self.collateral.noted if self.collateral else ()), *annexes)

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Return the passes that have something on them: the frame's own is left out when it stays empty."""
        return tuple(sheet for sheet in self.template.passes if not self._stays_empty(sheet))

    def _stays_empty(self, sheet: Sheet) -> bool:
        frame = self.template.frame
        return frame is not None and sheet.name == frame.on and not self.annexes.framed


class Renderer:
    """Renders every kind of document that has a template. May be shared by threads."""

    def __init__(self, templates: Path, *, own: Path | None = None, read: Read | None = None) -> None:
        self._templates = load_templates(templates, own)
        self._faces = {name: shared_faces(template.type.fonts) for name, template in self._templates.items()}
        self._read = read or shared_reader()
        self._sheets = Sheets(templates, own=own)

    @property
    def templates(self) -> frozenset[str]:
        """Return the names of all templates, as `certificate/1`."""
        return frozenset(self._templates) | self._sheets.names

    def issuance(self, kind: str, version: int | None) -> Issuance:
        """Return how a document of this kind may be issued anew; `version` None is the newest."""
        template = self._newest(kind, version)
        return issuance_of(kind, template.issuance if template else None)

    def print_document(self, content: Content) -> Rendered:
        """Return what is overprinted on the blanks, one page a pass; raise Unprintable if anything about it is wrong."""
        plan = self._plan(content)
        annex_pages = _pages_of(plan.annexes)
        pdf = _join(plan, _draw(plan, self._faces[plan.template.name]), annex_pages)
        return Rendered(pdf, plan.template.name, _passes(plan, len(plan.lists) + annex_pages), plan.noted)

    def preview(self, content: Content) -> bytes:
        """Return the print document over the neutral drawing of its blank, watermarked; raise Unprintable as printing would."""
        rendered = self.print_document(content)
        template = self._templates[rendered.template]
        blank = None if template.blank is None else (template.directory / BLANK).read_bytes()
        return overlay(rendered, blank)

    def _plan(self, content: Content) -> Plan:
        template = self._template_of(content)
        layout = lay_out(content, template, self._faces[template.name])
        qr = qr_bars(content.qr, template.qr)
        annexes = read_annexes(content.annexes, has_frame=template.frame is not None, read=self._read)
        collateral = self._sheets.collateral_list(content, beside=_pages_of(annexes))
        framed = _framed(template, annexes, self._faces[template.name], content)
        sheets = (collateral, None if layout.refused else self._sheets.check_sheet(content))
        running = [finding for laid in sheets if laid for finding in laid.refused]
        unreadable = (qr,) if isinstance(qr, Finding) else ()
        refused = (*layout.refused, *unreadable, *running, *annexes.refused, *framed.refused)
        if isinstance(qr, Finding) or refused:
            raise Unprintable(refused)
        return Plan(content, template, layout, qr, annexes, framed, *sheets)

    def _template_of(self, content: Content) -> Template:
        """Return the version that the registry names, else the newest of its kind."""
        template = self._newest(content.kind, content.template_version)
        if template is None:
            raise Unprintable(
                (Finding("kind", RenderCode.UNKNOWN_KIND, "没有这种文书的模板。There is no template of this kind."),)
            )
        return template

    def _newest(self, kind: str, version: int | None) -> Template | None:
        found = [one for one in self._templates.values() if one.kind == kind and version in (None, one.version)]
        return max(found, key=lambda template: template.version, default=None)


def _pages_of(annexes: Annexes) -> int:
    return sum(len(annex.sides) for annex in annexes.listed)


def _framed(template: Template, annexes: Annexes, faces: Faces, content: Content) -> Framed:
    frame = template.frame
    if frame is None:
        return Framed()
    room = Rect(frame.x, frame.y, frame.width, frame.height)
    unit = content.fields.get("unit_number", "")
    return stand(annexes.framed, room, faces, is_grey=frame.is_grey, unit=unit, smallest_scale=SMALLEST_ON_PAPER)


def _passes(plan: Plan, plain_pages: int) -> tuple[Pass, ...]:
    """Return all passes of the template, the empty one without pages, then one for each plain page."""
    pages, numbers = count(), count(1)
    drawn = {sheet.name for sheet in plan.sheets}
    passes = [
        sheet.as_pass(next(numbers), (next(pages),) if sheet.name in drawn else ()) for sheet in plan.template.passes
    ]
    passes += [_plain_pass(next(numbers), f"L{i + 1}", (next(pages),)) for i in range(plain_pages)]
    if plan.check:
        leaves = tuple(next(pages) for _ in plan.check.leaves)
        passes.append(_plain_pass(next(numbers), CHECK_PASS, leaves, plan.content.check))
    return tuple(passes)


def _plain_pass(number: int, name: str, pages: tuple[int, ...], check: Check | None = None) -> Pass:
    return Pass(
        number=number,
        name=name,
        pages=pages,
        stock=Stock.PLAIN,
        width_mm=PLAIN_PAPER.width,
        height_mm=PLAIN_PAPER.height,
        check=check,
    )


def _draw(plan: Plan, faces: Faces) -> bytes:
    with faces.lock:
        pages = Pages(faces)
        for sheet in plan.sheets:
            pages.begin(sheet)
            _draw_sheet(pages, sheet, plan, faces)
            pages.end()
        for laid in (plan.collateral, plan.check):
            if laid:
                draw_laid(pages, laid)
        return pages.to_bytes()


def _draw_sheet(pages: Pages, sheet: Sheet, plan: Plan, faces: Faces) -> None:
    template = plan.template
    if template.form is not None:
        draw_form(pages, sheet, template, template.form, faces)
    if sheet.name == template.seal.on and plan.content.seal is Seal.PRINTED:
        pages.seal(template.seal, plan.content.registry_name)
    if sheet.name == template.qr.on and plan.qr:
        pages.fill(plan.qr)
    for placed in plan.layout.texts:
        if placed.on == sheet.name:
            pages.write(placed)
    if template.frame and sheet.name == template.frame.on:
        for drawing in plan.framed.drawings:
            pages.parcel(drawing)
        pages.letter(plan.framed.notes)


def _join(plan: Plan, drawn: bytes, annex_pages: int) -> bytes:
    insets = [*_framed_insets(plan), *_listed_insets(plan)]
    try:
        size = (PLAIN_PAPER.width, PLAIN_PAPER.height)
        behind = len(plan.check.leaves) if plan.check else 0
        return assemble(drawn, annex_pages, insets, plain_size=size, behind=behind)
    except TooManyObjects:
        message = "附件合计过于复杂。The annexes together have too many objects."
        raise Unprintable((Finding("annexes", RenderCode.ANNEX_TOO_COMPLEX, message),)) from None


def _framed_insets(plan: Plan) -> list[Inset]:
    page = len(plan.sheets) - 1
    is_grey = plan.template.frame is not None and plan.template.frame.is_grey
    return [
        Inset(page, standing.annex.pdf, 0, standing.rect, is_grey=is_grey and not standing.annex.is_grey)
        for standing in plan.framed.pages
    ]


def _listed_insets(plan: Plan) -> list[Inset]:
    pages = count(len(plan.sheets) + len(plan.lists))
    return [
        _listed_inset(next(pages), annex, i, side)
        for annex in plan.annexes.listed
        for i, side in enumerate(annex.sides)
    ]


def _listed_inset(page: int, annex: NormalAnnex, nth: int, side: Side) -> Inset:
    rect, turned = _on_plain_paper(annex, side)
    return Inset(page, annex.pdf, nth, rect, turned)


def _on_plain_paper(annex: NormalAnnex, side: Side) -> tuple[Rect, bool]:
    """A landscape page lies on its side on the upright sheet, so that it keeps its size."""
    room = PLAIN_PAPER.inset(PICTURE_MARGIN_MM) if annex.is_picture else PLAIN_PAPER
    turned = side.width > side.height
    return contain(Side(side.height, side.width) if turned else side, room), turned


def _listed_notes(annexes: Annexes) -> list[Finding]:
    found = []
    for annex in annexes.listed:
        for nth, side in enumerate(annex.sides):
            rect, turned = _on_plain_paper(annex, side)
            found += small(annex, nth, rect, turned=turned)
    return found
