"""The calibration sheet and its proof, as a printer of numbered stock prints them on plain paper. No input or output.

The sheet has eight numbered crosses, two rulers, and a table to write the readings in. The proof is printed over the same sheet, under
the correction: a ring round each cross where it was measured, and the frames of all fields, to be held against a blank.
"""

from collections.abc import Iterable, Mapping

from agents.calibration.correction import Point, Side
from agents.calibration.crosses import crosses_of
from agents.calibration.reach import Field
from agents.drawing import Drawing
from spooler.wire.messages import Stock

ARM_MM = 6.0
RING_MM, EYE_MM = 2.5, 0.5
LEFT_MM = 45.0  # of all that is written: clear of the crosses, whatever the printer's error
ROW_MM = 6.5
COLUMNS = ((0, "十字"), (18, "应为 x"), (38, "应为 y"), (58, "量得 x"), (78, "量得 y"))
TABLE_MM = 98.0
STOCK_NAMES = {Stock.CERTIFICATE: "不动产权证书", Stock.PROOF: "不动产登记证明", Stock.PLAIN: "白纸"}

TITLE = "打印机校准页"
STEPS = (
    "一、用白纸裁成 {size} mm，与空白证书同样放入打印机。勿用空白证书！",
    "二、用直尺量每个十字中心到纸左边（x）和上边（y）的距离，单位毫米，估读到 0.1。",
    "三、填入下表，再录入：certspool-agent calibrate enter",
    "Plain paper of this very size, never a blank. Measure from the left and the top edge of the paper, in mm.",
)
PROOF_TITLE = "校准验证页"
PROOF_STEPS = (
    "把量过的校准页原样再放入，印在同一张纸上：每个小圆圈应套住原来的十字中心。",
    "Printed over the sheet that was measured, each ring lies round its cross.",
    "虚线为各栏位置，可与空白证书透光比对。The frames are those of the blank.",
    "合格后录入：certspool-agent calibrate accept",
)
RULER_NOTE = "尺 mm"


def words() -> str:
    """Return every character that is ever written here, for the data that it is drawn from."""
    ascii_characters = "".join(map(chr, range(0x20, 0x7F)))
    texts = [TITLE, *STEPS, PROOF_TITLE, *PROOF_STEPS, RULER_NOTE, *STOCK_NAMES.values()]
    return "".join([ascii_characters, *texts, *(name for _, name in COLUMNS), "第面×版本·"])


def draw_sheet(side: Side, stock: Stock, printer: str, mark: str) -> bytes:
    """Return the sheet as PDF. `mark` tells one print from the other."""
    page = Drawing(side.width_mm, side.height_mm)
    for cross, place in crosses_of(side).items():
        _draw_cross(page, cross, place, side)
    page.write(f"{TITLE} · {STOCK_NAMES[stock]} · 第 {side.spread} 面", LEFT_MM, 44, 6)
    page.write(f"{printer} {mark}", side.width_mm - LEFT_MM, 44, 3, align="right")
    below = page.lines([step.format(size=_size(side)) for step in STEPS], LEFT_MM, 54, 3.8)
    _draw_table(page, side, below + 4)
    _draw_rulers(page, side)
    return page.to_pdf()


def draw_proof(
    side: Side,
    stock: Stock,
    printer: str,
    version: int,
    measured: Mapping[int, Point],
    fields: Iterable[Field],
    mark: str,
) -> bytes:
    """Return the proof as PDF, as it is before the correction is applied."""
    page = Drawing(side.width_mm, side.height_mm)
    for point in measured.values():
        page.ring(point, RING_MM)
        page.ring(point, EYE_MM)
    for field in fields:
        (x, y), _, (right, bottom), _ = field.corners
        page.frame(x, y, right - x, bottom - y, 0.12, dash="1 1")
    heading = f"{PROOF_TITLE} · {STOCK_NAMES[stock]} · 第 {side.spread} 面 · 版本 {version} · {printer} {mark}"
    # Below all fields, in two columns beside cross 6.
    top, half = side.height_mm - 13.5, len(PROOF_STEPS) // 2
    page.write(heading, LEFT_MM - 15, top, 2.8)
    page.lines(PROOF_STEPS[:half], LEFT_MM - 15, top + 4.4, 2.8, leading=1.5)
    page.lines(PROOF_STEPS[half:], side.width_mm / 2 + 12, top, 2.8, leading=1.5)
    return page.to_pdf()


def _size(side: Side) -> str:
    return f"{side.width_mm:g} × {side.height_mm:g}"


def _draw_cross(page: Drawing, cross: int, place: Point, side: Side) -> None:
    """Its number stands towards the middle of the sheet, clear of its arms."""
    x, y = place
    page.line((x - ARM_MM, y), (x + ARM_MM, y))
    page.line((x, y - ARM_MM), (x, y + ARM_MM))
    right = 1 if x <= side.width_mm / 2 else -1
    down = 1 if y <= side.height_mm / 2 else -1
    page.write(str(cross), x + right * 9, y + down * 9 + 1.8, 5, align="center")


def _draw_table(page: Drawing, side: Side, top: float) -> None:
    rows = crosses_of(side)
    for offset, name in COLUMNS:
        page.write(name, LEFT_MM + offset + 2, top + 4.7, 3.6)
    for i, (cross, (x, y)) in enumerate(rows.items(), start=1):
        line = top + i * ROW_MM + 4.7
        for (offset, _), text in zip(COLUMNS, (str(cross), f"{x:.1f}", f"{y:.1f}"), strict=False):
            page.write(text, LEFT_MM + offset + 2, line, 3.6)
    height = (len(rows) + 1) * ROW_MM
    for i in range(len(rows) + 2):
        page.line((LEFT_MM, top + i * ROW_MM), (LEFT_MM + TABLE_MM, top + i * ROW_MM), 0.1)
    for right in (*(offset for offset, _ in COLUMNS), TABLE_MM):
        page.line((LEFT_MM + right, top), (LEFT_MM + right, top + height), 0.1)


def _draw_rulers(page: Drawing, side: Side) -> None:
    """One along and one down, from 0 in steps of a millimetre, to be compared with the hall's own ruler."""
    along, down = int((side.width_mm - 2 * LEFT_MM) // 10) * 10, int((side.height_mm - 90) // 10) * 10
    y, x = side.height_mm - 38, side.width_mm - LEFT_MM
    for at in range(along + 1):
        page.line((LEFT_MM + at, y), (LEFT_MM + at, y - _tick(at)), 0.1)
        if at % 10 == 0:
            page.write(str(at), LEFT_MM + at, y + 3.4, 2.6, align="center")
    for at in range(down + 1):
        page.line((x, 50 + at), (x - _tick(at), 50 + at), 0.1)
        if at % 10 == 0:
            page.write(str(at), x + 1.2, 50 + at + 0.9, 2.6)
    page.write(RULER_NOTE, LEFT_MM, y - 6, 3)


def _tick(at: int) -> float:
    return 4.0 if at % 10 == 0 else 3.0 if at % 5 == 0 else 2.0
