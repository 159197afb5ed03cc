"""A printer misbehaves, is seen to, and the paper is right: what the machine may know it mends itself, the rest a person answers."""

import pytest

from tests.journeys.build import a_certificate, a_proof
from tests.journeys.conftest import run
from tests.journeys.drive import Driver, assert_printed_once, eventually

HALL = "231283-01"


def fault(sandbox: Driver, printer: str, what: str) -> None:
    run(["sandbox", "fault", "--dir", str(sandbox.directory), f"{HALL}/{printer}", what])


def reasons_of(sandbox: Driver, job: dict) -> list[str]:
    return sandbox.job(job["job_id"])["reasons"]


def asked_about(sandbox: Driver, job: dict) -> bool:
    events = sandbox.call("GET", f"/v1/jobs/{job['job_id']}/events").json()["events"]
    return any("outcome-unknown" in event["reasons"] for event in events)


@pytest.fixture(autouse=True)
def clear(sandbox: Driver):
    yield
    for printer in ("booklet-1", "proof-1"):
        fault(sandbox, printer, "clear")


@pytest.mark.parametrize(
    ("what", "reason"),
    [("out-of-stock", "printer-out-of-stock"), ("offline", "printer-offline"), ("jam", "printer-jam")],
)
def test_a_printer_that_is_not_ready_is_waited_for(sandbox: Driver, what: str, reason: str):
    """Nothing is claimed before the device is ready: the reason shows, nobody is asked, one set of sheets."""
    fault(sandbox, "proof-1", what)
    request = a_proof("231202", HALL)
    job = sandbox.accepted(request)
    eventually(
        lambda: reason in reasons_of(sandbox, job), 90, lambda: f"{reason} never showed: {reasons_of(sandbox, job)}"
    )

    fault(sandbox, "proof-1", "clear")

    ended = sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]
    assert not asked_about(sandbox, job)
    assert_printed_once(sandbox, ended, request)


def test_a_printer_that_stalls_is_waited_for(sandbox: Driver):
    """While the device may still go on nobody is asked, and once it goes on the sheet is good."""
    fault(sandbox, "proof-1", "stall")
    request = a_proof("231202", HALL)
    job = sandbox.accepted(request)
    eventually(lambda: sandbox.job(job["job_id"])["state"] == "printing", 90, lambda: "never began")

    fault(sandbox, "proof-1", "clear")

    ended = sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]
    assert not asked_about(sandbox, job)
    assert_printed_once(sandbox, ended, request)


def test_a_torn_sheet_is_asked_about_voided_and_printed_anew(sandbox: Driver):
    """Cut after two thousand bytes: nobody can know but who looks. The torn blank is void, a second login agrees, a new blank is taken."""
    fault(sandbox, "booklet-1", "cut:2000")
    request = a_certificate("231202", HALL)
    job = sandbox.accepted(request)
    eventually(lambda: bool(sandbox.sheets_of(sandbox.job(job["job_id"]))), 120, lambda: "no torn sheet came out")

    fault(sandbox, "booklet-1", "clear")

    ended = sandbox.until([job["job_id"]], {"issued"}, 90)[job["job_id"]]
    torn = [sheet for sheet in sandbox.sheets_of(ended) if not sheet.complete]
    assert asked_about(sandbox, job)
    assert torn and ended["attempt"] == 1 + len({sheet.serial for sheet in torn})
    assert ended["serial"] not in {sheet.serial for sheet in torn}
    for sheet in torn:
        assert status_of(sandbox, "certificate", sheet.serial) in {"void", "voided", "spoiled"}
    good = [sheet for sheet in sandbox.sheets_of(ended) if sheet.complete and sheet.serial == ended["serial"]]
    assert len(good) == 2


def test_another_blank_than_the_proposed_is_booked_by_its_own_serial(sandbox: Driver):
    """The printer takes the second blank of the tray: what stands on the paper is booked, by two people."""
    fault(sandbox, "proof-1", "wrong-blank")
    request = a_proof("231202", HALL)
    job = sandbox.accepted(request)

    ended = sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]

    assert_printed_once(sandbox, ended, request)
    assert status_of(sandbox, "proof", ended["serial"]) == "used"
    assert history_names(sandbox, ended, "serial")


def test_two_blanks_fed_at_once_are_both_accounted_for(sandbox: Driver):
    fault(sandbox, "proof-1", "double-feed")
    request = a_proof("231202", HALL)
    job = sandbox.accepted(request)

    ended = sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]

    assert_printed_once(sandbox, ended, request)
    marked = {sheet.serial for sheet in sandbox.sheets()}
    following = (f"{int(ended['serial']) + step:011d}" for step in range(1, 4))
    stuck = next(serial for serial in following if serial not in marked)
    assert status_of(sandbox, "proof", ended["serial"]) == "used"
    assert status_of(sandbox, "proof", stuck) in {"void", "voided", "spoiled"}


def status_of(sandbox: Driver, stock: str, serial: str) -> str:
    hall = sandbox.hall(HALL)
    answer = sandbox.http.get(
        f"{hall['api']}/v1/stock/{stock}/{serial}", headers={"Authorization": f"Bearer {hall['token']}"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["status"]


def history_names(sandbox: Driver, job: dict, act: str) -> bool:
    """Whether an approval for such an act stands in the job's history."""
    events = sandbox.call("GET", f"/v1/jobs/{job['job_id']}/events").json()["events"]
    return any("waiting-approval" in event["reasons"] or act in str(event.get("detail")) for event in events)
