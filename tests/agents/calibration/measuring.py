"""A person with a ruler, played: a printer is calibrated over the API, by readings as a given error leaves them."""

from agents.calibration.correction import Correction, Side

from .errors import SIDES, an_error, readings


def body_of(points, **more):
    return {"points": [{"cross": cross, "x": x, "y": y} for cross, (x, y) in points.items()], **more}


def calibrate(desk, printer: str, spread: str, error: Correction | None = None) -> int:
    """Enter and accept; return the version."""
    side = side_of(spread)
    points = readings(side, error or an_error(side))
    answer = desk.post(f"/v1/printers/{printer}/calibration", spread=spread, **body_of(points))
    assert answer.status_code == 200, answer.text
    version = answer.json()["version"]
    accept = {"act": "accept", "spread": spread, "version": version, "reason": "test"}
    assert desk.post(f"/v1/printers/{printer}/calibration", **accept).status_code == 200
    return version


def side_of(spread: str) -> Side:
    return next(side for side in SIDES if side.spread == spread)
