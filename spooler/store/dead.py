"""Dead letters: what the broker or the other side gave up, kept with its job until it is settled."""

from sqlalchemy import func, insert, select, update

from spooler.daemon.crash import crash_point
from spooler.job import Reason, is_final
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.transactions import Transactions
from spooler.store.trouble import dead_letters
from spooler.store.values import Alarm, DeadLetter, Update

NEEDS = frozenset({Reason.NEEDS_ATTENTION})


class DeadLetters:
    """What was given up."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def keep(self, dead: DeadLetter) -> bool:
        """Keep it, alarm, and let its job say so; False when it is known already."""
        with self._transactions.changing() as change:
            if _is_known(change, dead):
                return False
            job_id = _job_of(change, dead)
            _insert(change, dead, job_id)
            crash_point("home.before-dead-letter-commit")
            change.alarm(
                Alarm(
                    "dead-letter",
                    hall=dead.hall,
                    registry=dead.registry,
                    job_id=job_id,
                    order_id=dead.order_id,
                    detail=f"{dead.type} {dead.why}",
                )
            )
            if job_id is not None and dead.concerns_job and not is_final(change.state(job_id)):
                change.move(job_id, Update(add=NEEDS, because=f"{dead.type} was given up: {dead.why}"[:200]))
            return True

    def counts(self) -> dict[str, int]:
        """Return how many of each type are not settled."""
        wanted = (
            select(dead_letters.c.type, func.count())
            .where(dead_letters.c.settled_at.is_(None))
            .group_by(dead_letters.c.type)
        )
        with self._transactions.reading() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(wanted)}


def settle_order(change: Change, order_id: str) -> frozenset[Reason]:
    """The hall has the order after all; return which reason falls with that."""
    return _settle(change, dead_letters.c.order_id == order_id, dead_letters.c.type == "order")


def settle_control(change: Change, control_id: str) -> frozenset[Reason]:
    """The hall has answered the control after all; return which reason falls with that."""
    return _settle(change, dead_letters.c.letter_id == control_id, dead_letters.c.type == "control")


def settle_job(change: Change, job_id: str) -> None:
    """The job goes another way: nothing that died is missed any more."""
    _settle(change, dead_letters.c.job_id == job_id)


def _settle(change: Change, *which: object) -> frozenset[Reason]:
    columns = dead_letters.c
    rows = change.connection.execute(
        select(columns.place, columns.job_id).where(*which, columns.settled_at.is_(None))  # type: ignore[arg-type]
    ).all()
    if not rows:
        return frozenset()
    places = [row.place for row in rows]
    change.connection.execute(update(dead_letters).where(columns.place.in_(places)).values(settled_at=change.now))
    left = select(columns.place).where(
        columns.job_id.in_([row.job_id for row in rows]), columns.settled_at.is_(None), columns.type != "report"
    )
    return frozenset() if change.connection.execute(left).first() else NEEDS


def _is_known(change: Change, dead: DeadLetter) -> bool:
    """A dead letter may be delivered twice; but one that dies a second time, later, is news."""
    columns = dead_letters.c
    same = (columns.letter_id == dead.letter_id) & (columns.sha256 == dead.sha256) & columns.settled_at.is_(None)
    return change.connection.execute(select(columns.place).where(same)).first() is not None


def _job_of(change: Change, dead: DeadLetter) -> str | None:
    """Return the job, if the order stands in our books just as the letter's outside says."""
    columns = t.orders.c
    wanted = select(columns.job_id).where(
        columns.order_id == dead.order_id, columns.hall == dead.hall, columns.registry == dead.registry
    )
    return change.connection.execute(wanted).scalar()


def _insert(change: Change, dead: DeadLetter, job_id: str | None) -> None:
    change.connection.execute(
        insert(dead_letters).values(
            letter_id=dead.letter_id,
            registry=dead.registry,
            hall=dead.hall,
            type=dead.type,
            order_id=dead.order_id,
            job_id=job_id,
            why=dead.why,
            queue=dead.queue,
            sha256=dead.sha256,
            body=dead.body,
            at=change.now,
        )
    )
