"""Who can get at the broker beside those whom it is for: judged from what its management API tells."""

import pytest

from spooler.wire.broker_guard import BrokerFacts, Guard, Listener, Permission, guard_faults
from spooler.wire.topology import describe

TOPOLOGY = describe(["231221"], ["231282-01"])
TLS = Listener("amqp/ssl", "::", 5671)
STRICT = Guard("administrator", has_tls=True, has_certificates=True)


def faults(guard: Guard = STRICT, *, passwords=(), users=(), listeners=(TLS,), **permissions: Permission) -> list[str]:
    facts = BrokerFacts(frozenset(passwords), frozenset(users), permissions, tuple(listeners))
    return list(guard_faults(facts, TOPOLOGY, guard))


def test_a_broker_as_it_should_be():
    everything = Permission(".*", ".*", ".*")
    listeners = (TLS, Listener("http", "127.0.0.1", 15672), Listener("clustering", "::", 25672))

    assert faults(passwords=["administrator"], listeners=listeners, administrator=everything) == []


@pytest.mark.parametrize(
    ("listener", "named"),
    [
        (Listener("amqp", "::", 5672), "amqp in plaintext at :::5672"),
        (Listener("amqp", "127.0.0.1", 5672), "amqp in plaintext at 127.0.0.1:5672"),
        (Listener("http", "0.0.0.0", 15672), "http in plaintext at 0.0.0.0:15672"),
        (Listener("mqtt", "::", 1883), "mqtt in plaintext"),
        (Listener("stream", "::", 5552), "stream in plaintext"),
    ],
)
def test_a_listener_in_plaintext_is_named(listener, named):
    (fault,) = faults(listeners=(TLS, listener))

    assert named in fault


def test_a_sandbox_keeps_one_on_loopback_for_its_administrator():
    sandbox = Guard("administrator", has_tls=True, has_certificates=True, plaintext_on_loopback=True)

    assert faults(sandbox, listeners=(TLS, Listener("amqp", "127.0.0.1", 5672))) == []
    assert len(faults(sandbox, listeners=(TLS, Listener("amqp", "0.0.0.0", 5672)))) == 1


def test_no_listener_over_tls_is_named():
    assert faults(listeners=()) == ["no listener speaks AMQP over TLS: see certspool broker config"]


def test_an_installation_with_passwords_is_asked_nothing_of_tls():
    """It goes on working as it was; guests and strangers are named there too."""
    old = Guard("administrator")

    assert faults(old, passwords=["home", "hall-231282-01"], listeners=(Listener("amqp", "::", 5672),)) == []
    assert faults(old, users=["guest"]) == ["user guest is there: apply removes it"]


def test_a_password_beside_certificates_is_named_only_of_users_here():
    """Who watches the broker over its management API may have one."""
    here = {"probe": Permission("", "", "")}

    told = faults(passwords=["home", "probe", "monitoring", "administrator"], **here)

    assert [fault.split()[1] for fault in told] == ["home", "probe"]


@pytest.mark.parametrize(
    ("may", "named"),
    [
        (Permission("", "", ""), None),
        (Permission("^tax\\.", "^tax\\.", "^(tax\\..*|events)$"), None),
        (Permission("", "events", ""), "write events"),
        (Permission("", "", "dead"), "read dead-letters"),
        (Permission("", "", "hall\\.231282-01$"), "read hall.231282-01"),
        (Permission(".*", "", ""), "configure orders"),
        (Permission("(", "", ""), "configure what '(' means"),
    ],
    ids=["nothing", "a department", "writes events", "dead letters", "a hall's queue", "makes", "unreadable"],
)
def test_a_stranger_is_named_by_what_he_reaches(may, named):
    told = faults(stranger=may)

    assert [fault.partition(", may ")[2] for fault in told] == ([named] if named else [])
