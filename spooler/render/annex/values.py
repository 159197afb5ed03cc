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


Point = tuple[float, float]
Ring = tuple[Point, ...]
Polygon = tuple[Ring, ...]


@dataclass(frozen=True)
class Neighbours:
    """四至: what lies on the other side of the boundary. Empty where the source says nothing."""

    north: str = ""
    east: str = ""
    south: str = ""
    west: str = ""

    def __bool__(self) -> bool:
        return any((self.north, self.east, self.south, self.west))


@dataclass(frozen=True)
class Lot:
    """One 宗地: its polygons, each with its outer ring first, then its holes; and what the source says of it."""

    polygons: tuple[Polygon, ...]
    code: str = ""  # 宗地代码 or unit number
    stated_area: float | None = None
    neighbours: Neighbours = Neighbours()

    @property
    def rings(self) -> tuple[Ring, ...]:
        return tuple(ring for polygon in self.polygons for ring in polygon)


@dataclass(frozen=True)
class Parcel:
    """Boundaries in metres, (easting, northing) as the source has them. Rings are not closed, and known to be simple."""

    lots: tuple[Lot, ...]
    system: str = ""  # what the coordinates are, in words; empty if nobody says

    @property
    def rings(self) -> tuple[Ring, ...]:
        return tuple(ring for lot in self.lots for ring in lot.rings)


@dataclass(frozen=True)
class NormalAnnex:
    """An annex reduced to what is drawn.

    `pdf` holds one page for each side: page content and its resources, nothing else, of the side's own shape. A parcel has no pdf:
    it is drawn for the room it gets. `notes` are (code, message) pairs worth a person's look.
    """

    role: Role
    sides: tuple[Side, ...] = ()
    pdf: bytes = b""
    is_picture: bool = False
    parcel: Parcel | None = None
    notes: tuple[tuple[RenderCode, str], ...] = ()
    own_size: Side | None = None  # which the file itself states: a page's, or a picture's by its resolution
    is_grey: bool = False  # there is certainly no colour in it
    lettering: tuple[float | None, ...] = ()  # the smallest on each side, as em in mm; None where nothing can be known
    # What the request says of it, added once it is read.
    nth: int = 0
    scale: int | None = None

    @property
    def field(self) -> str:
        """Return its path in the request."""
        return f"annexes.{self.nth}"
