"""Step 2c: where annexes stand on the paper. Never stretched, never enlarged, always centred. Pure geometry in mm."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spooler.render.annex.values import Side

GAP_MM = 4.0
# Under a map or plan stands its scale.
NOTE_MM = 4.2


@dataclass(frozen=True)
class Rect:
    """A rectangle in mm from the top left corner of the paper."""

    x: float
    y: float
    width: float
    height: float

    def inset(self, by: float) -> "Rect":
        return Rect(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


@dataclass(frozen=True)
class Want:
    """What a picture asks of its room: to keep its size, where its scale is stated; room around it, where it is drawn with a margin."""

    side: Side
    keeps_size: bool = False
    around: Callable[[Rect], tuple[float, float]] = lambda room: (0.0, 0.0)


def contain(side: Side, room: Rect) -> Rect:
    """Return where the side stands in the room: its own shape, as large as fits but no larger than it is, in the middle."""
    scale = min(room.width / side.width, room.height / side.height, 1.0)
    width, height = side.width * scale, side.height * scale
    return Rect(room.x + (room.width - width) / 2, room.y + (room.height - height) / 2, width, height)


def contain_above_note(side: Side, room: Rect) -> Rect:
    """Return the same, with a strip free beneath it for the note of its scale."""
    found = contain(side, room)
    if room.y + room.height - found.y - found.height >= NOTE_MM:
        return found
    return contain(side, Rect(room.x, room.y, room.width, room.height - NOTE_MM))


def keeps_size(side: Side, room: Rect) -> bool:
    """Say whether it stands there as large as it is."""
    return contain_above_note(side, room).width >= side.width * (1 - 1e-9)


def divide(frame: Rect, sides: Sequence[Side | Want]) -> list[Rect]:
    """Return a room for each of one or two pictures: the frame, or two parts of it.

    It is cut across or along, where most scales are kept, else where the smaller picture is largest; in the middle unless that costs.
    """
    if len(sides) == 1:
        return [frame]
    wants = [Want(side) if isinstance(side, Side) else side for side in sides]
    cuts = [cut(frame, share) for share in _SHARES for cut in (_one_above_the_other, _side_by_side)]
    return max(cuts, key=lambda rooms: _worth(wants, rooms))


# The first picture's share of the frame, the middle first.
_SHARES = [share / 100 for n in range(26) for share in sorted({50 - n, 50 + n})]


def _one_above_the_other(frame: Rect, share: float) -> list[Rect]:
    upper = (frame.height - GAP_MM) * share
    lower = frame.height - GAP_MM - upper
    return [Rect(frame.x, frame.y, frame.width, upper), Rect(frame.x, frame.y + upper + GAP_MM, frame.width, lower)]


def _side_by_side(frame: Rect, share: float) -> list[Rect]:
    left = (frame.width - GAP_MM) * share
    right = frame.width - GAP_MM - left
    return [Rect(frame.x, frame.y, left, frame.height), Rect(frame.x + left + GAP_MM, frame.y, right, frame.height)]


def _worth(wants: Sequence[Want], rooms: Sequence[Rect]) -> tuple[int, float, float]:
    kept = sum(want.keeps_size and keeps_size(want.side, room) for want, room in zip(wants, rooms, strict=True))
    areas = [_area(want, room) for want, room in zip(wants, rooms, strict=True)]
    return kept, round(min(areas), 6), round(sum(areas), 6)


def _area(want: Want, room: Rect) -> float:
    across, down = (
        max(1.0, whole - less) for whole, less in zip((room.width, room.height), want.around(room), strict=True)
    )
    found = contain_above_note(want.side, Rect(0, 0, across, down))
    return found.width * found.height
