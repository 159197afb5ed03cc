"""Who can get at the broker, beside those whom the topology names: listeners in the open, guests, passwords, strangers. No I/O."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from spooler.wire.topology import EVENTS, Topology

GUEST = "guest"
AMQP, AMQP_TLS, HTTP = "amqp", "amqp/ssl", "http"
_NOT_ASKED = frozenset({AMQP_TLS, "https", "clustering"})


@dataclass(frozen=True)
class Listener:
    protocol: str
    address: str
    port: int

    @property
    def is_on_loopback(self) -> bool:
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class Permission:
    """What a user may do in our virtual host: patterns of names."""

    configure: str
    write: str
    read: str


@dataclass(frozen=True)
class BrokerFacts:
    """How the broker is, as its management API tells."""

    passwords: frozenset[str]  # users who have one
    users: frozenset[str]
    permissions: Mapping[str, Permission]
    listeners: tuple[Listener, ...]


@dataclass(frozen=True)
class Guard:
    """How it should be."""

    administrator: str
    has_tls: bool = False  # then nothing else is spoken
    has_certificates: bool = False  # then nobody but the administrator has a password
    plaintext_on_loopback: bool = False  # a sandbox's, for its administrator


def guard_faults(facts: BrokerFacts, topology: Topology, guard: Guard) -> Iterator[str]:
    """Yield each difference as a sentence."""
    if GUEST in facts.users and guard.administrator != GUEST:
        yield "user guest is there: apply removes it"
    if guard.has_certificates:
        yield from _password_faults(facts, topology, guard)
    yield from _strangers(facts, topology, guard)
    if guard.has_tls:
        yield from _listener_faults(facts.listeners, guard)


def _password_faults(facts: BrokerFacts, topology: Topology, guard: Guard) -> Iterator[str]:
    here = {user.name for user in topology.users} | facts.permissions.keys()
    for name in sorted((facts.passwords & here) - {guard.administrator, GUEST}):
        yield f"user {name} has a password, and should come by certificate: apply takes it away"


def _strangers(facts: BrokerFacts, topology: Topology, guard: Guard) -> Iterator[str]:
    known = {user.name for user in topology.users} | {guard.administrator}
    queues = [queue.name for queue in topology.queues]
    ours = [*topology.exchanges, *queues]
    # Departments bind queues of their own to the events: they may read the exchange, and nothing here may be written or made anew.
    closed = [*(name for name in topology.exchanges if name != EVENTS), *queues]
    for name in sorted(facts.permissions.keys() - known):
        may = facts.permissions[name]
        for verb, pattern, names in (
            ("configure", may.configure, ours),
            ("write", may.write, ours),
            ("read", may.read, closed),
        ):
            if reached := _matched(pattern, names):
                yield f"user {name}, whom nobody here knows, may {verb} {reached}"


def _matched(pattern: str, names: Iterable[str]) -> str | None:
    """Return the first name that the pattern lets through; what cannot be read lets everything through."""
    try:
        return next((name for name in names if pattern and re.search(pattern, name)), None)
    except re.error:
        return f"what {pattern!r} means"


def _listener_faults(listeners: Iterable[Listener], guard: Guard) -> Iterator[str]:
    found = sorted(listeners, key=lambda one: (one.protocol, one.port))
    if not any(one.protocol == AMQP_TLS for one in found):
        yield "no listener speaks AMQP over TLS: see certspool broker config"
    for one in found:
        if one.protocol in _NOT_ASKED or (one.protocol == HTTP and one.is_on_loopback):
            continue
        if one.protocol == AMQP and one.is_on_loopback and guard.plaintext_on_loopback:
            continue
        yield f"a listener speaks {one.protocol} in plaintext at {one.address}:{one.port}"
