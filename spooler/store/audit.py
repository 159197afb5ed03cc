"""The home's audit log as it is read and verified, and what each side was told of the other's log (anchors)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select

from spooler.store import tables as t
from spooler.store.audit_chain import EVENT, JOB_FACTS, LOGIN, about, fact, head_of, login_fact, rows_of
from spooler.store.change import Change
from spooler.store.login_tables import logins
from spooler.store.transactions import Transactions
from spooler.wire.chain import BEGIN, Anchor, Entry, Verdict, check
from spooler.wire.messages import AuditHead

Whose = Literal["home", "hall"]
AT_ONCE = 1_000
NEWEST = "newest"


@dataclass(frozen=True)
class Keeper:
    """A hall that keeps the end of our log and tells its own, to one of the registries that it reports to."""

    hall: str
    registry: str


class Audit:
    """Reads."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def head(self) -> AuditHead | None:
        with self._transactions.reading() as connection:
            return head_of(connection)

    def anchors(self, whose: Whose, hall: str | None = None) -> Sequence[Anchor]:
        """Return what is kept: what halls say they keep of the home's log, or what they told of their own, the oldest first."""
        with self._transactions.reading() as connection:
            return _anchors(connection, whose, hall)

    def entries(self) -> int:
        """Return how many there are."""
        head = self.head()
        return 0 if head is None else head.sequence

    def vouched(self) -> dict[str, datetime]:
        """Return when each hall last said what it keeps of our log."""
        columns = t.audit_anchors.c
        newest = (
            select(columns.hall, func.max(columns.at).label("at"))
            .where(columns.whose == "home", columns.slot == NEWEST)
            .group_by(columns.hall)
        )
        with self._transactions.reading() as connection:
            return {row.hall: row.at for row in connection.execute(newest)}

    def keepers(self, heard_since: datetime) -> Sequence[Keeper]:
        """Return the halls that speak, each with one registry."""
        chain, hall = t.chains.c, t.halls.c
        spoken = (
            select(chain.hall, func.min(chain.registry).label("registry"))
            .join(t.halls, hall.hall == chain.hall)
            .where(hall.heartbeat_at > heard_since)
            .group_by(chain.hall)
        )
        with self._transactions.reading() as connection:
            return [Keeper(row.hall, row.registry) for row in connection.execute(spoken.order_by(chain.hall))]

    def verify(self, more: Sequence[Anchor] = ()) -> Verdict:
        """Go through the whole log, in one view of the database."""
        with self._transactions.reading() as connection:
            logged = select(func.count()).select_from(t.audit).where(t.audit.c.what.in_((EVENT, LOGIN)))
            without = rows_of(connection) - connection.execute(logged).scalar_one()
            return check(lambda: _entries(connection), [*_anchors(connection, "home"), *more], without)


def is_ours(change: Change, head: AuditHead) -> bool:
    """Say whether our log has this very entry."""
    ours = head_of(change.connection)
    digest = change.connection.execute(select(t.audit.c.sha256).where(t.audit.c.sequence == head.sequence)).scalar()
    return ours is not None and ours.log == head.log and digest == head.sha256


def newest_of_hall(change: Change, keeper: Keeper) -> AuditHead | None:
    """Return the newest end that this hall told this registry of its log."""
    row = change.connection.execute(select(t.audit_anchors).where(_slot(keeper, "hall", NEWEST))).one_or_none()
    if row is None:
        return None
    return AuditHead.model_validate({"log": row.log, "sequence": row.sequence, "sha256": row.sha256})


def keep_anchor(change: Change, keeper: Keeper, whose: Whose, head: AuditHead) -> None:
    """Keep it as the newest that was told to this registry, and for good if it is the hall's first of this hour."""
    change.connection.execute(delete(t.audit_anchors).where(_slot(keeper, whose, NEWEST)))
    _keep(change, keeper, whose, NEWEST, head)
    hour, columns = change.now.strftime("%Y-%m-%dT%H"), t.audit_anchors.c
    of_this_hour = (columns.hall == keeper.hall) & (columns.whose == whose) & (columns.slot == hour)
    if change.connection.execute(select(columns.hall).where(of_this_hour)).first() is None:
        _keep(change, keeper, whose, hour, head)


def _keep(change: Change, keeper: Keeper, whose: Whose, slot: str, head: AuditHead) -> None:
    end = {"log": str(head.log), "sequence": head.sequence, "sha256": head.sha256, "at": change.now}
    where = {"hall": keeper.hall, "registry": keeper.registry, "whose": whose, "slot": slot}
    change.connection.execute(insert(t.audit_anchors).values(**where, **end))


def _slot(keeper: Keeper, whose: Whose, slot: str) -> ColumnElement[bool]:
    columns = t.audit_anchors.c
    ours = (columns.hall == keeper.hall) & (columns.registry == keeper.registry)
    return ours & (columns.whose == whose) & (columns.slot == slot)


def _anchors(connection: Connection, whose: Whose, hall: str | None = None) -> Sequence[Anchor]:
    columns = t.audit_anchors.c
    wanted = select(t.audit_anchors).where(columns.whose == whose).order_by(columns.hall, columns.at)
    rows = connection.execute(wanted if hall is None else wanted.where(columns.hall == hall)).all()
    return [
        Anchor(f"hall {row.hall}" if whose == "home" else "home", row.log, row.sequence, row.sha256, row.at.isoformat())
        for row in rows
    ]


def _entries(connection: Connection) -> Iterator[Entry]:
    last = 0
    while rows := connection.execute(_page(last)).all():
        yield from (_entry(row._mapping) for row in rows)
        last = rows[-1].entry


def _page(after: int) -> Select[Any]:
    a, e, j, login = t.audit.c, t.events.c, t.jobs.c, logins.c
    ours = (a.sequence.label("entry"), a.what, a.about, a.sha256, a.job_place.label("of_job"), a.event_sequence)
    of_login = (column.label(f"login_{column.name}") for column in login)
    return (
        select(*ours, *e, *(j[name].label(f"job_{name}") for name in JOB_FACTS), *of_login)
        .select_from(t.audit)
        .outerjoin(t.events, (e.job_place == a.job_place) & (e.sequence == a.event_sequence))
        .outerjoin(t.jobs, j.place == e.job_place)
        .outerjoin(logins, (a.what == LOGIN) & (login.place == a.event_sequence))
        .where(a.sequence > after)
        .order_by(a.sequence)
        .limit(AT_ONCE)
    )


def _entry(row: Mapping[Any, Any]) -> Entry:
    if row["what"] == BEGIN:
        return Entry(row["entry"], BEGIN, row["about"] or "", row["sha256"], {})
    if row["what"] == LOGIN:
        return Entry(row["entry"], LOGIN, str(row["event_sequence"]), row["sha256"], _login(row))
    is_there = row["job_place"] is not None
    found = fact({name: row[f"job_{name}"] for name in JOB_FACTS}, row) if is_there else None
    return Entry(row["entry"], row["what"], about(row["of_job"], row["event_sequence"]), row["sha256"], found)


def _login(row: Mapping[Any, Any]) -> dict[str, Any] | None:
    if row["login_place"] is None:
        return None
    return login_fact({name: row[f"login_{name}"] for name in ("at", "account", "what")})
