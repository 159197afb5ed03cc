"""Printers that err, as values: what a printer does to a page, made by hand and not by the code under test."""

from math import cos, radians, sin

from agents.calibration.correction import Correction, Side
from agents.calibration.crosses import crosses_of

SPREADS = [Side(name, 332.0, 239.0) for name in "ABC"]
PROOF = Side("P", 297.0, 210.0)
SIDES = [*SPREADS, PROOF]


def an_error(
    side: Side,
    right: float = 0.0,
    down: float = 0.0,
    wider: float = 0.0,
    taller: float = 0.0,
    turn: float = 0.0,
    lean: float = 0.0,
) -> Correction:
    """Moved in mm, scaled in per cent, turned and leant in degrees, about the middle of the sheet."""
    x, y = side.width_mm / 2, side.height_mm / 2
    wide, tall = 1 + wider / 100, 1 + taller / 100
    a, b = wide * cos(radians(turn)), wide * sin(radians(turn))
    c, d = -tall * sin(radians(turn + lean)), tall * cos(radians(turn + lean))
    return Correction(a, b, c, d, x - a * x - c * y + right, y - b * x - d * y + down)


def readings(side: Side, error: Correction, noise=lambda: 0.0) -> dict[int, tuple[float, float]]:
    """Where each cross comes out, as far as a ruler tells."""
    found = {cross: error(place) for cross, place in crosses_of(side).items()}
    return {cross: (x + noise(), y + noise()) for cross, (x, y) in found.items()}
