"""The main job, on real parts: every good request comes out once, at the right hall, on the right blank; every bad one is refused."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journeys.build import PLACES, a_certificate, a_proof
from tests.journeys.drive import Driver, Sheet, assert_looks_like, assert_printed_once, with_content

HOUSE = Path(__file__).parents[2]
OWN = HOUSE / "spooler" / "sandbox" / "samples"
SHARED = HOUSE.parent / "shared" / "samples"
SETS = [folder for folder in (OWN, SHARED) if folder.is_dir()]


def good_samples(folder: Path) -> dict[str, dict]:
    return {
        p.stem: with_content(json.loads(p.read_text()), folder / "annexes")
        for p in sorted((folder / "good").glob("*.json"))
    }


@pytest.mark.parametrize("folder", SETS, ids=lambda f: "shared" if f == SHARED else "own")
def test_every_good_sample_is_issued_and_printed_once(county: Driver, folder: Path, tmp_path: Path):
    """Whatever the annexes, scripts and stocks: issued, one sheet a pass, none twice, none astray, every field readable."""
    samples = good_samples(folder)
    jobs = {name: county.accepted(request) for name, request in samples.items()}

    ended = county.until([j["job_id"] for j in jobs.values()], {"issued", "refused", "cancelled"}, 240)

    for name, request in samples.items():
        job = ended[jobs[name]["job_id"]]
        assert (name, job["state"], job["refusal"]) == (name, "issued", None)
        assert_printed_once(county, job, request)
        if request["annexes"]:
            document = county.call("GET", f"/v1/jobs/{job['job_id']}/document").content
            assert_looks_like(document, in_order(county.sheets_of(job)), tmp_path)


def in_order(sheets: list[Sheet]) -> list[Sheet]:
    """The sheets of one job as the document's pages: by pass, and within a pass as they came out."""
    return sorted(sheets, key=lambda sheet: (int(sheet.pass_number), sheet.pdf.name))


@pytest.mark.parametrize("folder", SETS, ids=lambda f: "shared" if f == SHARED else "own")
def test_every_bad_sample_is_refused_by_name(county: Driver, folder: Path):
    """A refusal is a 4xx problem document that names the field, or one below it."""
    for path in sorted((folder / "bad").glob("*.json")):
        sample = json.loads(path.read_text())
        wanted = sample["expect"]["field"]

        answer = county.post(with_content(sample["request"], folder / "annexes"))

        assert (path.stem, 400 <= answer.status_code < 500) == (path.stem, True)
        assert answer.headers["content-type"].startswith("application/problem+json")
        named = [error["field"] for error in answer.json()["errors"]]
        assert any(f == wanted or f.startswith(wanted + ".") for f in named), (path.stem, wanted, named)


def test_the_same_request_twenty_times_at_once_is_one_job(county: Driver):
    request = a_certificate()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: county.post(request), range(20)))

    assert sorted(a.status_code for a in answers) == [200] * 19 + [201]
    (job_id,) = {a.json()["job_id"] for a in answers}
    job = county.until([job_id], {"issued"}, 60)[job_id]
    assert len(job["orders"]) == 1
    assert_printed_once(county, job, request)


def test_the_same_certificate_under_twenty_ids_at_once_is_one_paper(county: Driver):
    request = a_certificate()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: county.post({**request, "request_id": f"again-{n}"}), range(20)))

    assert sorted(a.status_code for a in answers) == [201] + [409] * 19
    (job_id,) = {a.json()["job_id"] for a in answers}
    job = county.until([job_id], {"issued"}, 60)[job_id]
    assert_printed_once(county, job, request)


@pytest.mark.timeout(900)
def test_any_registry_prints_at_any_hall(county: Driver):
    """The ninety directed pairs of Suihua's ten counties, and each at home: one hundred of one hundred."""
    halls = [f"{county_id}-01" for county_id in PLACES]
    pairs = [(registry, hall) for registry in PLACES for hall in halls]
    build = [a_certificate, a_proof]
    requests = [build[n % 2](registry, hall) for n, (registry, hall) in enumerate(pairs)]
    with ThreadPoolExecutor(4) as pool:
        jobs = list(pool.map(county.accepted, requests))

    ended = county.until([job["job_id"] for job in jobs], {"issued", "refused", "cancelled"}, 600)

    assert len(ended) == 100
    for job, request in zip(jobs, requests, strict=True):
        assert ended[job["job_id"]]["state"] == "issued"
        assert_printed_once(county, ended[job["job_id"]], request)


def test_no_sheet_came_out_that_nobody_asked_for(county: Driver):
    """Of all the paper in all the trays, each sheet belongs to an order that home opened, and no side came out twice."""
    known = set()
    cursor = None
    while True:
        page = county.call("GET", "/v1/jobs", params={"limit": 100, **({"cursor": cursor} if cursor else {})}).json()
        known |= {order["order_id"] for job in page["jobs"] for order in job["orders"]}
        if (cursor := page["next"]) is None:
            break

    assert [s.title for s in county.sheets() if s.order_id not in known] == []
