"""How long a certificate's file is kept: while it is genuine for good, with what it is drawn from; after its end for so many days."""

import re
from datetime import UTC, datetime, timedelta

from spooler.job import JobState
from spooler.retention import Retention
from spooler.store.values import Update
from tests.spooler.api.hall_side import sealed
from tests.spooler.intake.build import changed, sample
from tests.spooler.render.builders import text_of

DAYS = 190
PLAIN = changed(changed(sample("house"), "hall", "231282-01"), "annexes", [])


def days_later(electronics, days, **varied) -> None:
    settings = {"keep_days": DAYS, "keep_electronic_days": DAYS, **varied}
    Retention(
        store=electronics.home.store,
        documents=electronics.home.documents,
        clock=lambda: datetime.now(UTC) + timedelta(days=days),
        steady=lambda: (datetime.now(UTC) + timedelta(days=days)).timestamp(),
        young=timedelta(0),
        **settings,
    ).look()


def ended_on_paper(electronics):
    """Its job is cancelled: the paper never came to be, and the right is booked all the same."""
    job = electronics.accept(PLAIN)
    sealed(electronics.home, job)
    with electronics.home.store.changing() as change:
        change.move(job["job_id"], Update(state=JobState.CANCELLED))
    return job


def page_at_any_time(electronics, job) -> str:
    """The public page without the moment at which it was asked for."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "", electronics.page(job))


def on_disk(electronics) -> int:
    return len(list(electronics.home.documents._places()))


def test_a_genuine_one_outlives_the_papers_documents(electronics):
    """And 注销 years later still makes the file that says so: what it is drawn from was kept."""
    job = ended_on_paper(electronics)
    days_later(electronics, DAYS + 1)

    assert electronics.client.get(f"/v1/jobs/{job['job_id']}/document").status_code == 410
    assert electronics.get(job).status_code == 200
    electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})
    electronics.issuer.work_off()
    assert "已注销" in text_of(electronics.get(job).content)


def test_one_that_has_ended_goes_after_its_time_with_all_it_was_drawn_from(electronics):
    job = ended_on_paper(electronics)
    electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})
    electronics.issuer.work_off()
    page = page_at_any_time(electronics, job)
    assert "已注销" in page

    days_later(electronics, DAYS - 1)
    assert electronics.get(job).status_code == 200
    days_later(electronics, DAYS + 1)

    gone = electronics.get(job)
    assert (gone.status_code, gone.json()["code"]) == (410, "document-destroyed")
    assert on_disk(electronics) == 0
    assert page_at_any_time(electronics, job) == page  # the public page needs no file
    history = electronics.client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    told = [event["detail"] for event in history[-2:]]
    assert sorted(told) == ["documents destroyed", "electronic certificate destroyed"]


def test_one_whose_last_file_is_still_to_be_made_is_kept(electronics):
    job = ended_on_paper(electronics)
    electronics.client.post(f"/v1/jobs/{job['job_id']}/withdraw", json={"reason": "注销"})

    days_later(electronics, DAYS + 1)
    electronics.issuer.work_off()

    assert "已注销" in text_of(electronics.get(job).content)
