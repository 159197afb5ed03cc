"""The calibrations in force, kept beside the ledger in a file of their own: what was measured outlives a lost journal.

A line of JSON for each acceptance, with the version that it accepts; only added to. At its start the agent takes into the ledger what
that does not know. A line that cannot be read counts as not written: then its printer is not calibrated, and says so.
"""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from agents.calibration.correction import Correction, Side
from agents.calibration.crosses import crosses_of
from agents.calibration.same_device import is_same_device
from agents.ledger import Acceptance, Calibration, Ledger
from agents.settings import HallSection, PrinterSection
from agents.templates import Templates
from spooler.wire.messages import Actor, Stock

Kept = tuple[Calibration, Acceptance]

_log = structlog.get_logger()


class KeptCalibrations:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, one: Calibration, acceptance: Acceptance) -> None:
        """Durable when it returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            text = json.dumps(_line(one, acceptance), ensure_ascii=False)
            # After a line that a crash cut short, a new one begins.
            os.write(descriptor, f"{self._break()}{text}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _break(self) -> str:
        content = self._path.read_bytes()[-1:]
        return "" if content in (b"", b"\n") else "\n"

    def all(self) -> list[Kept]:
        """Return what stands in it, the oldest first."""
        if not self._path.exists():
            return []
        lines = self._path.read_text("utf-8", errors="replace").splitlines()
        found = [_read(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
        return [kept for kept in found if kept is not None]


def take_in(ledger: Ledger, kept: KeptCalibrations) -> None:
    """Bring ledger and file to the same: the ledger is new or an old copy, or the agent died before it wrote to the file."""
    there = kept.all()
    for one, acceptance in there:
        if ledger.calibrations.get(*one.key) is not None:
            continue
        with ledger.transaction():
            ledger.calibrations.add(one)
            ledger.calibrations.accept(one, by=acceptance.by, at=acceptance.at, reason=acceptance.reason)
        _log.info("calibration taken in", printer=one.printer, spread=one.side.spread, version=one.version)
    last = {one.key[:3]: one.version for one, _ in there}
    for one in ledger.calibrations.all_in_force():
        if last.get(one.key[:3]) != one.version:
            kept.add(one, ledger.calibrations.acceptances(*one.key[:3])[-1])


def uncalibrated(printer: PrinterSection, hall: HallSection) -> tuple[str, ...]:
    """Return the sides of a printer's stock that are not in force by the file: whoever asks has no ledger."""
    kept = KeptCalibrations(hall.calibrations).all()
    there = {one.side.spread: one.side for one, _ in kept if _is_at(one, printer)}
    sides = Templates(own=hall.templates_directory).sides(printer.stock)
    return tuple(s.spread for s in sides if s.spread not in there or not there[s.spread].is_like(s))


def as_drawn(
    printer: str, stock: Stock, device: str, side: Side, *, by: Actor, clock: Callable[[], datetime]
) -> Calibration:
    """Return the first version of a printer that errs nowhere: each cross is measured where it was drawn."""
    return Calibration(
        printer=printer,
        stock=stock,
        side=side,
        version=1,
        device=device,
        points=crosses_of(side),
        correction=Correction(),
        model="none",
        residual_mm=0.0,
        by=by,
        at=clock(),
    )


def _is_at(one: Calibration, printer: PrinterSection) -> bool:
    here = (one.printer, one.stock) == (printer.name, printer.stock)
    return here and is_same_device(one.device, printer.device)


def _line(one: Calibration, acceptance: Acceptance) -> dict[str, Any]:
    return {
        "printer": one.printer,
        "stock": one.stock,
        "spread": one.side.spread,
        "version": one.version,
        "device": one.device,
        "size_mm": [one.side.width_mm, one.side.height_mm],
        "points": one.points,
        "correction": one.correction.numbers,
        "model": one.model,
        "residual_mm": one.residual_mm,
        "entered": _when(one.by, one.at),
        "accepted": {**_when(acceptance.by, acceptance.at), "reason": acceptance.reason},
    }


def _when(by: Actor, at: datetime) -> dict[str, str]:
    return {"by": by.id, "role": by.role, "at": at.isoformat()}


def _read(number: int, text: str) -> Kept | None:
    try:
        return _kept(json.loads(text))
    except (ValueError, KeyError, TypeError) as e:
        _log.error("a kept calibration cannot be read", line=number, why=type(e).__name__, alarm=True)
        return None


def _kept(line: dict[str, Any]) -> Kept:
    entered, accepted = line["entered"], line["accepted"]
    one = Calibration(
        printer=line["printer"],
        stock=Stock(line["stock"]),
        side=Side(line["spread"], *line["size_mm"]),
        version=line["version"],
        device=line["device"],
        points={int(cross): (x, y) for cross, (x, y) in line["points"].items()},
        correction=Correction(*line["correction"]),
        model=line["model"],
        residual_mm=line["residual_mm"],
        by=Actor(id=entered["by"], role=entered["role"]),
        at=datetime.fromisoformat(entered["at"]),
    )
    by = Actor(id=accepted["by"], role=accepted["role"])
    return one, Acceptance(one.version, accepted["reason"], by, datetime.fromisoformat(accepted["at"]))
