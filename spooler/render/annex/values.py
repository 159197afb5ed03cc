"""What an annex is once it has been read: plain values, so that reading may move to a process of its own."""

from dataclasses import dataclass
from enum import StrEnum

from spooler.render.codes import RenderCode


class Role(StrEnum):
    """What an annex is for."""

    PARCEL_MAP = "parcel_map"
    UNIT_PLAN = "unit_plan"
    COLLATERAL_LIST = "collateral_list"
    ATTACHMENT = "attachment"


# These two share the frame of the certificate; the others are printed whole on plain paper.
FRAME_ROLES = (Role.PARCEL_MAP, Role.UNIT_PLAN)


class BadAnnex(Exception):
    """The file cannot be printed as an annex. The message is for the person who sent it, Chinese first."""

    def __init__(self, code: RenderCode, message: str, part: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.part = part


@dataclass(frozen=True)
class Side:
    """One page as it is looked at, upright. Sizes are in mm, the largest at which it is sensibly printed."""

    width: float
    height: float


@dataclass(frozen=True)
class Parcel:
    """Boundary rings of a parcel in metres, x to the east and y to the north, around its own middle. Not closed."""

    rings: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class NormalAnnex:
    """An annex reduced to what is drawn.

    `pdf` holds one page for each side: page content and its resources, nothing else, in points of the side's own size. A parcel
    has no pdf: it is drawn for the room it gets. `notes` are (code, message) pairs worth a person's look.
    """

    role: Role
    sides: tuple[Side, ...] = ()
    pdf: bytes = b""
    is_picture: bool = False
    parcel: Parcel | None = None
    notes: tuple[tuple[RenderCode, str], ...] = ()
