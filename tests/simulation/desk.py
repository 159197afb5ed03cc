"""Approvals, controls, outbox and quarantine of the hall's ledger in memory."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.ledger import Approval, ControlRow
from spooler.wire.messages import START_OF_CHAIN, Actor
from tests.simulation.memory import Memory, changed


class MemoryApprovals:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._approvals: dict[UUID, Approval] = {}
        self._open: dict[UUID, UUID | None] = {}  # by order

    def add(self, approval: Approval) -> None:
        if self.open_for(approval.order_id) is not None:
            raise KeyError("UNIQUE constraint failed: one_open_approval")
        self._memory.put(self._approvals, approval.id, approval)
        self._memory.put(self._open, approval.order_id, approval.id)

    def get(self, approval_id: UUID) -> Approval | None:
        return self._approvals.get(approval_id)

    def open_for(self, order_id: UUID) -> Approval | None:
        found = self._open.get(order_id)
        return None if found is None else self._approvals[found]

    def all(self, *, answered: bool) -> Sequence[Approval]:
        return [a for a in self._approvals.values() if answered or a.accepted is None]

    def answer(self, approval_id: UUID, *, accepted: bool, by: Actor, at: datetime, reason: str) -> None:
        row = self._approvals[approval_id]
        answered = changed(row, {"accepted": accepted, "answered_by": by, "answered_at": at})
        self._memory.put(self._approvals, approval_id, answered)
        self._memory.put(self._open, row.order_id, None)


class MemoryControls:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._controls: dict[UUID, ControlRow] = {}

    def add(self, control: ControlRow, at: datetime) -> bool:
        if control.control_id in self._controls:
            return False
        self._memory.put(self._controls, control.control_id, control)
        return True

    def get(self, control_id: UUID) -> ControlRow | None:
        return self._controls.get(control_id)

    def about(self, order_id: UUID, registry: str) -> Sequence[ControlRow]:
        return [c for c in self._controls.values() if c.order_id == order_id and c.registry == registry]

    def answered(self, control_id: UUID, outcome: str, at: datetime) -> None:
        if control_id in self._controls:
            row = self._controls[control_id]
            self._memory.put(self._controls, control_id, changed(row, {"outcome": outcome}))


class MemoryOutbox:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._chains: dict[str, tuple[int, str]] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        self._unsent: dict[str, None] = {}
        self.tables: tuple[dict[Any, Any], ...] = (self._chains, self._rows, self._unsent)

    def end_of_chain(self, registry: str) -> tuple[int, str]:
        return self._chains.get(registry, (0, START_OF_CHAIN))

    def add(self, letter_id: UUID, *, registry: str, sequence: int, digest: str, at: datetime, **fields: Any) -> None:
        self._memory.put(self._chains, registry, (sequence, digest))
        row = {"id": str(letter_id), "registry": registry, "sequence": sequence, "at": at, "due_at": at}
        row |= {"sent_at": None, "failures": 0, "position": self._memory.number("outbox"), **fields}
        self._memory.put(self._rows, row["id"], row)
        self._memory.put(self._unsent, row["id"], None)

    def pending(self, limit: int, now: datetime) -> Sequence[Any]:
        rows = sorted((self._rows[letter_id] for letter_id in self._unsent), key=lambda row: row["position"])
        waiting = {row["registry"] for row in rows if row["due_at"] > now}
        return [row for row in rows if row["registry"] not in waiting][:limit]

    @property
    def last(self) -> int:
        """The number of the last report."""
        return max((sequence for sequence, _ in self._chains.values()), default=0)

    def has_pending(self, registry: str, kind: str) -> bool:
        rows = (self._rows[letter_id] for letter_id in self._unsent)
        return any(row["registry"] == registry and row["kind"] == kind for row in rows)

    def burn(self) -> None:
        """Nothing of it will ever be sent."""
        self._unsent.clear()

    def depth(self) -> int:
        return len(self._unsent)

    def sent(self, letter_id: str, at: datetime) -> None:
        with self._memory.transaction():
            self._memory.put(self._rows, letter_id, {**self._rows[letter_id], "sent_at": at})
            self._memory.drop(self._unsent, letter_id)

    def failed(self, letter_id: str, error: str, due_at: Callable[[int], datetime]) -> None:
        with self._memory.transaction():
            failures = self._rows[letter_id]["failures"] + 1
            row = {**self._rows[letter_id], "failures": failures, "due_at": due_at(failures)}
            self._memory.put(self._rows, letter_id, row)

    def again(self, registry: str, epoch: UUID, first: int, last: int, now: datetime) -> int:
        found = [r for r in self._rows.values() if (r["registry"], r["epoch"]) == (registry, epoch)]
        asked = [row for row in found if first <= row["sequence"] <= last]
        for row in asked:
            self._memory.put(self._rows, row["id"], {**row, "sent_at": None, "due_at": now})
            self._memory.put(self._unsent, row["id"], None)
        return len(asked)

    def forget_heartbeats(self, before: datetime) -> None:
        """There are none here."""


class MemoryQuarantine:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._rows: dict[tuple[UUID, str, str], bool] = {}

    def add(self, order_id: UUID, registry: str, code: str, identity: str, at: datetime, *, told: bool) -> bool:
        key = (order_id, code, identity)
        if key in self._rows:
            return False
        self._memory.put(self._rows, key, told)
        return True

    def is_refused(self, order_id: UUID) -> bool:
        return any(of == order_id and told for (of, _, _), told in self._rows.items())

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for _, code, _ in self._rows:
            found[code] = found.get(code, 0) + 1
        return found
