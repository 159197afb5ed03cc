"""A store on a database of its own, and a clock that stands until it is moved."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from spooler.store import Database, Store
from spooler.store.columns import metadata
from spooler.store.values import Endpoint
from tests.spooler.store.builders import NOON


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        self.time += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """The same promises hold on either database."""
    database = Database(_url(request, tmp_path))
    metadata.create_all(database.engine)
    found = Store(database, clock, [Endpoint("records-office", frozenset({"231221"}))])
    yield found
    found.close()


def _url(request: pytest.FixtureRequest, directory: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{directory}/home.db"
    server = request.getfixturevalue("postgresql")
    return str(server.url(server.fresh()))
