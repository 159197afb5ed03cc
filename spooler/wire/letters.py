"""What goes into a link and comes out of it, and what a link promises, whatever carries it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from spooler.wire.errors import WireError


@dataclass(frozen=True)
class Letter:
    """One message to be sent. `id` stays the same however often it is sent."""

    id: str
    exchange: str
    routing_key: str
    type: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """One message that came. It comes again until it is acked or rejected."""

    id: str
    type: str
    body: bytes = field(repr=False)
    headers: Mapping[str, Any]
    queue: str
    routing_key: str
    redelivered: bool
    # Which connection gave it, and under which number: an ack on another connection would hit another message.
    receipt: tuple[object, int] = field(repr=False, compare=False)


class Link(Protocol):
    """A connection to the broker, used by one thread; only `wake` may be called by others."""

    @property
    def is_open(self) -> bool: ...

    def open(self) -> None:
        """Connect and consume, or raise BrokerUnreachable."""

    def publish(self, letter: Letter) -> None:
        """Return once the broker has it in a queue; else raise Unroutable, NotConfirmed or BrokerUnreachable."""

    def receive(self, timeout_seconds: float) -> Delivery | None:
        """Return the next message; None when none came in time or somebody called `wake`."""

    def ack(self, delivery: Delivery) -> None:
        """It is durable here; of a delivery from an earlier connection nothing is said, it comes again."""

    def reject(self, delivery: Delivery) -> None:
        """Put it to the dead letters."""

    def wake(self) -> None:
        """Let `receive` return now, or at once the next time."""

    def close(self) -> None:
        """Give back what is not acked; closing twice is no fault."""


class Outbox(Protocol):
    """What is durably waiting to be sent."""

    def pending(self, limit: int) -> Sequence[Letter]:
        """Return the next letters that are due, in order."""

    def sent(self, letter_id: str) -> None:
        """Note that the broker has it."""

    def failed(self, letter_id: str, error: WireError) -> None:
        """Note why it was not taken, and make it due later."""


class Inbox(Protocol):
    """What makes a message durable here."""

    def handle(self, delivery: Delivery) -> None:
        """Return when it is durable; raise NotTrusted for what must be put to the dead letters."""
