"""A database is brought to exactly the tables that the store writes, from nothing and twice."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from spooler import migrations
from spooler.store import Database
from spooler.store.columns import metadata


def test_the_migrations_make_the_tables_of_the_store(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/home.db")
    migrations.upgrade(database.engine)

    with database.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        made = _indexes(database)

    assert differences == []
    created = Database(f"sqlite:///{tmp_path}/created.db")
    metadata.create_all(created.engine)
    assert made == _indexes(created)


def test_a_database_that_is_up_to_date_stays_as_it_is(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/home.db")
    migrations.upgrade(database.engine)
    before = _indexes(database)

    migrations.upgrade(database.engine)

    assert _indexes(database) == before


def _indexes(database: Database) -> dict[str, str]:
    """Return every index with its condition: a partial one that lost it would forbid or allow too much."""
    with database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        assert inspect(connection).has_table("jobs")
        return {name: " ".join(sql.split()) for name, sql in rows}


def test_a_current_database_is_known_without_alembic(tmp_path):
    """A start does not wait for what it does not need; a database that lacks a step, or all of them, gets them."""
    database = Database(f"sqlite:///{tmp_path / 'home.db'}")
    assert not migrations.is_current(database.engine)

    migrations.upgrade(database.engine)
    assert migrations.is_current(database.engine)

    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert not migrations.is_current(database.engine)
    database.close()


def test_each_step_has_its_number_in_its_name_and_they_are_one_line():
    """What `newest` reads off the names is what Alembic takes for the head."""
    scripts = ScriptDirectory(str(migrations.HERE))

    for script in scripts.walk_revisions():
        assert Path(script.path).name[1:5] == script.revision
    assert scripts.get_heads() == [migrations.newest()]
