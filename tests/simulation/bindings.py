"""Where deciding code of the home asks the database by name: for the time of a run these names lead into memory."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

from spooler import another_order, answers, collect, hall_word
from spooler.store import change as store_change
from spooler.store.controls import PAUSING, Control
from tests.simulation.memory import changed
from tests.simulation.store import MemoryChange, MemoryGaps, MemoryReports, OrderRow


class Silence:
    """A log that nobody reads."""

    def debug(self, *_: Any, **__: Any) -> None: ...

    info = warning = error = exception = critical = debug


SILENCE = Silence()


def known_order(change: MemoryChange, report: Any) -> OrderRow | None:
    row = change.store.latest_order(str(report.job_id))
    if row is None or row.order_id != str(report.order_id):
        return None
    return row if (row.hall, row.registry) == (report.hall, report.registry) else None


def note_order(change: MemoryChange, report: Any) -> None:
    change.set_order(str(report.order_id), report.state)


def with_its_job(change: MemoryChange, report: Any) -> Any:
    row = change.store.orders.get(str(report.order_id))
    return report if row is None else report.model_copy(update={"job_id": UUID(row.job_id)})


def issued(change: MemoryChange, report: Any) -> None:
    if hall_word._tell_job(change, report, hall_word.Update(because="handed over")):
        change.put(change.store.handovers, str(report.job_id), report)


def answer_control(change: MemoryChange, control_id: str, outcome: str) -> Control | None:
    found = change.store.controls.get(control_id)
    if found is None or found.outcome is not None:
        return None
    change.put(change.store.controls, control_id, changed(found, {"outcome": outcome}))
    kept: Control = found.kept
    return kept


def is_answered(change: MemoryChange, control_id: str) -> bool:
    found = change.store.controls.get(control_id)
    return found is not None and found.outcome is not None


def is_overtaken(change: MemoryChange, control: Control) -> bool:
    return any(
        later.kept.order_id == control.order_id and later.kept.at > control.at and later.outcome in ("held", "resumed")
        for later in change.store.controls.values()
        if later.kept.kind in PAUSING
    )


def set_order_state(change: MemoryChange, order_id: str, state: str) -> None:
    change.set_order(order_id, state)


def was_asked(change: MemoryChange, order_id: str, kind: str) -> bool:
    return any((c.kept.order_id, c.kept.kind) == (order_id, kind) for c in change.store.controls.values())


def open_control(change: MemoryChange, job_id: str, kind: str) -> Control | None:
    found = (c for c in change.store.controls.values() if c.outcome is None)
    return next((c.kept for c in found if (c.kept.job_id, c.kept.kind) == (job_id, kind)), None)


def open_order(change: MemoryChange, job_id: str) -> OrderRow | None:
    return change.store.open_order(job_id)


def last_order(change: MemoryChange, job_id: str) -> OrderRow | None:
    return change.store.latest_order(job_id)


def leased(change: MemoryChange, report: Any, control: Control, order: OrderRow) -> None:
    """A later time of an order decides nothing at home."""


def unpark(change: MemoryChange, told: Any) -> tuple[Any, str]:
    MemoryReports.drop_parked(change, told.report)
    return told.report, sha256(told.payload).hexdigest()


def nothing(*_: Any) -> None:
    """What is noted here is not looked at."""


def no_reasons(*_: Any) -> frozenset[Any]:
    return frozenset()


def never(*_: Any) -> bool:
    return False


NOTES = {
    "answer_control": answer_control,
    "is_answered": is_answered,
    "note_pending": nothing,
    "is_overtaken": is_overtaken,
    "set_order_state": set_order_state,
    "close_approvals_of": nothing,
    "close_approval": nothing,
}
NAMES: tuple[tuple[ModuleType, dict[str, Any]], ...] = (
    (
        hall_word,
        {
            "_known_order": known_order,
            "_note_order": note_order,
            "_with_its_job": with_its_job,
            "settle_order": no_reasons,
            "note_approval": nothing,
            "note_stock": nothing,
            "recovered": nothing,
            "note_heartbeat": nothing,
            "close_approvals_of": nothing,
        },
    ),
    (
        answers,
        {
            **NOTES,
            "last_order": last_order,
            "was_asked": was_asked,
            "open_control": open_control,
            "settle_control": no_reasons,
            "note_to_recover": nothing,
            "note_forgotten": nothing,
        },
    ),
    (store_change, {"end_electronic": never}),
    (
        collect,
        {
            "reports": MemoryReports,
            "gaps": MemoryGaps,
            "standing": SimpleNamespace(suspect=nothing),
            "note_report": nothing,
            "_unpark": unpark,
        },
    ),
    (another_order, {"open_order": open_order, "last_order": last_order, "open_control": open_control}),
)
TABLES: tuple[tuple[Any, str, Any], ...] = ((hall_word.SAYS, "issued", issued), (answers.TAKES, "lease", leased))


@contextmanager
def in_memory() -> Iterator[None]:
    """Lead the names into memory, and keep the log silent."""
    before = [(module, {name: getattr(module, name) for name in names}) for module, names in NAMES]
    entries = [(table, key, table[key]) for table, key, _ in TABLES]
    logs = [(module, {"_log": vars(module)["_log"]}) for module in list(sys.modules.values()) if _logs(module)]
    _put([*NAMES, *((module, {"_log": SILENCE}) for module, _ in logs)], TABLES)
    try:
        yield
    finally:
        _put([*before, *logs], entries)


def _logs(module: ModuleType) -> bool:
    return module.__name__.startswith(("agents.", "spooler.")) and "_log" in vars(module)


def _put(names: Iterable[tuple[ModuleType, dict[str, Any]]], entries: Iterable[tuple[Any, str, Any]]) -> None:
    for module, values in names:
        for name, value in values.items():
            setattr(module, name, value)
    for table, key, value in entries:
        table[key] = value
