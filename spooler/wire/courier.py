"""The thread that owns the link: it sends what is pending, hands in what came, and connects again when the broker was away."""

import random
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import structlog

from spooler.wire.errors import BrokerNotGenuine, BrokerUnreachable, NotConfirmed, NotNow, NotTrusted
from spooler.wire.letters import Delivery, Inbox, Letter, Link, Outbox

_log = structlog.get_logger()


@dataclass(frozen=True)
class Pace:
    """How often, how much at once, how long to rest."""

    tick_seconds: float = 1.0
    batch: int = 20
    first_rest_seconds: float = 0.2
    longest_rest_seconds: float = 5.0
    longest_inbox_rest_seconds: float = 30.0
    quick_seconds: float = 0.3  # between tries while a queue may be choosing its leader,
    election_seconds: float = 8.0  # which it is believed to do for so long

    def most_taken(self, sent: int) -> int:
        """Return how many messages are taken after so many were sent.

        Most of what is taken makes us say something, too. While more waits to be said than a batch, little is taken: else a busy machine
        falls behind for good, and its outbox grows to its limit. What is not taken waits at the broker.
        """
        return self.batch if sent < self.batch else max(1, self.batch // 4)

    def rest(self, failures: int, longest_seconds: float, chance: Callable[[], float]) -> float:
        """Return the pause after so many failures in a row: doubling, and never the same for two couriers."""
        full = min(longest_seconds, self.first_rest_seconds * 2.0 ** min(failures - 1, 30))
        return full * (0.5 + chance() / 2)


class InboxFailed(Exception):
    """The inbox could not make a message durable; it comes again."""


class Courier:
    """Sends and receives in a thread of its own, from `start` until `stop`."""

    def __init__(
        self,
        link: Callable[[], Link],
        outbox: Outbox,
        inbox: Inbox,
        *,
        name: str = "courier",
        pace: Pace | None = None,
        chance: Callable[[], float] = random.random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._link = link()
        self._outbox = outbox
        self._inbox = inbox
        self._name = name
        self._pace = pace or Pace()
        self._chance = chance
        self._monotonic = monotonic
        self._stopping = Event()
        self._is_serving = False
        self._broker_failures = 0
        self._is_alarmed = False  # that somebody answers in the broker's place
        self._own_failures = 0
        self._aside_seconds = 0.0
        self._not_taken: dict[tuple[str, str], float] = {}  # exchange and key: since when nothing was taken there
        self._is_in_haste = False
        self._thread = Thread(target=self._run, name=name, daemon=True)

    @property
    def is_connected(self) -> bool:
        return self._is_serving and self._link.is_open

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Say that something is pending. Any thread may."""
        self._link.wake()

    def step_aside(self, seconds: float) -> None:
        """Let go of the link for a while, so that whoever waits behind this consumer is served. Any thread may say so."""
        self._aside_seconds = seconds
        self._link.wake()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        self._stopping.set()
        self._link.wake()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._aside_seconds:
                seconds, self._aside_seconds = self._aside_seconds, 0.0
                self._stopping.wait(seconds)
            try:
                self._connect_and_serve()
            except NotNow as e:
                self._rest_after_broker(e)
            # Nobody above this thread could do better than try again; what was not acked comes again.
            except Exception as e:
                self._rest_after_ourselves(e)

    def _connect_and_serve(self) -> None:
        with closing(self._link):
            self._link.open()
            _log.info("link open", courier=self._name)
            self._is_alarmed = False
            self._is_serving = True
            try:
                self._serve()
            finally:
                self._is_serving = False

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if self._aside_seconds:
                return
            sent = self._send_pending()
            self._broker_failures = 0
            self._receive(0 if sent == self._pace.batch else self._wait_seconds(), sent)

    def _wait_seconds(self) -> float:
        return self._pace.quick_seconds if self._is_in_haste else self._pace.tick_seconds

    def _send_pending(self) -> int:
        """Return how many were sent. Behind one that was not taken the later ones of its way wait, for they would overtake it."""
        self._is_in_haste = False
        sent, closed = 0, set()
        for letter in self._outbox.pending(self._pace.batch):
            way = letter.exchange, letter.routing_key
            if way in closed:
                continue
            if self._send(letter):
                sent += 1
            else:
                closed.add(way)
        return sent

    def _send(self, letter: Letter) -> bool:
        try:
            self._link.publish(letter)
        except BrokerUnreachable:
            raise
        except NotNow as e:
            self._put_off(letter, e)
            self._check_open()
            return False
        self._outbox.sent(letter.id)
        self._not_taken.pop((letter.exchange, letter.routing_key), None)
        return True

    def _put_off(self, letter: Letter, error: NotNow) -> None:
        """Let the outbox decide when to try again; but a queue whose leader has fallen has another within a second or two."""
        now, way = self._monotonic(), (letter.exchange, letter.routing_key)
        if way not in self._not_taken:
            _log.info("not taken", courier=self._name, letter=letter.id, code=error.code, error=str(error))
        since = self._not_taken.setdefault(way, now)
        if isinstance(error, NotConfirmed) and now - since < self._pace.election_seconds:
            self._is_in_haste = True
            return
        _log.warning("letter not taken", courier=self._name, letter=letter.id, code=error.code, error=str(error))
        self._outbox.failed(letter.id, error)

    def _check_open(self) -> None:
        if not self._link.is_open:
            raise BrokerUnreachable("the channel was closed with a refusal")

    def _receive(self, wait_seconds: float, sent: int) -> None:
        """Hand in what came, but no more than after so many sent: what we have to say is not to wait for ever."""
        for _ in range(self._pace.most_taken(sent)):
            delivery = self._link.receive(wait_seconds)
            if delivery is None or self._stopping.is_set():
                return
            self._hand_in(delivery)
            wait_seconds = 0

    def _hand_in(self, delivery: Delivery) -> None:
        try:
            self._inbox.handle(delivery)
        except NotTrusted as e:
            fields: dict[str, Any] = {"letter": delivery.id, "queue": delivery.queue, "code": e.code}
            _log.error("message not trusted", courier=self._name, error=str(e), **fields)
            self._link.reject(delivery)
            return
        self._link.ack(delivery)
        self._own_failures = 0

    def _rest_after_broker(self, error: NotNow) -> None:
        self._broker_failures += 1
        seconds = self._pace.rest(self._broker_failures, self._pace.longest_rest_seconds, self._chance)
        _log.warning("link down", courier=self._name, code=error.code, error=str(error), again_in_seconds=seconds)
        self._alarm_impostor(error)
        self._stopping.wait(seconds)

    def _alarm_impostor(self, error: NotNow) -> None:
        """Say once that somebody answers in the broker's place, until it is reached again."""
        if isinstance(error, BrokerNotGenuine) and not self._is_alarmed:
            self._is_alarmed = True
            _log.error(
                "what answers is not the broker", courier=self._name, code=error.code, error=str(error), alarm=True
            )

    def _rest_after_ourselves(self, error: Exception) -> None:
        self._own_failures += 1
        seconds = self._pace.rest(self._own_failures, self._pace.longest_inbox_rest_seconds, self._chance)
        _log.error("inbox or outbox failed", courier=self._name, exc_info=error, again_in_seconds=seconds)
        self._stopping.wait(seconds)
