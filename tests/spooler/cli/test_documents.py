"""`certspool documents due | hold | holds | release`: on the home's own store, beside the home that works on it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from spooler import migrations
from spooler.cli import main
from spooler.job import JobState
from spooler.store import Database, Store
from spooler.store.values import Accepted, Update
from tests.spooler.store.builders import CLERK, a_new_job

CONFIG = """
[home]
data_directory = "{directory}"
trust_directory = "{directory}"
[broker]
user = "home"
password_credential = "broker"
[[registries]]
id = "231221"
"""
NOBODYS = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "home.toml"
    path.write_text(CONFIG.format(directory=tmp_path))
    return path


@pytest.fixture
def store(tmp_path):
    """Of a year ago: what has ended then is due."""
    database = Database(f"sqlite:///{tmp_path / 'home.db'}")
    migrations.upgrade(database.engine)
    made = Store(database, lambda: datetime.now(UTC) - timedelta(days=365), tells_others=False)
    yield made
    made.close()


@pytest.fixture
def job(store):
    outcome = store.jobs.accept(a_new_job(), CLERK)
    assert isinstance(outcome, Accepted)
    with store.changing() as change:
        change.move(outcome.job.job_id, Update(state=JobState.CANCELLED))
    return outcome.job.job_id


@pytest.fixture
def run(capsys, config):
    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["documents", *map(str, arguments), "--config", str(config)])
        printed = capsys.readouterr()
        return ended.value.code or 0, printed.out, printed.err

    return call


def due(run, *more):
    return json.loads(run("due", "--json", *more)[1])["due"]


def test_what_is_due_is_listed_and_what_is_held_is_not(run, job, store):
    (one,) = due(run)
    assert (one["what"], one["job_id"], one["state"]) == ("documents", job, "cancelled")

    code, out, _ = run("hold", job, "--reason", "(2026)黑12民初34号", "--json")
    assert code == 0 and json.loads(out)["job_id"] == job
    assert due(run) == []
    (held,) = json.loads(run("holds", "--json")[1])["holds"]
    assert held["reason"] == "(2026)黑12民初34号"
    placed = store.jobs.events(job)[-1]
    assert (placed.detail, placed.actor.role) == ("legal hold", "operate")

    assert run("release", job)[0] == 0
    assert [one["job_id"] for one in due(run)] == [job]
    assert json.loads(run("holds", "--json")[1]) == {"holds": []}


def test_what_will_be_due_is_listed_on_request(run, store, tmp_path):
    fresh = Store(Database(f"sqlite:///{tmp_path / 'home.db'}"), lambda: datetime.now(UTC), tells_others=False)
    outcome = fresh.jobs.accept(a_new_job(2), CLERK)
    with fresh.changing() as change:
        change.move(outcome.job.job_id, Update(state=JobState.CANCELLED))

    assert due(run) == []
    assert [one["job_id"] for one in due(run, "--within-days", "191")] == [outcome.job.job_id]
    fresh.close()


def test_a_job_that_is_not_there_or_not_held_or_destroyed_is_said_so(run, job, store):
    assert run("hold", NOBODYS, "--reason", "x")[0] == 1
    assert run("release", job)[0] == 1
    store.kept.destroy(job, ())

    code, _, complaint = run("hold", job, "--reason", "x")
    assert code == 1 and "已销毁" in complaint
    assert run("hold", job, "--reason", "x" * 201)[0] == 2


def test_an_older_home_begins_later(config, tmp_path, run):
    """The step that brings retention to a home with jobs gives it thirty days."""
    from alembic import command
    from alembic.config import Config

    database = Database(f"sqlite:///{tmp_path / 'home.db'}")
    settings = Config()
    settings.set_main_option("script_location", str(migrations.HERE))
    with database.engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0009")
    with database.engine.begin() as connection:
        columns = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(jobs)")]
        needed = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(jobs)") if row[3] and not row[5]]
        values = ", ".join("'2025-01-01 00:00:00'" if "at" in name or "since" in name else "'0'" for name in needed)
        connection.exec_driver_sql(f"INSERT INTO jobs ({', '.join(needed)}) VALUES ({values})")
    assert "documents_destroyed_at" not in columns
    migrations.upgrade(database.engine)

    told = json.loads(run("due", "--json")[1])["not_before"]
    assert 29 <= (datetime.fromisoformat(told) - datetime.now(UTC)).days <= 30
    database.close()
