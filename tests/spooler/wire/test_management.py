"""`broker apply` makes a broker as described, `broker check` names every difference, and nobody can do more than he needs."""

import httpx
import pika
import pytest
from pika.exceptions import ChannelClosedByBroker

from spooler.sandbox.broker import ADMINISTRATOR
from spooler.wire.errors import BrokerUnreachable, Unroutable
from spooler.wire.letters import Letter
from spooler.wire.management import BrokerRefused, Management
from spooler.wire.topology import (
    CONTROLS,
    DEAD_LETTERS,
    EVENTS,
    ORDERS,
    REPORTS,
    Limits,
    dead_queue,
    describe,
    hall_queue,
    hall_user,
    registry_queue,
)

REGISTRY, OTHER_REGISTRY, HALL, OTHER_HALL = "231221", "231202", "231282-01", "231283-01"
TOPOLOGY = describe([REGISTRY], [HALL, OTHER_HALL])


@pytest.fixture
def host(make_virtual_host):
    return make_virtual_host(TOPOLOGY)


@pytest.fixture
def raw(host):
    """The management API as an operator by mistake would use it."""
    with httpx.Client(
        base_url=f"{host.broker.management_url}/api/", auth=(ADMINISTRATOR, host.broker.password)
    ) as client:

        def call(method: str, path: str, **body) -> None:
            client.request(method, path.replace("@", host.name), json=body or None).raise_for_status()

        yield call


def faults(host, topology=TOPOLOGY) -> list[str]:
    with host.management() as management:
        return management.check(topology)


def test_a_fresh_broker_is_made_as_described(host):
    assert faults(host) == []


def test_applying_again_changes_nothing(host):
    """An operator applies after each change to home.toml; letters and passwords stay."""
    home, hall = host.link(user="home"), host.link(hall_queue(HALL), user=hall_user(HALL))
    home.open()
    home.publish(a_letter())

    with host.management() as management:
        management.apply(TOPOLOGY, {})

    hall.open()
    assert hall.receive(5) is not None
    assert faults(host) == []


def test_a_new_hall_is_added_by_applying_again(host):
    more = describe([REGISTRY], [HALL, OTHER_HALL, "231224-01"])
    assert any("hall.231224-01 is missing" in fault for fault in faults(host, more))

    with host.management() as management:
        management.apply(more, {})

    assert faults(host, more) == []


def test_a_virtual_host_that_is_not_there_is_named(broker):
    with broker.management("nowhere") as management:
        assert management.check(TOPOLOGY) == ["the virtual host is missing"]


@pytest.mark.parametrize(
    "method, path, body, expected",
    [
        ("DELETE", f"queues/@/{hall_queue(HALL)}", {}, f"queue {hall_queue(HALL)} is missing"),
        ("DELETE", f"exchanges/@/{ORDERS}", {}, f"exchange {ORDERS} is missing"),
        ("DELETE", "policies/@/certspool-work", {}, "policy certspool-work is missing"),
        (
            "DELETE",
            f"bindings/@/e/{ORDERS}/q/{hall_queue(HALL)}/*.{HALL}",
            {},
            f"binding {ORDERS} ─*.{HALL}─▶ {hall_queue(HALL)}",
        ),
        ("DELETE", f"permissions/@/{hall_user(HALL)}", {}, f"user {hall_user(HALL)} may write None"),
        (
            "DELETE",
            f"topic-permissions/@/{hall_user(HALL)}",
            {},
            f"user {hall_user(HALL)} may write keys None to {REPORTS}",
        ),
        (
            "PUT",
            "policies/@/certspool-work",
            {"pattern": r"^(hall|registry)\.", "definition": {"max-length": 5}},
            "max-length 5, should be 20000",
        ),
        (
            "PUT",
            "policies/@/by-mistake",
            {"pattern": "^hall", "definition": {"overflow": "drop-head"}, "priority": 99},
            "has overflow 'drop-head', should be 'reject-publish'",
        ),
        (
            "PUT",
            f"permissions/@/{hall_user(HALL)}",
            {"configure": "", "write": ".*", "read": ".*"},
            f"user {hall_user(HALL)} may read '.*'",
        ),
        (
            "PUT",
            "policies/@/certspool-dead",
            {"pattern": "^x", "definition": {"max-length": 5}},
            "certspool-dead is for ^x",
        ),
    ],
    ids=lambda value: value.replace("@", "") if isinstance(value, str) and "/" in value else "",
)
def test_every_difference_is_named(host, raw, method, path, body, expected):
    """Each as a sentence with the thing's own name; and applying again mends it."""
    raw(method, path, **body)

    found = faults(host)

    assert any(expected in fault for fault in found), found
    if "by-mistake" not in path:
        with host.management() as management:
            management.apply(TOPOLOGY, {})
        assert faults(host) == []


def test_a_queue_of_the_wrong_type_is_named(host, raw):
    """A classic queue would lose confirmed letters with its node; its type cannot be changed, so the sentence says what to do."""
    raw("DELETE", f"queues/@/{hall_queue(HALL)}")
    raw("PUT", f"queues/@/{hall_queue(HALL)}", durable=True, arguments={"x-queue-type": "classic"})

    assert any("x-queue-type 'classic', should be 'quorum': delete it" in fault for fault in faults(host))


def test_a_wrong_limit_of_ours_is_named_per_queue(host):
    stricter = describe([REGISTRY], [HALL, OTHER_HALL], limits=Limits(deliveries=5))

    assert f"queue {hall_queue(HALL)} has delivery-limit 200, should be 5" in faults(host, stricter)


