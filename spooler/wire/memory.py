"""A broker and its links in memory: a second real implementation, for tests and trials without RabbitMQ.

It routes, keeps, redelivers, refuses and dead-letters as `topology` describes, and misbehaves on request: it goes away, loses a
confirm, takes nothing, delivers twice.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Condition
from time import monotonic
from typing import Any

from spooler.wire.errors import BrokerUnreachable, NotConfirmed, Unroutable
from spooler.wire.letters import Delivery, Letter
from spooler.wire.topology import Topology


@dataclass(frozen=True)
class _Held:
    """A letter in a queue, and how often it was given out in vain."""

    letter: Letter
    tries: int = 0


@dataclass
class _Queue:
    name: str
    has_single_consumer: bool
    settings: Mapping[str, Any]
    ready: deque[_Held] = field(default_factory=deque)
    consumers: list["MemoryLink"] = field(default_factory=list)

    @property
    def refuses(self) -> bool:
        limit = self.settings.get("max-length")
        return limit is not None and len(self.ready) >= limit and self.settings.get("overflow") == "reject-publish"

    def serves(self, link: "MemoryLink") -> bool:
        return link in self.consumers[:1] if self.has_single_consumer else link in self.consumers


class MemoryBroker:
    """What all links of one test share. Every method may be called by any thread."""

    def __init__(self, topology: Topology) -> None:
        self.changed = Condition()
        self._exchanges = set(topology.exchanges)
        self._bindings = [(b.exchange, _key_pattern(b.key), b.queue) for b in topology.bindings]
        self._queues = {
            q.name: _Queue(q.name, q.has_single_consumer, topology.settings_of(q.name)) for q in topology.queues
        }
        self._links: set[MemoryLink] = set()
        self._is_up = True
        self._faults = {"lost confirm": 0, "refusal": 0, "duplicate": 0}

    # misbehaving on request

    def stop(self) -> None:
        """Go away: connections are lost, letters are kept."""
        with self.changed:
            self._is_up = False
        self.cut()

    def start(self) -> None:
        with self.changed:
            self._is_up = True

    def cut(self) -> None:
        """Lose all connections."""
        with self.changed:
            for link in list(self._links):
                self.leave(link)

    def lose_confirms(self, count: int = 1) -> None:
        """Take the next letters, but let the connection break before the confirm."""
        self._faults["lost confirm"] = count

    def refuse(self, count: int = 1) -> None:
        """Do not take the next letters."""
        self._faults["refusal"] = count

    def duplicate(self, count: int = 1) -> None:
        """Put the next letters into their queues twice."""
        self._faults["duplicate"] = count

    def delete_queue(self, name: str) -> None:
        """Delete a queue as an operator by mistake: its consumers are cancelled."""
        with self.changed:
            consumers = self._queues.pop(name).consumers
            for link in list(consumers):
                self.leave(link)

    def letters(self, queue: str) -> list[Letter]:
        """Return what is ready in a queue."""
        with self.changed:
            return [held.letter for held in self._queues[queue].ready]

    # what links ask for; `changed` is held

    def join(self, link: "MemoryLink", queues: Sequence[str]) -> None:
        if not self._is_up:
            raise BrokerUnreachable("the broker in memory is stopped")
        missing = [name for name in queues if name not in self._queues]
        if missing:
            raise Unroutable(f"no queue {missing[0]}")
        self._links.add(link)
        for name in queues:
            self._queues[name].consumers.append(link)

    def leave(self, link: "MemoryLink") -> None:
        """Forget a link; what it had not acked goes back to the head of its queue, in order."""
        self._links.discard(link)
        for queue in self._queues.values():
            if link in queue.consumers:
                queue.consumers.remove(link)
        for name, held in reversed(link.surrender()):
            self._give_back(name, held)
        self.changed.notify_all()

    def take(self, letter: Letter) -> None:
        """Put a letter into its queues, or raise what a link raises."""
        if letter.exchange not in self._exchanges:
            raise Unroutable(f"no exchange {letter.exchange}")
        queues = self._route(letter.exchange, letter.routing_key)
        if not queues:
            raise Unroutable(f"no queue takes {letter.routing_key} on {letter.exchange}")
        if self._happens("refusal") or any(queue.refuses for queue in queues):
            raise NotConfirmed("a queue is full")
        copies = 2 if self._happens("duplicate") else 1
        for queue in queues:
            queue.ready.extend([_Held(letter)] * copies)
        self.changed.notify_all()
        if self._happens("lost confirm"):
            raise BrokerUnreachable("the connection broke before the confirm")

    def next_for(self, link: "MemoryLink", queues: Sequence[str]) -> tuple[str, _Held] | None:
        for name in queues:
            queue = self._queues.get(name)
            if queue is not None and queue.serves(link) and queue.ready:
                return name, queue.ready.popleft()
        return None

    def bury(self, queue: str, held: _Held, reason: str) -> None:
        """Dead-letter, as RabbitMQ words it in the headers."""
        exchange = self._queues[queue].settings.get("dead-letter-exchange")
        headers = {**held.letter.headers, "x-first-death-queue": queue, "x-first-death-reason": reason}
        for grave in self._route(exchange, held.letter.routing_key):
            grave.ready.append(_Held(replace(held.letter, headers=headers)))
        self.changed.notify_all()

    def _give_back(self, name: str, held: _Held) -> None:
        queue = self._queues.get(name)
        if queue is None:
            return
        limit = queue.settings.get("delivery-limit")
        if limit is not None and held.tries >= limit:
            self.bury(name, held, "delivery_limit")
        else:
            queue.ready.appendleft(replace(held, tries=held.tries + 1))

    def _route(self, exchange: str | None, key: str) -> list[_Queue]:
        names = {queue for source, pattern, queue in self._bindings if source == exchange and pattern.fullmatch(key)}
        return [self._queues[name] for name in sorted(names) if name in self._queues]

    def _happens(self, fault: str) -> bool:
        if not self._faults[fault]:
            return False
        self._faults[fault] -= 1
        return True


class MemoryLink:
    """A Link to a MemoryBroker, consuming `queues`."""

    def __init__(self, broker: MemoryBroker, queues: Sequence[str] = (), *, name: str = "", prefetch: int = 16) -> None:
        self._broker = broker
        self._queues = tuple(queues)
        self._prefetch = prefetch
        self._connection: object | None = None
        self._unacked: dict[int, tuple[str, _Held]] = {}
        self._last_tag = 0
        self._is_woken = False

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    def open(self) -> None:
        self.close()
        with self._broker.changed:
            self._broker.join(self, self._queues)
            self._connection = object()

    def publish(self, letter: Letter) -> None:
        with self._broker.changed:
            self._check_open()
            try:
                self._broker.take(letter)
            except BrokerUnreachable:
                self._broker.leave(self)
                raise

    def receive(self, timeout_seconds: float) -> Delivery | None:
        until = monotonic() + timeout_seconds
        with self._broker.changed:
            while True:
                self._check_open()
                delivery = self._next()
                left = until - monotonic()
                if delivery is not None or self._is_woken or left <= 0:
                    self._is_woken = False
                    return delivery
                self._broker.changed.wait(left)

    def ack(self, delivery: Delivery) -> None:
        self._settle(delivery)

    def reject(self, delivery: Delivery) -> None:
        settled = self._settle(delivery)
        if settled is not None:
            with self._broker.changed:
                self._broker.bury(*settled, reason="rejected")

    def wake(self) -> None:
        with self._broker.changed:
            self._is_woken = self.is_open
            self._broker.changed.notify_all()

    def close(self) -> None:
        with self._broker.changed:
            self._broker.leave(self)

    def surrender(self) -> list[tuple[str, _Held]]:
        """Close, and return what was not acked. The broker asks this."""
        unacked = list(self._unacked.values())
        self._connection, self._is_woken = None, False
        self._unacked.clear()
        return unacked

    def _next(self) -> Delivery | None:
        if len(self._unacked) >= self._prefetch:
            return None
        found = self._broker.next_for(self, self._queues)
        if found is None:
            return None
        self._last_tag += 1
        self._unacked[self._last_tag] = found
        return self._delivery(*found)

    def _delivery(self, queue: str, held: _Held) -> Delivery:
        count = {"x-delivery-count": held.tries} if held.tries else {}
        return Delivery(
            id=held.letter.id,
            type=held.letter.type,
            body=held.letter.body,
            headers={**held.letter.headers, **count},
            queue=queue,
            routing_key=held.letter.routing_key,
            redelivered=held.tries > 0,
            receipt=(self._connection, self._last_tag),
        )

    def _settle(self, delivery: Delivery) -> tuple[str, _Held] | None:
        connection, tag = delivery.receipt
        with self._broker.changed:
            if connection is not self._connection:
                return None
            self._check_open()
            return self._unacked.pop(tag)

    def _check_open(self) -> None:
        if not self.is_open:
            raise BrokerUnreachable("the link is not open")


def _key_pattern(key: str) -> re.Pattern[str]:
    """Return the pattern of a binding key: * is one word, # any number."""
    words = {"*": "[^.]+", "#": ".*"}
    return re.compile(r"\.".join(words.get(word, re.escape(word)) for word in key.split(".")))
