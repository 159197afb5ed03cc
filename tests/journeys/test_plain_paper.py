"""White paper on real parts: a query result, a list drawn from data, and the sheet that is signed before a blank is used."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.build import a_proof
from tests.journeys.drive import Driver, assert_printed_once, eventually

SAMPLES = Path(__file__).parents[2] / "spooler" / "sandbox" / "samples"
REGISTRY, HALL = "231202", "231283-01"


@pytest.fixture
def signing(sandbox: Driver) -> Iterator[Driver]:
    """One registry of the home wants its certificates checked and signed for before they are printed."""
    config = Path(sandbox.home["config"])
    before = config.read_text()
    assert f'id = "{REGISTRY}"' in before
    set_up(sandbox, re.sub(rf'id = "{REGISTRY}"', f'id = "{REGISTRY}"\ncheck_sheet = "required"', before, count=1))
    yield sandbox
    set_up(sandbox, before)


def set_up(sandbox: Driver, text: str) -> None:
    Path(sandbox.home["config"]).write_text(text)
    pid = sandbox.plan["homes"][0]["pid"]
    sandbox.kill(pid, "home")
    eventually(lambda: sandbox.plan["homes"][0]["pid"] != pid and sandbox.is_home_ready(), 60, lambda: "home is down")


def a_slip(n: int) -> dict[str, Any]:
    request = json.loads((SAMPLES / "good" / "query.json").read_text())
    request["request_id"] = f"slip-{n}"
    request["case"]["number"] = f"slip-{n}"
    request["document"]["number"]["sequence"] = f"{n:07d}"
    return request


def a_loan_on_many(count: int) -> dict[str, Any]:
    request = a_proof(REGISTRY, HALL)
    (unit,) = request["document"]["units"]
    units = [f"{unit[:-4]}{n:04d}" for n in range(1, count + 1)]
    request["document"]["units"] = units
    request["document"]["fields"]["unit_number"] = f"{units[0]}等{count}个"
    request["document"]["collateral"] = [
        {"unit_number": one, "location": f"绥化市中直路{n}号", "area": f"{80 + n}.50㎡"}
        for n, one in enumerate(units, 1)
    ]
    return request


def test_slip_list_and_check_sheet_come_out_of_the_plain_paper_printer(signing: Driver):
    """No serial for the slip; the list beside its proof; the sheet before the proof's blank, and signed before it too."""
    blanks = {row["stock"]: row for row in used(signing)}
    slip, loan = a_slip(700_001), a_loan_on_many(40)
    jobs = {name: signing.accepted(request) for name, request in (("slip", slip), ("loan", loan))}

    ended = signing.until([job["job_id"] for job in jobs.values()], {"issued", "refused", "cancelled"}, 60)

    done = {name: ended[job["job_id"]] for name, job in jobs.items()}
    assert [(job["state"], bool(job["serial"])) for job in done.values()] == [("issued", False), ("issued", True)]
    assert_printed_once(signing, done["slip"], slip)
    sheets = sorted(signing.sheets_of(done["loan"]), key=lambda sheet: sheet.at)
    check, lists = sheets[:-3], sheets[-2:]
    assert {sheet.title.split("/", 1)[1] for sheet in check} == {"4/0/1"}, "one pass, before the first attempt"
    assert all("核对签收单" in sheet.text for sheet in check)
    pages = [next(n for n in range(1, 9) if f"第{n}页共{len(check)}页" in sheet.text) for sheet in check]
    assert sorted(pages) == list(range(1, len(check) + 1)) and len(check) > 1
    assert [(sheet.stock, sheet.serial is None) for sheet in sheets] == [
        *[("plain", True)] * len(check),
        ("proof", False),
        *[("plain", True)] * 2,
    ]
    listed = "".join(sheet.text for sheet in lists)
    assert all(row["unit_number"] in listed for row in loan["document"]["collateral"])
    assert "第1页共2页" in lists[0].text and "共40项" in lists[1].text
    events = signing.call("GET", f"/v1/jobs/{done['loan']['job_id']}/events").json()["events"]
    told = [(event["detail"], event["state"]) for event in events if event["side"] == "hall"]
    assert told.index(("check-signed", "received")) < told.index(("released", "printing"))
    heard = told_of(signing, done["slip"])
    assert {one["data"]["serial"] for one in heard} == {None} and heard[-1]["data"]["state"] == "issued"
    electronic = signing.call("GET", f"/v1/electronic/{done['slip']['job_id']}")
    assert (electronic.status_code, electronic.json()["code"]) == (404, "no-electronic")
    assert {row["stock"] for row in used(signing)} - set(blanks) <= {"proof"}


def told_of(sandbox: Driver, job: dict[str, Any]) -> list[dict[str, Any]]:
    """All callbacks about a job, once the last has come."""

    def heard() -> list[dict[str, Any]]:
        return [one for one in sandbox.callbacks() if one["data"]["job_id"] == job["job_id"]]

    eventually(lambda: heard() and heard()[-1]["type"] == "job.issued", 20, lambda: "no callback of the hand-over")
    return heard()


def used(sandbox: Driver) -> list[dict[str, Any]]:
    hall = sandbox.hall(HALL)
    answer = sandbox.http.get(hall["api"] + "/v1/stock", headers={"Authorization": f"Bearer {hall['token']}"})
    return [row for row in answer.json()["ranges"] if row["status"] == "used"]
