"""Electronic certificates: opened with their job, ended with it, and what is known of each file that was made."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from spooler.electronic.identifier import Identity
from spooler.electronic.validity import Validity
from spooler.store import tables as t
from spooler.store.electronic_changes import held
from spooler.store.electronic_tables import IS_DUE, electronic, electronic_files
from spooler.store.transactions import Transactions

_columns = electronic.c


@dataclass(frozen=True)
class Electronic:
    """One electronic certificate. Its newest file is `document_sha256`, if one was made and shows how it stands now."""

    job_id: str
    code: str
    registry: str
    registry_name: str
    kind: str
    number: str
    booked_on: date
    validity: Validity
    validity_since: datetime
    edition: int
    identifier: str | None
    document_sha256: str | None
    is_due: bool


@dataclass(frozen=True)
class DueFile:
    """A file that is to be made, and what of."""

    certificate: Electronic
    identity: Identity
    version: int
    private_sha256: str
    annexes: tuple[str, ...]
    created_at: datetime
    tries: int

    @property
    def edition(self) -> int:
        return self.certificate.edition + 1


@dataclass(frozen=True)
class MadeFile:
    """A file that was made and kept."""

    edition: int
    shows: Validity
    identifier: str
    sha256: str
    bytes: int


class Electronics:
    """What the API, the public page and the maker of files ask."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def of_job(self, job_id: str) -> Electronic | None:
        return self._one(_columns.job_id == job_id)

    def by_code(self, code: str) -> Electronic | None:
        return self._one(_columns.code == code)

    def due(self, now: datetime, limit: int = 50) -> tuple[DueFile, ...]:
        """Return the files that are to be made now, the longest waiting first."""
        wanted = (
            select(electronic, t.jobs.c.private_sha256, t.jobs.c.annexes)
            .join(t.jobs, t.jobs.c.job_id == _columns.job_id)
            .where(IS_DUE, _columns.next_try_at <= now)
            .order_by(_columns.next_try_at)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(_due(row) for row in connection.execute(wanted))

    def made(self, due: DueFile, file: MadeFile) -> None:
        """Note the file; if the certificate ended while it was made, another is due."""
        job_id = due.certificate.job_id
        with self._transactions.changing() as change:
            row = held(change.connection, job_id)
            if row is None or row.edition >= file.edition:
                return
            change.connection.execute(
                insert(electronic_files).values(
                    electronic_place=row.place,
                    edition=file.edition,
                    validity=file.shows,
                    identifier=file.identifier,
                    sha256=file.sha256,
                    bytes=file.bytes,
                    made_at=change.now,
                )
            )
            newest = {
                "edition": file.edition,
                "shows": file.shows,
                "document_sha256": file.sha256,
                "identifier": file.identifier,
                "is_due": row.validity != file.shows,
                "tries": 0,
                "next_try_at": change.now,
            }
            change.connection.execute(update(electronic).where(_columns.place == row.place).values(newest))

    def postpone(self, due: DueFile, seconds: float) -> None:
        """Try to make the file again later."""
        with self._transactions.changing() as change:
            later = change.now + timedelta(seconds=seconds)
            wanted = update(electronic).where(_columns.job_id == due.certificate.job_id)
            change.connection.execute(wanted.values(tries=due.tries + 1, next_try_at=later))

    def files(self, job_id: str) -> tuple[MadeFile, ...]:
        """Return every file that was ever made of a job's certificate, oldest first."""
        files = electronic_files.c
        wanted = (
            select(electronic_files)
            .join(electronic, _columns.place == files.electronic_place)
            .where(_columns.job_id == job_id)
            .order_by(files.edition)
        )
        with self._transactions.reading() as connection:
            return tuple(
                MadeFile(row.edition, Validity(row.validity), row.identifier, row.sha256, row.bytes)
                for row in connection.execute(wanted)
            )

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Return how many there are by registry, kind and validity."""
        labels = (_columns.registry, _columns.kind, _columns.validity)
        with self._transactions.reading() as connection:
            found = connection.execute(select(*labels, func.count()).group_by(*labels))
            return {(row[0], row[1], row[2]): row[3] for row in found}

    def waiting(self) -> tuple[int, datetime | None]:
        """Return how many files are due, and since when the first of them waits."""
        with self._transactions.reading() as connection:
            row = connection.execute(select(func.count(), func.min(_columns.validity_since)).where(IS_DUE)).one()
            return int(row[0]), row[1]

    def _one(self, where: Any) -> Electronic | None:
        with self._transactions.reading() as connection:
            row = connection.execute(select(electronic).where(where)).one_or_none()
            return None if row is None else electronic_of(row)


def _due(row: Row[Any]) -> DueFile:
    return DueFile(
        certificate=electronic_of(row),
        identity=Identity(row.kind, row.issuer, row.serial),
        version=row.version,
        private_sha256=row.private_sha256,
        annexes=tuple(row.annexes),
        created_at=row.created_at,
        tries=row.tries,
    )


def electronic_of(row: Row[Any]) -> Electronic:
    return Electronic(
        job_id=row.job_id,
        code=row.code,
        registry=row.registry,
        registry_name=row.registry_name,
        kind=row.kind,
        number=row.number,
        booked_on=row.booked_on,
        validity=Validity(row.validity),
        validity_since=row.validity_since,
        edition=row.edition,
        identifier=row.identifier,
        document_sha256=row.document_sha256,
        is_due=row.is_due,
    )
