"""How letters find their way: exchanges, queues, bindings, policies and users, as a plain description.

    orders, controls   <registry>.<hall>  ─▶ hall.<hall>            one queue a hall
    reports            <hall>.<registry>  ─▶ registry.<registry>    one queue a registry
    events             <registry>.<type>  ─▶ events.recent, and whatever other departments bind
    dead-letters       the first key      ─▶ dead.<registry>        one queue a registry, so that its home is told

Where grants are signed, instead of each `*` there is one binding for each pair that has one (`ways`).

`management` makes a broker so and compares one with this. Queue types and single active consumers must stand in the declaration;
all else is policy, because RabbitMQ 3.10 accepts unknown queue arguments in silence but refuses unknown policy keys.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spooler.wire.grants import Pair
from spooler.wire.ways import Ways

ORDERS = "orders"
CONTROLS = "controls"
REPORTS = "reports"
EVENTS = "events"
DEAD_LETTERS = "dead-letters"
RECENT_EVENTS = "events.recent"
EXCHANGES = (ORDERS, CONTROLS, REPORTS, EVENTS, DEAD_LETTERS)

ORDER_TYPE = "order"
CONTROL_TYPE = "control"
REPORT_TYPE = "report"
EVENT_TYPE = "event"
NOTHING = "^$"  # no key is empty


def hall_queue(hall: str) -> str:
    return f"hall.{hall}"


def registry_queue(registry: str) -> str:
    return f"registry.{registry}"


def dead_queue(registry: str) -> str:
    return f"dead.{registry}"


def to_hall(registry: str, hall: str) -> str:
    """Return the routing key of an order or a control."""
    return f"{registry}.{hall}"


def to_registry(hall: str, registry: str) -> str:
    """Return the routing key of a report."""
    return f"{hall}.{registry}"


@dataclass(frozen=True)
class Limits:
    """What one queue may hold, and how often one message is tried.

    Deliveries count when a consumer dies with them prefetched, so the limit is far above a few restarts; 4.x would take 20.
    A full queue refuses (the letter stays in the sender's outbox), it never drops.
    """

    letters: int = 20_000
    bytes: int = 4 << 30
    deliveries: int = 200
    recent_events: int = 10_000


@dataclass(frozen=True)
class Queue:
    name: str
    has_single_consumer: bool = False

    @property
    def arguments(self) -> Mapping[str, Any]:
        single = {"x-single-active-consumer": True} if self.has_single_consumer else {}
        return {"x-queue-type": "quorum", **single}


@dataclass(frozen=True)
class Binding:
    exchange: str
    key: str
    queue: str


@dataclass(frozen=True)
class Policy:
    """Queue settings by name pattern. The description's own patterns never overlap."""

    name: str
    pattern: str
    definition: Mapping[str, Any]

    def covers(self, queue: str) -> bool:
        return re.search(self.pattern, queue) is not None


@dataclass(frozen=True)
class User:
    """Who may write to and read from what; nobody but an administrator may declare."""

    name: str
    write: str
    read: str
    topics: Mapping[str, str] = field(default_factory=dict)  # exchange → pattern of the keys that may be written


@dataclass(frozen=True)
class Topology:
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    policies: tuple[Policy, ...]
    users: tuple[User, ...]
    exchanges: tuple[str, ...] = EXCHANGES

    @property
    def registries(self) -> frozenset[str]:
        """Those that have a queue here."""
        own = registry_queue("")
        return frozenset(queue.name.removeprefix(own) for queue in self.queues if queue.name.startswith(own))

    def settings_of(self, queue: str) -> Mapping[str, Any]:
        """Return the limits and dead-lettering that a policy gives this queue."""
        return next((policy.definition for policy in self.policies if policy.covers(queue)), {})


def describe(
    registries: Iterable[str],
    halls: Iterable[str],
    *,
    home: str = "home",
    limits: Limits | None = None,
    ways: Ways | None = None,
) -> Topology:
    """Return all that one broker needs for these registries and halls; `home` is the user of the home daemon.

    Without `ways` every registry and every hall may write to each other.
    """
    registry_ids, hall_ids = sorted(set(registries)), sorted(set(halls))
    bindings = _bindings(registry_ids, hall_ids) if ways is None else _bindings_of(ways, registry_ids, hall_ids)
    return Topology(
        queues=tuple(_queues(registry_ids, hall_ids)),
        bindings=tuple(bindings),
        policies=_policies(limits or Limits()),
        users=(_home_user(home, registry_ids, ways), *(_hall_user(hall, ways) for hall in hall_ids)),
    )


def hall_user(hall: str) -> str:
    return f"hall-{hall}"


def _queues(registries: list[str], halls: list[str]) -> Iterable[Queue]:
    yield Queue(RECENT_EVENTS)
    for hall in halls:
        yield Queue(hall_queue(hall), has_single_consumer=True)
    for registry in registries:
        yield Queue(registry_queue(registry), has_single_consumer=True)
        yield Queue(dead_queue(registry), has_single_consumer=True)


def _bindings(registries: list[str], halls: list[str]) -> Iterable[Binding]:
    # Mandatory letters need a queue: without this one an event would be undeliverable until a department listens.
    yield Binding(EVENTS, "#", RECENT_EVENTS)
    for hall in halls:
        yield Binding(ORDERS, f"*.{hall}", hall_queue(hall))
        yield Binding(CONTROLS, f"*.{hall}", hall_queue(hall))
    for registry in registries:
        yield Binding(REPORTS, f"*.{registry}", registry_queue(registry))
        # Halls are named 231282-01, registries 231282: a key's registry is never mistaken for its hall.
        yield Binding(DEAD_LETTERS, f"{registry}.*", dead_queue(registry))
        yield Binding(DEAD_LETTERS, f"*.{registry}", dead_queue(registry))


def _bindings_of(ways: Ways, registries: list[str], halls: list[str]) -> Iterable[Binding]:
    """The same for pairs: what nobody agreed to has no queue to go to."""
    yield Binding(EVENTS, "#", RECENT_EVENTS)
    ours = [(registry, hall) for hall in halls for registry in registries]
    for registry, hall in ours:
        if (registry, hall) in ways.orders:
            yield Binding(ORDERS, to_hall(registry, hall), hall_queue(hall))
        if (registry, hall) in ways.talks:
            yield Binding(CONTROLS, to_hall(registry, hall), hall_queue(hall))
            yield Binding(REPORTS, to_registry(hall, registry), registry_queue(registry))
    for registry in registries:
        yield Binding(DEAD_LETTERS, f"{registry}.*", dead_queue(registry))
        yield Binding(DEAD_LETTERS, f"*.{registry}", dead_queue(registry))


def _policies(limits: Limits) -> tuple[Policy, ...]:
    full = {"overflow": "reject-publish", "max-length": limits.letters, "max-length-bytes": limits.bytes}
    at_least_once = {"dead-letter-exchange": DEAD_LETTERS, "dead-letter-strategy": "at-least-once"}
    return (
        Policy("certspool-work", r"^(hall|registry)\.", {**full, **at_least_once, "delivery-limit": limits.deliveries}),
        Policy("certspool-dead", r"^dead\.", full),
        Policy("certspool-events", r"^events\.recent$", {"overflow": "drop-head", "max-length": limits.recent_events}),
    )


def _home_user(name: str, registries: list[str], ways: Ways | None) -> User:
    ours = "|".join(registries)
    own_keys = rf"^({ours})\."
    orders = own_keys if ways is None else keys_to_halls(ways.orders, registries)
    controls = own_keys if ways is None else keys_to_halls(ways.talks, registries)
    return User(
        name=name,
        write=rf"^({ORDERS}|{CONTROLS}|{EVENTS})$",
        read=rf"^(registry|dead)\.({ours})$",
        topics={ORDERS: orders, CONTROLS: controls, EVENTS: own_keys},
    )


def keys_to_halls(pairs: Iterable[Pair], registries: Iterable[str]) -> str:
    """Return the pattern of the keys from these registries; those that write to the same halls stand together."""
    halls_of = {registry: tuple(sorted(h for r, h in pairs if r == registry)) for registry in sorted(registries)}
    alike: dict[tuple[str, ...], list[str]] = {}
    for registry, halls in halls_of.items():
        if halls:
            alike.setdefault(halls, []).append(registry)
    groups = [rf"({'|'.join(those)})\.({'|'.join(halls)})" for halls, those in alike.items()]
    return f"^({'|'.join(groups)})$" if groups else NOTHING


def _hall_user(hall: str, ways: Ways | None) -> User:
    keys = rf"^{hall}\."
    if ways is not None:
        # Of all registries, also those of other homes on the same broker: each of them applies the same.
        told = sorted(registry for registry, at in ways.talks if at == hall)
        keys = rf"^{hall}\.({'|'.join(told)})$" if told else NOTHING
    return User(
        name=hall_user(hall),
        write=rf"^{REPORTS}$",
        read=rf"^hall\.{hall}$",
        topics={REPORTS: keys},
    )
