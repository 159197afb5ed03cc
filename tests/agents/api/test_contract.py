"""The hall answers as its OpenAPI document says, to whatever is asked: no 5xx, no undeclared status, type or shape."""

import pytest

from spooler.daemon.limit import Limit
from spooler.daemon.server import HttpServer
from tests.agents.api.conftest import TOKENS, api_of
from tests.openapi import breaches

SHORT = ("--phases", "fuzzing", "--max-examples", "6")
LONG = ("--phases", "examples,coverage,fuzzing,stateful")
COVERAGE = ("--phases", "coverage")


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

    assert breaches(address, tmp_path, token=TOKENS["both"], known=known, options=SHORT) == ""


@pytest.mark.soak
@pytest.mark.parametrize("exists", [False, True], ids=["invented ids", "ids that exist"])
def test_the_hall_keeps_to_its_openapi_document_whatever_is_asked(address, order_id, tmp_path, exists):
    """The long form: edges of every parameter, fuzzing, and calls that follow from answers."""
    known = {"path.order_id": order_id, "path.name": "proof-1"} if exists else {}

    assert breaches(address, tmp_path, token=TOKENS["both"], known=known, options=LONG) == ""


@pytest.mark.soak
@pytest.mark.parametrize("token", [None, "nobodys"], ids=["no token", "an unknown token"])
def test_the_hall_tells_strangers_what_its_openapi_document_says(address, order_id, tmp_path, token):
    known = {"path.order_id": order_id, "path.name": "proof-1"}

    assert breaches(address, tmp_path, token=token, known=known, options=COVERAGE) == ""
