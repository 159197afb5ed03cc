"""Blanks as home itself marks them, over what the halls last said."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from spooler.job import Reason
from spooler.store import tables as t
from spooler.store.change import Change
from spooler.store.values import OpenOrder, Update

TO_RECOVER = "to-recover"
# The hall has it again, or it is known to be gone: nothing is left to recover.
BACK = frozenset({"void", "lost", "destroyed", "returned"})


def note_to_recover(change: Change, order: OpenOrder, serials: Sequence[str]) -> None:
    """The certificate on these blanks is withdrawn and was handed over: they are wanted back."""
    columns = t.blanks.c
    for serial in serials:
        here = (columns.serial == serial) & (columns.hall == order.hall)
        marked = change.connection.execute(update(t.blanks).where(here).values(status=TO_RECOVER, at=change.now))
        if not marked.rowcount:
            _add(change, order, serial)


def recovered(change: Change, hall: str, serials: Sequence[str]) -> None:
    """The hall says what became of these blanks: the jobs that wanted them back want nothing more."""
    columns = t.jobs.c
    wanted = (
        select(columns.job_id)
        .join(t.job_reasons, t.job_reasons.c.job_place == columns.place)
        .where(t.job_reasons.c.reason == Reason.TO_RECOVER, columns.hall == hall, columns.serial.in_(serials))
    )
    for job_id in change.connection.execute(wanted).scalars().all():
        change.move(job_id, Update(drop=frozenset({Reason.TO_RECOVER}), because="paper recovered"))


def _add(change: Change, order: OpenOrder, serial: str) -> None:
    stock = change.job(order.job_id).kind
    change.connection.execute(
        insert(t.blanks).values(
            stock=stock,
            serial=serial,
            hall=order.hall,
            status=TO_RECOVER,
            order_id=order.order_id,
            at=change.now,
        )
    )
