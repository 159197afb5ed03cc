"""The thief of the storms, alone: he does submit a job under the agent's permit, and nothing comes of it."""

import os

import pytest

from agents.permit import Claim
from agents.printers import JobState
from tests.agents.paper.conftest import hall, open_directory
from tests.agents.paper.hall import until
from tests.storm.thief import Thief

__all__ = ["hall", "open_directory"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_another_users_paper_under_the_permits_uuid_is_taken_by_cups_and_refused_by_once(hall):
    """The uuid is no secret, and CUPS takes a second job of it from anybody: the permit is for one job number."""
    uuid, job = hall.spool()
    hall.permit(uuid, job)
    assert Thief(hall.cups.socket, hall.permits.path).submit_for(str(uuid))
    stolen = until(lambda: [j for j in hall.connection.ended_jobs(0) if j.number != job])

    assert [(j.uuid, j.state) for j in stolen] == [(uuid, JobState.CANCELED)]
    assert "once: other-job" in hall.cups.error_log.read_text()
    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert hall.sheets() == []

    hall.connection.release(job)
    hall.wait_until_ended(job)
    assert [s["job_uuid"] for s in hall.sheets()] == [str(uuid)]
