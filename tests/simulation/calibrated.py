"""Calibrations of the hall's ledger in memory: every printer errs nowhere, nobody measures. Calibration is no part of the simulation."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from agents.calibration.correction import Calibrated, Side
from spooler.wire.messages import Stock

_BOOKLET = tuple(Calibrated(Side(spread, 332, 239), 1) for spread in "ABC")
_SIDES = {Stock.CERTIFICATE: _BOOKLET, Stock.PROOF: (Calibrated(Side("P", 297, 210), 1),), Stock.PLAIN: ()}


class MemoryCalibrations:
    def in_force(self, printer: str, stock: Stock, device: str) -> tuple[Calibrated, ...]:
        return _SIDES[stock]


class MemoryCalibrationPrints:
    def open_at(self, printer: str) -> None:
        return None

    def open_tries(self, printer: str) -> Sequence[Any]:
        return ()

    def get_try(self, try_id: UUID) -> None:
        return None

    def get(self, print_id: UUID) -> None:
        return None
