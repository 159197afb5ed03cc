"""What an API turns away is counted by its status: at home and at a hall, by the answer that leaves, also where a limit gave it."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from spooler.daemon.guard import MAX_BODY_BYTES, MAX_HEAD_BYTES
from spooler.daemon.limit import Limit
from spooler.daemon.refusals import COUNTED, count_refusals
from tests.agents.api.conftest import TOKENS, api_of
from tests.agents.counter.hall import Counter
from tests.sealing import Office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def hall(office: Office, tmp_path: Path, registry: CollectorRegistry) -> TestClient:
    app = api_of(Counter(office, tmp_path / "hall"))
    count_refusals(app, registry)
    app.state.wrong_tokens = Limit(a_minute=6, at_once=2, all_a_second=100)
    return TestClient(app)


def counts(registry: CollectorRegistry) -> dict[int, float]:
    return {
        code: found
        for code in COUNTED
        if (found := registry.get_sample_value("certspool_http_refusals_total", {"code": str(code)}))
    }


def as_(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[who]}"}


def test_every_answer_of_the_door_is_counted_once(hall: TestClient, registry: CollectorRegistry):
    answers = [
        hall.get("/v1/orders"),
        hall.get("/v1/orders", headers={"Authorization": "Bearer nobody"}),
        hall.get("/v1/orders", headers={"Authorization": "Bearer nobody"}),
        hall.get("/v1/orders", headers={"Authorization": "Bearer nobody"}),
        hall.get("/v1/stock", headers=as_("approver")),
        hall.post("/v1/reconcile", headers=as_("clerk"), content=b"x" * (MAX_BODY_BYTES + 1)),
        hall.get("/v1/orders", headers={**as_("clerk"), "x": "y" * MAX_HEAD_BYTES}),
        hall.get("/v1/orders", headers=as_("clerk")),
        hall.get("/v1/nowhere", headers=as_("clerk")),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 403, 413, 431, 200, 404]
    assert counts(registry) == {401: 3, 403: 1, 413: 1, 429: 1, 431: 1}


def test_before_anybody_came_every_count_is_there_and_nought(hall: TestClient, registry: CollectorRegistry):
    """So that an alarm on its growth sees the first one."""
    zeros = [registry.get_sample_value("certspool_http_refusals_total", {"code": str(code)}) for code in COUNTED]

    assert zeros == [0.0] * len(COUNTED)
