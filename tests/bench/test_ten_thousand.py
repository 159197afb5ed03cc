"""Ten thousand jobs and no fault: nothing lost, nothing twice, nobody asked; run by `make soak`."""

import os

import pytest

from tests.bench.many import Many, Outcome
from tests.journeys.conftest import a_sandbox

REGISTRIES = ("231202", "231221", "231222", "231223")
HALLS = ("231282-01", "231283-01", "231202-01", "231221-01")


def through_four_halls(request: pytest.FixtureRequest, jobs: int, longest_seconds: float) -> Outcome:
    places = (
        "--registries",
        ",".join(REGISTRIES),
        "--halls",
        ",".join(HALLS),
        "--blanks",
        str(jobs // len(HALLS) + 10),
    )
    with a_sandbox(request.session, *places) as driver:
        outcome = Many(driver, jobs).run(longest_seconds)
    print(f"\n{outcome}", flush=True)
    return outcome


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_ten_thousand_jobs_without_a_fault(request):
    """SCALE_JOBS and SCALE_MINUTES make it shorter. A job that is not handed over by then counts as lost."""
    jobs, minutes = int(os.environ.get("SCALE_JOBS", "10000")), float(os.environ.get("SCALE_MINUTES", "180"))

    outcome = through_four_halls(request, jobs, minutes * 60)

    assert outcome.violations == []
    assert outcome.asked == 0
    assert outcome.sheets == jobs + (jobs + 4) // 5  # a certificate has two
