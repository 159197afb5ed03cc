"""Attacks on the broker, each on a real one that an operator set up: whoever owns a hall's key, or none, gets nothing (S20–S26)."""

import ssl
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pika
import pytest
from pika.exceptions import AMQPError, ChannelClosedByBroker

from spooler.seal.authority import Authority
from spooler.seal.broker_keys import new_client
from spooler.wire.errors import BrokerNotGenuine, BrokerUnreachable, NotConfirmed, Unroutable
from spooler.wire.letters import Letter
from spooler.wire.link import BrokerAddress, PikaLink, Tls
from spooler.wire.topology import CONTROLS, DEAD_LETTERS, EVENTS, ORDERS, REPORTS, hall_queue, hall_user, registry_queue
from tests.spooler.wire.deployment import HALL, OTHER_HALL, REGISTRY, Deployment, certspool, deployed
from tests.spooler.wire.listener import listening, speaking

NOT_ALLOWED, NOT_FITTING = 403, 406


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("deployment")) as deployment:
        yield deployment


@contextmanager
def channel_of(address: BrokerAddress) -> Iterator["pika.adapters.blocking_connection.BlockingChannel"]:
    """A channel as an attacker opens one, with what he has of us: he need not use our link."""
    connection = pika.BlockingConnection(address.parameters("attacker"))
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel
    finally:
        if connection.is_open:
            connection.close()


def letter(exchange: str, key: str, type_: str = "order") -> Letter:
    return Letter("1", exchange, key, type_, b"sealed")


def test_both_sides_talk_over_it_by_certificate(broker):
    """The control of all that follows: with their own keys home and hall do what they are there for."""
    home = PikaLink(broker.address("home"), [registry_queue(REGISTRY)])
    hall = PikaLink(broker.address(HALL), [hall_queue(HALL)])
    with closing(home), closing(hall):
        home.open()
        hall.open()
        home.publish(letter(ORDERS, f"{REGISTRY}.{HALL}"))
        hall.publish(letter(REPORTS, f"{HALL}.{REGISTRY}", "report"))
        for link in (hall, home):
            delivery = link.receive(5)
            assert delivery is not None and delivery.body == b"sealed"
            link.ack(delivery)


def test_as_it_was_made_it_is_as_described(broker):
    """`broker check` finds nothing: no plaintext, no guest, no password, no old TLS, nobody without a certificate."""
    told = certspool("broker", "check", *broker.session)

    assert told.exit_code == 0, told.output


def test_an_administrators_password_stands_nowhere_but_in_its_file(broker):
    password = broker.private.password

    texts = [(broker.place / "mq-1" / name).read_text() for name in ("rabbitmq.conf", "certspool.json")]

    assert all(password not in text for text in texts)
    assert stat.S_IMODE((broker.place / "mq-1/administrator.password").stat().st_mode) == 0o600


@pytest.mark.attack_row("S20")
@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        (ORDERS, f"{REGISTRY}.{HALL}"),
        (ORDERS, f"{REGISTRY}.{OTHER_HALL}"),
        (CONTROLS, f"{REGISTRY}.{OTHER_HALL}"),
        (EVENTS, f"{REGISTRY}.job.issued"),
        (DEAD_LETTERS, f"{REGISTRY}.{HALL}"),
        ("", hall_queue(OTHER_HALL)),
        ("", hall_queue(HALL)),
        ("amq.topic", "anything"),
    ],
)
def test_a_hall_writes_to_no_exchange_but_that_of_the_reports(broker, exchange, key):
    """S20: also not past the exchanges, straight into a queue."""
    with channel_of(broker.address(HALL)) as channel, pytest.raises(ChannelClosedByBroker) as refused:
        channel.basic_publish(exchange, key, b"forged")

    assert refused.value.reply_code == NOT_ALLOWED


