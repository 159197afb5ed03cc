"""The hall's ledger in memory: the same methods as `agents.ledger`, row for row, so that the real hall runs over it."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from agents.ledger import Attempt, Binding, Order, PassRow, TryRow
from agents.ledger.rows import CLOSED
from agents.order import BEFORE_THE_FIRST, OrderState, PassState
from spooler.wire.messages import Actor, Pass
from tests.simulation.calibrated import MemoryCalibrationPrints, MemoryCalibrations
from tests.simulation.desk import MemoryApprovals, MemoryControls, MemoryOutbox, MemoryQuarantine
from tests.simulation.memory import Memory, changed
from tests.simulation.stock import MemoryBlanks
from tests.simulation.world import Remedies

_ACTIVE = (OrderState.WAITING, OrderState.PRINTING, OrderState.PRINTED)
_UNDER_WAY = frozenset(PassState) - CLOSED - {PassState.READY}
_OPEN_TRY = frozenset({PassState.INTENT, PassState.CREATED, PassState.SPOOLED, PassState.RELEASING})

Watcher = Callable[[Order, PassRow, PassRow], None]


def _as_uuid(value: Any) -> UUID | None:
    return None if value is None else value if isinstance(value, UUID) else UUID(value)


def _as_time(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


_ORDER_COLUMNS: dict[str, Callable[[Any], Any]] = {
    "state": OrderState,
    "reasons": lambda text: tuple(text.split()),
    "held": lambda value: bool(int(value)),
    "cancelling": _as_uuid,
    "not_after": _as_time,
}
_PASS_COLUMNS: dict[str, Callable[[Any], Any]] = {"state": PassState, "try_id": _as_uuid}
_TRY_COLUMNS: dict[str, Callable[[Any], Any]] = {"state": str, "ended_at": _as_time}


def _converted(columns: dict[str, Any], how: dict[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {name: how[name](value) if name in how else value for name, value in columns.items()}


class MemoryOrders:
    def __init__(self, memory: Memory, remedies: Remedies) -> None:
        self._memory = memory
        self.remedies = remedies
        self._orders: dict[UUID, Order] = {}
        self._attempts: dict[tuple[UUID, int], Attempt] = {}
        self._passes: dict[tuple[UUID, int], tuple[PassRow, ...]] = {}
        self._events: dict[int, tuple[UUID, OrderState, PassState | str | None, Actor]] = {}
        self.approvals: MemoryApprovals
        self.on_order: Callable[[Order, Order], None] = lambda before, after: None
        self.on_pass: Watcher = lambda order, before, after: None

    def add(self, order: Order, passes: Sequence[Pass]) -> None:
        if order.order_id in self._orders:
            raise KeyError("UNIQUE constraint failed: orders.order_id")
        self._memory.put(self._orders, order.order_id, order)
        # Which pass is the check sheet's, a row says by its attempt.
        sheet = [shape.model_copy(update={"check": None}) for shape in passes if shape.check is not None]
        self.add_passes(order.order_id, BEFORE_THE_FIRST, sheet)
        self.add_passes(order.order_id, order.attempt, [shape for shape in passes if shape.check is None])

    def get(self, order_id: UUID) -> Order | None:
        return self._orders.get(order_id)

    def every(self) -> list[Order]:
        return list(self._orders.values())

    def forget(self, order_id: UUID) -> None:
        """Only where an inbox without a memory is played."""
        with self._memory.transaction():
            self._memory.drop(self._orders, order_id)

    def set(self, order_id: UUID, **columns: Any) -> None:
        before = self._orders[order_id]
        after = changed(before, _converted(columns, _ORDER_COLUMNS))
        self.on_order(before, after)
        self._memory.put(self._orders, order_id, after)

    def active(self) -> Sequence[Order]:
        return self._sorted(o for o in self._orders.values() if o.state in _ACTIVE)

    def waiting(self, limit: int) -> Sequence[Order]:
        found = (
            o for o in self._orders.values() if o.state is OrderState.WAITING and not o.held and o.cancelling is None
        )
        return self._sorted(found)[:limit]

    def late(self, now: datetime) -> Sequence[Order]:
        open_states = (OrderState.WAITING, OrderState.PRINTING)
        return [o for o in self._orders.values() if o.state in open_states and o.not_after < now]

    def find(self, *, state: str | None, q: str | None, word: bytes | None, limit: int) -> Sequence[Order]:
        return self._sorted(o for o in self._orders.values() if state in (None, o.state))[:limit]

    def add_words(self, order_id: UUID, words: Iterable[bytes]) -> None:
        """Nobody searches here."""

    def counts(self) -> dict[tuple[str, str, str], int]:
        found: dict[tuple[str, str, str], int] = {}
        for o in self._orders.values():
            found[o.registry, o.kind, o.state] = found.get((o.registry, o.kind, o.state), 0) + 1
        return found

    @staticmethod
    def _sorted(orders: Iterable[Order]) -> list[Order]:
        return sorted(orders, key=lambda o: (o.deadline, o.received_at))

    # attempts

    def add_attempt(self, attempt: Attempt) -> None:
        self._memory.put(self._attempts, (attempt.order_id, attempt.attempt), attempt)

    def attempt(self, order_id: UUID, attempt: int) -> Attempt | None:
        return self._attempts.get((order_id, attempt))

    def drop_attempt(self, order_id: UUID, attempt: int) -> None:
        self._memory.drop(self._attempts, (order_id, attempt))

    def propose(self, order_id: UUID, attempt: int, serial: str | None) -> None:
        row = self._attempts[order_id, attempt]
        self._memory.put(self._attempts, (order_id, attempt), changed(row, {"proposed": serial}))

    # passes

    def add_passes(self, order_id: UUID, attempt: int, shapes: Iterable[Pass]) -> None:
        rows = tuple(
            PassRow(order_id, attempt, shape, PassState.DONE if shape.is_empty else PassState.READY, None, None, None)
            for shape in shapes
        )
        self._memory.put(self._passes, (order_id, attempt), rows)

    def passes(self, order_id: UUID, attempt: int) -> tuple[PassRow, ...]:
        return self._passes.get((order_id, attempt), ())

    def all_passes(self, order_id: UUID) -> tuple[PassRow, ...]:
        return tuple(row for (of, _), rows in self._passes.items() if of == order_id for row in rows)

    def set_pass(self, row: PassRow, **columns: Any) -> None:
        key = (row.order_id, row.attempt)
        rows = self._passes[key]
        before = next(r for r in rows if r.shape.number == row.shape.number)
        after = changed(before, _converted(columns, _PASS_COLUMNS))
        self.on_pass(self._orders[row.order_id], before, after)
        self._memory.put(self._passes, key, tuple(after if r is before else r for r in rows))

    def queued(self, printer: str) -> Sequence[PassRow]:
        found = [
            row
            for row in self._current(printer)
            if row.released is not None and row.state is PassState.READY and self._goes(row)
        ]
        return sorted(found, key=lambda row: row.released or 0) if len(found) > 1 else found

    def _goes(self, row: PassRow) -> bool:
        order = self._orders[row.order_id]
        goes_in = OrderState.WAITING if row.attempt == BEFORE_THE_FIRST else OrderState.PRINTING
        stands = order.state is goes_in and not order.held and order.cancelling is None
        return stands and self.approvals.open_for(order.order_id) is None

    def _current(self, printer: str) -> Iterable[PassRow]:
        for order in self._orders.values():
            if order.state in _ACTIVE:
                sheet = self._passes[order.order_id, BEFORE_THE_FIRST]
                for row in (*sheet, *self._passes[order.order_id, order.attempt]):
                    if row.printer == printer:
                        yield row

    def under_way(self, printer: str) -> Sequence[PassRow]:
        return [
            row for rows in self._passes.values() for row in rows if row.state in _UNDER_WAY and row.printer == printer
        ]

    def served(self, printer: str) -> Sequence[PassRow]:
        found: list[PassRow] = []
        for order in self._orders.values():
            if order.state is not OrderState.PRINTING:
                continue
            attempt = self._attempts.get((order.order_id, order.attempt))
            if attempt is not None and attempt.printer == printer:
                rows = self._passes[order.order_id, order.attempt]
                found += [r for r in rows if r.shape.stock is attempt.stock and r.state not in CLOSED]
        return found

    def unknown(self) -> Sequence[PassRow]:
        return [row for rows in self._passes.values() for row in rows if row.state is PassState.UNKNOWN]

    # history

    def note(self, order_id: UUID, **event: Any) -> int:
        sequence = self._memory.number("events")
        self._memory.put(self._events, sequence, (order_id, event["state"], event.get("detail"), event["actor"]))
        return sequence

    def events(self, order_id: UUID) -> list[dict[str, Any]]:
        return [
            {"sequence": sequence, "state": state, "detail": detail, "actor_id": actor.id, "actor_role": actor.role}
            for sequence, (of, state, detail, actor) in self._events.items()
            if of == order_id
        ]


class MemoryTries:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._tries: dict[UUID, TryRow] = {}
        self._of_pass: dict[tuple[UUID, int, int], tuple[UUID, ...]] = {}
        self._evidence: dict[UUID, Any] = {}

    def begin(self, try_id: UUID, of: PassRow, printer: str, at: datetime) -> None:
        if try_id in self._tries:
            raise KeyError("UNIQUE constraint failed: tries.try_id")
        row = TryRow(try_id, of.order_id, of.attempt, of.number, printer, PassState.INTENT, None, at, None)
        self._memory.put(self._tries, try_id, row)
        key = (of.order_id, of.attempt, of.number)
        self._memory.put(self._of_pass, key, (*self._of_pass.get(key, ()), try_id))

    def get(self, try_id: UUID) -> TryRow | None:
        return self._tries.get(try_id)

    def set(self, try_id: UUID, **columns: Any) -> None:
        row = self._tries[try_id]
        self._memory.put(self._tries, try_id, changed(row, _converted(columns, _TRY_COLUMNS)))

    def end(self, try_id: UUID, state: str, at: datetime, evidence: Any) -> None:
        self.set(try_id, state=state, ended_at=at)
        self._memory.put(self._evidence, try_id, evidence)

    def open_at(self, printer: str) -> Sequence[TryRow]:
        return [row for row in self._tries.values() if row.printer == printer and row.ended_at is None]

    def of_pass(self, order_id: UUID, attempt: int, number: int) -> Sequence[TryRow]:
        return [self._tries[try_id] for try_id in self._of_pass.get((order_id, attempt, number), ())]

    def evidence(self, try_id: UUID) -> Any:
        return self._evidence.get(try_id)

    def outcomes(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for row in self._tries.values():
            if row.ended_at is not None:
                found[row.printer, row.state] = found.get((row.printer, row.state), 0) + 1
        return found


class MemoryLedger:
    """Outlives the agent. `memory` is its file."""

    def __init__(self, remedies: Remedies | None = None) -> None:
        remedies = remedies or Remedies()
        self.memory = Memory(forgets=0 if remedies.syncs_ledger else 4)
        self.orders = MemoryOrders(self.memory, remedies)
        self.tries = MemoryTries(self.memory)
        self.blanks = MemoryBlanks(self.memory)
        self.approvals = MemoryApprovals(self.memory)
        self.orders.approvals = self.approvals
        self.controls = MemoryControls(self.memory)
        self.outbox = MemoryOutbox(self.memory)
        self.quarantine = MemoryQuarantine(self.memory)
        self.calibrations = MemoryCalibrations()
        self.calibration_prints = MemoryCalibrationPrints()
        self.memory.from_these_nothing_follows(
            self.orders._events, self.tries._evidence, self.controls._controls, *self.outbox.tables
        )
        self.past: Any = None  # a journal in order, bound where it was, never looks there
        self._paused: dict[str, bool] = {}
        self.afterwards = self.memory.afterwards
        self.listen = self.memory.listen

    def transaction(self) -> AbstractContextManager[None]:
        return self.memory.transaction()

    def bind(self, *, hall: str, epoch: UUID, instance: UUID) -> Binding:
        return Binding(hall, epoch, instance, None)

    def is_paused(self, printer: str) -> bool:
        return self._paused.get(printer, False)

    def pause(self, printer: str, paused: bool) -> None:
        with self.transaction():
            self.memory.put(self._paused, printer, paused)
