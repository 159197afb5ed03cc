"""The link over RabbitMQ: confirmed, mandatory publishing and watched consuming. The only module that imports pika."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPError,
    ChannelClosedByBroker,
    ChannelError,
    ConnectionBlockedTimeout,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    ReentrancyError,
    UnroutableError,
)

from spooler.wire.errors import BrokerUnreachable, NotConfirmed, NotNow, Unroutable, WireError
from spooler.wire.letters import Delivery, Letter

_ACCESS_REFUSED, _NOT_FOUND, _PRECONDITION_FAILED = 403, 404, 406
_DURABLE = 2


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and who we are there."""

    host: str
    port: int
    virtual_host: str
    user: str
    password: str = field(repr=False)
    heartbeat_seconds: int = 10
    blocked_seconds: float = 10.0
    connect_seconds: float = 5.0

    def parameters(self, name: str) -> pika.ConnectionParameters:
        return pika.ConnectionParameters(
            host=self.host,
            port=self.port,
            virtual_host=self.virtual_host,
            credentials=pika.PlainCredentials(self.user, self.password),
            heartbeat=self.heartbeat_seconds,
            blocked_connection_timeout=self.blocked_seconds,
            socket_timeout=self.connect_seconds,
            stack_timeout=2 * self.connect_seconds,
            client_properties={"connection_name": name},
        )


@contextmanager
def as_wire_errors() -> Iterator[None]:
    """Turn whatever pika raises into errors of the wire."""
    try:
        yield
    except UnroutableError as e:
        raise Unroutable("no queue takes this letter: is the hall known to the broker (certspool broker check)?") from e
    except NackError as e:
        raise NotConfirmed("the broker did not take this letter: a limit is reached or a queue has no leader") from e
    except ChannelClosedByBroker as e:
        raise _refusal(e) from e
    except (ProbableAuthenticationError, ProbableAccessDeniedError) as e:
        raise BrokerUnreachable("RabbitMQ refuses this user, password or virtual host") from e
    except ConnectionBlockedTimeout as e:
        raise BrokerUnreachable("RabbitMQ takes nothing: it is short of memory or disk") from e
    except (AMQPError, ChannelError, ReentrancyError, OSError) as e:
        raise BrokerUnreachable(f"RabbitMQ does not answer ({type(e).__name__})") from e


def _refusal(closed: ChannelClosedByBroker) -> NotNow:
    if closed.reply_code in (_ACCESS_REFUSED, _NOT_FOUND):
        return Unroutable(f"RabbitMQ refuses: {closed.reply_text}")
    if closed.reply_code == _PRECONDITION_FAILED:
        return NotConfirmed(f"RabbitMQ refuses: {closed.reply_text}")
    return BrokerUnreachable(f"RabbitMQ closed the channel: {closed.reply_text}")


class PikaLink:
    """A Link to RabbitMQ, consuming `queues`."""

    def __init__(
        self, address: BrokerAddress, queues: Sequence[str] = (), *, name: str = "", prefetch: int = 16
    ) -> None:
        self._address = address
        self._queues = tuple(queues)
        self._name = name
        self._prefetch = prefetch
        self._arrived: deque[Delivery] = deque()
        self._connection: pika.BlockingConnection | None = None
        self._channel: BlockingChannel | None = None
        self._is_cancelled = False

    @property
    def is_open(self) -> bool:
        return self._channel is not None and bool(self._channel.is_open) and not self._is_cancelled

    def open(self) -> None:
        self.close()
        with as_wire_errors():
            self._connection = pika.BlockingConnection(self._address.parameters(self._name))
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
            self._consume(self._channel)

    def _consume(self, channel: BlockingChannel) -> None:
        channel.basic_qos(prefetch_count=self._prefetch)
        channel.add_on_cancel_callback(self._note_cancelled)
        for queue in self._queues:
            channel.basic_consume(queue, self._arrival(queue))

    def _arrival(self, queue: str):  # type: ignore[no-untyped-def]
        def keep(channel, method, properties, body) -> None:  # type: ignore[no-untyped-def]
            self._arrived.append(
                Delivery(
                    id=properties.message_id or "",
                    type=properties.type or "",
                    body=body,
                    headers=properties.headers or {},
                    queue=queue,
                    routing_key=method.routing_key,
                    redelivered=method.redelivered,
                    receipt=(channel, method.delivery_tag),
                )
            )

        return keep

    def _note_cancelled(self, _frame: object) -> None:
        self._is_cancelled = True

    def publish(self, letter: Letter) -> None:
        channel = self._living_channel()
        properties = pika.BasicProperties(
            message_id=letter.id,
            type=letter.type,
            headers=dict(letter.headers),
            delivery_mode=_DURABLE,
            user_id=self._address.user,
        )
        with as_wire_errors():
            channel.basic_publish(letter.exchange, letter.routing_key, letter.body, properties, mandatory=True)

    def receive(self, timeout_seconds: float) -> Delivery | None:
        if not self._arrived:
            self._living_channel()
            with as_wire_errors():
                assert self._connection is not None
                self._connection.process_data_events(timeout_seconds)
        # pika says nothing when the broker closed the channel or cancelled a consumer meanwhile.
        self._living_channel()
        return self._arrived.popleft() if self._arrived else None

    def ack(self, delivery: Delivery) -> None:
        channel, tag = delivery.receipt
        if channel is self._channel:
            with as_wire_errors():
                self._living_channel().basic_ack(tag)

    def reject(self, delivery: Delivery) -> None:
        channel, tag = delivery.receipt
        if channel is self._channel:
            with as_wire_errors():
                self._living_channel().basic_reject(tag, requeue=False)

    def wake(self) -> None:
        connection = self._connection
        # A closed connection has nobody waiting on it.
        with suppress(WireError), as_wire_errors():
            if connection is not None:
                connection.add_callback_threadsafe(_nothing)

    def close(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        self._arrived.clear()
        self._is_cancelled = False
        # What cannot be closed any more is closed.
        with suppress(WireError), as_wire_errors():
            if connection is not None and connection.is_open:
                connection.close()

    def _living_channel(self) -> BlockingChannel:
        if self._channel is None or not self.is_open:
            raise BrokerUnreachable("the channel was closed or a consumer cancelled by RabbitMQ")
        return self._channel


def _nothing() -> None:
    """Wakes by being called."""
