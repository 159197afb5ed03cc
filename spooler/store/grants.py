"""What was ever agreed and withdrawn between registries and halls: an old file put back revives nothing (spooler.wire.grants)."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Integer, String, Table, insert, select, update

from spooler.store.change import Change
from spooler.store.columns import UtcTime, metadata
from spooler.store.transactions import Transactions
from spooler.store.values import Topic
from spooler.wire.grants import Mark, Pair

grant_marks = Table(
    "grant_marks",
    metadata,
    Column("registry", String(6), primary_key=True),
    Column("hall", String(9), primary_key=True),
    Column("agreed", Integer, nullable=False),  # the highest sequence that both had signed
    Column("withdrawn", Integer, nullable=False),  # the highest that one of them withdrew; 0: none
    Column("told", Integer, nullable=False),  # the highest withdrawal that the hall was told, or has told
    Column("changed_at", UtcTime, nullable=False),
)


@dataclass(frozen=True)
class Kept:
    """A pair's mark as it is on disk, and how much of it its hall knows."""

    mark: Mark
    told: int


class Grants:
    """What is remembered."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def kept(self) -> Mapping[Pair, Kept]:
        with self._transactions.reading() as connection:
            rows = connection.execute(select(grant_marks)).all()
        return {(row.registry, row.hall): Kept(Mark(row.agreed, row.withdrawn), row.told) for row in rows}

    def marks(self) -> Mapping[Pair, Mark]:
        return {pair: kept.mark for pair, kept in self.kept().items()}


def keep_mark(change: Change, pair: Pair, mark: Mark, told: int = 0) -> Kept:
    """Raise what is kept to this, never lower it; return what was kept before."""
    before = _kept(change, pair)
    raised = before.mark.raised(mark)
    values = {
        "agreed": raised.agreed,
        "withdrawn": raised.withdrawn,
        "told": max(before.told, told),
        "changed_at": change.now,
    }
    if not change.connection.execute(update(grant_marks).where(_is(pair)).values(values)).rowcount:
        change.connection.execute(insert(grant_marks).values(registry=pair[0], hall=pair[1], **values))
    if raised != before.mark:
        change.stirred.add(Topic.GRANTS)
    return before


def forget_told(change: Change, pair: Pair) -> None:
    """The hall has lost its journal: it is told again."""
    change.connection.execute(update(grant_marks).where(_is(pair)).values(told=0))


def _kept(change: Change, pair: Pair) -> Kept:
    row = change.connection.execute(select(grant_marks).where(_is(pair))).one_or_none()
    return Kept(Mark(), 0) if row is None else Kept(Mark(row.agreed, row.withdrawn), row.told)


def _is(pair: Pair) -> ColumnElement[bool]:
    return (grant_marks.c.registry == pair[0]) & (grant_marks.c.hall == pair[1])
