"""Step 5, the meaning: what a hall's report makes of its job.

Every report about an order carries the order's state as the hall has it, and that state moves the job; the kind of the report adds
what else it says. All within the transaction in which the report is taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from spooler import audit
from spooler.answers import end_of_order, take_answer
from spooler.grants import GRANT_WITHDRAWN, note_withdrawn
from spooler.job import HOME_REASONS, JobState, Reason
from spooler.store import Change, IllegalMove
from spooler.store import tables as t
from spooler.store.blanks import BACK, recovered
from spooler.store.dead import settle_order
from spooler.store.halls import (
    clock_is_wrong,
    close_approvals_of,
    note_approval,
    note_heartbeat,
    note_stock,
    serials_between,
    was_alarmed,
)
from spooler.store.standing import note_reconcile
from spooler.store.succession import supersede
from spooler.store.values import Alarm, HallWord, Refusal, Side, Update
from spooler.wire.messages import (
    ApprovalReport,
    Ask,
    Heartbeat,
    Issued,
    OrderReport,
    PassReport,
    Refused,
    ReportBase,
    Returned,
    Standing,
    StockMoved,
)
from spooler.wire.refusal import RefusalCode

CLOCK = "clock"
ALARMED_AGAIN_AFTER = timedelta(hours=1)

# What an order's state at the hall makes of the job. An expired order ends, its job does not.
JOB_STATES: Mapping[str, JobState | None] = {
    "waiting": JobState.RECEIVED,
    "printing": JobState.PRINTING,
    "printed": JobState.PRINTED,
    "issued": JobState.ISSUED,
    "refused": JobState.REFUSED,
    "returned": JobState.REFUSED,
    "cancelled": JobState.CANCELLED,
    "expired": None,
}
ENDED_WITHOUT_PAPER = frozenset({"refused", "returned", "cancelled", "expired"})
OLD_RETURNED = "old-returned"
HALL_REASONS = frozenset(Reason) - HOME_REASONS


def apply(
    change: Change, report: ReportBase, *, has_newer_key: Callable[[str, datetime], bool] = lambda hall, since: False
) -> None:
    """Write what the report says; what cannot be is alarmed and leaves the job as it is."""
    kind = str(getattr(report, "kind", ""))
    if isinstance(report, Refused) and _was_wrapped_before(change, report, has_newer_key):
        _wrapped_for_an_old_key(change, _with_its_job(change, report))
        return
    says = SAYS.get(kind)
    if says is not None:
        says(change, report)
    elif isinstance(report, OrderReport):
        _tell_job(change, report, Update(because=kind))
    else:
        change.alarm(Alarm("unknown-report", hall=report.hall, registry=report.registry))


def _refused(change: Change, report: Refused) -> None:
    report = _with_its_job(change, report)
    why = _why_refused(report)
    _tell_job(change, report, Update(because=report.code, refusal=why))
    # Home seals nothing that a hall of the same trust refuses: somebody forged it, or the two sides differ.
    change.alarm(replace(_alarm("order-refused", report), detail=report.code[:64]))


def _why_refused(report: Refused) -> Refusal:
    """A grant that ended while the order was on its way is told as such, not as the hall's refusal of a document."""
    said = f"{report.code}: {report.message}"
    if report.code == RefusalCode.GRANT:
        return replace(GRANT_WITHDRAWN, message=f"{GRANT_WITHDRAWN.message} ({report.hall}: {said})"[:500])
    return Refusal("hall-refused", said[:500])


def _was_wrapped_before(change: Change, report: Refused, has_newer_key: Callable[[str, datetime], bool]) -> bool:
    """Say whether the hall could not open what was wrapped before its key was changed."""
    if report.code != "envelope":
        return False
    columns = t.orders.c
    order = change.connection.execute(
        select(columns.hall, columns.opened_at).where(columns.order_id == str(report.order_id))
    ).one_or_none()
    return order is not None and order.hall == report.hall and has_newer_key(order.hall, order.opened_at)


def _wrapped_for_an_old_key(change: Change, report: Refused) -> None:
    """The order ends and its job does not: `rewrap` sends the next one, for the key that the hall has now."""
    if _known_order(change, report) is None:
        change.alarm(_alarm("unknown-order", report))
        return
    _note_order(change, report)
    waits = Update(
        add=frozenset({Reason.UNDELIVERABLE}), because="wrapped for a former key", side=Side.HALL, at=report.at
    )
    change.move(str(report.job_id), waits)
    change.alarm(_alarm("former-key", report))


def _with_its_job(change: Change, report: Refused) -> Refused:
    """A hall that could not open or believe an order knows its id only, from outside: the job is the one that we sent it for."""
    columns = t.orders.c
    job_id = change.connection.execute(select(columns.job_id).where(columns.order_id == str(report.order_id))).scalar()
    return report if job_id is None else report.model_copy(update={"job_id": UUID(job_id)})


def _returned(change: Change, report: Returned) -> None:
    places = f" ({', '.join(report.fields)})" if report.fields else ""
    why = Refusal("returned-by-hall", f"{report.reason}{places}"[:500])
    _tell_job(change, report, Update(because="returned", refusal=why))


