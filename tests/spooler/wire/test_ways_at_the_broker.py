"""What RabbitMQ itself refuses, as the grants have it: 403 for who was granted nothing, and a way out for who was."""

import httpx
import pytest

from spooler.sandbox.broker import ADMINISTRATOR
from spooler.wire.errors import Unroutable
from spooler.wire.letters import Letter
from spooler.wire.topology import CONTROLS, ORDERS, REPORTS, describe, hall_queue, hall_user, registry_queue
from spooler.wire.ways import Ways
from tests.conftest import VirtualHost

FIRST, SECOND, HALL, OTHER_HALL = "231221", "231202", "231282-01", "231283-01"
AGREED, WITHDRAWN, NEVER = (FIRST, HALL), (SECOND, HALL), (SECOND, OTHER_HALL)
OTHERS = (FIRST, OTHER_HALL)
WAYS = Ways(orders=frozenset({AGREED, OTHERS}), talks=frozenset({AGREED, OTHERS, WITHDRAWN}))
TOPOLOGY = describe([FIRST, SECOND], [HALL, OTHER_HALL], ways=WAYS)
HOME, THE_HALL = "home", hall_user(HALL)


@pytest.fixture(scope="module")
def made(broker):
    """One virtual host for all that only tries."""
    host = VirtualHost("ways", broker, TOPOLOGY)
    with host.management() as management:
        management.apply(TOPOLOGY, {user.name: user.name for user in TOPOLOGY.users})
    return host


def send(host, user: str, exchange: str, key: str) -> None:
    link = host.link(user=user)
    link.open()
    try:
        link.publish(Letter("1", exchange, key, "order", b"sealed"))
    finally:
        link.close()


@pytest.mark.parametrize(
    ("user", "exchange", "key"),
    [
        (HOME, ORDERS, f"{FIRST}.{HALL}"),
        (HOME, CONTROLS, f"{FIRST}.{HALL}"),
        (HOME, CONTROLS, f"{SECOND}.{HALL}"),  # withdrawn: what is open there is cancelled
        (THE_HALL, REPORTS, f"{HALL}.{FIRST}"),
        (THE_HALL, REPORTS, f"{HALL}.{SECOND}"),  # withdrawn: it says what became of what it has
    ],
)
def test_who_has_agreed_talks_and_goes_on_talking_after_a_withdrawal(made, user, exchange, key):
    send(made, user, exchange, key)


@pytest.mark.attack_row("S22")
@pytest.mark.parametrize(
    "key", [f"{OTHER_HALL}.{FIRST}", f"{OTHER_HALL}.{SECOND}", f"{HALL}.231299", f"{HALL}", f"x{HALL}.{FIRST}"]
)
def test_a_hall_says_nothing_in_anothers_name_and_nothing_to_whom_it_never_agreed(made, key):
    with pytest.raises(Unroutable, match="ACCESS_REFUSED"):
        send(made, THE_HALL, REPORTS, key)


@pytest.mark.attack_row("S22")
def test_the_other_hall_which_that_registry_was_never_granted_cannot_speak_to_it(made):
    with pytest.raises(Unroutable, match="ACCESS_REFUSED"):
        send(made, hall_user(OTHER_HALL), REPORTS, f"{OTHER_HALL}.{SECOND}")


@pytest.mark.parametrize(
    ("exchange", "pair"), [(ORDERS, WITHDRAWN), (ORDERS, NEVER), (CONTROLS, NEVER), (ORDERS, ("231299", HALL))]
)
def test_home_sends_no_order_where_nothing_is_granted(made, exchange, pair):
    """Also when somebody owns the home's login at the broker."""
    with pytest.raises(Unroutable, match="ACCESS_REFUSED"):
        send(made, HOME, exchange, ".".join(pair))


def bindings(host) -> set[tuple[str, str, str]]:
    with httpx.Client(auth=(ADMINISTRATOR, host.broker.password)) as client:
        found = client.get(f"{host.broker.management_url}/api/bindings/{host.name}").json()
    return {(one["source"], one["routing_key"], one["destination"]) for one in found if one["source"]}


def test_applying_takes_away_what_nothing_grants_any_more_and_check_names_it(make_virtual_host):
    """From one binding for all halls, as before grants were signed, to one a pair, and to fewer when a grant is withdrawn."""
    wide = describe([FIRST, SECOND], [HALL, OTHER_HALL])
    host = make_virtual_host(wide)
    with host.management() as management:
        assert f"binding {ORDERS} ─*.{HALL}─▶ {hall_queue(HALL)} is there, nothing grants it" in management.check(
            TOPOLOGY
        )
        management.apply(TOPOLOGY)
        assert management.check(TOPOLOGY) == []

        assert (ORDERS, f"{FIRST}.{HALL}", hall_queue(HALL)) in bindings(host)
        assert (ORDERS, f"*.{HALL}", hall_queue(HALL)) not in bindings(host)
        assert (ORDERS, f"{SECOND}.{HALL}", hall_queue(HALL)) not in bindings(host)
        assert (REPORTS, f"{HALL}.{SECOND}", registry_queue(SECOND)) in bindings(host)

        management.apply(wide)
        assert management.check(wide) == []


def test_another_homes_registries_are_left_alone(make_virtual_host):
    """Two homes on one broker: each takes away only what leads to or from its own registries."""
    host = make_virtual_host(TOPOLOGY)
    other = describe(["231299"], [HALL], ways=Ways(orders=frozenset({("231299", HALL)}), talks=frozenset()))
    before = bindings(host)
    with host.management() as management:
        management.apply(other)
        management.apply(TOPOLOGY)

    assert before < bindings(host)
