"""The hall's audit log: an entry for every event, movement of blanks and login, in the same transaction; and what home was told of it.

An entry holds no fact of its own: its hash covers the row that it is about and the entry before it (spooler.wire.chain).
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from agents.ledger.database import Database, Value
from spooler.wire.chain import BEFORE_THE_FIRST, BEGIN, Anchor, Entry, Verdict, check, first_about, link, log_of
from spooler.wire.messages import AuditHead

_SOURCES = {"event": "events", "movement": "movements", "login": "logins"}
_AT_ONCE = 1_000
NEWEST = "newest"


def write_down(db: Database, what: str, values: Mapping[str, Any]) -> int:
    """Write a row of history and its entry; return the row's sequence."""
    source = db.insert(_SOURCES[what], **values)
    sequence, previous = _end(db) or _begin(db)
    row = {name: str(value) if isinstance(value, str) else value for name, value in values.items()}
    digest = link(previous, sequence + 1, what, str(source), row)
    db.insert("audit", sequence=sequence + 1, what=what, source=source, sha256=digest)
    return source


class Rows(Protocol):
    """What the log is read from: the ledger, or a view of its file."""

    def rows(self, sql: str, *values: Value) -> Sequence[sqlite3.Row]: ...
    def row(self, sql: str, *values: Value) -> sqlite3.Row | None: ...
    def value(self, sql: str, *values: Value) -> Any: ...


class AuditReader:
    """The log and the anchors, read."""

    def __init__(self, db: Rows) -> None:
        self._db = db

    def head(self) -> AuditHead | None:
        end, first = _end(self._db), self._db.value("SELECT about FROM audit WHERE sequence = 1")
        if end is None or first is None:
            return None
        return AuditHead.model_validate({"log": log_of(first), "sequence": end[0], "sha256": end[1]})

    def is_ours(self, head: AuditHead) -> bool:
        """Say whether this log has that very entry."""
        ours = self.head()
        digest = self._db.value("SELECT sha256 FROM audit WHERE sequence = ?", head.sequence)
        return ours is not None and ours.log == head.log and digest == head.sha256

    def kept(self, registry: str, whose: str) -> AuditHead | None:
        """Return the newest that is kept."""
        row = self._db.row(
            "SELECT log, sequence, sha256 FROM audit_anchors WHERE registry = ? AND whose = ? AND slot = ?",
            registry,
            whose,
            NEWEST,
        )
        return None if row is None else AuditHead.model_validate(dict(row))

    def anchors(self, whose: str) -> Sequence[Anchor]:
        rows = self._db.rows("SELECT * FROM audit_anchors WHERE whose = ?", whose)
        return [
            Anchor(f"registry {row['registry']}", row["log"], row["sequence"], row["sha256"], row["at"]) for row in rows
        ]

    def entries(self) -> int:
        """Return how many there are."""
        end = _end(self._db)
        return 0 if end is None else end[0]

    def verify(self, more: Sequence[Anchor] = ()) -> Verdict:
        """Go through the whole log; of a ledger that is being written, let it be a `View`."""
        without = sum(
            self._db.value(f"SELECT count(*) FROM {table}")
            - self._db.value("SELECT count(*) FROM audit WHERE what = ?", what)
            for what, table in _SOURCES.items()
        )
        return check(self._walk, [*self.anchors("hall"), *more], without)

    def _walk(self) -> Iterator[Entry]:
        last = 0
        while rows := self._db.rows("SELECT * FROM audit WHERE sequence > ? ORDER BY sequence LIMIT ?", last, _AT_ONCE):
            yield from (self._entry(row) for row in rows)
            last = rows[-1]["sequence"]

    def _entry(self, row: Any) -> Entry:
        if row["what"] == BEGIN:
            return Entry(row["sequence"], BEGIN, row["about"] or "", row["sha256"], {})
        table = _SOURCES.get(row["what"])
        found = self._db.row(f"SELECT * FROM {table} WHERE sequence = ?", row["source"]) if table else None
        fact = None if found is None else {name: found[name] for name in tuple(found.keys()) if name != "sequence"}
        return Entry(row["sequence"], row["what"], str(row["source"]), row["sha256"], fact)


class Audit(AuditReader):
    """The log of this ledger, and what home says of it."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self._ledger = db

    def keep(self, registry: str, whose: str, head: AuditHead, at: datetime) -> None:
        """Keep what home said: as the newest, and for good if it is the first of this hour."""
        values = (str(head.log), head.sequence, head.sha256, at.isoformat())
        sql = "INTO audit_anchors VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._ledger.execute(f"INSERT OR REPLACE {sql}", registry, whose, NEWEST, *values)
        self._ledger.execute(f"INSERT OR IGNORE {sql}", registry, whose, at.strftime("%Y-%m-%dT%H"), *values)


class View:
    """The ledger's file as it is at one moment, beside the agent that writes it; nothing is ever written."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("BEGIN")

    def rows(self, sql: str, *values: Value) -> Sequence[sqlite3.Row]:
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Value) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def value(self, sql: str, *values: Value) -> Any:
        row = self.row(sql, *values)
        return None if row is None else row[0]

    def close(self) -> None:
        self._connection.close()


def _end(db: Rows) -> tuple[int, str] | None:
    row = db.row("SELECT sequence, sha256 FROM audit ORDER BY sequence DESC LIMIT 1")
    return None if row is None else (row["sequence"], row["sha256"])


def _begin(db: Database) -> tuple[int, str]:
    """Write the first entry: which log this is, and how many rows are older. The one being written is not."""
    older = sum(db.value(f"SELECT count(*) FROM {table}") for table in _SOURCES.values()) - 1
    about = first_about(str(uuid4()), older)
    digest = link(BEFORE_THE_FIRST, 1, BEGIN, about, {})
    db.insert("audit", sequence=1, what=BEGIN, about=about, sha256=digest)
    return 1, digest
