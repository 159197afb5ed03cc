"""What a person sees of a printer's calibration: its sides, what is in force, every version with who and when, the sheets printed."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from agents.calibration.correction import Side
from agents.calibration.crosses import crosses_of
from agents.ledger import Acceptance, Calibration
from agents.ledger.calibration_prints import CalibrationPrint
from agents.views import View
from spooler.wire.messages import Actor, Stock


class CrossView(View):
    cross: int
    x: float
    y: float


class ErrorView(View):
    """How the printer errs: what belongs to the middle of the sheet comes out so far right and down, so much wider and turned."""

    right_mm: float
    down_mm: float
    wider_percent: float
    taller_percent: float
    turned_degrees: float
    skewed_degrees: float


class AcceptanceView(View):
    by: Actor
    at: datetime
    reason: str | None


class VersionView(View):
    """One measurement; `version` is null of one that was only solved, not kept."""

    version: int | None
    by: Actor
    at: datetime
    points: tuple[CrossView, ...]
    error: ErrorView
    model: str
    residual_mm: float  # the largest
    residuals_mm: Mapping[int, float] = {}  # by cross, as it is entered
    proved: bool
    accepted: tuple[AcceptanceView, ...]
    in_force: bool


class SpreadView(View):
    """One side of the stock. `in_force` null: nothing that has this side may be printed here."""

    spread: str
    width_mm: float
    height_mm: float
    crosses: tuple[CrossView, ...]
    in_force: int | None
    versions: tuple[VersionView, ...]  # the newest first


class SheetView(View):
    """A calibration sheet or proof: ready · intent · created · spooled · releasing · done · unknown · lapsed."""

    print_id: UUID
    what: str
    spread: str
    version: int | None
    state: str
    until: datetime
    by: Actor
    at: datetime


class CalibrationView(View):
    """One printer: all that is calibrated and printed for it."""

    printer: str
    stock: Stock
    calibrated: bool
    paused: bool
    spreads: tuple[SpreadView, ...]
    sheets: tuple[SheetView, ...]  # the newest first


def version_view(
    one: Calibration,
    *,
    accepted: tuple[Acceptance, ...] = (),
    proved: bool = False,
    in_force: bool = False,
    is_kept: bool = True,
    residuals: Mapping[int, float] | None = None,
) -> VersionView:
    return VersionView(
        version=one.version if is_kept else None,
        by=one.by,
        at=one.at,
        points=tuple(CrossView(cross=cross, x=x, y=y) for cross, (x, y) in sorted(one.points.items())),
        error=_error_view(one),
        model=one.model,
        residual_mm=round(one.residual_mm, 3),
        residuals_mm={cross: round(mm, 3) for cross, mm in (residuals or {}).items()},
        proved=proved,
        accepted=tuple(AcceptanceView(by=a.by, at=a.at, reason=a.reason) for a in accepted),
        in_force=in_force,
    )


def spread_view(side: Side, in_force: int | None, versions: tuple[VersionView, ...]) -> SpreadView:
    return SpreadView(
        spread=side.spread,
        width_mm=side.width_mm,
        height_mm=side.height_mm,
        crosses=tuple(CrossView(cross=cross, x=x, y=y) for cross, (x, y) in crosses_of(side).items()),
        in_force=in_force,
        versions=versions,
    )


def sheet_view(one: CalibrationPrint) -> SheetView:
    return SheetView(
        print_id=one.print_id,
        what=one.what,
        spread=one.side.spread,
        version=one.version,
        state=one.state,
        until=one.until,
        by=one.by,
        at=one.at,
    )


def _error_view(one: Calibration) -> ErrorView:
    error, middle = one.correction.inverse(), (one.side.width_mm / 2, one.side.height_mm / 2)
    (right, down), (wide, tall) = error.offset_at(middle), error.scale
    return ErrorView(
        right_mm=_rounded(right, 2),
        down_mm=_rounded(down, 2),
        wider_percent=_rounded((wide - 1) * 100, 3),
        taller_percent=_rounded((tall - 1) * 100, 3),
        turned_degrees=_rounded(error.rotation_degrees, 3),
        skewed_degrees=_rounded(error.skew_degrees, 3),
    )


def _rounded(value: float, digits: int) -> float:
    """Nothing, from either side, is 0: nobody wants to read -0.00."""
    return round(value, digits) + 0.0
