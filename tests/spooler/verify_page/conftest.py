"""A store with one certificate of each standing, and the page over it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spooler import migrations
from spooler.electronic.identifier import NewElectronic
from spooler.electronic.opening import new_code
from spooler.electronic.validity import Validity
from spooler.store import Database, Store
from spooler.store.electronic_changes import set_validity
from spooler.store.values import Accepted
from tests.spooler.store.builders import CLERK, a_new_job

REGISTRY = "望奎县自然资源局"
ISSUER = "11231221MB00000012"


@dataclass
class Codes:
    """What stands in the store, by its code."""

    url: str
    store: Store
    genuine: str
    withdrawn: str
    superseded: str


def a_certificate(store: Store, number: int) -> tuple[str, str]:
    """Keep a job with an electronic certificate; return job and code."""
    new = NewElectronic(new_code(), REGISTRY, ISSUER)
    outcome = store.jobs.accept(a_new_job(number, electronic=new), CLERK)
    assert isinstance(outcome, Accepted)
    return outcome.job.job_id, new.code


@pytest.fixture(scope="session")
def codes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Codes]:
    url = f"sqlite:///{tmp_path_factory.mktemp('public')}/home.db"
    database = Database(url)
    migrations.upgrade(database.engine)
    store = Store(database, lambda: datetime.now(UTC))
    made = {validity: a_certificate(store, number) for number, validity in enumerate(Validity, start=1)}
    for validity, (job_id, _) in made.items():
        with store.changing() as change:
            set_validity(change.connection, job_id, validity, change.now)
    yield Codes(url, store, *(code for _, code in made.values()))
    store.close()


@pytest.fixture
def config(tmp_path: Path, codes: Codes) -> Path:
    path = tmp_path / "verify.toml"
    path.write_text(f'[verify]\ndatabase_url = "{codes.url}"\nlisten = "127.0.0.1:0"\n')
    return path