def _stood(change: Change, report: Standing) -> None:
    said = " ".join(word for word in (report.act or report.kind, report.old_serial) if word)
    if _tell_job(change, report, Update(because=said)) and report.act == OLD_RETURNED:
        columns = t.jobs.c
        change.connection.execute(
            update(t.jobs).where(columns.job_id == str(report.job_id)).values(takes_back_old=False)
        )


def _passed(change: Change, report: PassReport) -> None:
    _tell_job(change, report, Update(because=report.outcome, pass_number=report.number, printer=report.printer))


def _asked(change: Change, report: Ask) -> None:
    because = f"answered {report.answer}" if report.answer else "a person is asked"
    _tell_job(change, report, Update(because=because, pass_number=report.number))


def _approval(change: Change, report: ApprovalReport) -> None:
    if _tell_job(change, report, Update(because=f"approval of {report.act}")):
        note_approval(change, report)


def _issued(change: Change, report: Issued) -> None:
    if not _tell_job(change, report, Update(because="handed over")):
        return
    job_id = str(report.job_id)
    if change.connection.execute(select(t.handovers.c.job_id).where(t.handovers.c.job_id == job_id)).first():
        return
    change.connection.execute(
        insert(t.handovers).values(
            job_id=job_id,
            order_id=str(report.order_id),
            at=report.at,
            recipient_role=report.recipient_role,
            identity_method=report.identity_method,
            identity_result=report.identity_result,
            actor_id=report.actor.id if report.actor else None,
            actor_role=report.actor.role if report.actor else None,
        )
    )
    supersede(change, change.job(job_id))


def _stock(change: Change, report: StockMoved) -> None:
    try:
        note_stock(change, report)
        if report.status in BACK:
            recovered(change, report.hall, serials_between(report.first, report.last))
    except ValueError:
        change.alarm(Alarm("no-such-range", hall=report.hall, registry=report.registry))


def _heartbeat(change: Change, report: Heartbeat) -> None:
    if clock_is_wrong(change, report) and not was_alarmed(change, CLOCK, report.hall, change.now - ALARMED_AGAIN_AFTER):
        change.alarm(Alarm(CLOCK, report.hall, report.registry))
    note_heartbeat(change, report)
    audit.heard(change, report)


def _tell_job(change: Change, report: OrderReport, says: Update) -> bool:
    """Move the job to where the hall has its order; say whether the report is about an order we know as live."""
    order = _known_order(change, report)
    if order is None:
        change.alarm(_alarm("unknown-order", report))
        return False
    if report.state not in JOB_STATES:
        change.alarm(_alarm("unknown-state", report))
        return False
    _note_order(change, report)
    told = replace(
        says,
        state=_job_state(change, report),
        side=Side.HALL,
        at=report.at,
        actor=report.actor,
        word=_word(report),
        add=frozenset({Reason.ORDER_EXPIRED}) if report.state == "expired" else frozenset(),
        drop=frozenset({Reason.UNDELIVERABLE}) | settle_order(change, str(report.order_id)),
    )
    return _move(change, str(report.job_id), told, report)


def _job_state(change: Change, report: OrderReport) -> JobState | None:
    state = JOB_STATES[report.state]
    return end_of_order(change.connection, str(report.order_id)) if state is JobState.CANCELLED else state


def _known_order(change: Change, report: OrderReport) -> Row[Any] | None:
    """Return the order that the report is about, if it is this hall's and the job's latest."""
    latest = select(t.orders).where(t.orders.c.job_id == str(report.job_id)).order_by(t.orders.c.place.desc()).limit(1)
    row = change.connection.execute(latest).one_or_none()
    if row is None or row.order_id != str(report.order_id):
        return None
    return row if (row.hall, row.registry) == (report.hall, report.registry) else None


def _note_order(change: Change, report: OrderReport) -> None:
    change.connection.execute(
        update(t.orders).where(t.orders.c.order_id == str(report.order_id)).values(state=report.state)
    )
    if report.state in ENDED_WITHOUT_PAPER:
        close_approvals_of(change, str(report.order_id))


def _word(report: OrderReport) -> HallWord:
    said = frozenset(reason for reason in HALL_REASONS if reason in report.reasons)
    return HallWord(said, report.attempt, report.serial)


def _move(change: Change, job_id: str, told: Update, report: OrderReport) -> bool:
    try:
        change.move(job_id, told)
    except IllegalMove as e:
        change.alarm(replace(_alarm("illegal-move", report), job_id=job_id, detail=f"{e.before} to {e.after}"))
        change.move(job_id, Update(because=f"not believed: {e.before} to {e.after}", side=Side.HALL, at=report.at))
        return False
    return True


def _alarm(code: str, report: OrderReport) -> Alarm:
    return Alarm(code, report.hall, report.registry, job_id=str(report.job_id), order_id=str(report.order_id))


SAYS: Mapping[str, Callable[[Change, Any], None]] = {
    "refused": _refused,
    "returned": _returned,
    "standing": _stood,
    "pass": _passed,
    "ask": _asked,
    "approval": _approval,
    "issued": _issued,
    "stock": _stock,
    "heartbeat": _heartbeat,
    "answer": take_answer,
    "reconcile": note_reconcile,
    "grant-withdrawn": note_withdrawn,
}
