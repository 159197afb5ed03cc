"""The outbox: letters kept in the transaction that made them necessary, until the broker has confirmed each.

Where several homes share the database each letter is claimed before it is sent. A claim is made in the writers' turn and keeps the letters
of one hall together, since two homes that each took some would turn their order round; it lapses if its home does.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from spooler.daemon.crash import crash_point
from spooler.job import Reason
from spooler.store import tables as t
from spooler.store.change import RANK_ORDER, Change
from spooler.store.due import is_due
from spooler.store.halls import blocked_halls
from spooler.store.orders import note_sent
from spooler.store.transactions import Clock, Transactions
from spooler.store.values import Alarm, Update
from spooler.wire.errors import Unroutable, WireError
from spooler.wire.letters import Letter
from spooler.wire.topology import CONTROLS, ORDERS, hall_queue

MOST_BYTES_AT_ONCE = 32 << 20
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 300.0
CLAIM = timedelta(seconds=60)  # longer than sending a batch takes
NOT_TRIED = "broker-unreachable"  # what is sent and not taken says why itself


@dataclass(frozen=True)
class Stuck:
    """Letters on one way, the oldest of which has waited too long."""

    way: str  # the queue that they are for
    hall: str | None
    letters: int
    since: datetime
    code: str


class StoredOutbox:
    """What a courier takes letters from (the wire's Outbox)."""

    def __init__(self, transactions: Transactions, clock: Clock, *, is_shared: bool = False) -> None:
        self._transactions = transactions
        self._clock = clock
        self._name = str(uuid4())  # whose claims are ours
        self._is_shared = is_shared

    def pending(self, limit: int) -> Sequence[Letter]:
        """Return letters that are due: controls, then orders, then events; within these the oldest first.

        A new order waits as long as its hall is not sure of its journal (`standing`).
        """
        with self._transactions.reading() as connection:
            places = self._due(connection, limit)
            if not self._is_shared:
                letters = _letters(connection, places)
        if self._is_shared:
            letters = self._claimed(limit) if places else []
        if letters:
            crash_point("home.before-publish")
        return letters

    def _due(self, connection: Connection, limit: int) -> list[int]:
        columns = t.outbox.c
        due = (
            select(columns.place, columns.bytes)
            .where(is_due(columns.next_try_at, self._clock(), LONGEST_BACKOFF_SECONDS))
            .order_by(columns.rank, columns.place)
            .limit(limit)
        )
        for hall in blocked_halls(connection):
            due = due.where((columns.rank != RANK_ORDER) | columns.routing_key.not_like(f"%.{hall}"))
        if self._is_shared:
            due = due.where(~self._is_anothers())
        return _within(MOST_BYTES_AT_ONCE, [(row.place, row.bytes) for row in connection.execute(due)])

    def _is_anothers(self) -> ColumnElement[bool]:
        """Say that another home is sending letters of the same way just now."""
        theirs = t.outbox.alias("theirs").c
        return (
            select(theirs.place)
            .where(
                theirs.routing_key == t.outbox.c.routing_key,
                theirs.claimed_by != self._name,
                theirs.claimed_until > self._clock(),
            )
            .exists()
        )

    def _claimed(self, limit: int) -> list[Letter]:
        """Claim what is due and return it."""
        with self._transactions.changing() as change:
            places = self._due(change.connection, limit)
            change.connection.execute(
                update(t.outbox)
                .where(t.outbox.c.place.in_(places))
                .values(claimed_by=self._name, claimed_until=change.now + CLAIM)
            )
            return _letters(change.connection, places)

    def release(self) -> None:
        """Let go of what was claimed and not sent, so that another home need not wait for the claim to lapse."""
        if not self._is_shared:
            return
        with self._transactions.changing() as change:
            change.connection.execute(
                update(t.outbox).where(t.outbox.c.claimed_by == self._name).values(claimed_by=None, claimed_until=None)
            )

    def sent(self, letter_id: str) -> None:
        """The broker has it: the order is sent, the letter is no longer needed."""
        crash_point("home.after-confirm")
        with self._transactions.changing() as change:
            row = change.connection.execute(
                select(t.outbox.c.order_id).where(t.outbox.c.letter_id == letter_id)
            ).one_or_none()
            if row is None:
                return
            change.connection.execute(delete(t.outbox).where(t.outbox.c.letter_id == letter_id))
            if row.order_id is not None:
                note_sent(change, row.order_id)
            crash_point("home.before-sent-commit")
        crash_point("home.after-sent-commit")

    def failed(self, letter_id: str, error: WireError) -> None:
        """The broker did not take it: kept, and tried again later; the job says so when no queue takes it."""
        with self._transactions.changing() as change:
            columns = t.outbox.c
            row = change.connection.execute(
                select(columns.tries, columns.job_id, columns.order_id, columns.exchange, columns.routing_key).where(
                    columns.letter_id == letter_id
                )
            ).one_or_none()
            if row is None:
                return
            later = change.now + timedelta(seconds=_backoff(row.tries))
            change.connection.execute(
                update(t.outbox)
                .where(columns.letter_id == letter_id)
                .values(tries=row.tries + 1, next_try_at=later, last_error=error.code)
            )
            if isinstance(error, Unroutable) and row.job_id is not None:
                _note_undeliverable(change, row.job_id, row.order_id, row.exchange, row.routing_key)

    def stuck(self, before: datetime) -> list[Stuck]:
        """Return each way whose oldest letter was written before that; not what waits because its hall is not sure of its journal."""
        columns = t.outbox.c
        oldest = func.min(columns.place)
        ways = select(columns.exchange, columns.routing_key, func.count().label("letters"), oldest.label("place"))
        with self._transactions.reading() as connection:
            for hall in blocked_halls(connection):
                ways = ways.where((columns.rank != RANK_ORDER) | columns.routing_key.not_like(f"%.{hall}"))
            found = connection.execute(ways.group_by(columns.exchange, columns.routing_key)).all()
            first = select(columns.place, columns.created_at, columns.last_error)
            by_place = {
                row.place: row for row in connection.execute(first.where(columns.place.in_([f.place for f in found])))
            }
        return [
            Stuck(
                way=way_of(row.exchange, row.routing_key),
                hall=_hall_of(row.exchange, row.routing_key),
                letters=row.letters,
                since=by_place[row.place].created_at,
                code=by_place[row.place].last_error or NOT_TRIED,
            )
            for row in found
            if by_place[row.place].created_at <= before
        ]

    def oldest(self) -> datetime | None:
        """Return when the letter was written that waits longest."""
        columns = t.outbox.c
        with self._transactions.reading() as connection:
            return connection.execute(select(columns.created_at).order_by(columns.place).limit(1)).scalar()

    def depth(self) -> int:
        """Return how many letters wait."""
        with self._transactions.reading() as connection:
            return connection.execute(select(func.count()).select_from(t.outbox)).scalar() or 0


def _letters(connection: Connection, places: Sequence[int]) -> list[Letter]:
    wanted = select(t.outbox).where(t.outbox.c.place.in_(places)).order_by(t.outbox.c.rank, t.outbox.c.place)
    return [
        Letter(
            id=row.letter_id,
            exchange=row.exchange,
            routing_key=row.routing_key,
            type=row.type,
            body=row.body,
            headers=row.headers,
        )
        for row in connection.execute(wanted)
    ]


def _within(most: int, sizes: list[tuple[int, int]]) -> list[int]:
    """Return the first places that together stay below `most` bytes, at least one."""
    places: list[int] = []
    total = 0
    for place, size in sizes:
        total += size
        if places and total > most:
            break
        places.append(place)
    return places


def _backoff(tries: int) -> float:
    full = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(tries, 20))
    return float(full * random.uniform(0.5, 1.0))


def _note_undeliverable(change: Change, job_id: str, order_id: str | None, exchange: str, routing_key: str) -> None:
    """Say so once; the alarm names the queue, which is what an operator has to bring."""
    added = frozenset({Reason.UNDELIVERABLE})
    way = way_of(exchange, routing_key)
    if change.move(job_id, Update(add=added, because=f"no queue {way} at the broker")):
        hall = _hall_of(exchange, routing_key)
        change.alarm(Alarm("undeliverable", hall=hall, job_id=job_id, order_id=order_id, detail=way))


def way_of(exchange: str, routing_key: str) -> str:
    """Return the queue that these letters are for; events are for whoever listens."""
    hall = _hall_of(exchange, routing_key)
    return exchange if hall is None else hall_queue(hall)


def _hall_of(exchange: str, routing_key: str) -> str | None:
    return routing_key.partition(".")[2] if exchange in (ORDERS, CONTROLS) else None
