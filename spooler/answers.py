"""Step 5, answers: the hall's truth about a control ends what waited for it.

cancel, withdraw   cancelled · stopped (paper void) ─▶ the job ends      too-late ─▶ told      recover ─▶ withdrawn, paper wanted back
hold, resume       held · resumed ─▶ the reason comes and goes           too-late, overtaken ─▶ told
lease              leased ─▶ the order's time is the later one
approve            accepted · declined ─▶ closed
replay             forgotten ─▶ the chain may pass over what is missing  (its reports themselves come before it)
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import Connection, update

from spooler.daemon.crash import crash_point
from spooler.job import JobState, Reason, is_final
from spooler.store import Change, IllegalMove
from spooler.store import tables as t
from spooler.store.blanks import note_to_recover
from spooler.store.controls import (
    Control,
    answer_control,
    is_answered,
    is_overtaken,
    note_pending,
    open_control,
    was_asked,
)
from spooler.store.dead import settle_control
from spooler.store.gaps import note_forgotten
from spooler.store.halls import ACCEPTED, DECLINED, OPEN, SENT, close_approval, close_approvals_of
from spooler.store.orders import last_order, set_order_state
from spooler.store.values import Alarm, OpenOrder, Side, Update
from spooler.wire.messages import Answer

STILL_OPEN = frozenset({"pending", "cancel-requested"})  # the hall cannot say yet
NO_PAPER = frozenset({"cancelled", "stopped"})
HELD = frozenset({Reason.HELD})
REQUESTED = frozenset({Reason.CANCEL_REQUESTED})
RECOVER = frozenset({Reason.TO_RECOVER})


def take_answer(change: Change, report: Answer) -> None:
    """Write what the answer says."""
    if report.order_id is None:
        _replay_answered(change, report)
        return
    if report.outcome in STILL_OPEN:
        note_pending(change, str(report.control_id))
        return
    if is_answered(change.connection, str(report.control_id)):
        return  # asked again of a hall that lost its journal: what was said first counts
    control = answer_control(change, str(report.control_id), report.outcome)
    if control is None or control.hall != report.hall or control.order_id != str(report.order_id):
        change.alarm(Alarm("unknown-control", hall=report.hall, registry=report.registry))
        return
    order = last_order(change.connection, control.job_id)
    if order is None or order.order_id != control.order_id:
        return  # about an order that another one has followed: nothing waits for it
    fallen = settle_control(change, control.control_id)
    if fallen:
        change.move(control.job_id, Update(drop=fallen, because=f"{control.kind} answered"))
    TAKES[control.kind](change, report, control, order)
    crash_point("home.before-answer-commit")


def end_of_order(connection: Connection, order_id: str) -> JobState:
    """Return how a job ends whose order the hall has ended on our request."""
    return JobState.WITHDRAWN if was_asked(connection, order_id, "withdraw") else JobState.CANCELLED


def _ending(change: Change, report: Answer, control: Control, order: OpenOrder) -> None:
    told = _told(report, control)
    if report.outcome == "recover":
        _wanted_back(change, report, control, order)
    elif is_final(change.state(control.job_id)):
        _move(change, control, replace(told, tell=_refusal(report, control)), report)
    elif report.outcome in NO_PAPER:
        set_order_state(change, control.order_id, "cancelled")
        close_approvals_of(change, control.order_id)
        end = end_of_order(change.connection, control.order_id)
        _move(change, control, replace(told, state=end), report)
    else:
        drop = frozenset[Reason]() if _is_another_end_asked(change, control) else REQUESTED
        _move(change, control, replace(told, drop=drop, tell=_refusal(report, control)), report)


def _wanted_back(change: Change, report: Answer, control: Control, order: OpenOrder) -> None:
    """It was handed over: the withdrawal holds, and the paper is listed for recovery."""
    told = _told(report, control)
    # Plain paper has no serial by which anybody could say that it is back.
    wanted = RECOVER if report.blanks else frozenset[Reason]()
    note_to_recover(change, order, report.blanks)
    if change.state(control.job_id) is JobState.WITHDRAWN:
        _move(change, control, told, report)
    else:
        _move(change, control, replace(told, state=JobState.WITHDRAWN, add=wanted), report)


def _is_another_end_asked(change: Change, control: Control) -> bool:
    other = "withdraw" if control.kind == "cancel" else "cancel"
    return open_control(change.connection, control.job_id, other) is not None


def _refusal(report: Answer, control: Control) -> str | None:
    """Return the callback by which it is told that the cancel came too late."""
    return "job.cancel-refused" if control.kind == "cancel" and report.outcome not in NO_PAPER else None


def _pausing(change: Change, report: Answer, control: Control, order: OpenOrder) -> None:
    told = _told(report, control)
    if is_final(change.state(control.job_id)) or is_overtaken(change.connection, control):
        _move(change, control, told, report)
    elif report.outcome == "held":
        _move(change, control, replace(told, add=HELD), report)
    elif report.outcome == "resumed":
        _move(change, control, replace(told, drop=HELD), report)
    else:
        _move(change, control, told, report)


def _leased(change: Change, report: Answer, control: Control, order: OpenOrder) -> None:
    if report.outcome == "leased" and control.not_after is not None and control.not_after > order.not_after:
        change.connection.execute(
            update(t.orders).where(t.orders.c.order_id == order.order_id).values(not_after=control.not_after)
        )


def _decided(change: Change, report: Answer, control: Control, order: OpenOrder) -> None:
    """Close what was decided here. `not-open`: somebody at the hall was faster, and the hall's own report said how before;

    or the hall has lost the question with its journal: then nothing was done.
    """
    if control.approval_id is None:
        return
    if report.outcome in {ACCEPTED, DECLINED}:
        close_approval(change, control.approval_id, report.outcome)
    elif report.outcome == "not-open":
        _close_unanswered(change, control.approval_id)


def _close_unanswered(change: Change, approval_id: str) -> None:
    columns = t.approvals.c
    change.connection.execute(
        update(t.approvals)
        .where(columns.approval_id == approval_id, columns.state.in_([OPEN, SENT]))
        .values(state=DECLINED, closed_at=change.now)
    )


def _replay_answered(change: Change, report: Answer) -> None:
    """Whoever answers `replayed` has sent the reports before it; `forgotten` is noted already when it was parked."""
    if report.outcome == "forgotten":
        note_forgotten(change, str(report.control_id))


def _told(report: Answer, control: Control) -> Update:
    void = f", void: {' '.join(report.blanks)}" if report.outcome == "stopped" and report.blanks else ""
    wanted = f", to recover: {' '.join(report.blanks)}" if report.outcome == "recover" and report.blanks else ""
    because = f"{control.kind}: {report.outcome}{void}{wanted}"[:200]
    return Update(because=because, side=Side.HALL, at=report.at, actor=None)


def _move(change: Change, control: Control, told: Update, report: Answer) -> None:
    try:
        change.move(control.job_id, told)
    except IllegalMove as e:
        detail = f"{e.before} to {e.after}"
        change.alarm(
            Alarm(
                "illegal-move",
                report.hall,
                report.registry,
                job_id=control.job_id,
                order_id=control.order_id,
                detail=detail,
            )
        )
        change.move(control.job_id, Update(because=f"not believed: {detail}", side=Side.HALL, at=report.at))


TAKES: Mapping[str, Callable[[Change, Answer, Control, OpenOrder], None]] = {
    "cancel": _ending,
    "withdraw": _ending,
    "hold": _pausing,
    "resume": _pausing,
    "lease": _leased,
    "approve": _decided,
}
