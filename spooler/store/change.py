"""One change of the store: a transaction in which jobs move, and every move leaves its event, callbacks and letters.

Only this module writes a job's state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from spooler.job import HOME_REASONS, MOVES, OUTLIVES_THE_JOB, JobState, Reason, is_final
from spooler.store import tables as t
from spooler.store.audit_chain import AuditChain
from spooler.store.electronic_changes import end_electronic
from spooler.store.values import Alarm, Endpoint, Moved, Refusal, Side, Topic, Update
from spooler.wire import strict
from spooler.wire.addresses import headers
from spooler.wire.topology import EVENT_TYPE, EVENTS

RANK_ORDER, RANK_CONTROL, RANK_EVENT = 1, 0, 2


class NoSuchJob(LookupError):
    """No job has this id."""


class IllegalMove(Exception):
    """The table of moves does not have this one."""

    def __init__(self, job_id: str, before: JobState, after: JobState) -> None:
        super().__init__(f"job {job_id} is {before}: it cannot become {after}")
        self.job_id, self.before, self.after = job_id, before, after


@dataclass(frozen=True)
class Outgoing:
    """A letter before it is kept."""

    exchange: str
    routing_key: str
    type: str
    body: bytes
    headers: dict[str, str | int]
    rank: int
    letter_id: str = field(default_factory=lambda: str(uuid4()))
    order_id: str | None = None
    job_id: str | None = None


class Change:
    """What is written in one transaction."""

    def __init__(self, connection: Connection, now: datetime, endpoints: Sequence[Endpoint], *, tells: bool) -> None:
        self.connection = connection
        self.now = now
        self.stirred: set[Topic] = set()
        self.moved: list[Moved] = []
        self.alarms: list[Alarm] = []
        self._audit = AuditChain(connection)
        self._endpoints = endpoints
        self._tells = tells

    def job(self, job_id: str) -> Row[Any]:
        """Return the job's row, held against other writers until the end of this change."""
        row = self.connection.execute(select(t.jobs).where(t.jobs.c.job_id == job_id).with_for_update()).one_or_none()
        if row is None:
            raise NoSuchJob(job_id)
        return row

    def state(self, job_id: str) -> JobState:
        return JobState(self.job(job_id).state)

    def move(self, job_id: str, change: Update) -> bool:
        """Write what `change` says as one event; say whether there was anything to write."""
        row = self.job(job_id)
        before, after = JobState(row.state), change.state or JobState(row.state)
        if after is not before and after not in MOVES[before]:
            raise IllegalMove(job_id, before, after)
        old = reasons_of(row.reasons)
        new = _reasons(old, change) & (OUTLIVES_THE_JOB if is_final(after) else frozenset(Reason))
        if after is before and new == old and not _says_something(row, change):
            return False
        self._write_job(row, after, new, change)
        self._write_reasons(row.place, old, new)
        if end_electronic(self.connection, job_id, after, change.refusal.code if change.refusal else None, self.now):
            self.stirred.add(Topic.ELECTRONIC)
        self._record(row, after, new, change)
        self._tell(row, after, new, change, is_news=after is not before or new != old)
        self._note(before, after, row.state_since, change.refusal)
        return True

    def record_first(self, row: Row[Any], change: Update) -> None:
        """Write the event with which a job begins."""
        self._record(row, JobState(row.state), frozenset(), change)
        self._tell(row, JobState(row.state), frozenset(), change, is_news=True)
        self.stirred.add(Topic.WORK)

    def post(self, letter: Outgoing) -> None:
        """Keep a letter for the broker."""
        self.connection.execute(
            insert(t.outbox).values(
                letter_id=letter.letter_id,
                rank=letter.rank,
                exchange=letter.exchange,
                routing_key=letter.routing_key,
                type=letter.type,
                headers=letter.headers,
                body=letter.body,
                bytes=len(letter.body),
                order_id=letter.order_id,
                job_id=letter.job_id,
                created_at=self.now,
                next_try_at=self.now,
            )
        )
        self.stirred.add(Topic.OUTBOX)

    def insert(self, table: Table, values: dict[str, Any]) -> int:
        """Insert one row and return the place it was given."""
        key = self.connection.execute(insert(table).values(values)).inserted_primary_key
        assert key is not None  # a single row was inserted
        return int(key[0])

    def alarm(self, alarm: Alarm) -> None:
        """Keep that something happened that must not."""
        self.connection.execute(
            insert(t.alarms).values(
                at=self.now,
                code=alarm.code,
                hall=alarm.hall,
                registry=alarm.registry,
                job_id=alarm.job_id,
                order_id=alarm.order_id,
                detail=alarm.detail,
            )
        )
        self.alarms.append(alarm)

    def _write_job(self, row: Row[Any], after: JobState, reasons: frozenset[Reason], change: Update) -> None:
        values: dict[str, Any] = {
            "state": after,
            "reasons": text_of(reasons),
            "sequence": row.sequence + 1,
            "updated_at": self.now,
        }
        if after is not JobState(row.state):
            values |= {"state_since": self.now, "step_tries": 0, "step_after": None}
        if change.word is not None:
            values |= {"attempt": change.word.attempt, "serial": change.word.serial}
        if change.refusal is not None:
            values |= {"refusal_code": change.refusal.code, "refusal_message": change.refusal.message}
        if Reason.LATE in reasons:
            values["late"] = True
        self.connection.execute(update(t.jobs).where(t.jobs.c.place == row.place).values(values))

    def _write_reasons(self, place: int, old: frozenset[Reason], new: frozenset[Reason]) -> None:
        gone, come = old - new, new - old
        if gone:
            rows = t.job_reasons.c
            self.connection.execute(delete(t.job_reasons).where(rows.job_place == place, rows.reason.in_(gone)))
        if come:
            self.connection.execute(
                insert(t.job_reasons), [{"job_place": place, "reason": reason, "since": self.now} for reason in come]
            )

    def _record(self, row: Row[Any], after: JobState, reasons: frozenset[Reason], change: Update) -> None:
        word = change.word
        event = {
            "job_place": row.place,
            "sequence": row.sequence + 1,
            "at": change.at or self.now,
            "side": change.side,
            "state": after,
            "reasons": text_of(reasons),
            "attempt": row.attempt if word is None else word.attempt,
            "actor_id": change.actor.id if change.actor else None,
            "actor_role": change.actor.role if change.actor else None,
            "pass_number": change.pass_number,
            "serial": row.serial if word is None else word.serial,
            "printer": change.printer,
            "detail": change.because,
        }
        self.connection.execute(insert(t.events).values(event))
        self._audit.append(row, event)

    def _tell(
        self, row: Row[Any], after: JobState, reasons: frozenset[Reason], change: Update, *, is_news: bool
    ) -> None:
        moved = after is not JobState(row.state) or row.sequence == 0
        type_ = change.tell or (f"job.{after}" if moved else "job.reasons")
        if not is_news and change.tell is None:
            return
        word = change.word
        data = {
            "job_id": row.job_id,
            "request_id": row.request_id,
            "state": after.value,
            "reasons": sorted(reasons),
            "sequence": row.sequence + 1,
            "attempt": row.attempt if word is None else word.attempt,
            "serial": row.serial if word is None else word.serial,
        }
        self._keep_callback(row.registry, row.job_id, type_, data)

    def _keep_callback(self, registry: str, job_id: str, type_: str, data: dict[str, Any]) -> None:
        event_id = str(uuid4())
        row = {
            "event_id": event_id,
            "registry": registry,
            "job_id": job_id,
            "type": type_,
            "at": self.now,
            "data": data,
        }
        place = self.insert(t.callback_events, row)
        wanted = [endpoint.name for endpoint in self._endpoints if endpoint.wants(registry, type_)]
        self._keep_deliveries(wanted, place, job_id)
        if self._tells:
            body = {"type": type_, "timestamp": self.now.isoformat().replace("+00:00", "Z"), "data": data}
            outside = headers(registry=registry)
            key = f"{registry}.{type_}"
            self.post(
                Outgoing(EVENTS, key, EVENT_TYPE, strict.canonical(body), outside, RANK_EVENT, letter_id=event_id)
            )

    def _keep_deliveries(self, endpoints: Iterable[str], place: int, job_id: str) -> None:
        rows = [
            {"endpoint": name, "event_place": place, "job_id": job_id, "state": "pending", "next_try_at": self.now}
            for name in endpoints
        ]
        if rows:
            self.connection.execute(insert(t.deliveries), rows)
            self.stirred.add(Topic.CALLBACKS)

    def _note(self, before: JobState, after: JobState, since: datetime, refusal: Refusal | None) -> None:
        if after is before:
            return
        refused = refusal.code if refusal is not None and after is JobState.REFUSED else None
        self.moved.append(Moved(before, after, (self.now - since).total_seconds(), refused))
        if after in {JobState.ACCEPTED, JobState.SEALED}:
            self.stirred.add(Topic.WORK)


def reasons_of(text: str) -> frozenset[Reason]:
    return frozenset(Reason(word) for word in text.split())


def text_of(reasons: Iterable[Reason]) -> str:
    return " ".join(sorted(reasons))


def _reasons(old: frozenset[Reason], change: Update) -> frozenset[Reason]:
    """Replace what the hall said before by what it says now; what the home said stays until dropped."""
    kept = old if change.word is None else (old & HOME_REASONS) | change.word.reasons
    return (kept | change.add) - change.drop


def _says_something(row: Row[Any], change: Update) -> bool:
    """Say whether an event without a new state or reason tells anything."""
    word = change.word
    differs = word is not None and (word.attempt, word.serial) != (row.attempt, row.serial)
    return (
        differs
        or change.pass_number is not None
        or change.tell is not None
        or change.is_note
        or change.side is Side.HALL
    )