@pytest.mark.attack_row("S21")
@pytest.mark.parametrize(
    "queue", [hall_queue(OTHER_HALL), registry_queue(REGISTRY), f"dead.{REGISTRY}", "events.recent"]
)
@pytest.mark.parametrize(
    "act",
    [
        lambda channel, queue: channel.basic_get(queue),
        lambda channel, queue: channel.basic_consume(queue, lambda *_: None),
        lambda channel, queue: channel.queue_purge(queue),
        lambda channel, queue: channel.queue_delete(queue),
        lambda channel, queue: channel.queue_bind(queue, REPORTS, f"{HALL}.#"),
    ],
    ids=["reads", "consumes", "purges", "deletes", "binds"],
)
def test_a_hall_does_nothing_to_anothers_queue(broker, queue, act):
    """S21."""
    with channel_of(broker.address(HALL)) as channel, pytest.raises(ChannelClosedByBroker) as refused:
        act(channel, queue)

    assert refused.value.reply_code == NOT_ALLOWED


@pytest.mark.attack_row("S21")
@pytest.mark.parametrize(
    "act",
    [
        lambda channel: channel.queue_declare("mine"),
        lambda channel: channel.queue_declare(""),
        lambda channel: channel.exchange_declare("mine", "topic"),
        lambda channel: channel.queue_bind(hall_queue(HALL), ORDERS, "#"),
        lambda channel: channel.queue_delete(hall_queue(HALL)),
        lambda channel: channel.exchange_delete(ORDERS),
        lambda channel: channel.exchange_bind(REPORTS, ORDERS, "#"),
    ],
    ids=[
        "a queue",
        "a queue of any name",
        "an exchange",
        "all orders to itself",
        "its own queue away",
        "orders away",
        "a way round",
    ],
)
def test_a_hall_makes_binds_and_deletes_nothing(broker, act):
    """S21: so that no letter of others ever takes a way past it."""
    with channel_of(broker.address(HALL)) as channel, pytest.raises(ChannelClosedByBroker) as refused:
        act(channel)

    assert refused.value.reply_code == NOT_ALLOWED


@pytest.mark.attack_row("S22")
def test_a_hall_speaks_under_no_other_halls_key(broker):
    """S22: RabbitMQ refuses the routing key; who forges on the way round it meets the signature (S27)."""
    link = PikaLink(broker.address(HALL))
    with closing(link), pytest.raises(Unroutable, match="ACCESS_REFUSED"):
        link.open()
        link.publish(letter(REPORTS, f"{OTHER_HALL}.{REGISTRY}", "report"))


@pytest.mark.attack_row("S23")
def test_a_letter_in_another_users_name_is_refused(broker):
    """S23: the broker knows from the certificate who sends, and compares."""
    with channel_of(broker.address(HALL)) as channel, pytest.raises(ChannelClosedByBroker) as refused:
        spoofed = pika.BasicProperties(user_id=hall_user(OTHER_HALL))
        channel.basic_publish(REPORTS, f"{HALL}.{REGISTRY}", b"forged", spoofed)

    assert refused.value.reply_code == NOT_FITTING


@pytest.mark.attack_row("S23")
def test_who_one_is_stands_in_the_certificate_and_nowhere_else(broker):
    """S23: settings that name another user than the certificate does get no letter through."""
    posing = BrokerAddress("127.0.0.1", broker.port, "certspool", "home", tls=broker.tls(HALL))
    link = PikaLink(posing)

    with closing(link), pytest.raises((NotConfirmed, Unroutable)):
        link.open()
        link.publish(letter(REPORTS, f"{HALL}.{REGISTRY}", "report"))


@pytest.mark.attack_row("S24")
def test_a_hall_that_empties_its_own_queue_is_not_stopped_by_the_broker(broker):
    """S24: reading allows it. Home notices that nothing arrives, and sends again (tests/spooler/core/test_unreceived.py)."""
    home = PikaLink(broker.address("home"))
    with closing(home), channel_of(broker.address(HALL)) as channel:
        home.open()
        home.publish(letter(ORDERS, f"{REGISTRY}.{HALL}"))

        emptied = channel.queue_purge(hall_queue(HALL))
        left = channel.queue_declare(hall_queue(HALL), passive=True)

    assert (emptied.method.message_count, left.method.message_count) == (1, 0)


# S25: who shows the wrong thing, or nothing


def foreign_certificate(place: Path) -> Path:
    """Return a key and certificate in the hall's name, of another authority of the same name."""
    now = datetime.now(UTC)
    path = place / "foreign.pem"
    path.write_bytes(new_client(hall_user(HALL), Authority.create("certspool broker authority", now), now))
    return path


