"""How a hall stands: whether its reports can all come from one journal that only ever grew, and what it asked when it lost its own.

    ok ─▶ reconcile   the journal was lost, restored, moved: the hall compares it with ours, and prints nothing until people led it out
       ─▶ cloned      two agents of it speak: both are told to stop, and a person has to switch one of them off

Nothing new is sent to a hall that is not ok.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.grants import forget_told
from spooler.store.reports import Place
from spooler.store.transactions import Transactions
from spooler.store.values import Alarm, Topic
from spooler.wire.messages import Reconcile, ReportBase

OK, RECONCILE, CLONED = "ok", "reconcile", "cloned"
NEW_EPOCH, ROLLED_BACK, TWO_AGENTS, CONFLICT = "new-epoch", "rolled-back", "two-agents", "report-conflict"
HALT_PAUSE_SECONDS = 10.0


@dataclass(frozen=True)
class AskedByHall:
    """A hall wants to know which orders of this registry it has."""

    hall: str
    registry: str
    ask: str
    has: tuple[str, ...]
    is_first: bool


@dataclass(frozen=True)
class DueHalt:
    hall: str
    registry: str
    reason: str


class Standings:
    """What waits to be answered."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def asked(self) -> Sequence[AskedByHall]:
        """Return questions without an answer; a cloned hall gets none before a person has asked."""
        columns = t.hall_asks.c
        cloned = select(t.halls.c.hall).where(t.halls.c.standing == CLONED)
        wanted = select(t.hall_asks).where(columns.is_answered.is_(False), columns.hall.not_in(cloned))
        with self._transactions.reading() as connection:
            return [_asked(row) for row in connection.execute(wanted)]

    def due_halts(self, now: datetime) -> Sequence[DueHalt]:
        columns = t.halts.c
        rested = columns.halted_at.is_(None) | (columns.halted_at <= now - timedelta(seconds=HALT_PAUSE_SECONDS))
        wanted = select(t.halts).where(columns.is_due.is_(True), rested)
        with self._transactions.reading() as connection:
            return [DueHalt(row.hall, row.registry, row.reason) for row in connection.execute(wanted)]


def suspect(change: Change, report: ReportBase, place: Place) -> None:
    """Compare the report with all that its hall has said, and note what cannot be."""
    why = _contradiction(change, report, place)
    if why is None:
        return
    asks = isinstance(report, Reconcile) and why == NEW_EPOCH
    is_news = _stand(change, report.hall, CLONED if why == TWO_AGENTS else RECONCILE, why)
    if is_news and why in (ROLLED_BACK, TWO_AGENTS):
        change.alarm(Alarm(why, hall=report.hall, registry=report.registry))
    if not asks:
        _halt(change, report, why)


def note_reconcile(change: Change, report: Reconcile) -> None:
    """A hall asks for its orders, or prints again."""
    if report.phase == "left":
        _set(change, report.hall, OK, None)
        change.connection.execute(delete(t.halts).where(t.halts.c.hall == report.hall))
        change.stirred.add(Topic.OUTBOX)
        return
    if report.actor is not None:
        # A person asked, after switching the other agent off: from here on this one is the hall.
        _set(change, report.hall, RECONCILE, report.why)
    _keep_ask(change, report)
    forget_told(change, (report.registry, report.hall))
    change.stirred.add(Topic.STANDING)


def note_halted(change: Change, hall: str) -> None:
    change.connection.execute(update(t.halts).where(t.halts.c.hall == hall).values(is_due=False, halted_at=change.now))


def note_answered(change: Change, asked: AskedByHall) -> None:
    """Unless it has asked anew meanwhile."""
    columns = t.hall_asks.c
    same = (columns.hall == asked.hall) & (columns.registry == asked.registry) & (columns.ask == asked.ask)
    change.connection.execute(update(t.hall_asks).where(same).values(is_answered=True))


