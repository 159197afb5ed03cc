"""The link over RabbitMQ: confirmed, mandatory publishing and watched consuming. The only module that imports pika."""

import ssl
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    ChannelClosedByBroker,
    ChannelError,
    ConnectionBlockedTimeout,
    IncompatibleProtocolError,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    ReentrancyError,
    UnroutableError,
)

from spooler.wire.errors import BrokerNotGenuine, BrokerUnreachable, NotConfirmed, NotNow, Unroutable, WireError
from spooler.wire.letters import Delivery, Letter

_ACCESS_REFUSED, _NOT_FOUND, _PRECONDITION_FAILED = 403, 404, 406
_DURABLE = 2
_LONGEST_CONFIRM_SECONDS = 60.0

Node = tuple[str, int]  # host and port


@dataclass(frozen=True)
class Tls:
    """How the broker shows who it is, and how we do. Files are read for each connection: the next one uses what then lies there."""

    authority: Path  # whom the broker's certificate must be of: nobody else is believed, whatever this machine trusts
    certificate: Path | None = None  # our key and certificate; without one we come by password
    server_name: str = ""  # in the broker's certificate; else the node's own name

    def context(self) -> ssl.SSLContext:
        """Return what checks the broker; OSError (ssl.SSLError too) when a file is missing or none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name, and knows no authority yet
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(self.authority)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, password="")  # a key that is locked is refused, not asked about
        return context

    def options(self, host: str) -> pika.SSLOptions:
        try:
            return pika.SSLOptions(self.context(), self.server_name or host)
        except OSError as e:
            raise BrokerUnreachable(
                f"the files of broker.authority_file or certificate_credential: {e.strerror}"
            ) from e


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is and who we are there; `others` are further nodes of its cluster."""

    host: str
    port: int
    virtual_host: str
    user: str
    password: str = field(default="", repr=False)
    heartbeat_seconds: int = 10
    blocked_seconds: float = 10.0
    connect_seconds: float = 5.0
    confirm_seconds: float = _LONGEST_CONFIRM_SECONDS
    others: tuple[Node, ...] = ()
    tls: Tls | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        return ((self.host, self.port), *self.others)

    def parameters(self, name: str, node: Node | None = None) -> pika.ConnectionParameters:
        host, port = node or self.nodes[0]
        return pika.ConnectionParameters(
            host=host,
            port=port,
            virtual_host=self.virtual_host,
            credentials=self._credentials(),
            ssl_options=None if self.tls is None else self.tls.options(host),
            heartbeat=self.heartbeat_seconds,
            blocked_connection_timeout=self.blocked_seconds,
            socket_timeout=self.connect_seconds,
            stack_timeout=2 * self.connect_seconds,
            client_properties={"connection_name": name},
        )

    def _credentials(self) -> pika.PlainCredentials | pika.credentials.ExternalCredentials:
        """With a certificate of ours the broker knows by it who we are (SASL EXTERNAL), and is told no password."""
        if self.tls is not None and self.tls.certificate is not None:
            return pika.credentials.ExternalCredentials()
        return pika.PlainCredentials(self.user, self.password)


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
    except IncompatibleProtocolError as e:
        # With TLS 1.3 the refusal of a certificate comes when the handshake is over for us.
        raise BrokerUnreachable("what answers hangs up: no RabbitMQ, or one that does not take our certificate") from e
    except ConnectionBlockedTimeout as e:
        raise BrokerUnreachable("RabbitMQ takes nothing: it is short of memory or disk") from e
    except ssl.SSLCertVerificationError as e:
        raise BrokerNotGenuine(f"what answers is not the broker: {e.verify_message}") from e
    except (AMQPError, ChannelError, ReentrancyError, OSError) as e:
        raise BrokerUnreachable(f"RabbitMQ does not answer ({type(e).__name__})") from e


def _refusal(closed: ChannelClosedByBroker) -> NotNow:
    if closed.reply_code in (_ACCESS_REFUSED, _NOT_FOUND):
        return Unroutable(f"RabbitMQ refuses: {closed.reply_text}")
    if closed.reply_code == _PRECONDITION_FAILED:
        return NotConfirmed(f"RabbitMQ refuses: {closed.reply_text}")
    return BrokerUnreachable(f"RabbitMQ closed the channel: {closed.reply_text}")


class PikaLink:
    """A Link to RabbitMQ, consuming `queues`. Each `open` begins with the node after the one before: that one was lost."""

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
        self._opened = 0
        self._confirm_seconds = address.confirm_seconds

    @property
    def is_open(self) -> bool:
        return self._channel is not None and bool(self._channel.is_open) and not self._is_cancelled

    @property
    def node(self) -> Node:
        """The node that was connected to last."""
        return self._address.nodes[(self._opened - 1) % len(self._address.nodes)]

    def open(self) -> None:
        """Connect to the first node that answers."""
        for left in reversed(range(len(self._address.nodes))):
            try:
                self._open_next()
                return
            except BrokerUnreachable:
                if not left:
                    raise

    def _open_next(self) -> None:
        self.close()
        self._opened += 1
        with as_wire_errors():
            self._connection = pika.BlockingConnection(self._address.parameters(self._name, self.node))
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
        with as_wire_errors(), self._impatience():
            channel.basic_publish(letter.exchange, letter.routing_key, letter.body, properties, mandatory=True)

    @contextmanager
    def _impatience(self) -> Iterator[None]:
        """Hang up when no confirm comes: pika would wait for ever. Each time it is waited for longer, so that a slow broker gets on."""
        assert self._connection is not None
        # The only way that pika has of doing something while it waits for a confirm.
        wire = self._connection._impl
        silence = AMQPConnectionError(f"not confirmed within {self._confirm_seconds:.0f} s")
        timer = wire._adapter_call_later(self._confirm_seconds, partial(wire._terminate_stream, silence))
        try:
            yield
            self._confirm_seconds = self._address.confirm_seconds
        except AMQPConnectionError as e:
            if e is silence:
                self._confirm_seconds = min(2 * self._confirm_seconds, _LONGEST_CONFIRM_SECONDS)
            raise
        finally:
            wire._adapter_remove_timeout(timer)

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
