"""What the page may know of a certificate, and a process's own way to it: the store, opened so that nothing can be written."""

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.engine import make_url

from spooler.electronic.validity import Validity
from spooler.store.electronic import Electronic
from spooler.store.electronic_tables import electronic

BUSY_SECONDS = 5.0
_SHOWN = ("validity", "validity_since", "kind", "number", "registry_name", "booked_on")


@dataclass(frozen=True)
class Shown:
    """All that anybody who knows the code is told. No holder, no place, no unit: the certificate at hand says those."""

    validity: Validity
    since: datetime
    kind: str
    number: str
    registry: str
    booked_on: date


class Certificates(Protocol):
    """Where a code is looked up."""

    def by_code(self, code: str) -> Shown | None: ...


class OfStore:
    """The home's own store, for the page that the home serves beside its API."""

    def __init__(self, store: "ElectronicsByCode") -> None:
        self._store = store

    def by_code(self, code: str) -> Shown | None:
        found = self._store.by_code(code)
        if found is None:
            return None
        return Shown(
            found.validity, found.validity_since, found.kind, found.number, found.registry_name, found.booked_on
        )


class ElectronicsByCode(Protocol):
    def by_code(self, code: str) -> Electronic | None: ...


class ReadOnly:
    """The store's database, read by a process that cannot write it: one table, and of it what is shown."""

    def __init__(self, url: str) -> None:
        self._engine = _open(url)

    def by_code(self, code: str) -> Shown | None:
        columns = electronic.c
        wanted = select(*(columns[name] for name in _SHOWN)).where(columns.code == code)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else Shown(Validity(row[0]), *row[1:])

    def is_answering(self) -> bool:
        """Say whether the table can be read."""
        with self._engine.connect() as connection:
            connection.execute(select(electronic.c.place).limit(1)).first()
        return True

    def close(self) -> None:
        self._engine.dispose()


def _open(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, execution_options={"postgresql_readonly": True})
    place = f"file:{parsed.database}?mode=ro"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    )
    event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA query_only=ON"))
    return engine
