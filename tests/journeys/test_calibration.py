"""A printer begins to err; a clerk measures it, and the next certificate lies where the first one lay."""

from pathlib import Path
from typing import Any

from PIL import ImageChops

from tests.agents.calibration.errors import PROOF
from tests.agents.calibration.measuring import body_of
from tests.agents.calibration.paper import measured_crosses
from tests.journeys.build import a_proof
from tests.journeys.conftest import run
from tests.journeys.drive import Driver, Sheet, eventually, pixels

HALL, PRINTER = "231282-01", "proof-1"


def at_the_counter(sandbox: Driver, path: str, **body: Any) -> Any:
    hall = sandbox.hall(HALL)
    headers = {"Authorization": f"Bearer {hall['token']}"}
    answer = sandbox.http.post(f"{hall['api']}/v1/printers/{PRINTER}/{path}", headers=headers, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def calibrate(sandbox: Driver, act: str, **more: Any) -> Any:
    return at_the_counter(sandbox, "calibration", act=act, spread="P", **more)


def newest_sheet(sandbox: Driver) -> tuple[str, str]:
    hall = sandbox.hall(HALL)
    headers = {"Authorization": f"Bearer {hall['token']}"}
    answer = sandbox.http.get(f"{hall['api']}/v1/printers/{PRINTER}/calibration", headers=headers)
    newest = answer.json()["sheets"][0]
    return newest["what"], newest["state"]


def prints(sandbox: Driver) -> Sheet:
    job = sandbox.accepted(a_proof(hall=HALL))
    sandbox.until([job["job_id"]], {"issued"}, 60)
    return next(sheet for sheet in sandbox.sheets_of(sandbox.job(job["job_id"])) if sheet.printer == PRINTER)


def of_no_order(sandbox: Driver) -> list[Sheet]:
    return [s for s in sandbox.sheets() if (s.hall, s.printer, s.pass_number) == (HALL, PRINTER, "0")]


def comes_out(sandbox: Driver, count: int, what: str) -> Sheet:
    eventually(
        lambda: len(of_no_order(sandbox)) == count and newest_sheet(sandbox) == (what, "done"), 60, lambda: f"no {what}"
    )
    return of_no_order(sandbox)[-1]


def test_a_printer_is_measured_and_prints_where_it_should(sandbox: Driver, tmp_path: Path):
    """Sheet, ruler, proof, acceptance, through the whole installation; no blank is used for it."""
    printed = len(of_no_order(sandbox))
    run(["sandbox", "fault", "--dir", str(sandbox.directory), f"{HALL}/{PRINTER}", "misplace:5,-4,1.2,-0.9,0.8"])
    try:
        askew = prints(sandbox)
        at_the_counter(sandbox, "pause")
        calibrate(sandbox, "sheet", paper="plain")
        sheet = comes_out(sandbox, printed + 1, "sheet")
        points = measured_crosses(sheet.pdf.read_bytes(), PROOF)
        version = calibrate(sandbox, "enter", **body_of(points))["version"]
        calibrate(sandbox, "proof", paper="plain")
        proof = comes_out(sandbox, printed + 2, "proof")
        calibrate(sandbox, "accept", version=version)
        at_the_counter(sandbox, "resume")
        straight = prints(sandbox)
    finally:
        run(["sandbox", "fault", "--dir", str(sandbox.directory), f"{HALL}/{PRINTER}", "clear"])
        calibrate(sandbox, "accept", version=1, reason="it errs no more")
        at_the_counter(sandbox, "resume")
    true = prints(sandbox)

    assert (sheet.serial, proof.serial) == (None, None)
    assert len({askew.serial, straight.serial, true.serial}) == 3
    assert differing(straight, true, tmp_path) < 0.2 * differing(askew, true, tmp_path)


def differing(one: Sheet, other: Sheet, folder: Path) -> int:
    """How many dots differ much: the number differs by a figure or two, and a sheet that is 5 mm off by all its lines."""
    difference = ImageChops.difference(*(pixels(sheet.pdf, 1, folder) for sheet in (one, other)))
    return sum(difference.point(lambda value: 255 if value > 96 else 0).histogram()[1:])
