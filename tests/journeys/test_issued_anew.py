"""换发 and 补发 on real parts: the old paper comes back first, its certificate is superseded, and it is replaced once."""

import pytest

from tests.journeys.build import a_proof
from tests.journeys.drive import Driver, eventually

OLD_SERIAL = "23000012345"


def anew(request: dict, old: dict, **issuance) -> dict:
    """Return a request of its own that is issued in the place of an old one."""
    number = "{province}（{year}）{place}不动产证明第{sequence}号".format(**old["document"]["number"])
    said = {"replaces": {"number": number, "version": 1, "serial": OLD_SERIAL}, **issuance}
    return {**request, "document": {**request["document"], "issuance": said}}


def verified(sandbox: Driver, job: dict) -> str:
    """Return what the public page says of the job's electronic certificate."""
    answer = None

    def is_made() -> bool:
        nonlocal answer
        answer = sandbox.call("GET", f"/v1/electronic/{job['job_id']}")
        return answer.status_code == 200

    eventually(is_made, 30, lambda: answer.text)
    page = answer.headers["link"].partition("<")[2].partition(">")[0]
    said = sandbox.http.get(sandbox.home["api"] + page).text
    words = {"真实有效": "genuine", "已被取代": "superseded", "已注销": "withdrawn"}
    return next(english for chinese, english in words.items() if chinese in said)


@pytest.fixture(scope="module")
def issued(sandbox: Driver):
    """An old proof that is handed over, and its request."""
    request = a_proof()
    job = sandbox.accepted(request)
    return request, sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]


def test_a_renewal_is_handed_over_once_the_old_paper_is_back(sandbox: Driver, issued):
    request, old = issued
    assert verified(sandbox, old) == "genuine"

    job = sandbox.accepted(anew(a_proof(), request, type="renewal"))
    new = sandbox.until([job["job_id"]], {"issued"}, 60)[job["job_id"]]

    told = sandbox.call("GET", f"/v1/jobs/{job['job_id']}/events").json()["events"]
    details = [event.get("detail") for event in told]
    back = details.index(f"old-returned {OLD_SERIAL}")
    assert back < details.index("handed over")
    assert told[back]["side"] == "hall" and told[back]["actor"]["role"] == "clerk"
    eventually(lambda: sandbox.job(old["job_id"])["state"] == "superseded", 10, lambda: "not superseded")
    assert (verified(sandbox, old), verified(sandbox, new)) == ("superseded", "genuine")
    again = sandbox.post(anew(a_proof(), request, type="renewal", old_returned=True))
    assert (again.status_code, again.json()["code"], again.json()["job_id"]) == (409, "already-replaced", job["job_id"])


def test_what_is_said_to_be_back_is_not_asked_for(sandbox: Driver):
    request = a_proof(notes="补发")
    lost = anew(a_proof(notes="补发"), request, type="replacement", notice={"published_on": "2024-11-10"})
    worn = anew(a_proof(), a_proof(), type="renewal", old_returned=True)
    jobs = [sandbox.accepted(one)["job_id"] for one in (lost, worn)]

    sandbox.until(jobs, {"issued"}, 60)

    for job_id in jobs:
        told = sandbox.call("GET", f"/v1/jobs/{job_id}/events").json()["events"]
        assert not any("old-returned" in (event.get("detail") or "") for event in told)


def test_a_paper_that_is_still_on_its_way_is_not_replaced(sandbox: Driver):
    """Its job is named: whoever reads it can cancel it."""
    request = a_proof()
    old = sandbox.accepted(request)

    answer = sandbox.post(anew(a_proof(), request, type="correction"))

    assert (answer.status_code, answer.json()["code"]) == (409, "replaced-not-issued")
    assert answer.json()["job_id"] == old["job_id"]
    sandbox.until([old["job_id"]], {"issued"}, 60)
    job = sandbox.accepted(anew(a_proof(), request, type="correction"))
    sandbox.until([job["job_id"]], {"issued"}, 60)
