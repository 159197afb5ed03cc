"""One office for the whole run; a hall of its own for each test."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.agents.counter.hall import Counter
from tests.sealing import Office


@pytest.fixture(scope="session")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def make_counter(office, tmp_path) -> Callable[..., Counter]:
    def make(**more: Any) -> Counter:
        return Counter(office, tmp_path / "hall", **more)

    return make


@pytest.fixture
def counter(make_counter) -> Counter:
    return make_counter()
