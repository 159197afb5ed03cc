"""What waits for a person's answer, and since when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from spooler.job import Reason
from spooler.store import tables as t
from spooler.store.transactions import Transactions

WAITS_FOR_A_PERSON = (Reason.OUTCOME_UNKNOWN, Reason.WAITING_APPROVAL)
MOST_ASKS_A_LOOK = 500


@dataclass(frozen=True)
class OpenAsk:
    """A job that goes on only when a person has answered."""

    job_id: str
    registry: str
    hall: str
    reason: str
    since: datetime


class Asks:
    """Questions that nobody has answered yet."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def open(self, before: datetime, limit: int = MOST_ASKS_A_LOOK) -> tuple[OpenAsk, ...]:
        """Return what has been open since before then, the oldest first."""
        jobs, reasons = t.jobs.c, t.job_reasons.c
        wanted = (
            select(jobs.job_id, jobs.registry, jobs.hall, reasons.reason, reasons.since)
            .join(t.jobs, jobs.place == reasons.job_place)
            .where(reasons.reason.in_(WAITS_FOR_A_PERSON), reasons.since <= before)
            .order_by(reasons.since)
            .limit(limit)
        )
        with self._transactions.reading() as connection:
            return tuple(OpenAsk(*row) for row in connection.execute(wanted))
