"""Step 2c: the annexes in their places, with the note of their scale, and what is worth a look about each.

A scale is true where the source states one: a parcel's coordinates do, and the size of a page or of a picture's pixels does once the
request says what it is the map of. What is printed at its own size keeps that scale; everything else is 不按比例.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from spooler.render.annex.place import Rect, Want, contain_above_note, divide, keeps_size
from spooler.render.annex.values import NormalAnnex, Parcel, Role
from spooler.render.characters import check_characters
from spooler.render.codes import RenderCode
from spooler.render.content import Finding
from spooler.render.fonts import Faces
from spooler.render.parcel.margin import code_of
from spooler.render.parcel.paper import BLACK, RED, Lettering, centred
from spooler.render.parcel.scale import SCALES, NoScale, extent_of
from spooler.render.parcel.table import GROUP_MM, ROW_MM
from spooler.render.parcel_drawing import ParcelDrawing, draw_parcel, shape_of

NOTE_SIZE = 8.0
NOT_TO_SCALE = "不按比例"
LEAST_LETTERING_MM = 1.5
# Drawing standards allow lettering of 2.5 mm: below this share of its size that is less than 1.5 mm on paper.
LEAST_SHARE = LEAST_LETTERING_MM / 2.5
TITLES = {Role.PARCEL_MAP: "宗地图", Role.UNIT_PLAN: "房屋平面图"}
# What our own drawing of a parcel needs beside the parcel.
_AROUND_MM = (30.0, 45.0)
FEW_POINTS = 24


@dataclass(frozen=True)
class Standing:
    """One annex in the frame: a drawing of ours, or a page to be placed and the note beneath it."""

    annex: NormalAnnex
    rect: Rect
    drawing: ParcelDrawing | None = None
    note: Lettering | None = None


@dataclass(frozen=True)
class Framed:
    """What stands in the frame, and what was found on the way."""

    standings: tuple[Standing, ...] = ()
    refused: tuple[Finding, ...] = ()
    noted: tuple[Finding, ...] = ()

    @property
    def drawings(self) -> list[ParcelDrawing]:
        return [standing.drawing for standing in self.standings if standing.drawing]

    @property
    def notes(self) -> list[Lettering]:
        return [standing.note for standing in self.standings if standing.note]

    @property
    def pages(self) -> list[Standing]:
        return [standing for standing in self.standings if not standing.drawing]


def stand(
    framed: Sequence[NormalAnnex],
    frame: Rect,
    faces: Faces,
    *,
    is_grey: bool = False,
    unit: str = "",
    smallest_scale: int = SCALES[-1],
) -> Framed:
    """Return the annexes in their parts of the frame; `unit` is the unit number as it is printed."""
    if not framed:
        return Framed()
    standings: list[Standing] = []
    refused: list[Finding] = []
    noted: list[Finding] = []
    for annex, room in zip(framed, divide(frame, [_want(annex) for annex in framed]), strict=True):
        if annex.parcel:
            faults, notes = _texts(annex, annex.parcel, faces)
            drawn = None if faults else _drawn(annex, room, faces, is_grey, smallest_scale)
            refused += faults
            noted += [*notes, *_parcel_notes(annex, annex.parcel, unit)]
            if isinstance(drawn, Finding):
                refused.append(drawn)
            elif drawn:
                standings.append(Standing(annex, room, drawn))
                noted += _thinned(annex, drawn)
            continue
        standings.append(_placed(annex, room, faces))
        noted += [*_scale_notes(annex, room), *small(annex, 0, standings[-1].rect)]
    return Framed(tuple(standings), tuple(refused), tuple(noted))


def small(annex: NormalAnnex, nth: int, rect: Rect, *, turned: bool = False) -> list[Finding]:
    """Return a warning if lettering of the annex's nth side is too small there, as far as that can be known."""
    own, printed = annex.sides[nth].width, rect.height if turned else rect.width
    if annex.is_picture:
        share = printed / annex.own_size.width if annex.own_size else 1.0
        return (
            [_finding(annex, RenderCode.ANNEX_SMALL, _SMALL_PICTURE.format(share=share))] if share < LEAST_SHARE else []
        )
    lettering = annex.lettering[nth] if nth < len(annex.lettering) else None
    if lettering is None or lettering * printed / own >= LEAST_LETTERING_MM - 1e-6:
        return []
    return [_finding(annex, RenderCode.ANNEX_SMALL, _SMALL.format(now=lettering * printed / own, own=lettering))]


_SMALL = (
    "最小文字印出仅 {now:.2f} 毫米（原件 {own:.2f} 毫米），小于 1.5 毫米，请核对能否看清。"
    "The smallest lettering is {now:.2f} mm on paper, less than 1.5 mm."
)
_SMALL_PICTURE = (
    "图像印为原尺寸的 {share:.0%}，其中 2.5 毫米的文字将小于 1.5 毫米，请核对能否看清。"
    "The picture is printed at {share:.0%} of its size: lettering of 2.5 mm would be less than 1.5 mm."
)


