"""Where deciding code of the home asks the database by name: for the time of a run these names lead into memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from uuid import UUID

import structlog

from spooler import collect, hall_word
from spooler.store.orders import Control
from tests.simulation.home import MemoryChange, MemoryReports, OrderRow, follower
from tests.simulation.memory import changed


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


def set_order_state(change: MemoryChange, order_id: str, state: str) -> None:
    change.set_order(order_id, state)


def nothing(*_: Any) -> None:
    """What is noted here is not looked at."""


NAMES: tuple[tuple[ModuleType, dict[str, Any]], ...] = (
    (
        hall_word,
        {
            "_known_order": known_order,
            "_note_order": note_order,
            "_with_its_job": with_its_job,
            "answer_control": answer_control,
            "set_order_state": set_order_state,
            "close_approvals_of": nothing,
            "close_approval": nothing,
            "note_approval": nothing,
            "note_stock": nothing,
            "note_heartbeat": nothing,
        },
    ),
    (collect, {"reports": MemoryReports, "note_report": nothing, "_follower": follower}),
)


@contextmanager
def in_memory() -> Iterator[None]:
    """Lead the names into memory, and keep the log silent."""
    before = [
        (module, {name: getattr(module, name) for name in names if hasattr(module, name)}) for module, names in NAMES
    ]
    says: Any = hall_word.SAYS
    really_issued, config = says["issued"], structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    says["issued"] = issued
    for module, names in NAMES:
        _set(module, names)
    try:
        yield
    finally:
        says["issued"] = really_issued
        structlog.configure(**config)
        for module, names in before:
            _set(module, names)


def _set(module: ModuleType, names: dict[str, Any]) -> None:
    for name, value in names.items():
        if hasattr(module, name):
            setattr(module, name, value)
