"""Ask the broker from outside what it takes: who shows no certificate, an old TLS, which ways to log in (AMQP 0-9-1 §2.2.4)."""

import socket
import ssl
import struct
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from spooler.wire.link import BrokerAddress, Node, Tls

_PROTOCOL = b"AMQP\x00\x00\x09\x01"
_FRAME = struct.Struct(">BHI")
_START = (10, 10)  # class and method of Connection.Start
_MOST_BYTES = 64 << 10
OLD = {"TLS 1.0": ssl.TLSVersion.TLSv1, "TLS 1.1": ssl.TLSVersion.TLSv1_1}


def tls_faults(address: BrokerAddress, mechanisms: frozenset[str] | None) -> Iterator[str]:
    """Yield what a node does that it should not; `mechanisms` are the ways to log in that it should offer, None: any."""
    if address.tls is None:
        return
    for node in address.nodes:
        yield from _node_faults(address, address.tls, node, mechanisms)


def _node_faults(address: BrokerAddress, tls: Tls, node: Node, mechanisms: frozenset[str] | None) -> Iterator[str]:
    name, seconds = f"{node[0]}:{node[1]}", address.connect_seconds
    try:
        offered = offers(node, tls.context(), tls.server_name, seconds)
    except OSError as e:
        yield f"node {name} does not let us in: {getattr(e, 'verify_message', '') or e.strerror or e}"
        return
    if mechanisms is not None and offered != mechanisms:
        yield f"node {name} offers the logins {' '.join(sorted(offered)) or '-'}, should be {' '.join(sorted(mechanisms))}"
    if tls.certificate is not None and _answers(node, replace(tls, certificate=None).context(), tls, seconds):
        yield f"node {name} talks to whoever shows no certificate"
    for version, number in OLD.items():
        if _answers(node, _old(number, tls), tls, seconds):
            yield f"node {name} speaks {version}"


def offers(node: Node, context: ssl.SSLContext, server_name: str, seconds: float) -> frozenset[str]:
    """Return the ways to log in that the node offers; OSError when it does not talk to us."""
    with (
        closing(socket.create_connection(node, timeout=seconds)) as plain,
        context.wrap_socket(plain, server_hostname=server_name or node[0]) as stream,
    ):
        stream.sendall(_PROTOCOL)
        return frozenset(_mechanisms(_first_frame(stream)).split())


def _answers(node: Node, context: ssl.SSLContext, tls: Tls, seconds: float) -> bool:
    """Say whether somebody gets as far as being asked to log in. With TLS 1.3 a handshake alone says nothing: the refusal comes after."""
    try:
        offers(node, context, tls.server_name, seconds)
    except OSError:
        return False
    return True


def _old(version: ssl.TLSVersion, tls: Tls) -> ssl.SSLContext:
    """Return what would speak an old version, if the other side does; OpenSSL lets it only at its lowest level."""
    context = tls.context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    return context


def _first_frame(stream: ssl.SSLSocket) -> bytes:
    _, _, size = _FRAME.unpack(_exactly(stream, _FRAME.size))
    if size > _MOST_BYTES:
        raise ConnectionError("what answers is no RabbitMQ")
    return _exactly(stream, size)


def _exactly(stream: ssl.SSLSocket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = stream.recv(size - len(found))
        if not more:
            raise ConnectionError("the connection was closed")
        found += more
    return found


def _mechanisms(frame: bytes) -> str:
    """Return what Connection.Start says: class, method, version, a table of properties, and then this."""
    if struct.unpack_from(">HH", frame) != _START:
        raise ConnectionError("what answers is no RabbitMQ")
    (table,) = struct.unpack_from(">I", frame, 6)
    (length,) = struct.unpack_from(">I", frame, 10 + table)
    return frame[14 + table : 14 + table + length].decode("ascii", "replace")
