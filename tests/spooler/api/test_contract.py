"""The home answers as its OpenAPI document says, to whatever is asked: no 5xx, no undeclared status, type or shape."""

import pytest

from spooler.api.auth import Caller, Callers
from tests.openapi import breaches
from tests.spooler.api.conftest import a_home, generous, token_of, with_token
from tests.spooler.api.sending import post
from tests.spooler.intake.build import changed, sample

ALL = Caller("all", "", frozenset({"submit", "read", "operate", "approve"}), frozenset({"*"}))
SHORT = ("--phases", "coverage")
LONG = ("--phases", "examples,coverage,fuzzing,stateful")


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

    assert breaches(home.url, tmp_path, token=token_of("all"), seconds=4, known=known, options=SHORT) == ""


@pytest.mark.soak
@pytest.mark.parametrize("token", [token_of("all"), None, "nobodys"], ids=["known", "none", "unknown"])
def test_the_home_keeps_to_its_openapi_document_whatever_is_asked(home, job, tmp_path, token):
    """The long form: with ids that exist and with invented ones, with and without a token."""
    known = {"path.job_id": job["job_id"], "path.hall": job["hall"]}
    for parameters in ({}, known):
        assert breaches(home.url, tmp_path, token=token, seconds=180, known=parameters, options=LONG) == ""
