"""Another order for the same job: at another hall, or later, once nothing usable can come of the last one.

It opens only when the hall's signed word ended the last one with no usable paper, or two people wrote that hall off. Silence, time and
dead-lettering open nothing. The document is sealed anew from the kept pages, since it names its order and its hall.
"""

from dataclasses import dataclass, replace

from sqlalchemy import update

from spooler.daemon.crash import crash_point
from spooler.hall_word import ENDED_WITHOUT_PAPER
from spooler.job import JobState, Reason, is_final
from spooler.prepare import Preparer
from spooler.store import Change, Store
from spooler.store import tables as t
from spooler.store.controls import open_control
from spooler.store.dead import settle_job
from spooler.store.orders import Prepared, is_held, keep_prepared, last_order, open_order
from spooler.store.values import Topic, Update, Work
from spooler.store.write_offs import WRITTEN_OFF
from spooler.wire.messages import Actor

MAY_BE_FOLLOWED = ENDED_WITHOUT_PAPER | {WRITTEN_OFF}
# They were about the last order.
_FALLEN = frozenset(Reason) - {Reason.LATE, Reason.TO_RECOVER}


@dataclass(frozen=True)
class Opened:
    """201: this order is on its way."""

    order_id: str


@dataclass(frozen=True)
class StillOpen:
    """409: the last order may still come to paper; `why` is `order-open`, `cancel-requested` or `held`."""

    why: str
    order_id: str | None = None
    hall: str | None = None


@dataclass(frozen=True)
class Over:
    """409: the job has ended."""

    state: JobState


@dataclass(frozen=True)
class NotGranted:
    """422: the registry may not print this there."""


class AnotherOrder:
    """Opens the next order of a job."""

    def __init__(self, *, store: Store, prepare: Preparer) -> None:
        self._store = store
        self._prepare = prepare

    def open(
        self, job_id: str, hall: str, window: str | None, reason: str, actor: Actor
    ) -> Opened | StillOpen | Over | NotGranted:
        """Seal and keep the next order, or say what stands in the way. NoSuchJob if there is none."""
        with self._store.changing() as change:
            hindered = _hindrance(change, job_id)
        work = self._store.jobs.work(job_id)
        if hindered is not None or work is None:
            return hindered or StillOpen("order-open")
        if not self._prepare.may_print(work, hall):
            return NotGranted()
        prepared = self._prepare.order_for(replace(work, hall=hall, window=window or work.window))
        return self._keep(work, prepared, window, reason, actor)

    def _keep(
        self, work: Work, prepared: Prepared, window: str | None, reason: str, actor: Actor
    ) -> Opened | StillOpen | Over:
        """Look again, now that the document is sealed: somebody may have been quicker."""
        with self._store.changing() as change:
            hindered = _hindrance(change, work.job_id)
            if hindered is not None:
                return hindered
            values = {"hall": prepared.order.hall} | ({"window": window} if window else {})
            change.connection.execute(update(t.jobs).where(t.jobs.c.job_id == work.job_id).values(values))
            keep_prepared(change, prepared)
            settle_job(change, work.job_id)
            change.move(
                work.job_id,
                Update(
                    state=JobState.SEALED,
                    because=f"another order at {prepared.order.hall}",
                    actor=actor,
                    drop=_FALLEN,
                    is_note=True,
                    tell="job.order-opened",
                ),
            )
            _keep_reason(change, prepared, reason, actor)
            crash_point("home.before-another-order-commit")
            change.stirred.add(Topic.WORK)
            return Opened(prepared.order.order_id)


def _hindrance(change: Change, job_id: str) -> StillOpen | Over | None:
    state = change.state(job_id)
    if is_final(state):
        return Over(state)
    order = open_order(change.connection, job_id)
    if order is not None:
        return StillOpen("order-open", order.order_id, order.hall)
    last = last_order(change.connection, job_id)
    if last is None or last.state not in MAY_BE_FOLLOWED:
        return StillOpen("order-open")
    if is_held(change, job_id):
        return StillOpen("held", last.order_id, last.hall)
    if any(open_control(change.connection, job_id, kind) for kind in ("cancel", "withdraw")):
        return StillOpen("cancel-requested", last.order_id, last.hall)
    return None


def _keep_reason(change: Change, prepared: Prepared, reason: str, actor: Actor) -> None:
    """What a person typed stays at home, with the order that it was typed for."""
    change.connection.execute(
        update(t.orders)
        .where(t.orders.c.order_id == prepared.order.order_id)
        .values(reason=reason[:200], opened_by=actor.id)
    )
