"""换发, 补发 and 更正 over HTTP: what stands in the way of one is named, with the job that does."""

import pytest

from spooler.job import JobState
from spooler.store.values import Update
from tests.spooler.api.sending import errors, post
from tests.spooler.intake.build import changed, sample

HOUSE = changed(sample("no-annex"), "hall", "231282-01")
LOST = changed(sample("replacement"), "hall", "231282-01")
WAY = ("sealed", "sent", "received", "printing", "printed", "issued")


@pytest.fixture
def of_house():
    """Return a request that replaces the paper of HOUSE, by its number as printed."""

    def request(case: str):
        number = "{province}（{year}）{place}不动产权第{sequence}号".format(**HOUSE["document"]["number"])
        again = changed(HOUSE, "document.version", 2)
        again = changed(again, "document.issuance", {"type": "correction", "replaces": {"number": number}})
        return {**again, "request_id": case, "case": {"number": case, "ordinal": 1, "of": 1}}

    return request


def issue(home, job_id: str) -> None:
    for state in WAY:
        with home.store.changing() as change:
            change.move(job_id, Update(state=JobState(state)))


def test_a_paper_that_is_not_handed_over_yet_is_not_replaced(home, client, of_house):
    job = post(client, HOUSE).json()

    answer = post(client, of_house("c-1"))

    assert (answer.status_code, answer.json()["code"]) == (409, "replaced-not-issued")
    assert errors(answer) == [("document.issuance.replaces", "replaced-not-issued")]
    assert answer.json()["job_id"] == job["job_id"]
    issue(home, job["job_id"])
    assert post(client, of_house("c-1")).status_code == 201


def test_it_is_replaced_once(home, client, of_house):
    issue(home, post(client, HOUSE).json()["job_id"])
    first = post(client, of_house("c-1")).json()

    answer = post(client, changed(of_house("c-2"), "document.version", 3))

    assert (answer.status_code, answer.json()["code"]) == (409, "already-replaced")
    assert answer.json()["job_id"] == first["job_id"]


def test_a_repeat_of_the_replacement_is_the_same_job(client):
    first = post(client, LOST)

    assert (first.status_code, post(client, LOST).status_code) == (201, 200)
