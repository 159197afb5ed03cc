"""Each part killed with SIGKILL in the middle of a batch and started again: nothing lost, no sheet twice, almost nobody asked."""

import pytest

from tests.journeys.build import a_certificate, a_proof
from tests.journeys.drive import Driver, assert_printed_once, eventually

HALLS = ["231282-01", "231283-01", "231281-01"]


def pid_of(county: Driver, part: str) -> int:
    plan = county.plan
    if part == "broker":
        return plan["broker"]["pid"]
    if part == "home":
        return plan["homes"][0]["pid"]
    kind, hall = part.split(":")
    return county.hall(hall)["pid" if kind == "agent" else "cups_pid"]


@pytest.mark.parametrize("part", ["agent:231282-01", "home", "broker", "cups:231282-01"])
def test_a_batch_of_thirty_outlives_a_kill(county: Driver, part: str):
    """What a killed part had in hand is taken up again; at most the pass in flight is asked about (the clerk answers by looking)."""
    build = [a_certificate, a_proof]
    requests = [build[n % 2]("231221", HALLS[n % 3]) for n in range(30)]
    jobs = [county.accepted(request) for request in requests]
    eventually(
        lambda: sum(bool(county.sheets_of(county.job(j["job_id"]))) for j in jobs) >= 4, 120, lambda: "nothing prints"
    )
    before = pid_of(county, part)

    county.kill(before, part)

    eventually(lambda: pid_of(county, part) != before, 120, lambda: f"{part} did not come back")
    eventually(county.is_home_ready, 120, lambda: "home is not ready")
    ended = county.until([job["job_id"] for job in jobs], {"issued", "refused", "cancelled"}, 240)
    asked = [j for j in ended.values() if "outcome-unknown" in history_of(county, j)]
    assert len(asked) <= 1
    for job, request in zip(jobs, requests, strict=True):
        now = ended[job["job_id"]]
        assert now["state"] == "issued"
        if now not in asked:
            assert_printed_once(county, now, request)


def history_of(county: Driver, job: dict) -> set[str]:
    """Every reason that ever stood beside this job's state."""
    events = county.call("GET", f"/v1/jobs/{job['job_id']}/events").json()["events"]
    return {reason for event in events for reason in event["reasons"]}


def test_the_registration_system_heard_every_step_in_order(county: Driver):
    """Callbacks: signed, in order within a job, none missing up to `issued`."""
    request = a_certificate()
    job = county.accepted(request)
    county.until([job["job_id"]], {"issued"}, 60)

    def told() -> list[dict]:
        return [event for event in county.callbacks() if event["data"]["job_id"] == job["job_id"]]

    eventually(lambda: any(event["type"] == "job.issued" for event in told()), 90, lambda: "never told of the end")
    sequences = [event["data"]["sequence"] for event in told()]
    assert sequences == sorted(set(sequences))
    states = [event["type"].removeprefix("job.") for event in told()]
    wanted = ["accepted", "sealed", "sent", "received", "printing", "printed", "issued"]
    assert [s for s in states if s in wanted] == wanted
