"""One-time codes of new halls: of each hall the last one counts, and it is spent by the first request under it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from spooler.store.change import Change
from spooler.store.enrolment_tables import enrolments as t
from spooler.store.transactions import Transactions

OPEN, ASKED, ACCEPTED, REFUSED, REPLACED = "open", "asked", "accepted", "refused", "replaced"


@dataclass(frozen=True)
class Enrolment:
    """A code that was given out, and what became of it."""

    hall: str
    name: str
    site: str
    code_key: bytes
    state: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    request: str | None
    signature: str | None
    fingerprint: str | None
    asked_at: datetime | None
    answer: str | None


class Enrolments:
    """What is read of them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def waiting(self) -> tuple[Enrolment, ...]:
        """Return those whose fingerprint is to be compared."""
        wanted = select(t).where(t.c.state == ASKED).order_by(t.c.place)
        with self._transactions.reading() as connection:
            return tuple(_enrolment(row) for row in connection.execute(wanted))


def keep_code(
    change: Change, hall: str, name: str, site: str, code_key: bytes, expires_at: datetime, made_by: str
) -> None:
    """Keep a new code; one that was given out for this hall before, and not decided about, is worth nothing any more."""
    open_ones = (t.c.hall == hall) & t.c.state.in_((OPEN, ASKED))
    change.connection.execute(update(t).where(open_ones).values(state=REPLACED))
    change.connection.execute(
        insert(t).values(
            hall=hall,
            name=name,
            site=site,
            code_key=code_key.hex(),
            state=OPEN,
            made_by=made_by,
            made_at=change.now,
            expires_at=expires_at,
        )
    )


def latest(change: Change, hall: str) -> Enrolment | None:
    """Return the last code of this hall, held against others until the end of this change."""
    wanted = select(t).where(t.c.hall == hall).order_by(t.c.place.desc()).limit(1).with_for_update()
    row = change.connection.execute(wanted).one_or_none()
    return None if row is None else _enrolment(row)


def keep_request(change: Change, hall: str, request: str, signature: str, fingerprint: str) -> None:
    asked = {"state": ASKED, "request": request, "signature": signature, "fingerprint": fingerprint}
    open_one = (t.c.hall == hall) & (t.c.state == OPEN)
    change.connection.execute(update(t).where(open_one).values(**asked, asked_at=change.now))


def decide(change: Change, hall: str, answer: str | None, by: str) -> None:
    """Write down the answer; none is a refusal."""
    decided = {"state": REFUSED if answer is None else ACCEPTED, "answer": answer, "decided_by": by}
    asked = (t.c.hall == hall) & (t.c.state == ASKED)
    change.connection.execute(update(t).where(asked).values(**decided, decided_at=change.now))


def _enrolment(row: Row[Any]) -> Enrolment:
    return Enrolment(
        hall=row.hall,
        name=row.name,
        site=row.site,
        code_key=bytes.fromhex(row.code_key),
        state=row.state,
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        request=row.request,
        signature=row.signature,
        fingerprint=row.fingerprint,
        asked_at=row.asked_at,
        answer=row.answer,
    )
