"""Figures over all jobs, for the metrics: counted by the database, and not more often than every few seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import Row, Select, func, select

from spooler.store import tables as t
from spooler.store.transactions import Transactions

FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Wait:
    """Jobs of one registry at one hall that share a reason."""

    registry: str
    hall: str
    reason: str
    count: int
    since: datetime


class Figures:
    """Counts of jobs."""

    def __init__(
        self,
        transactions: Transactions,
        *,
        fresh_seconds: float = FRESH_SECONDS,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._transactions = transactions
        self._fresh_seconds = fresh_seconds
        self._seconds = seconds
        self._kept: dict[str, tuple[float, list[Row[Any]]]] = {}
        self._turn = Lock()

    def jobs(self) -> dict[tuple[str, str, str, str], int]:
        """Return counts by registry, hall, kind and state."""
        columns = t.jobs.c
        labels = (columns.registry, columns.hall, columns.kind, columns.state)
        wanted = select(*labels, func.count().label("count")).group_by(*labels)
        found: list[Any] = self._fresh("jobs", wanted)
        return {(row.registry, row.hall, row.kind, row.state): row.count for row in found}

    def late(self) -> dict[tuple[str, str], int]:
        """Return counts of open late jobs by registry and hall."""
        return {(wait.registry, wait.hall): wait.count for wait in self.waits() if wait.reason == "late"}

    def waits(self) -> list[Wait]:
        """Return who waits for what, and since when the first of them."""
        jobs, reasons = t.jobs.c, t.job_reasons.c
        labels = (jobs.registry, jobs.hall, reasons.reason)
        wanted = (
            select(*labels, func.count(), func.min(reasons.since))
            .join(t.jobs, jobs.place == reasons.job_place)
            .group_by(*labels)
        )
        return [Wait(*found) for found in map(tuple, self._fresh("waits", wanted))]

    def _fresh(self, name: str, wanted: Select[Any]) -> list[Row[Any]]:
        with self._turn:
            at, rows = self._kept.get(name, (float("-inf"), []))
            if self._seconds() - at >= self._fresh_seconds:
                with self._transactions.reading() as connection:
                    rows = list(connection.execute(wanted).all())
                self._kept[name] = (self._seconds(), rows)
            return rows
