"""POST /v1/jobs: a request becomes a job once, or is refused with every field named."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from spooler.api.bodies import MAX_BODY_BYTES
from tests.spooler.api.conftest import a_home
from tests.spooler.api.sending import as_parts, errors, inline, post
from tests.spooler.intake.build import OWN, changed, sample, trust

HOUSE = sample("house")
JOB = {
    "job_id", "request_id", "registry", "hall", "kind", "number", "version", "case", "state", "reasons", "attempt", "serial",
    "refusal", "orders", "applied_at", "deadline", "created_at", "updated_at",
}  # fmt: skip


def test_a_request_is_kept_as_a_job(client):
    """201 means: on disk, and it will not vanish."""
    answer = client.post("/v1/jobs", files=as_parts(HOUSE))

    job = answer.json()
    assert answer.status_code == 201
    assert set(job) == JOB
    assert (job["state"], job["reasons"], job["serial"], job["refusal"]) == ("accepted", [], None, None)
    assert job["number"] == "黑（2025）望奎县不动产权第0000101号"
    assert answer.headers["location"] == f"/v1/jobs/{job['job_id']}"
    assert client.get(answer.headers["location"]).json() == job


def test_times_are_answered_in_utc(client):
    job = post(client, sample("all-fields")).json()

    assert (job["applied_at"], job["deadline"]) == ("2025-03-10T01:05:00Z", "2025-03-10T02:05:00Z")


def test_the_job_answers_without_any_person(client):
    text = post(client, sample("all-fields")).text

    assert "孙二" not in text and "232324" not in text


def test_the_same_request_again_is_the_same_job(client):
    """In whichever form it comes: inside, as parts, or under field codes."""
    first = client.post("/v1/jobs", files=as_parts(HOUSE))
    again = post(client, HOUSE)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["job_id"] == again.json()["job_id"]


def test_a_repeat_is_answered_although_the_rules_changed_since(tmp_path, layout):
    """A client that lost our answer must find its job, also when the grant was withdrawn meanwhile."""
    before = a_home(tmp_path, layout)
    with before.client() as client:
        first = post(client, HOUSE)
    before.close()
    after = a_home(tmp_path, layout, trusted=trust(granted=("proof",)))
    with after.client() as client:
        again, new = post(client, HOUSE), post(client, sample("plan-turned"))
    after.close()

    assert (again.status_code, again.json()) == (200, first.json())
    assert (new.status_code, errors(new)) == (422, [("hall", "not-granted")])


def test_the_same_id_with_other_content_is_a_conflict(client):
    job = post(client, HOUSE).json()

    answer = post(client, changed(HOUSE, "document.fields.location", "望奎县东郊"))

    assert answer.status_code == 409
    assert errors(answer) == [("request_id", "request-id-taken")]
    assert answer.json()["job_id"] == job["job_id"]


def test_one_right_has_one_paper(client):
    """The same number and version under another request id is answered with the job that has it."""
    job = post(client, HOUSE).json()

    answer = post(client, changed(HOUSE, "request_id", "another"))

    assert (answer.status_code, answer.json()["code"]) == (409, "already-requested")
    assert errors(answer) == [("document.number", "already-requested")]
    assert answer.json()["job_id"] == job["job_id"]


def test_one_place_in_a_case_has_one_paper(client):
    job = post(client, HOUSE).json()
    other = changed(changed(HOUSE, "request_id", "another"), "document.number.sequence", "0009999")

    answer = post(client, other)

    assert (answer.status_code, errors(answer)) == (409, [("case.ordinal", "already-requested")])
    assert answer.json()["job_id"] == job["job_id"]


def test_a_cancelled_job_frees_its_number(client):
    job = post(client, HOUSE).json()
    client.post(f"/v1/jobs/{job['job_id']}/cancel", json={"reason": "typing error"})

    assert post(client, changed(HOUSE, "request_id", "another")).status_code == 201


def at_once(home, requests):
    """Post all of them at the same moment, each from its own connection."""
    barrier = Barrier(len(requests))

    def one(request):
        with home.client() as client:
            barrier.wait()
            return post(client, request)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(one, requests))


def test_twenty_equal_posts_at_once_are_one_job(home, client):
    answers = at_once(home, [HOUSE] * 20)

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    assert len(client.get("/v1/jobs").json()["jobs"]) == 1


def test_twenty_ids_for_one_certificate_at_once_are_one_job(home, client):
    answers = at_once(home, [changed(HOUSE, "request_id", f"at-once-{k}") for k in range(20)])

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19
    (winner,) = [answer.json()["job_id"] for answer in answers if answer.status_code == 201]
    assert {answer.json()["job_id"] for answer in answers} == {winner}


def test_all_good_samples_are_taken_and_all_bad_ones_refused(client):
    for path in sorted((OWN / "good").glob("*.json")):
        answer = client.post("/v1/jobs", files=as_parts(json.loads(path.read_bytes())))
        assert answer.status_code == 201, (path.name, answer.text)
    for path in sorted((OWN / "bad").glob("*.json")):
        bad = json.loads(path.read_bytes())
        answer = client.post("/v1/jobs", files=as_parts(bad["request"]))
        fields = [field for field, _ in errors(answer)]
        assert answer.status_code == 422, path.name
        assert any(f"{field}.".startswith(bad["expect"]["field"] + ".") for field in fields), (path.name, fields)


def test_a_refusal_is_a_problem_document(client):
    answer = post(client, changed(changed(HOUSE, "document.fields.holder", ""), "document.units", ["x"]))

    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {"type", "title", "status", "detail", "errors"} <= set(problem)
    assert (answer.status_code, problem["status"], problem["code"]) == (422, 422, "refused")
    assert all(set(item) == {"field", "code", "message"} for item in problem["errors"])


def test_what_does_not_fit_is_refused_inside_the_post(client):
    """After a 201 nothing that the request alone decides can refuse it."""
    answer = post(client, changed(HOUSE, "document.fields.usage", "住宅" * 180))

    assert (answer.status_code, errors(answer)) == (422, [("document.fields.usage", "does-not-fit")])
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_a_duplicate_key_is_refused(client):
    text = json.dumps(inline(HOUSE)).replace('"hall":', '"hall": "231282-01", "hall":', 1)

    answer = client.post("/v1/jobs", content=text, headers={"content-type": "application/json"})

    assert (answer.status_code, errors(answer)) == (422, [("hall", "duplicate-key")])


def test_validate_keeps_nothing(client):
    answer = client.post("/v1/jobs/validate", files=as_parts(HOUSE))

    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    assert client.get("/v1/jobs").json()["jobs"] == []


def test_validate_refuses_and_warns_as_the_post_would(client):
    request = sample("all-fields")

    warned = client.post("/v1/jobs/validate", json=changed(request, "document.number.year", 2024))
    refused = client.post("/v1/jobs/validate", json=changed(request, "case.ordinal", 9))

    assert [item["code"] for item in warned.json()["warnings"]] == ["year-differs"]
    assert (refused.status_code, errors(refused)) == (422, [("case.ordinal", "beyond-case")])


def test_a_job_says_what_to_look_at_and_names_no_character(client):
    """A character in a fallback face may have another shape than the registry meant: somebody looks before the blank is used."""
    job = post(client, sample("rare-names")).json()

    (first, *_) = client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    assert first["detail"] == "request accepted; to look at: document.fields.holder fallback-face"


def test_lettering_that_comes_out_too_small_is_a_thing_to_look_at(client):
    """A4 map and plan share a frame: their figures are 0.8 mm high, and somebody decides whether that will do."""
    job = client.post("/v1/jobs", files=as_parts(HOUSE)).json()

    (first, *_) = client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    assert first["detail"] == "request accepted; to look at: annexes.0 annex-small, annexes.1 annex-small"


def test_a_job_without_anything_to_look_at_says_nothing_of_it(client):
    job = post(client, changed(sample("no-annex"), "hall", "231282-01")).json()

    (first, *_) = client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    assert first["detail"] == "request accepted"


def test_many_things_to_look_at_are_told_in_short(client):
    """An event has room for 200 characters."""
    request = sample("rare-names")
    odd = "𠀀𠀁𠀂"
    for field in ("holder", "co_ownership", "location", "notes"):
        request["document"]["fields"][field] += odd

    job = post(client, request).json()

    (first, *_) = client.get(f"/v1/jobs/{job['job_id']}/events").json()["events"]
    assert "document.fields.co_ownership fallback-face ×3" in first["detail"]
    assert first["detail"].endswith("and 1 more") and len(first["detail"]) <= 200
    assert not set(odd) & set(first["detail"])


@pytest.mark.parametrize(
    ("content_type", "body", "status", "code"),
    [
        ("application/json", b"{", 400, "malformed"),
        ("application/json", b"[]", 400, "malformed"),
        ("application/json", "{}".encode("utf-16"), 400, "malformed"),
        ("application/json; charset=utf-8", b"{}", 422, "refused"),
        ("text/plain", b"{}", 415, "media-type"),
        ("application/x-www-form-urlencoded", b"a=b", 415, "media-type"),
        ("multipart/form-data", b"", 400, "malformed"),
        ("multipart/form-data; boundary=x", b"no parts", 400, "malformed"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="request"\r\n\r\n{}',
            400,
            "malformed",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{}\r\n--x--',
            422,
            "refused",
        ),
    ],
)
def test_a_body_that_is_no_request_is_told_so(client, content_type, body, status, code):
    answer = client.post("/v1/jobs", content=body, headers={"content-type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_body_beyond_the_limit_is_too_large(client):
    """Announced or not: the limit is said, and not a byte more is kept in memory."""
    announced = client.post(
        "/v1/jobs", content=b" " * (MAX_BODY_BYTES + 1), headers={"content-type": "application/json"}
    )
    chunks = (b" " * (1 << 20) for _ in range(18))
    streamed = client.post("/v1/jobs", content=chunks, headers={"content-type": "application/json"})

    for answer in (announced, streamed):
        assert (answer.status_code, answer.json()["limit"]) == (413, MAX_BODY_BYTES)


def test_a_part_under_a_name_twice_is_refused(client):
    files = [("request", (None, json.dumps(HOUSE))), ("map-house.pdf", b"one"), ("map-house.pdf", b"two")]

    assert errors(client.post("/v1/jobs", files=files)) == [("map-house.pdf", "content-twice")]


def test_requests_are_counted_by_registry_channel_and_end(home, client):
    post(client, sample("all-fields"))
    post(client, sample("all-fields"))
    post(client, changed(HOUSE, "registry", "999999"))
    client.post("/v1/jobs", json={})

    assert home.requests == [
        ("231221", "window", "accepted"),
        ("231221", "window", "same"),
        ("other", "none", "unknown-registry"),
        ("other", "none", "missing"),
    ]


def test_with_too_much_waiting_for_the_broker_the_answer_is_later(tmp_path, layout):
    """The broker may be away for a day; before the disk is full we say so, and lose nothing."""
    full = a_home(tmp_path, layout, most_waiting_letters=-1)
    try:
        with full.client() as client:
            answer = post(client, HOUSE)
    finally:
        full.close()

    assert (answer.status_code, answer.json()["code"]) == (503, "try-later")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.fault_row("F40")
def test_with_too_much_waiting_for_its_seal_the_answer_is_later(tmp_path, layout):
    """The seal may be away: so many requests are taken and wait, and then none."""
    sealless = a_home(tmp_path, layout, most_unsealed=1)
    try:
        with sealless.client() as client:
            first, second = post(client, HOUSE), post(client, HOUSE)
    finally:
        sealless.close()

    assert (first.status_code, second.status_code) == (201, 503)
    assert "seal" in second.json()["detail"]
    assert int(second.headers["retry-after"]) > 0
