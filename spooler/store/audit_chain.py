"""The home's audit log as it is written: an entry for every event and every login, in its own transaction.

An entry holds no fact of its own. Its hash covers the event's row and the entry before it (spooler.wire.chain); the first event of a job
covers as well what the job is about. Nothing changes or removes an entry.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, func, insert, select

from spooler.store import tables as t
from spooler.store.login_tables import logins
from spooler.wire.chain import BEFORE_THE_FIRST, BEGIN, first_about, link, log_of
from spooler.wire.messages import AuditHead

EVENT = "event"
LOGIN = "login"
# What a job is about from its first event on, and never changes.
JOB_FACTS = (
    "job_id",
    "registry",
    "request_id",
    "request_sha256",
    "kind",
    "number",
    "version",
    "case_number",
    "case_ordinal",
    "case_of",
)
_EVENT_FACTS = tuple(column.name for column in t.events.c if column.name not in ("job_place", "at"))


class AuditChain:
    """The end of the log within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._end: tuple[int, str] | None = None

    def append(self, job: Row[Any], event: Mapping[str, Any]) -> None:
        """Lengthen the log by one event that was just written."""
        sequence, previous = self._last()
        place, number = event["job_place"], event["sequence"]
        digest = link(previous, sequence + 1, EVENT, about(place, number), fact(job._asdict(), event))
        self._write(sequence + 1, EVENT, digest, job_place=place, event_sequence=number)

    def append_login(self, place: int, login: Mapping[str, Any]) -> None:
        """Lengthen the log by a login that was just written."""
        sequence, previous = self._last()
        digest = link(previous, sequence + 1, LOGIN, str(place), login_fact(login))
        self._write(sequence + 1, LOGIN, digest, event_sequence=place)

    def _last(self) -> tuple[int, str]:
        return self._end or end_of(self._connection) or self._begin()

    def _begin(self) -> tuple[int, str]:
        """Write the first entry: which log this is, and how many rows are older. The one being written is not."""
        older = rows_of(self._connection) - 1
        first = first_about(str(uuid4()), older)
        return self._write(1, BEGIN, link(BEFORE_THE_FIRST, 1, BEGIN, first, {}), about=first)

    def _write(self, sequence: int, what: str, digest: str, **source: Any) -> tuple[int, str]:
        self._connection.execute(insert(t.audit).values(sequence=sequence, what=what, sha256=digest, **source))
        self._end = (sequence, digest)
        return self._end


def rows_of(connection: Connection) -> int:
    """Return how many rows there are that the log covers, if it is as old as they are."""
    return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (t.events, logins))


def end_of(connection: Connection) -> tuple[int, str] | None:
    """Return the sequence and the hash of the last entry."""
    columns = t.audit.c
    last = select(columns.sequence, columns.sha256).order_by(columns.sequence.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    return None if row is None else (row.sequence, row.sha256)


def head_of(connection: Connection) -> AuditHead | None:
    """Return the end as the other side is told it."""
    end = end_of(connection)
    first = connection.execute(select(t.audit.c.about).where(t.audit.c.sequence == 1)).scalar()
    if end is None or first is None:
        return None
    return AuditHead.model_validate({"log": log_of(first), "sequence": end[0], "sha256": end[1]})


def about(job_place: int, sequence: int) -> str:
    """Say which event an entry is about."""
    return f"{job_place}/{sequence}"


def fact(job: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the hash of an event's entry covers."""
    names = JOB_FACTS if event["sequence"] == 1 else JOB_FACTS[:1]
    at = event["at"].astimezone(UTC).isoformat()
    return {"job": {name: job[name] for name in names}, "at": at} | {name: event[name] for name in _EVENT_FACTS}


def login_fact(login: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the hash of a login's entry covers."""
    return {
        "at": login["at"].astimezone(UTC).isoformat(),
        "account": login["account"],
        "what": login["what"],
    }