def unknown_user(broker: Deployment, place: Path) -> Path:
    """Return a certificate of our authority in the name of nobody whom the broker knows."""
    ca = Authority.from_pem(
        (broker.pki / "ca/broker-ca.pem").read_bytes(), (broker.pki / "ca/broker-ca.key").read_bytes()
    )
    path = place / "unknown.pem"
    path.write_bytes(new_client("hall-999999-99", ca, datetime.now(UTC)))
    return path


@pytest.mark.attack_row("S25")
@pytest.mark.parametrize("who", ["nobody", "a foreign authority", "an unknown user", "the administrator"])
def test_who_shows_no_certificate_of_a_user_does_not_get_in(broker, tmp_path, who):
    """S25."""
    certificates: dict[str, Callable[[], Path | None]] = {
        "nobody": lambda: None,
        "a foreign authority": lambda: foreign_certificate(tmp_path),
        "an unknown user": lambda: unknown_user(broker, tmp_path),
        "the administrator": lambda: None,
    }
    tls = Tls(broker.authority, certificates[who](), "mq-1")
    user, password = ("administrator", broker.private.password) if who == "the administrator" else (hall_user(HALL), "")
    link = PikaLink(BrokerAddress("127.0.0.1", broker.port, "certspool", user, password, tls=tls))

    with closing(link), pytest.raises(BrokerUnreachable):
        link.open()


@pytest.mark.attack_row("S25")
@pytest.mark.parametrize(("user", "of"), [("administrator", "password"), ("home", ""), ("guest", "guest")])
def test_no_password_opens_the_broker_even_beside_a_halls_certificate(broker, user, of):
    """S25: PLAIN is not on offer."""
    parameters = broker.address(HALL).parameters("attacker")
    parameters.credentials = pika.PlainCredentials(user, broker.private.password if of == "password" else of)

    with pytest.raises(AMQPError):
        pika.BlockingConnection(parameters)


@pytest.mark.attack_row("S25")
def test_there_is_no_port_in_plaintext(broker):
    """S25: neither AMQP without TLS on the TLS port nor any other AMQP port; management is on loopback alone."""
    parameters = pika.ConnectionParameters("127.0.0.1", broker.port, socket_timeout=3, stack_timeout=6)

    with pytest.raises(AMQPError):
        pika.BlockingConnection(parameters)
    with broker.private.management() as management:
        listeners = management.facts().listeners
    assert {one.protocol for one in listeners if not one.is_on_loopback} <= {"amqp/ssl", "clustering"}
    assert {one.protocol for one in listeners} == {"amqp/ssl", "clustering", "http"}


# S26: somebody answers in the broker's place


