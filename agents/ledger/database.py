"""The ledger's file: SQLite in WAL with synchronous=FULL, one writer, one transaction an act, migrations by user_version."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import RLock
from typing import Any

from spooler.daemon.crash import crash_point

# What is deleted is overwritten: names are (agents/retention.py).
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "busy_timeout = 5000",
    "secure_delete = ON",
)
Value = str | int | float | bytes | None


class Corrupt(Exception):
    """The file is not a whole ledger: nothing may be printed from it."""


class Database:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = RLock()
        self._depth = 0
        self._afterwards: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._has_written = False
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        path.chmod(0o600)
        self._prepare()

    def _prepare(self) -> None:
        try:
            for pragma in _PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            (verdict,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.OperationalError:
            # A full disk or a locked file damages nothing: the next start finds the same ledger.
            self._connection.close()
            raise
        except sqlite3.DatabaseError as e:
            self._connection.close()
            raise Corrupt("the ledger cannot be read") from e
        if verdict != "ok":
            self._connection.close()
            raise Corrupt("the ledger is damaged")
        self._migrate()

    def _migrate(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        for number, script in _migrations():
            if number > version:
                self._connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable at its end. Inside another it is part of that one."""
        with self._lock:
            if self._depth:
                yield
                return
            self._begin()
            try:
                yield
            except BaseException:
                self._end("ROLLBACK")
                raise
            crash_point("agent.before-any-commit")
            afterwards = self._end("COMMIT")
            crash_point("agent.after-any-commit")
        for call in afterwards:
            call()

    def afterwards(self, call: Callable[[], None]) -> None:
        """Let this be called once the transaction is durable, and not if it fails."""
        if call not in self._afterwards:
            self._afterwards.append(call)

    def listen(self, call: Callable[[], None]) -> None:
        """Let this be called after every transaction that wrote something."""
        self._listeners.append(call)

    def _begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth = 1
        self._has_written = False

    def _end(self, how: str) -> list[Callable[[], None]]:
        self._depth = 0
        afterwards, self._afterwards = self._afterwards, []
        try:
            self._connection.execute(how)
        finally:
            # A commit can fail (disk full): then nothing of it is kept.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return [*afterwards, *self._listeners] if self._has_written else afterwards

    def execute(self, sql: str, *values: Value) -> int:
        """Write; return how many rows it touched."""
        with self._lock:
            if self._depth == 0:
                raise RuntimeError("the ledger is written in transactions only")
            self._has_written = True
            return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **values: Value) -> int:
        """Write one row; return its rowid."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        with self._lock:
            if self._depth == 0:
                raise RuntimeError("the ledger is written in transactions only")
            self._has_written = True
            cursor = self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
            return int(cursor.lastrowid or 0)

    def rows(self, sql: str, *values: Value) -> Sequence[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Value) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, *values: Value) -> Any:
        """Return the first column of the first row, or None."""
        row = self.row(sql, *values)
        return None if row is None else row[0]

    def empty_log(self) -> None:
        """Write the log into the file and cut it to nothing, as far as no reader stands in the way."""
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _migrations() -> list[tuple[int, str]]:
    folder = files("agents.ledger") / "schema"
    return sorted(
        (int(f.name.split(".")[0]), f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".sql")
    )
