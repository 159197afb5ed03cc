"""A database is brought to exactly the tables that the store writes, from nothing and twice."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

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
