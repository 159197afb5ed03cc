"""The frame of every read and every change: opens the transaction, and after it tells those who listen."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from spooler.daemon.crash import crash_point
from spooler.store.change import Change
from spooler.store.database import Database
from spooler.store.values import Alarm, Endpoint, Moved, Topic

Clock = Callable[[], datetime]


class Transactions:
    """Reads and changes, and the listeners that a commit wakes."""

    def __init__(
        self, database: Database, clock: Clock, endpoints: Sequence[Endpoint] = (), *, tells_others: bool = True
    ) -> None:
        self._database = database
        self._clock = clock
        self._endpoints = tuple(endpoints)
        self._tells = tells_others
        self._on_topic: dict[Topic, list[Callable[[], None]]] = {topic: [] for topic in Topic}
        self._on_move: list[Callable[[Moved], None]] = []
        self._on_alarm: list[Callable[[Alarm], None]] = []

    def listen(self, topic: Topic, listener: Callable[[], None]) -> None:
        """Call `listener` after every commit that stirred `topic`. It must only wake someone."""
        self._on_topic[topic].append(listener)

    def watch_moves(self, watcher: Callable[[Moved], None]) -> None:
        self._on_move.append(watcher)

    def watch_alarms(self, watcher: Callable[[Alarm], None]) -> None:
        self._on_alarm.append(watcher)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._database.reading() as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """One transaction; when it is on disk, those whom it concerns are woken."""
        with self._database.writing() as connection:
            change = Change(connection, self._clock(), self._endpoints, tells=self._tells)
            yield change
            crash_point("home.before-any-commit")
        crash_point("home.after-any-commit")
        self._wake(change)

    def _wake(self, change: Change) -> None:
        for topic in change.stirred:
            for listener in self._on_topic[topic]:
                listener()
        for moved in change.moved:
            for watcher in self._on_move:
                watcher(moved)
        for alarm in change.alarms:
            for notice in self._on_alarm:
                notice(alarm)
