"""What other changes write about electronic certificates: opened when a job is accepted, ended when it moves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from spooler.electronic.identifier import NewElectronic
from spooler.electronic.validity import Validity, may_become, validity_after
from spooler.job import JobState
from spooler.store.electronic_tables import electronic, electronic_serials

_columns = electronic.c


def open_electronic(connection: Connection, job: Row[Any], new: NewElectronic, now: datetime) -> None:
    """Open the certificate of a job that is being accepted; those whose place it takes are superseded."""
    _supersede(connection, job, now)
    values = {
        "job_id": job.job_id,
        "code": new.code,
        "registry": job.registry,
        "registry_name": new.registry_name,
        "issuer": new.issuer,
        "kind": job.kind,
        "serial": _next_serial(connection, new, job.kind),
        "number": job.number,
        "number_key": job.number_key,
        "version": job.version,
        "booked_on": job.booked_on,
        "validity": Validity.GENUINE,
        "validity_since": now,
        "created_at": now,
        "edition": 0,
        "is_due": True,
        "tries": 0,
        "next_try_at": now,
    }
    connection.execute(insert(electronic).values(values))


def end_electronic(connection: Connection, job_id: str, state: JobState, refusal: str | None, now: datetime) -> bool:
    """Note what a job's new state makes of its certificate; say whether a file is to be made."""
    after = validity_after(state, refusal)
    return after is not None and set_validity(connection, job_id, after, now)


def set_validity(connection: Connection, job_id: str, after: Validity, now: datetime) -> bool:
    """Let the certificate stand so from now on; say whether that is news."""
    row = held(connection, job_id)
    if row is None or not may_become(Validity(row.validity), after):
        return False
    changed = {"validity": after, "validity_since": now, "is_due": True, "tries": 0, "next_try_at": now}
    connection.execute(update(electronic).where(_columns.place == row.place).values(changed))
    return True


def _supersede(connection: Connection, job: Row[Any], now: datetime) -> None:
    """Of one number and version only one certificate is genuine, and none that says it is replaced."""
    for number_key, version in _taken_places(job):
        same = (
            _columns.registry == job.registry,
            _columns.kind == job.kind,
            _columns.number_key == number_key,
            _columns.version == version,
            _columns.validity == Validity.GENUINE,
        )
        for job_id in connection.execute(select(_columns.job_id).where(*same)).scalars().all():
            set_validity(connection, job_id, Validity.SUPERSEDED, now)


def _taken_places(job: Row[Any]) -> Sequence[tuple[str, int]]:
    own = (job.number_key, job.version)
    return [own] if job.replaces_number is None else [own, (job.replaces_number, job.replaces_version)]


def _next_serial(connection: Connection, new: NewElectronic, kind: str) -> int:
    """Count within issuer and kind; whoever counts holds the row until the end of the change."""
    columns = electronic_serials.c
    counter = (columns.issuer == new.issuer, columns.kind == kind)
    counted = connection.execute(update(electronic_serials).where(*counter).values(last=columns.last + 1))
    if not counted.rowcount:
        first = {"issuer": new.issuer, "kind": kind, "last": new.first_serial}
        connection.execute(insert(electronic_serials).values(first))
    return int(connection.execute(select(columns.last).where(*counter)).scalar_one())


def held(connection: Connection, job_id: str) -> Row[Any] | None:
    return connection.execute(select(electronic).where(_columns.job_id == job_id).with_for_update()).one_or_none()
