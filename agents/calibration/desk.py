"""What a person may do to calibrate a printer, one method an act: print a sheet, enter what was measured, prove it, accept it.

    sheet ─▶ (measured with a ruler) ─▶ enter ─▶ version ─▶ proof ─▶ (looked at) ─▶ accept ─▶ in force

A sheet needs no second person: it uses no blank, prints no order, and changes nothing but paper. Acceptance changes where every later
certificate is printed; what checks it is the proof, on paper, so that without one a reason has to be given.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from agents.accounts import Account, Role
from agents.board import Board
from agents.calibration.correction import IDENTITY, Correction, Point, Side
from agents.calibration.crosses import solved
from agents.calibration.kept import KeptCalibrations
from agents.calibration.reach import first_lost
from agents.calibration.same_device import is_same_device
from agents.calibration.sheet import draw_proof, draw_sheet
from agents.calibration.solver import Solution
from agents.calibration.views import CalibrationView, SpreadView, VersionView, sheet_view, spread_view, version_view
from agents.errors import DoesNotFit, Invalid, NotFound
from agents.ledger import Calibration, Ledger
from agents.ledger.calibration_prints import CalibrationPrint, What
from agents.order import PassState
from agents.settings import PrinterSection
from agents.templates import Templates
from spooler.wire.messages import Stock

PATIENCE = timedelta(minutes=10)  # what was not begun by then is not wanted any more
MARK = 8  # characters of a print's id on its paper

_log = structlog.get_logger()


@dataclass(frozen=True)
class Reading:
    """One cross as a person measured it; `field` is where it stands in what he sent."""

    cross: int
    point: Point
    field: str


class CalibrationDesk:
    """Thread-safe. `wake` lets a printer's worker look at once."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        board: Board,
        templates: Templates,
        kept: KeptCalibrations,
        clock: Callable[[], datetime],
        may_print: Callable[[], bool],
        wake: Callable[[str], None],
        changed: Callable[[], None],
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self._ledger = ledger
        self._board = board
        self._templates = templates
        self._kept = kept
        self._clock = clock
        self._may_print = may_print
        self._wake = wake
        self._changed = changed
        self._new_id = new_id

    # what a person sees

    def view(self, by: Account, printer: str) -> CalibrationView:
        section = self._board.section(printer)
        spreads = tuple(self._spread_view(section, side) for side in self._board.sides(printer))
        return CalibrationView(
            printer=printer,
            stock=section.stock,
            calibrated=all(one.in_force is not None for one in spreads),
            paused=self._ledger.is_paused(printer),
            spreads=spreads,
            sheets=tuple(map(sheet_view, self._ledger.calibration_prints.at(printer))),
        )

    # acts

    def sheet(self, by: Account, printer: str, spread: str) -> CalibrationView:
        """Print a calibration sheet of one side, on plain paper that lies in the printer now."""
        self._ask("sheet", by, printer, self._side(printer, spread), None)
        return self.view(by, printer)

    def proof(self, by: Account, printer: str, spread: str, version: int | None) -> CalibrationView:
        """Print the proof of a version over the sheet that was measured."""
        side = self._side(printer, spread)
        self._ask("proof", by, printer, side, self._version(printer, side, version).version)
        return self.view(by, printer)

    def solve(self, by: Account, printer: str, spread: str, readings: Sequence[Reading]) -> VersionView:
        """Say what these readings mean; nothing is kept."""
        one, solution = self._measured(by, printer, self._side(printer, spread), readings)
        return version_view(one, is_kept=False, residuals=solution.residuals)

    def enter(self, by: Account, printer: str, spread: str, readings: Sequence[Reading]) -> VersionView:
        """Keep what was measured as the next version; it is in force once it is accepted."""
        with self._ledger.transaction():
            one, solution = self._measured(by, printer, self._side(printer, spread), readings)
            self._ledger.calibrations.add(one)
        _log.info("calibration entered", printer=printer, spread=spread, version=one.version, by=one.by.id)
        return version_view(one, residuals=solution.residuals)

    def accept(
        self, by: Account, printer: str, spread: str, version: int | None, reason: str | None = None
    ) -> CalibrationView:
        """Put a version in force: from now on it is printed so."""
        actor = by.acting_as(Role.CLERK)
        side = self._side(printer, spread)
        one = self._version(printer, side, version)
        if not self._is_proved(one) and not (reason or "").strip():
            raise DoesNotFit(
                "此版本尚未打印验证页；先打印，或写明原因 · print its proof first, or say why not (reason)",
                fits=("proof",),
                code="no-proof",
            )
        with self._ledger.transaction():
            self._ledger.calibrations.accept(one, by=actor, at=self._clock(), reason=(reason or "").strip() or None)
            self._ledger.afterwards(self._changed)
        self._kept.add(one, self._ledger.calibrations.acceptances(*one.key[:3])[-1])
        _log.warning("calibration accepted", printer=printer, spread=spread, version=one.version, by=actor.id)
        return self.view(by, printer)

    # printing

    def draw(self, asked: CalibrationPrint) -> bytes:
        """Return what is printed, before any correction."""
        mark = str(asked.print_id)[:MARK]
        if asked.version is None:
            return draw_sheet(asked.side, asked.stock, asked.printer, mark)
        one = self._ledger.calibrations.get(asked.printer, asked.stock, asked.side.spread, asked.version)
        if one is None:
            raise NotFound(f"there is no version {asked.version}")
        fields = self._templates.fields(asked.stock, asked.side)
        return draw_proof(asked.side, asked.stock, asked.printer, asked.version, one.points, fields, mark)

    def _ask(self, what: What, by: Account, printer: str, side: Side, version: int | None) -> None:
        actor, now = by.acting_as(Role.CLERK), self._clock()
        with self._ledger.transaction():
            self._check_free(printer)
            asked = CalibrationPrint(
                print_id=self._new_id(),
                what=what,
                printer=printer,
                stock=self._board.section(printer).stock,
                side=side,
                version=version,
                until=now + PATIENCE,
                state=PassState.READY,
                by=actor,
                at=now,
            )
            self._ledger.calibration_prints.ask(asked)
            self._ledger.afterwards(lambda: self._wake(printer))
        _log.info("calibration print asked", printer=printer, what=what, spread=side.spread, by=actor.id)

    def _check_free(self, printer: str) -> None:
        """Plain paper takes the blanks' place for a while: nothing of an order may be in the works, and none may begin."""
        if not self._may_print():
            raise DoesNotFit(
                "本厅核对中，不打印 · this hall is in reconcile mode and prints nothing", fits=("reconcile",)
            )
        if not self._ledger.is_paused(printer):
            raise DoesNotFit(
                "请先暂停打印机，取出空白证书，放入白纸 · pause the printer first, take the blanks out, put plain paper in",
                fits=("pause",),
                code="not-paused",
            )
        facts = self._board.facts_of(printer)
        if facts.serving is not None or facts.asked is not None or self._ledger.orders.under_way(printer):
            raise DoesNotFit(
                "打印机上还有未完成的证书 · an attempt is under way on this printer: finish it first",
                code="printer-busy",
            )
        waiting = self._ledger.calibration_prints.open_at(printer)
        if waiting is not None and waiting.is_open_at(self._clock()):
            raise DoesNotFit("上一张校准页还未打印 · a sheet is still to come out", code="calibration-open")

    # small things

    def _side(self, printer: str, spread: str) -> Side:
        sides = self._board.sides(printer)
        if not sides and self._board.section(printer).stock is not Stock.PLAIN:
            raise DoesNotFit("本厅没有安装模板 · no template is installed here for this stock", code="no-templates")
        if not sides:
            raise DoesNotFit("白纸打印机无须校准 · a printer of plain paper needs no calibration", code="needs-none")
        found = next((side for side in sides if side.spread == spread), None)
        if found is None:
            names = ", ".join(side.spread for side in sides)
            raise Invalid(
                "spread", "not-a-choice", f"没有这一面，可选 {names} · there is no such side; there are {names}"
            )
        return found

    def _version(self, printer: str, side: Side, version: int | None) -> Calibration:
        """Return a version by its number, the newest without one; measured on this very device."""
        section = self._board.section(printer)
        versions = self._ledger.calibrations.versions(printer, section.stock, side.spread)
        found = next((one for one in reversed(versions) if version in (None, one.version)), None)
        if found is None:
            raise Invalid(
                "version", "not-found", "没有这个版本 · there is no such version: enter what was measured first"
            )
        if not is_same_device(found.device, section.device) or not found.side.is_like(side):
            raise Invalid(
                "version",
                "another-device",
                "该版本是在另一设备或纸张上量的 · measured on another device or size of paper",
            )
        return found

    def _measured(
        self, by: Account, printer: str, side: Side, readings: Sequence[Reading]
    ) -> tuple[Calibration, Solution]:
        actor, section = by.acting_as(Role.CLERK), self._board.section(printer)
        points = _points(readings)
        solution = solved(side, points, {one.cross: one.field for one in readings})
        versions = self._ledger.calibrations.versions(printer, section.stock, side.spread)
        one = Calibration(
            printer=printer,
            stock=section.stock,
            side=side,
            version=1 + max((v.version for v in versions), default=0),
            device=section.device,
            points=points,
            correction=self._kept_on_the_sheet(section, side, solution.correction),
            model=solution.model,
            residual_mm=solution.largest_residual_mm,
            by=actor,
            at=self._clock(),
        )
        return one, solution

    def _kept_on_the_sheet(self, section: PrinterSection, side: Side, correction: Correction) -> Correction:
        lost = first_lost(correction, side, self._templates.fields(section.stock, side))
        if lost is not None:
            raise Invalid(
                "points",
                "off-the-sheet",
                f"校正后 {lost} 会落到纸外；请先机械调整打印机 · {lost} would fall off the sheet: set the printer's paper guides first",
            )
        return IDENTITY if correction.moves_nothing(side) else correction

    def _is_proved(self, one: Calibration) -> bool:
        return any(
            p.what == "proof" and (p.side.spread, p.version, p.state) == (one.side.spread, one.version, PassState.DONE)
            for p in self._ledger.calibration_prints.at(one.printer, 1000)
        )

    def _spread_view(self, section: PrinterSection, side: Side) -> SpreadView:
        calibrated = self._board.calibrated(section.name, side)
        in_force = None if calibrated is None else calibrated.version
        calibrations = self._ledger.calibrations
        acceptances = calibrations.acceptances(section.name, section.stock, side.spread)
        versions = tuple(
            version_view(
                one,
                accepted=tuple(a for a in acceptances if a.version == one.version),
                proved=self._is_proved(one),
                in_force=one.version == in_force,
            )
            for one in reversed(calibrations.versions(section.name, section.stock, side.spread))
        )
        return spread_view(side, in_force, versions)


def _points(readings: Sequence[Reading]) -> Mapping[int, Point]:
    points: dict[int, Point] = {}
    for one in readings:
        if one.cross in points:
            message = f"第 {one.cross} 号十字写了两次 · cross {one.cross} stands twice"
            raise Invalid(f"{one.field}.cross", "twice", message)
        points[one.cross] = one.point
    return points
