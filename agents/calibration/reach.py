"""Whether a correction keeps everything on the sheet: a printer draws nothing beyond the edge of the page. No input or output."""

from collections.abc import Iterable
from typing import Protocol

from agents.calibration.correction import Correction, Point, Side


class Field(Protocol):
    """A place that something is printed in."""

    @property
    def name(self) -> str: ...

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]: ...


def first_lost(correction: Correction, side: Side, fields: Iterable[Field]) -> str | None:
    """Return the name of a field that the correction pushes beyond the edge of the page; None when all stay."""
    return next((field.name for field in fields if not _stays(correction, side, field)), None)


def _stays(correction: Correction, side: Side, field: Field) -> bool:
    moved = map(correction, field.corners)
    return all(0 <= x <= side.width_mm and 0 <= y <= side.height_mm for x, y in moved)
