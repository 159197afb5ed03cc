"""Step 2 for the electronic certificate: content in, a full face on white A4 landscape out, as PDF/A-3b, not yet sealed.

page 1      title, number, all fields with 附记 last, statement, seal, booking date, QR code, identifier
page 2      附图: maps and plans, where there are any
then        what the table could not hold on page 1, then lists and attachments on plain A4

There is no 编号 and no 监制: those belong to paper. Whatever the print document was accepted with fits here too.
"""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pikepdf

from spooler.render.annex.apart import shared_reader
from spooler.render.annex.archivable import archivable
from spooler.render.annex.place import Rect, contain
from spooler.render.annex.read import Annexes, Read, read_annexes
from spooler.render.annex.values import NormalAnnex
from spooler.render.archive import archived
from spooler.render.assemble import Inset, assemble
from spooler.render.codes import RenderCode
from spooler.render.content import Content, Finding, Unprintable
from spooler.render.face import Face, load_faces
from spooler.render.face_layout import Setting, annex_heading, lay_out_face
from spooler.render.face_pages import FacePages
from spooler.render.fonts import shared_faces
from spooler.render.framing import Framed, stand
from spooler.render.layers import lay_beneath, lay_over
from spooler.render.leaf import Leaf
from spooler.render.qr import Bar, qr_bars
from spooler.render.renderer import PICTURE_MARGIN_MM, PLAIN_PAPER
from spooler.render.running import Laid, Sheets, draw_laid
from spooler.render.template import Place, RedSeal, Template, load_templates

SAMPLE = "样张"
LYING = Rect(0, 0, PLAIN_PAPER.height, PLAIN_PAPER.width)


@dataclass(frozen=True)
class Facts:
    """What the home adds to a request's content."""

    identifier: str
    address: str = ""  # what the QR code says; else the request's own text
    mark: str = ""  # 已注销, across every page
    note: str = ""  # the same in a sentence


SAMPLE_FACTS = Facts(identifier="", mark=SAMPLE)


@dataclass(frozen=True)
class Plan:
    """Everything that will be drawn."""

    content: Content
    facts: Facts
    setting: Setting
    leaves: list[Leaf]
    qr: list[Bar]
    annexes: Annexes
    framed: Framed
    collateral: Laid | None

    @property
    def face(self) -> Face:
        return self.setting.face


class ElectronicRenderer:
    """Draws electronic certificates of every kind that has a face. May be shared by threads."""

    def __init__(self, templates: Path, *, own: Path | None = None, read: Read | None = None) -> None:
        self._faces = load_faces(templates, own)
        printed = load_templates(templates, own)
        self._sheets = Sheets(templates, own=own)
        self._templates = {kind: _newest(kind, printed) for kind in self._faces}
        self._read = read or shared_reader()

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._faces)

    def draw(self, content: Content, facts: Facts = SAMPLE_FACTS) -> bytes:
        """Return the face as PDF/A-3b; Unprintable for what would not print either."""
        plan = self._plan(content, facts)
        joined = assemble(_draw(plan), 0, _insets(plan), plain_size=(PLAIN_PAPER.width, PLAIN_PAPER.height))
        with pikepdf.open(BytesIO(joined)) as pdf:
            lay_beneath(pdf, plan.face, [0, *_further(plan)])
            if facts.mark:
                lay_over(pdf, lambda width, height: _mark(plan, width, height))
            return archived(pdf, title=_title(plan), identifier=facts.identifier, booked_on=content.booked_on)

    def _plan(self, content: Content, facts: Facts) -> Plan:
        if content.kind not in self._faces:
            message = "没有这种电子证照的版式。There is no electronic face of this kind."
            raise Unprintable((Finding("kind", RenderCode.UNKNOWN_KIND, message),))
        content = replace(content, qr=facts.address or content.qr)
        face, template = self._faces[content.kind], self._templates[content.kind]
        setting = Setting(face, shared_faces(template.type.fonts), template.line_rules.marks)
        place = face.qr
        qr = qr_bars(content.qr, Place(on="1", x=place.x, y=place.y, width=place.width, height=place.height))
        annexes = _archivable(read_annexes(content.annexes, has_frame=face.frame is not None, read=self._read))
        collateral = self._sheets.collateral_list(content)
        framed = _framed(annexes, setting)
        refused = (*annexes.refused, *framed.refused, *(collateral.refused if collateral else ()))
        if isinstance(qr, Finding) or refused:
            raise Unprintable((*((qr,) if isinstance(qr, Finding) else ()), *refused))
        leaves = lay_out_face(content, setting, identifier=facts.identifier, note=facts.note)
        return Plan(content, facts, setting, leaves, qr, annexes, framed, collateral)


