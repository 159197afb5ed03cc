"""The home answers as its OpenAPI document says, to whatever is asked: no 5xx, no undeclared status, type or shape."""

import pytest

from spooler.api.auth import Caller, Callers
from tests.openapi import breaches
from tests.spooler.api.conftest import a_home, generous, token_of, with_token
from tests.spooler.api.sending import post
from tests.spooler.intake.build import changed, sample

ALL = Caller("all", "", frozenset({"submit", "read", "operate", "approve"}), frozenset({"*"}))
SHORT = ("--phases", "fuzzing", "--max-examples", "6")
LONG = ("--phases", "examples,coverage,fuzzing,stateful")
COVERAGE = ("--phases", "coverage")


@pytest.fixture
def home(tmp_path, layout):
    made = a_home(tmp_path, layout, callers=Callers([with_token(ALL)], generous()))
    yield made
    made.close()


@pytest.fixture
def job(home):
    """A job that is there, so that more is asked than what becomes of ids nobody has."""
    with home.client("all") as client:
        return post(client, changed(sample("house"), "hall", "231282-01")).json()


@pytest.mark.attack_row("S33")
def test_the_home_keeps_to_its_openapi_document(home, job, tmp_path):
    """Also that no call answers without a token, or with a wrong one."""
    known = {"path.job_id": job["job_id"], "path.hall": job["hall"]}

    assert breaches(home.url, tmp_path, token=token_of("all"), known=known, options=SHORT) == ""


@pytest.mark.soak
@pytest.mark.parametrize("exists", [False, True], ids=["invented ids", "ids that exist"])
def test_the_home_keeps_to_its_openapi_document_whatever_is_asked(home, job, tmp_path, exists):
    """The long form: edges of every parameter, fuzzing, and calls that follow from answers."""
    known = {"path.job_id": job["job_id"], "path.hall": job["hall"]} if exists else {}

    assert breaches(home.url, tmp_path, token=token_of("all"), known=known, options=LONG) == ""


@pytest.mark.soak
@pytest.mark.parametrize("token", [None, "nobodys"], ids=["no token", "an unknown token"])
def test_the_home_tells_strangers_what_its_openapi_document_says(home, job, tmp_path, token):
    known = {"path.job_id": job["job_id"], "path.hall": job["hall"]}

    assert breaches(home.url, tmp_path, token=token, known=known, options=COVERAGE) == ""
