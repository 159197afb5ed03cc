"""One office for the whole run; a county of its own for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acts.county import County
from tests.sealing import Office
from tests.spooler.core.conftest import Clock


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def county(office: Office, tmp_path: Path) -> Iterator[County]:
    (tmp_path / "home").mkdir()
    made = County(office, tmp_path, Clock())
    yield made
    made.close()
