"""A broker that drops before the confirm, loses the confirm, refuses, doubles, reorders and redelivers; what it confirmed it keeps."""

from collections.abc import Callable
from dataclasses import dataclass, field

from spooler.wire.errors import BrokerUnreachable, NotConfirmed, NotNow, Unroutable
from spooler.wire.letters import Delivery, Letter
from tests.simulation.world import Process, World


@dataclass
class Broker:
    """A queue for each hall, by its id, and the registry's at home."""

    world: World
    is_up: bool = True
    cut_off: set[str] = field(default_factory=set)  # halls whose line is dead
    closed: set[str] = field(default_factory=set)  # halls that burnt down: nobody will ever read what is sent there
    queues: dict[str, list[tuple[Letter, bool]]] = field(default_factory=lambda: {"home": []})
    listeners: dict[str, Callable[[], None]] = field(default_factory=dict)
    links: dict[str, "SimulatedLink | None"] = field(default_factory=dict)
    errors: tuple[type[Exception], ...] = (NotNow,)

    def take(self, letter: Letter) -> None:
        """Put the letter into its queue."""
        name = "home" if letter.exchange == "reports" else letter.routing_key.partition(".")[2]
        if name in self.closed:
            return
        queue = self.queues[name]
        self._put(queue, letter)
        if self.world.fault("message doubled", 0.02):
            self._put(queue, letter)
        self.listeners[name]()

    def is_quiet(self, name: str) -> bool:
        return not self.queues[name]

    def _put(self, queue: list[tuple[Letter, bool]], letter: Letter) -> None:
        place = len(queue)
        if queue and self.world.fault("message overtakes", 0.15):
            place = int(self.world.chance() * len(queue))
        queue.insert(place, (letter, False))

    def give_back(self, name: str, unacked: list[Letter]) -> None:
        self.queues[name][:0] = [(letter, True) for letter in unacked]
        self.listeners[name]()

    def lose(self, name: str) -> bool:
        """What the broker has confirmed and not given out is gone, with its disk."""
        had = bool(self.queues[name])
        self.queues[name].clear()
        return had

    def cut(self, name: str) -> None:
        """The connection breaks."""
        link = self.links.get(name)
        if link is not None:
            link.close()

    def stop(self) -> None:
        self.is_up = False
        for name in list(self.links):
            self.cut(name)

    def start(self) -> None:
        self.is_up = True
        for heard in list(self.listeners.values()):
            heard()


class SimulatedLink:
    """One side's connection; of one thread."""

    def __init__(self, world: World, broker: Broker, name: str, process: Process) -> None:
        self._world = world
        self._broker = broker
        self._name = name
        self._process = process
        self._unacked: dict[int, Letter] = {}
        self._tag = 0
        self.is_open = False

    def open(self) -> None:
        self._world.at(self._process)
        if not self._broker.is_up or self._name in self._broker.cut_off:
            raise BrokerUnreachable("the broker is down")
        self._broker.cut(self._name)
        self._broker.links[self._name] = self
        self.is_open = True

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self._broker.give_back(self._name, list(self._unacked.values()))
            self._unacked.clear()
            self._broker.links[self._name] = None

    def publish(self, letter: Letter) -> None:
        self._world.at(self._process)
        self._check()
        if self._world.fault("message dropped before the confirm", 0.01):
            self.close()
            raise BrokerUnreachable("cut before it was taken")
        if self._world.fault("message refused", 0.01):
            raise NotConfirmed("nack")
        if letter.exchange != "reports" and self._world.fault("queue missing", 0.005):
            raise Unroutable("no queue")
        self._broker.take(letter)
        if self._world.fault("confirm lost", 0.02):
            self.close()
            raise BrokerUnreachable("cut before the confirm")
        self._world.at(self._process)

    def receive(self, timeout_seconds: float) -> Delivery | None:
        self._check()
        queue = self._broker.queues[self._name]
        if not queue:
            return None
        letter, redelivered = queue.pop(0)
        self._tag += 1
        self._unacked[self._tag] = letter
        if not self._world.remedies.acks_after_commit:
            self._unacked.pop(self._tag)
        delivery = Delivery(
            id=letter.id,
            type=letter.type,
            body=letter.body,
            headers=letter.headers,
            queue=self._name,
            routing_key=letter.routing_key,
            redelivered=redelivered,
            receipt=(self, self._tag),
        )
        if self._world.fault("message comes again", 0.02):
            queue.append((letter, True))
        self._world.at(self._process)
        return delivery

    def ack(self, delivery: Delivery) -> None:
        self._world.at(self._process)
        self._unacked.pop(delivery.receipt[1], None)

    def reject(self, delivery: Delivery) -> None:
        self._unacked.pop(delivery.receipt[1], None)

    def wake(self) -> None:
        """The courier's actor is woken instead."""

    def _check(self) -> None:
        if not self.is_open:
            raise BrokerUnreachable("not open")