def _contradiction(change: Change, report: ReportBase, place: Place) -> str | None:
    chain, latest = _chains(change, report)
    if chain is None:
        return None if latest is None else NEW_EPOCH
    if chain.epoch != latest.epoch:
        # What it had said before the other epoch began may come late or twice; anything new means that it still lives.
        return None if place is Place.SEEN else TWO_AGENTS
    return _within_epoch(change, report, place, chain)


def _within_epoch(change: Change, report: ReportBase, place: Place, chain: Row[Any]) -> str | None:
    instances = t.instances.c
    runs = change.connection.execute(
        select(instances.instance, instances.first_sequence)
        .where(instances.hall == report.hall, instances.registry == report.registry)
        .where(instances.epoch == str(report.epoch))
        .order_by(instances.first_sequence.desc())
    ).all()
    if str(report.instance) not in {run.instance for run in runs}:
        # A new run of the agent never writes below what was told: its journal is older than our memory of it.
        return ROLLED_BACK if report.sequence <= chain.sequence or place is Place.CONFLICT else None
    if runs[0].instance != str(report.instance) and report.sequence >= runs[0].first_sequence:
        return TWO_AGENTS
    return CONFLICT if place is Place.CONFLICT else None


def _chains(change: Change, report: ReportBase) -> tuple[Any, Any]:
    """Return the chain that the report claims to lengthen, and the latest one."""
    columns = t.chains.c
    known = change.connection.execute(
        select(t.chains)
        .where(columns.hall == report.hall, columns.registry == report.registry)
        .where((columns.epoch == str(report.epoch)) | (columns.ordinal == _last_ordinal(report)))
    ).all()
    own = next((row for row in known if row.epoch == str(report.epoch)), None)
    return own, max(known, key=lambda row: row.ordinal, default=None)


def _last_ordinal(report: ReportBase) -> Any:
    columns = t.chains.c
    same = (columns.hall == report.hall) & (columns.registry == report.registry)
    return select(func.max(columns.ordinal)).where(same).scalar_subquery()


def _stand(change: Change, hall: str, standing: str, why: str) -> bool:
    """Note the worse of what was noted before and what is noted now; say whether it is another."""
    before = change.connection.execute(select(t.halls.c.standing).where(t.halls.c.hall == hall)).scalar()
    if before in (standing, CLONED):
        return False
    _set(change, hall, standing, why)
    return True


def _set(change: Change, hall: str, standing: str, why: str | None) -> None:
    values = {"standing": standing, "standing_why": why, "standing_since": None if standing == OK else change.now}
    spoke = update(t.halls).where(t.halls.c.hall == hall).values(values)
    if not change.connection.execute(spoke).rowcount:
        known = {"hall": hall, "last_report_at": change.now, "printers": [], "blanks": []}
        change.connection.execute(insert(t.halls).values(known | values))


def _halt(change: Change, report: ReportBase, why: str) -> None:
    """The agents are to be told. While they go on, they are told again, but not more often than `HALT_PAUSE_SECONDS`."""
    values = {"registry": report.registry, "reason": why, "is_due": True}
    known = update(t.halts).where(t.halts.c.hall == report.hall).values(values)
    if not change.connection.execute(known).rowcount:
        change.connection.execute(insert(t.halts).values(hall=report.hall, **values))
    change.stirred.add(Topic.STANDING)


def _keep_ask(change: Change, report: Reconcile) -> None:
    columns = t.hall_asks.c
    chains = t.chains.c
    same = (chains.hall == report.hall) & (chains.registry == report.registry)
    epochs = change.connection.execute(select(func.count()).select_from(t.chains).where(same)).scalar()
    change.connection.execute(
        delete(t.hall_asks).where(columns.hall == report.hall, columns.registry == report.registry)
    )
    change.connection.execute(
        insert(t.hall_asks).values(
            hall=report.hall,
            registry=report.registry,
            ask=str(report.ask),
            epoch=str(report.epoch),
            has=[str(order_id) for order_id in report.orders],
            is_first=epochs == 1,
            is_answered=False,
            asked_at=change.now,
        )
    )


def _asked(row: Row[Any]) -> AskedByHall:
    return AskedByHall(row.hall, row.registry, row.ask, tuple(row.has), row.is_first)
