"""Who writes to whom over the broker, as the signed grants have it (`topology` makes bindings and permissions of it).

The right to speak ends later than the right to print. Controls and reports pass between all who ever had a grant: a hall whose grant was
withdrawn still has to say what became of its orders, and home still has to cancel them. Orders pass a little longer than they may be
begun, so that one which was on its way is refused by its hall and ends, instead of lying in an outbox.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from spooler.wire import grant_files
from spooler.wire.grants import Judged, Mark, Pair, judge
from spooler.wire.trust import grant_keys, load_records


@dataclass(frozen=True)
class Ways:
    """Pairs of registry and hall."""

    orders: frozenset[Pair]
    talks: frozenset[Pair]  # controls there, reports back


def ways_of(trust_directory: Path, now: datetime, *, order_days: int) -> Ways | None:
    """Return who may write to whom; None where the plain list is gone by, and everybody may write to everybody."""
    if not grant_files.look_signed(trust_directory):
        return None
    keys = grant_keys(load_records(trust_directory))
    judged = judge(grant_files.read(trust_directory), keys, {})
    longest_way = timedelta(days=2 * order_days + 2)  # order_days are working days
    return Ways(
        orders=frozenset(_with_orders(judged, now - longest_way)),
        talks=frozenset(pair for pair, mark in judged.marks.items() if mark.agreed),
    )


def _with_orders(judged: Judged, since: datetime) -> Iterator[Pair]:
    yield from (pair for pair, grant in judged.agreed.items() if grant.not_after >= since)
    for said in judged.withdrawals:
        if said.at >= since and judged.marks.get(said.pair, Mark()).agreed:
            yield said.pair
