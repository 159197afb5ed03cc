"""The store's schema, step by step: run at start, so that a home on an older database brings it up to date."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

HERE = Path(__file__).parent


def upgrade(engine: Engine) -> None:
    """Bring the database up to what this version of the store needs."""
    if is_current(engine):
        return
    from alembic import command  # 0.2 s, which a start on a current database need not wait
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Say whether the last step was taken already."""
    with engine.connect().execution_options(reads_only=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest()]


def newest() -> str:
    """Return the last step's number: it stands in the file's name, v0005_why.py, as in the file."""
    return max(path.name for path in (HERE / "versions").glob("v*.py"))[1:5]