def test_a_wrong_administrator_password_is_told(broker):
    with (
        pytest.raises(BrokerRefused, match="password"),
        Management(broker.management_url, ADMINISTRATOR, "wrong") as management,
    ):
        management.check(TOPOLOGY)


def test_a_management_api_that_is_away_is_told(unused_port):
    with pytest.raises(BrokerUnreachable), Management(f"http://127.0.0.1:{unused_port}", "a", "b") as management:
        management.check(TOPOLOGY)


def test_a_user_without_a_password_cannot_log_in(make_virtual_host):
    """A hall's user may stand before its password does; until then nobody is that hall."""
    host = make_virtual_host(describe([REGISTRY], ["231299-01"]))
    with host.management() as management:
        management.apply(describe([REGISTRY], ["231298-01"]), {})

    for password in ("", hall_user("231298-01")):
        address = host.address()
        with pytest.raises(BrokerUnreachable):
            type(host.link())(
                type(address)(address.host, address.port, host.name, hall_user("231298-01"), password)
            ).open()


# Who may do what. The administrator applies; home and halls only write and read their own.


def a_letter(exchange=ORDERS, key=f"{REGISTRY}.{HALL}") -> Letter:
    return Letter("1", exchange, key, "order", b"sealed")


HOME, THE_HALL = "home", hall_user(HALL)


@pytest.mark.parametrize(
    "user, exchange, key",
    [
        (HOME, ORDERS, f"{REGISTRY}.{HALL}"),
        (HOME, CONTROLS, f"{REGISTRY}.{OTHER_HALL}"),
        (HOME, EVENTS, f"{REGISTRY}.job.received"),
        (THE_HALL, REPORTS, f"{HALL}.{REGISTRY}"),
    ],
)
def test_each_side_may_write_its_own(host, user, exchange, key):
    link = host.link(user=user)
    link.open()

    link.publish(a_letter(exchange, key))


@pytest.mark.parametrize(
    "user, exchange, key",
    [
        (THE_HALL, ORDERS, f"{REGISTRY}.{OTHER_HALL}"),  # S20: orders to another hall
        (THE_HALL, ORDERS, f"{REGISTRY}.{HALL}"),  # or to itself
        (THE_HALL, CONTROLS, f"{REGISTRY}.{OTHER_HALL}"),
        (THE_HALL, "", hall_queue(OTHER_HALL)),  # S20: past all exchanges
        (THE_HALL, "", registry_queue(REGISTRY)),
        (THE_HALL, REPORTS, f"{OTHER_HALL}.{REGISTRY}"),  # S22: as another hall
        (THE_HALL, DEAD_LETTERS, f"{HALL}.{REGISTRY}"),
        (THE_HALL, EVENTS, f"{REGISTRY}.job.issued"),
        (HOME, ORDERS, f"{OTHER_REGISTRY}.{HALL}"),  # another county's orders
        (HOME, REPORTS, f"{HALL}.{REGISTRY}"),  # a hall's word
        (HOME, "", hall_queue(HALL)),
        (HOME, DEAD_LETTERS, f"{REGISTRY}.{HALL}"),
    ],
)
def test_nobody_may_write_as_another(host, user, exchange, key):
    link = host.link(user=user)
    link.open()

    with pytest.raises(Unroutable, match="ACCESS_REFUSED"):
        link.publish(a_letter(exchange, key))


@pytest.mark.parametrize(
    "user, queue",
    [
        (THE_HALL, hall_queue(OTHER_HALL)),
        (THE_HALL, registry_queue(REGISTRY)),
        (THE_HALL, dead_queue(REGISTRY)),
        (HOME, hall_queue(HALL)),
    ],
)
def test_nobody_may_read_anothers_queue(host, user, queue):
    """S21."""
    with pytest.raises(Unroutable, match="ACCESS_REFUSED"):
        host.link(queue, user=user).open()


@pytest.fixture
def hall_channel(host):
    """What a stolen hall password can try, beyond what our own link ever does."""
    connection = pika.BlockingConnection(host.address(THE_HALL).parameters("attack"))
    yield connection.channel()
    connection.close()


@pytest.mark.parametrize(
    "attack",
    [
        lambda channel: channel.queue_purge(hall_queue(OTHER_HALL)),
        lambda channel: channel.queue_delete(hall_queue(OTHER_HALL)),
        lambda channel: channel.queue_delete(hall_queue(HALL)),
        lambda channel: channel.queue_bind(hall_queue(HALL), ORDERS, f"*.{OTHER_HALL}"),
        lambda channel: channel.queue_declare("", exclusive=True),
        lambda channel: channel.exchange_declare("mine", "topic"),
        lambda channel: channel.exchange_delete(ORDERS),
    ],
    ids=[
        "purge another",
        "delete another",
        "delete its own",
        "bind another's orders",
        "declare a queue",
        "declare",
        "delete",
    ],
)
def test_a_hall_may_change_nothing(hall_channel, attack):
    """S21: 403, whatever it tries."""
    with pytest.raises(ChannelClosedByBroker) as refused:
        attack(hall_channel)

    assert refused.value.reply_code == 403


def test_a_hall_cannot_send_under_anothers_user_name(hall_channel):
    """S23: RabbitMQ compares the user id with the login."""
    hall_channel.confirm_delivery()
    spoofed = pika.BasicProperties(user_id=hall_user(OTHER_HALL))

    with pytest.raises(ChannelClosedByBroker) as refused:
        hall_channel.basic_publish(REPORTS, f"{HALL}.{REGISTRY}", b"", spoofed, mandatory=True)

    assert refused.value.reply_code == 406
