"""White paper as home sees it: a query result has no serial to be known by, and a check sheet is an event of its job."""

from typing import Any

import pytest

from spooler.store.values import Side
from spooler.wire.messages import PassReport, Printed, Standing
from tests.spooler.api.hall_side import about, sealed
from tests.spooler.api.sending import errors, post
from tests.spooler.api.test_acts import act
from tests.spooler.api.test_acts import home as home
from tests.spooler.intake.build import changed, sample

QUERY = changed(sample("query"), "hall", "231282-01")


@pytest.fixture
def slip(client) -> dict[str, Any]:
    answer = post(client, QUERY)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_one_number_is_one_slip(client, slip):
    again = {**changed(QUERY, "case.number", "another"), "request_id": "another"}

    answer = post(client, again)

    assert (answer.status_code, answer.json()["code"], answer.json()["job_id"]) == (
        409,
        "already-requested",
        slip["job_id"],
    )


def test_it_has_no_electronic_certificate_and_says_so(client, slip):
    answer = client.get(f"/v1/electronic/{slip['job_id']}")

    assert (answer.status_code, answer.json()["code"]) == (404, "no-electronic")


def test_a_slip_that_was_handed_over_and_is_withdrawn_is_not_looked_for(home, client, slip):
    """To recover is what has a serial."""
    order = sealed(home, slip)
    for state in ("waiting", "printing", "printed", "issued"):
        about(home, slip, order, Printed, state)

    answer = act(client, slip, "withdraw")

    assert (answer.status_code, answer.json()["outcome"]) == (200, "withdrawn")
    job = client.get(f"/v1/jobs/{slip['job_id']}").json()
    assert (job["state"], job["reasons"], job["serial"]) == ("withdrawn", [], None)
    assert client.get("/v1/blanks", params={"status": "to-recover"}).json()["blanks"] == []


def test_annexes_and_missing_answers_are_refused_by_name(client):
    wrong = changed(changed(QUERY, "document.fields.result", ""), "document.kind", "record")

    assert ("document.fields.result", "empty") in errors(post(client, wrong))


def test_what_a_hall_says_of_a_check_sheet_is_an_event_with_its_actor(home, client):
    """The job waits for the applicant; who said that it was signed is known at home."""
    job = post(client, changed(sample("mortgage"), "hall", "231282-01")).json()
    order = sealed(home, job)
    clerk = {"id": "clerk-1", "role": "clerk"}
    about(home, job, order, Standing, "waiting", reasons=("waiting-check",))
    waits = client.get(f"/v1/jobs/{job['job_id']}").json()
    for outcome in ("released", "done"):
        about(home, job, order, PassReport, "waiting", number=2, outcome=outcome, printer="plain-1")
    about(home, job, order, Standing, "waiting", act="check-signed", actor=clerk)

    assert (waits["state"], waits["reasons"]) == ("received", ["waiting-check"])
    events = client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    last = [event for event in events if event["side"] == Side.HALL][-1]
    assert (last["detail"], last["actor"], last["state"], last["reasons"]) == ("check-signed", clerk, "received", [])
