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


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    database = Database(f"sqlite:///{tmp_path}/home.db")
    metadata.create_all(database.engine)
    found = Store(database, clock, [Endpoint("records-office", frozenset({"231221"}))])
    yield found
    found.close()