def _want(annex: NormalAnnex) -> Want:
    if annex.parcel:
        return Want(shape_of(annex.parcel), around=partial(_around, annex.parcel))
    if annex.scale and annex.own_size:
        return Want(annex.own_size, keeps_size=True)
    return Want(annex.sides[0])


def _around(parcel: Parcel, room: Rect) -> tuple[float, float]:
    """Return what is drawn around the parcel: of many points there is a table."""
    points = sum(map(len, parcel.rings))
    rows = points / max(1, room.width // GROUP_MM) + 2 if points > FEW_POINTS else 0
    return _AROUND_MM[0], _AROUND_MM[1] + rows * ROW_MM


def _is_kept(annex: NormalAnnex, room: Rect) -> bool:
    """Say whether the annex can stand there at a scale that is known."""
    own = annex.own_size
    return bool(annex.scale) and own is not None and keeps_size(own, room)


def _placed(annex: NormalAnnex, room: Rect, faces: Faces) -> Standing:
    kept = _is_kept(annex, room)
    side = annex.own_size if kept and annex.own_size else annex.sides[0]
    rect = contain_above_note(side, room)
    words = f"比例尺 1:{annex.scale}" if kept else NOT_TO_SCALE
    middle = (rect.x + rect.width / 2, rect.y + rect.height + 2.2)
    return Standing(annex, rect, note=centred(words, NOTE_SIZE, middle, faces))


def _drawn(
    annex: NormalAnnex, room: Rect, faces: Faces, is_grey: bool, smallest_scale: int
) -> ParcelDrawing | Finding | None:
    if annex.parcel is None:
        return None
    try:
        drawn = draw_parcel(annex.parcel, room, faces, title=TITLES[annex.role], colour=BLACK if is_grey else RED)
        if drawn.scale <= smallest_scale:
            return drawn
    except NoScale:
        pass
    extent = extent_of(annex.parcel)
    return _finding(annex, RenderCode.ANNEX_NO_SCALE, _NO_SCALE.format(extent=extent, room=room, scale=smallest_scale))


_NO_SCALE = (
    "宗地范围 {extent[0]:.0f} × {extent[1]:.0f} 米，用 1:{scale} 仍放不进 {room.width:.0f} × {room.height:.0f} 毫米。"
    "The parcel does not fit its room at any round scale down to 1:{scale}."
)


def _texts(annex: NormalAnnex, parcel: Parcel, faces: Faces) -> tuple[list[Finding], list[Finding]]:
    """Return what is wrong, and what is worth a look, with the texts that came with the coordinates."""
    faults: list[Finding] = []
    notes: list[Finding] = []
    texts = [text for lot in parcel.lots for text in (lot.code, *vars(lot.neighbours).values())]
    for text in dict.fromkeys(filter(None, texts)):
        found, noted = check_characters(annex.field, text, faces)
        faults += found
        notes += noted
    return faults, notes


def _parcel_notes(annex: NormalAnnex, parcel: Parcel, unit: str) -> Iterator[Finding]:
    """A map of another parcel would be the worst of mistakes; texts that name more units than they print are left alone."""
    printed = unit.replace(" ", "")
    for code in dict.fromkeys(code_of(lot) for lot in parcel.lots):
        if len(code) == 19 and len(printed) >= 28 and "等" not in printed and code not in printed:
            yield _finding(annex, RenderCode.ANNEX_OTHER_PARCEL, _OTHER.format(code=code))


_OTHER = (
    "附图的宗地代码 {code} 不在所印的不动产单元号之中，请核对是否附错。"
    "The map's parcel code is not in the unit number that is printed."
)


def _thinned(annex: NormalAnnex, drawing: ParcelDrawing) -> Iterator[Finding]:
    if drawing.is_thinned:
        yield _finding(annex, RenderCode.ANNEX_THINNED, _THINNED)


_THINNED = (
    "界址点过密，部分点号和边长未注，也无处列表，请核对。"
    "The points are so close that some names and lengths are left out, and there is no room for a table."
)


def _scale_notes(annex: NormalAnnex, room: Rect) -> Iterator[Finding]:
    if not annex.scale or _is_kept(annex, room):
        return
    own = annex.own_size
    if own is None:
        yield _finding(annex, RenderCode.ANNEX_NOT_TO_SCALE, _NO_SIZE)
    else:
        yield _finding(annex, RenderCode.ANNEX_NOT_TO_SCALE, _TOO_LARGE.format(own=own, room=room))


_NO_SIZE = (
    "图像未注明分辨率，无法按所称比例尺印制，已注“不按比例”。"
    "The picture does not state its resolution: its scale cannot be kept."
)
_TOO_LARGE = (
    "原图 {own.width:.0f} × {own.height:.0f} 毫米，位置只有 {room.width:.0f} × {room.height:.0f} 毫米，"
    "无法保持所称比例尺，已缩小并注“不按比例”。"
    "The map is larger than its room: its scale cannot be kept."
)


def _finding(annex: NormalAnnex, code: RenderCode, message: str) -> Finding:
    return Finding(annex.field, code, message)
