"""The database under the store: how it is opened, and the only place that knows which one it is.

SQLite runs in WAL with every commit on disk (synchronous=FULL) and takes the write lock when a transaction begins, so that two
writers queue instead of failing half-way; in this process a lock keeps that queue short.

PostgreSQL is a matter of the URL. There several homes may share one database, and writers queue in the same way, by an advisory lock:
what a change reads, no other change alters before it ends, and places are given in the order in which they become visible.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

BUSY_TIMEOUT_MILLISECONDS = 30_000
WRITERS_TURN = 0x63657274  # "cert"; one of the advisory locks of this database
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(:turn)").bindparams(turn=WRITERS_TURN)
_POOL = {"pool_size": 16, "max_overflow": 32}
_POSTGRESQL_SESSION = {
    # A commit that was answered is on disk. Whoever stalls in the middle of a change does not stop the others for ever.
    "options": "-c synchronous_commit=on -c idle_in_transaction_session_timeout=30s -c timezone=UTC",
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,  # milliseconds: a server that vanished without a word
    "keepalives_idle": 10,
    "application_name": "certspool",
}


class Database:
    """Transactions that read and transactions that write."""

    def __init__(self, url: str) -> None:
        self.engine = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
        self._turn: AbstractContextManager[Any] = nullcontext() if self.is_shared else threading.Lock()

    @property
    def is_shared(self) -> bool:
        """Say whether other homes may work on the same database."""
        return self.engine.dialect.name != "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: all of it is on disk afterwards, or nothing."""
        with self._turn, self.engine.begin() as connection:
            if self.is_shared:
                connection.execute(_TAKE_TURN)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of the database that waits for no writer."""
        with self.engine.connect().execution_options(**self._reads) as connection:
            yield connection

    @property
    def _reads(self) -> dict[str, Any]:
        if not self.is_shared:
            return {"reads_only": True}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    def close(self) -> None:
        self.engine.dispose()


def has_unknown_outcome(error: Exception) -> bool:
    """Say whether the connection was lost: a change that was being committed then is there, or is not."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _postgresql(url: str) -> Engine:
    chosen = make_url(url)
    if chosen.drivername in ("postgresql", "postgres"):
        chosen = chosen.set(drivername="postgresql+psycopg")
    return create_engine(chosen, pool_pre_ping=True, connect_args=_POSTGRESQL_SESSION, **_POOL)


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False}, **_POOL)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # this module says BEGIN itself
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
