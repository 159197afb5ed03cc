"""The hall answers as its OpenAPI document says, to whatever is asked: no 5xx, no undeclared status, type or shape."""

import pytest

from spooler.daemon.limit import Limit
from spooler.daemon.server import HttpServer
from tests.agents.api.conftest import TOKENS, api_of
from tests.openapi import breaches

SHORT = ("--phases", "coverage")
LONG = ("--phases", "examples,coverage,fuzzing,stateful")


@pytest.fixture
def order_id(counter):
    return str(counter.arrives(counter.proof()))


@pytest.fixture
def address(counter):
    app = api_of(counter)
    app.state.wrong_tokens = Limit(a_minute=1_000_000, at_once=100_000, all_a_second=1_000_000)
    server = HttpServer(app, "127.0.0.1", 0)
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    counter.hall.changes.stop()
    server.stop()


@pytest.mark.attack_row("S33")
def test_the_hall_keeps_to_its_openapi_document(address, order_id, tmp_path):
    """Also that no call answers without a token, or with a wrong one."""
    known = {"path.order_id": order_id, "path.name": "proof-1"}

    assert breaches(address, tmp_path, token=TOKENS["both"], seconds=4, known=known, options=SHORT) == ""


@pytest.mark.soak
@pytest.mark.parametrize("token", [TOKENS["both"], None, "nobodys"], ids=["known", "none", "unknown"])
def test_the_hall_keeps_to_its_openapi_document_whatever_is_asked(address, order_id, tmp_path, token):
    """The long form: with ids that exist and with invented ones, with and without a token."""
    known = {"path.order_id": order_id, "path.name": "proof-1"}
    for parameters in ({}, known):
        assert breaches(address, tmp_path, token=token, seconds=180, known=parameters, options=LONG) == ""
