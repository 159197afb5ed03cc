"""Whatever is sent, the answer is a job or a refusal that can be written down: never an error of ours."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spooler.errors import Code, HomeError
from tests.spooler.intake.build import OWN, checker, judge, sample

GOOD = [sample(path.stem) for path in sorted((OWN / "good").glob("*.json"))]
CODES = {code.value for code in Code}
CHECKER = checker()
QUICK = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))

texts = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["", "1", "2025-03-10", "补发", "等3个", "\x00", "\ud800"]
)
numbers = st.integers() | st.floats(allow_nan=True, allow_infinity=True) | st.booleans() | st.none()
anything = st.recursive(
    numbers | texts,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(texts, below, max_size=4),
    max_leaves=12,
)


def paths(value, path=()):
    """Yield the path of everything in a request."""
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in children:
        yield from paths(below, (*path, key))


def must_be_answered(body, parts=None):
    """Judge it, and write the refusal down as the API would."""
    try:
        CHECKER.check(CHECKER.read(body, parts or {}))
    except HomeError as e:
        assert {item.code for item in e.errors} <= CODES
        json.dumps([item.to_json() for item in e.errors], ensure_ascii=False).encode("utf-8")


@QUICK
@given(st.data())
def test_a_request_with_anything_in_one_place_is_answered(data):
    request = copy.deepcopy(data.draw(st.sampled_from(GOOD)))
    path = data.draw(st.sampled_from(list(paths(request))))
    target = request
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = data.draw(anything)
    if data.draw(st.booleans()) and isinstance(target, dict):
        target[data.draw(texts)] = data.draw(anything)

    must_be_answered(json.dumps(request).encode())


@QUICK
@given(st.binary(max_size=200) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_answered(body):
    must_be_answered(body)


@QUICK
@given(st.dictionaries(texts, st.binary(max_size=20), max_size=3))
def test_any_parts_are_answered(parts):
    must_be_answered(json.dumps(sample("house")).encode(), parts)


@QUICK
@given(st.text(st.characters(categories=["Lo", "Nd", "P", "Zs", "Lu"]), min_size=1, max_size=60))
def test_what_is_taken_is_printed_as_it_came(text):
    """Nothing is trimmed, normalised or rewritten on its way to the page."""
    request = copy.deepcopy(sample("no-annex"))
    request["document"]["fields"]["notes"] = text

    assert judge(request, CHECKER).request.document.fields["notes"] == text


@pytest.mark.parametrize("request_", GOOD, ids=lambda request: request["request_id"])
def test_the_good_samples_are_good_before_they_are_spoilt(request_):
    """Else the fuzz above would fuzz only the first check."""
    assert judge(request_, CHECKER)
