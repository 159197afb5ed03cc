"""Ten thousand jobs and no fault: nothing lost, nothing twice, nobody asked; run by `make soak`."""

import os

import pytest

from tests.bench.many import CERTIFICATE_EVERY, Many, Outcome
from tests.journeys.conftest import a_sandbox

REGISTRIES = ("231202", "231221", "231222", "231223")
HALLS = ("231282-01", "231283-01", "231202-01", "231221-01")


def setting(name: str, default: float) -> float:
    """Return a parameter of the long form: SCALE_JOBS, SCALE_MINUTES (for all), SCALE_POSTING_MINUTES (then no more are posted)."""
    return float(os.environ.get(f"SCALE_{name}", default))


def through_four_halls(request: pytest.FixtureRequest) -> Outcome:
    jobs, minutes = int(setting("JOBS", 10_000)), setting("MINUTES", 180)
    blanks = str(jobs // len(HALLS) + 10)
    places = ("--registries", ",".join(REGISTRIES), "--halls", ",".join(HALLS), "--blanks", blanks)
    with a_sandbox(request.session, *places) as driver:
        posting_seconds = 60 * setting("POSTING_MINUTES", minutes)
        outcome = Many(driver, jobs).run(60 * minutes, posting_seconds=posting_seconds)
    print(f"\n{outcome}", flush=True)
    return outcome


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_ten_thousand_jobs_without_a_fault(request):
    """A job that is not handed over when the time is over counts as lost."""
    outcome = through_four_halls(request)

    assert outcome.violations == []
    assert outcome.asked == 0
    certificates = outcome.sheets - outcome.jobs  # each has two sheets, a proof one
    assert abs(certificates - outcome.jobs / CERTIFICATE_EVERY) <= 2
