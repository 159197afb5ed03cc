"""Durable memory: tables whose writes are undone when a transaction fails or its process dies before the commit."""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

T = TypeVar("T")
_MISSING = object()
_WITHIN = nullcontext()  # a transaction in another is a part of it


class Memory:
    """What a database file is to a process: it outlives it, and holds all of a transaction or nothing."""

    def __init__(self, *, forgets: int = 0) -> None:
        self.depth = 0
        self.version = 0  # another after each write: what was worked out from the tables holds while it is the same
        self._minor: set[int] = set()
        self._unsynced: deque[list[tuple[dict[Any, Any], Any, Any]]] = deque(maxlen=forgets)
        self.before_commit: Callable[[], None] = lambda: None
        self.after_commit: Callable[[], None] = lambda: None
        self._undo: list[tuple[dict[Any, Any], Any, Any]] = []
        self._afterwards: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._numbers: dict[Any, Any] = {}
        self._outermost = _Transaction(self)

    def put(self, table: dict[Any, Any], key: Any, row: Any) -> None:
        if not self.depth:
            raise RuntimeError("written in transactions only")
        self._undo.append((table, key, table.get(key, _MISSING)))
        if id(table) not in self._minor:
            self.version += 1
        table[key] = row

    def from_these_nothing_follows(self, *tables: dict[Any, Any]) -> None:
        """What is written there is no new version."""
        self._minor |= {id(table) for table in (*tables, self._numbers)}

    def drop(self, table: dict[Any, Any], key: Any) -> None:
        if key in table:
            self._undo.append((table, key, table[key]))
            self.version += 1
            del table[key]

    def number(self, name: str) -> int:
        """Return the next number of a sequence."""
        value = int(self._numbers.get(name, 0)) + 1
        self.put(self._numbers, name, value)
        return value

    def transaction(self) -> AbstractContextManager[None]:
        return _WITHIN if self.depth else self._outermost

    def begin(self) -> None:
        self.depth = 1

    def commit(self) -> None:
        try:
            self.before_commit()
        except BaseException:
            self.roll_back()
            raise
        has_written, afterwards = bool(self._undo), self._afterwards
        self.depth, self._afterwards = 0, []
        self._unsynced.append(self._undo)
        self._undo = []
        self.after_commit()
        for call in [*afterwards, *self._listeners] if has_written else afterwards:
            call()

    def roll_back(self) -> None:
        self.depth, self._afterwards = 0, []
        self.version += 1
        _undo(self._undo)
        self._undo = []

    def power_cut(self) -> None:
        """What was said to be committed and was not yet on disk is gone."""
        self.version += 1
        while self._unsynced:
            _undo(self._unsynced.pop())

    def afterwards(self, call: Callable[[], None]) -> None:
        if call not in self._afterwards:
            self._afterwards.append(call)

    def listen(self, call: Callable[[], None]) -> None:
        self._listeners.append(call)

    def forget_process(self) -> None:
        """Whoever used it is gone: its listeners, too."""
        self._listeners.clear()
        self._afterwards = []


class _Transaction(AbstractContextManager[None]):
    """Ten thousands of them in a run: a generator would take three times as long."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def __enter__(self) -> None:
        self._memory.begin()

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self._memory.commit()
        else:
            self._memory.roll_back()


def _undo(writes: list[tuple[dict[Any, Any], Any, Any]]) -> None:
    for table, key, row in reversed(writes):
        if row is _MISSING:
            table.pop(key, None)
        else:
            table[key] = row


def changed(row: T, columns: dict[str, Any]) -> T:
    """Return a copy of a frozen row; `dataclasses.replace` takes ten times as long."""
    values = row.__dict__
    if not values.keys() >= columns.keys():
        raise KeyError(f"{type(row).__name__} has no {sorted(columns.keys() - values.keys())}")
    copy = object.__new__(type(row))
    copy.__dict__.update(values)
    copy.__dict__.update(columns)
    return copy