def _newest(kind: str, templates: dict[str, Template]) -> Template:
    return max((one for one in templates.values() if one.kind == kind), key=lambda one: one.version)


def _archivable(annexes: Annexes) -> Annexes:
    framed, listed = (tuple(map(archivable, some)) for some in (annexes.framed, annexes.listed))
    return replace(annexes, framed=framed, listed=listed)


def _title(plan: Plan) -> str:
    return f"{plan.face.title.text} {plan.content.number.text(plan.content.kind)}"


# Drawing


def _draw(plan: Plan) -> bytes:
    """Return the pages that are ours, in order."""
    with plan.setting.faces.lock:
        pages = FacePages(plan.setting.faces, plan.face.page.width, plan.face.page.height)
        _front(pages, plan)
        if plan.annexes.framed:
            _maps(pages, plan)
        for leaf in plan.leaves[1:]:
            pages.open()
            pages.leaf(leaf)
            pages.end()
        if plan.collateral:
            draw_laid(pages, plan.collateral)
        for paper, _, _, _ in _listed(plan):
            pages.open(paper.width, paper.height)
            pages.end()
        return pages.to_bytes()


def _front(pages: FacePages, plan: Plan) -> None:
    place = plan.face.seal
    pages.open()
    pages.seal(RedSeal(on="1", x=place.x, y=place.y, diameter=place.diameter), plan.content.registry_name)
    pages.leaf(plan.leaves[0])
    if plan.qr:
        pages.fill(plan.qr)
    pages.end()


def _maps(pages: FacePages, plan: Plan) -> None:
    pages.open()
    pages.write(annex_heading(plan.content, plan.setting))
    for drawing in plan.framed.drawings:
        pages.parcel(drawing)
    pages.letter(plan.framed.notes)
    pages.end()


def _mark(plan: Plan, width: float, height: float) -> bytes:
    with plan.setting.faces.lock:
        pages = FacePages(plan.setting.faces, width, height)
        pages.open()
        pages.mark(plan.facts.mark, plan.face.mark.size, is_red=plan.facts.mark != SAMPLE)
        pages.end()
        return pages.to_bytes()


# Annexes


def _framed(annexes: Annexes, setting: Setting) -> Framed:
    frame = setting.face.frame
    if frame is None:
        return Framed()
    return stand(annexes.framed, Rect(frame.x, frame.y, frame.width, frame.height), setting.faces)


def _insets(plan: Plan) -> list[Inset]:
    """The maps stand on page 2; lists begin after all pages that are ours."""
    framed = [Inset(1, standing.annex.pdf, 0, standing.rect) for standing in plan.framed.pages]
    first = _own_pages(plan) + len(plan.collateral.leaves if plan.collateral else ())
    listed = [
        Inset(first + i, annex.pdf, nth, contain(annex.sides[nth], room))
        for i, (_, room, annex, nth) in enumerate(_listed(plan))
    ]
    return [*framed, *listed]


def _listed(plan: Plan) -> list[tuple[Rect, Rect, NormalAnnex, int]]:
    """Return for every page of a list or attachment its paper, the room on it, and which page it is.

    Unlike on paper, a landscape page is not turned: it is read on a screen.
    """
    return [
        (paper, paper.inset(PICTURE_MARGIN_MM) if annex.is_picture else paper, annex, nth)
        for annex in plan.annexes.listed
        for nth, side in enumerate(annex.sides)
        for paper in [LYING if side.width > side.height else PLAIN_PAPER]
    ]


def _own_pages(plan: Plan) -> int:
    return len(plan.leaves) + bool(plan.annexes.framed)


def _further(plan: Plan) -> range:
    return range(_own_pages(plan) - len(plan.leaves) + 1, _own_pages(plan))