@contextmanager
def posing(
    certificate: Path, key: Path | None = None, version: ssl.TLSVersion | None = None
) -> Iterator[tuple[int, list[bytes]]]:
    """Somebody listens in the broker's place, perhaps with one version of TLS only; yield the port, and what is said to him."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if version is not None:
        speaking(context, version, version)
    heard: list[bytes] = []
    with listening(context, lambda stream: heard.append(stream.recv(8))) as port:
        yield port, heard


@pytest.mark.attack_row("S26")
@pytest.mark.parametrize("as_whom", ["a foreign authority", "a hall", "the broker by another name"])
def test_who_answers_in_the_brokers_place_is_not_talked_to(broker, tmp_path, as_whom):
    """S26: not even a hall of the same deployment can play the broker: its certificate is for clients."""
    server = broker.pki / "broker/mq-1"
    shown, name = {
        "a foreign authority": ((foreign_certificate(tmp_path), None), "mq-1"),
        "a hall": ((broker.certificate(OTHER_HALL), None), hall_user(OTHER_HALL)),
        "the broker by another name": ((server / "server.pem", server / "server.key"), "mq-2"),
    }[as_whom]
    with posing(*shown) as (port, heard):
        tls = Tls(broker.authority, broker.certificate(HALL), name)
        link = PikaLink(BrokerAddress("127.0.0.1", port, "certspool", hall_user(HALL), tls=tls))

        with closing(link), pytest.raises(BrokerNotGenuine):
            link.open()
    assert heard == []


@pytest.mark.attack_row("S26")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])
def test_an_old_tls_is_not_spoken_even_with_the_broker_itself(broker, version):
    """S26: whoever stands between could have made the two agree on it."""
    server = broker.pki / "broker/mq-1"
    with posing(server / "server.pem", server / "server.key", version) as (port, heard):
        link = PikaLink(BrokerAddress("127.0.0.1", port, "certspool", hall_user(HALL), tls=broker.tls(HALL)))

        with closing(link), pytest.raises(BrokerUnreachable):
            link.open()
    assert heard == []


# what `broker check` sees


def _changed(broker: Deployment, method: str, path: str, body: dict[str, object] | None = None) -> None:
    with broker.private.management() as management:
        management._ask(method, path, body)


GUEST = ("users/guest", {"password": "guest", "tags": "administrator"})
PASSWORD = (f"users/{hall_user(HALL)}", {"password": "known", "tags": ""})
TOPICS = (f"topic-permissions/certspool/{hall_user(HALL)}", {"exchange": REPORTS, "write": ".*", "read": ""})
WIDER = (f"permissions/certspool/{hall_user(HALL)}", {"configure": "", "write": ".*", "read": ".*"})


@pytest.mark.attack_row("S25")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (GUEST, "user guest is there"),
        (PASSWORD, f"user {hall_user(HALL)} has a password"),
        (TOPICS, f"user {hall_user(HALL)} may write keys '.*' to reports"),
        (WIDER, f"user {hall_user(HALL)} may write '.*'"),
    ],
    ids=["guest", "password", "topics", "permissions"],
)
def test_what_lets_more_in_is_named_and_applied_away(broker, change, named):
    _changed(broker, "PUT", *change)

    told, applied = certspool("broker", "check", *broker.session), certspool("broker", "apply", *broker.session)

    assert (told.exit_code, applied.exit_code) == (1, 0)
    assert named in told.output


def test_passwords_are_kept_while_halls_change_one_by_one(broker):
    """On the way from passwords to certificates nobody is locked out."""
    _changed(broker, "PUT", *PASSWORD)
    keep = (*broker.session, "--keep-passwords")

    assert certspool("broker", "apply", *keep).exit_code == 0
    assert certspool("broker", "check", *keep).exit_code == 0
    assert certspool("broker", "check", *broker.session).exit_code == 1
    assert certspool("broker", "apply", *broker.session).exit_code == 0


def test_with_certificates_no_passwords_are_made_for_halls(broker):
    told = certspool("broker", "apply", *broker.session, "--halls-directory", broker.pki / "halls")

    assert told.exit_code == 2
    assert list((broker.pki / "halls").rglob("*.password")) == []


def test_a_stranger_who_may_read_or_write_is_named(broker):
    """Apply removes nobody whom it does not know: that is an operator's to decide."""
    _changed(broker, "PUT", "users/mallory", {"password_hash": "", "tags": ""})
    _changed(broker, "PUT", "permissions/certspool/mallory", {"configure": "", "write": "^ord", "read": "hall"})
    try:
        told = certspool("broker", "check", *broker.session)
    finally:
        _changed(broker, "DELETE", "users/mallory")

    assert told.exit_code == 1
    assert "user mallory, whom nobody here knows, may write orders" in told.output
    assert f"may read {hall_queue(HALL)}" in told.output


@pytest.mark.attack_row("S25")
def test_a_certificate_that_was_revoked_opens_nothing_from_the_next_connection_on(broker):
    """S25: whoever has a hall's key has lost it as soon as the list is on the broker's machine; the hall goes on with another."""
    thief, others = PikaLink(broker.address(OTHER_HALL)), PikaLink(broker.address(HALL))
    with closing(thief), closing(others):
        thief.open()
        of_the_hall = ("--dir", broker.pki, "--hall", OTHER_HALL, "--key", "broker")
        assert certspool("pki", "revoke", *of_the_hall).exit_code == 0

        with pytest.raises(BrokerUnreachable, match="certificate"):
            thief.open()
        others.open()

        for options in ((), ("--activate",)):
            assert certspool("pki", "issue", *of_the_hall, *options).exit_code == 0
        thief.open()
