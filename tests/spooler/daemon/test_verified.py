"""When the audit log was last found whole is in the metrics: noted by the command that looks, on either side, and only then."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete
from typer.testing import CliRunner

from agents.cli import app as agents_commands
from spooler.cli import command
from spooler.daemon.verified import NAME, last_verified, note_verified, watch_verified
from spooler.store import tables as t
from tests.agents.counter.hall import Counter
from tests.sealing import HALL, HOME, Office
from tests.spooler.core.conftest import Clock, Home

BROKER = '[broker]\nuser = "x"\npassword_credential = "x"\n'


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


def seen(directory: Path) -> float | None:
    registry = CollectorRegistry()
    watch_verified(registry, directory)
    return registry.get_sample_value("certspool_audit_verified_timestamp_seconds")


def test_a_home_that_was_found_whole_says_when(office: Office, tmp_path: Path):
    data, config = tmp_path / "data", tmp_path / "home.toml"
    data.mkdir()
    home = Home(office, data, Clock())
    home.accept()
    config.write_text(
        f'[home]\ndata_directory = "{data}"\ntrust_directory = "{tmp_path}"\n{BROKER}[[registries]]\nid = "{HOME}"\n'
    )
    before = datetime.now(UTC).timestamp()
    assert seen(data) == 0.0, "never"

    def verify() -> int:
        return CliRunner().invoke(command("audit"), ["audit", "verify", "--config", str(config)]).exit_code

    assert verify() == 0
    noted = seen(data)
    assert noted is not None and noted >= before
    with home.store.database.engine.begin() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.sequence == 1))
    assert (verify(), seen(data)) == (1, noted), "a broken log is not noted"
    home.store.close()


def test_so_does_a_hall(office: Office, tmp_path: Path):
    counter = Counter(office, tmp_path / "hall")
    config = tmp_path / "hall.toml"
    config.write_text(
        f'[hall]\nid = "{HALL}"\ndata_directory = "{counter.directory}"\ntrust_directory = "{tmp_path}"\n{BROKER}'
    )

    def verify() -> int:
        return CliRunner().invoke(agents_commands, ["audit", "verify", "--config", str(config)]).exit_code

    assert (verify(), bool(seen(counter.directory))) == (0, True)
    noted = seen(counter.directory)
    with sqlite3.connect(counter.directory / "ledger.sqlite") as ledger:
        ledger.execute("DROP TRIGGER audit_remains")
        ledger.execute("DELETE FROM audit WHERE sequence = 5")
    assert (verify(), seen(counter.directory)) == (1, noted)
    counter.ledger.close()


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"at":5}', b'{"at":"soon"}', b"\xff"], ids=repr)
def test_what_is_no_note_says_never(tmp_path: Path, content: bytes):
    (tmp_path / NAME).write_bytes(content)

    assert last_verified(tmp_path) is None and seen(tmp_path) == 0.0


def test_who_may_not_write_there_is_told(tmp_path: Path):
    """An auditor who only reads: the answer is the same, the note is missing."""
    assert note_verified(tmp_path / "nowhere", datetime.now(UTC), 1) is False
