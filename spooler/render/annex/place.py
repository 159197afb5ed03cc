"""Step 2c: where annexes stand on the paper. Never stretched, never enlarged, always centred. Pure geometry in mm."""

from collections.abc import Sequence
from dataclasses import dataclass

from spooler.render.annex.values import Side

GAP_MM = 4.0


@dataclass(frozen=True)
class Rect:
    """A rectangle in mm from the top left corner of the paper."""

    x: float
    y: float
    width: float
    height: float

    def inset(self, by: float) -> "Rect":
        return Rect(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


def contain(side: Side, room: Rect) -> Rect:
    """Return where the side stands in the room: its own shape, as large as fits but no larger than it is, in the middle."""
    scale = min(room.width / side.width, room.height / side.height, 1.0)
    width, height = side.width * scale, side.height * scale
    return Rect(room.x + (room.width - width) / 2, room.y + (room.height - height) / 2, width, height)


def divide(frame: Rect, sides: Sequence[Side]) -> list[Rect]:
    """Return a room for each of one or two sides: the frame, or the two halves that let the smaller picture be larger."""
    if len(sides) == 1:
        return [frame]
    return max((_one_above_the_other(frame), _side_by_side(frame)), key=lambda rooms: _smallest_scale(sides, rooms))


def _one_above_the_other(frame: Rect) -> list[Rect]:
    height = (frame.height - GAP_MM) / 2
    return [Rect(frame.x, y, frame.width, height) for y in (frame.y, frame.y + height + GAP_MM)]


def _side_by_side(frame: Rect) -> list[Rect]:
    width = (frame.width - GAP_MM) / 2
    return [Rect(x, frame.y, width, frame.height) for x in (frame.x, frame.x + width + GAP_MM)]


def _smallest_scale(sides: Sequence[Side], rooms: Sequence[Rect]) -> float:
    return min(min(room.width / side.width, room.height / side.height) for side, room in zip(sides, rooms, strict=True))
