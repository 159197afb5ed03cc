"""`broker check` asks over the network: what it would find at a broker that lets in too much is told."""

import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from spooler.seal import broker_keys
from spooler.wire.link import BrokerAddress, Tls
from spooler.wire.tls_probe import tls_faults
from tests.spooler.wire.listener import listening, speaking

EXTERNAL_ONLY = frozenset({"EXTERNAL"})


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("keys")
    now = datetime.now(UTC)
    broker_keys.add_home(directory, "home", now)
    broker_keys.add_server(directory, "localhost", ["127.0.0.1"], now)
    return directory


def connection_start(mechanisms: str) -> bytes:
    """Return the frame with which RabbitMQ begins."""
    words = mechanisms.encode()
    content = struct.pack(">HHBBI", 10, 10, 0, 9, 0) + struct.pack(">I", len(words)) + words + struct.pack(">I", 0)
    return struct.pack(">BHI", 1, 0, len(content)) + content + b"\xce"


@contextmanager
def a_broker(keys: Path, says: bytes, *, old: bool = False, asks: bool = True) -> Iterator[BrokerAddress]:
    """Somebody who speaks TLS and the first frame of AMQP; yield how the home comes to him."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(keys / "broker/localhost/server.pem", keys / "broker/localhost/server.key")
    server.load_verify_locations(keys / "trust/broker-ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED if asks else ssl.CERT_OPTIONAL
    if old:
        speaking(server, ssl.TLSVersion.TLSv1)

    def begin(stream: ssl.SSLSocket) -> None:
        if stream.recv(8) == b"AMQP\x00\x00\x09\x01":
            stream.sendall(says)

    with listening(server, begin) as port:
        tls = Tls(keys / "trust/broker-ca.pem", keys / "home/credentials/home.broker.pem")
        yield BrokerAddress("127.0.0.1", port, "/", "home", tls=tls)


def test_a_broker_as_it_should_be_has_no_faults(keys):
    with a_broker(keys, connection_start("EXTERNAL")) as address:
        assert list(tls_faults(address, EXTERNAL_ONLY)) == []


def test_an_old_tls_is_named(keys):
    with a_broker(keys, connection_start("EXTERNAL"), old=True) as address:
        faults = list(tls_faults(address, EXTERNAL_ONLY))

    assert [fault.rpartition(" speaks ")[2] for fault in faults] == ["TLS 1.0", "TLS 1.1"]


def test_who_lets_in_without_a_certificate_is_named(keys):
    with a_broker(keys, connection_start("EXTERNAL"), asks=False) as address:
        (fault,) = tls_faults(address, EXTERNAL_ONLY)

    assert fault.endswith("talks to whoever shows no certificate")


def test_another_login_is_named(keys):
    with a_broker(keys, connection_start("PLAIN EXTERNAL AMQPLAIN")) as address:
        (fault,) = tls_faults(address, EXTERNAL_ONLY)
        assert list(tls_faults(address, None)) == []

    assert "offers the logins AMQPLAIN EXTERNAL PLAIN, should be EXTERNAL" in fault


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x01\x00\x00\xff\xff\xff\xff"])
def test_what_is_no_broker_is_named_and_not_read_without_end(keys, says):
    with a_broker(keys, says) as address:
        (fault,) = tls_faults(address, EXTERNAL_ONLY)

    assert "does not let us in" in fault


def test_a_node_that_is_away_is_named(keys, unused_port):
    tls = Tls(keys / "trust/broker-ca.pem", keys / "home/credentials/home.broker.pem")

    (fault,) = tls_faults(BrokerAddress("127.0.0.1", unused_port, "/", "home", tls=tls), EXTERNAL_ONLY)

    assert "does not let us in" in fault
