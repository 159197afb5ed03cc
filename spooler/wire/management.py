"""The broker's management HTTP API: make a broker as `topology` describes it, and name what is not so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from spooler.wire.broker_guard import GUEST, BrokerFacts, Listener, Permission
from spooler.wire.errors import BrokerUnreachable, WireError
from spooler.wire.topology import CONTROLS, ORDERS, REPORTS, Binding, Policy, Queue, Topology, User

_NOTHING = "^$"
_LETTERS = (ORDERS, CONTROLS, REPORTS)


class BrokerRefused(WireError):
    """An operator must act: the management API answered, and said no."""

    code = "broker-refused"


@dataclass(frozen=True)
class _Surplus:
    """A binding that nothing grants, and what the management API calls it."""

    binding: Binding
    properties_key: str


class Management:
    """A session with the management API as an administrator."""

    def __init__(self, url: str, user: str, password: str, *, virtual_host: str = "certspool") -> None:
        # An internal network: a proxy from the environment would only be in the way.
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/", auth=(user, password), timeout=30, trust_env=False
        )
        self._host = quote(virtual_host, safe="")
        self._administrator = user

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def apply(
        self, topology: Topology, passwords: Mapping[str, str] | None = None, *, has_certificates: bool = False
    ) -> None:
        """Make the broker so. Applying twice changes nothing; users without a password here keep the one they have.

        With certificates users have no password, and lose one that they had.
        """
        passwords = passwords or {}
        self._put(f"vhosts/{self._host}", {})
        self._let_in(self._administrator)
        for exchange in topology.exchanges:
            self._put(f"exchanges/{self._host}/{exchange}", {"type": "topic", "durable": True})
        for policy in topology.policies:
            self._put(f"policies/{self._host}/{policy.name}", _policy_body(policy))
        for queue in topology.queues:
            self._put(f"queues/{self._host}/{queue.name}", {"durable": True, "arguments": dict(queue.arguments)})
        for binding in topology.bindings:
            self._ask("POST", self._binding_path(binding), {"routing_key": binding.key})
        for surplus in self._surplus(topology):  # after the new ones: in between nothing is without a way
            self._ask("DELETE", f"{self._binding_path(surplus.binding)}/{quote(surplus.properties_key, safe='')}")
        for user in topology.users:
            self._apply_user(user, passwords.get(user.name), has_certificates)
        if self._administrator != GUEST and self._read(f"users/{GUEST}") is not None:
            self._ask("DELETE", f"users/{GUEST}")

    def facts(self) -> BrokerFacts:
        """Return who can get at the broker."""
        users = self._read("users") or []
        permissions = {
            one["user"]: Permission(one["configure"], one["write"], one["read"]) for one in self._list_of("permissions")
        }
        return BrokerFacts(
            passwords=frozenset(user["name"] for user in users if user.get("password_hash")),
            users=frozenset(user["name"] for user in users),
            permissions=permissions,
            listeners=tuple(_listener(one) for one in (self._read("overview") or {}).get("listeners", [])),
        )

    def check(self, topology: Topology) -> list[str]:
        """Return every difference between the broker and the description, each as a sentence."""
        if self._read(f"vhosts/{self._host}") is None:
            return ["the virtual host is missing"]
        return [
            *self._exchange_faults(topology),
            *self._queue_faults(topology),
            *self._policy_faults(topology),
            *self._binding_faults(topology),
            *(fault for user in topology.users for fault in self._user_faults(user)),
        ]

    def depths(self) -> dict[str, int]:
        """Return how many letters each queue held some seconds ago, ready or given out."""
        return {name: int(queue.get("messages", 0)) for name, queue in self._queues().items()}

    def purge(self, queue: str) -> None:
        """Throw away what is ready in a queue. For tests and for operators who know why."""
        self._ask("DELETE", f"queues/{self._host}/{queue}/contents")

    def delete_queue(self, queue: str) -> None:
        """Delete a queue with all that is in it: a hall that is no more."""
        self._ask("DELETE", f"queues/{self._host}/{quote(queue, safe='')}")

    # apply

    def _let_in(self, user: str) -> None:
        self._put(f"permissions/{self._host}/{quote(user)}", {"configure": ".*", "write": ".*", "read": ".*"})

    def _apply_user(self, user: User, password: str | None, has_certificates: bool) -> None:
        name = quote(user.name, safe="")
        if password is not None:
            self._put(f"users/{name}", {"password": password, "tags": ""})
        elif has_certificates or self._read(f"users/{name}") is None:
            # Nobody can log in by password as a user with an empty hash, so a name may wait for its own.
            self._put(f"users/{name}", {"password_hash": "", "tags": ""})
        self._put(f"permissions/{self._host}/{name}", _permission_body(user))
        for exchange, keys in user.topics.items():
            body = {"exchange": exchange, "write": keys, "read": _NOTHING}
            self._put(f"topic-permissions/{self._host}/{name}", body)

    def _binding_path(self, binding: Binding) -> str:
        return f"bindings/{self._host}/e/{binding.exchange}/q/{binding.queue}"

    # check

    def _exchange_faults(self, topology: Topology) -> Iterator[str]:
        found = {exchange["name"]: exchange for exchange in self._list("exchanges")}
        for name in topology.exchanges:
            if name not in found:
                yield f"exchange {name} is missing"
            elif (found[name]["type"], found[name]["durable"]) != ("topic", True):
                yield f"exchange {name} is not a durable topic exchange"

    def _queue_faults(self, topology: Topology) -> Iterator[str]:
        found, policies = self._queues(), {policy["name"]: policy["definition"] for policy in self._list("policies")}
        for queue in topology.queues:
            if queue.name not in found:
                yield f"queue {queue.name} is missing"
                continue
            # What is in force, not what was asked: another policy of higher priority may stand above ours.
            in_force = policies.get(found[queue.name].get("policy"), {})
            yield from _argument_faults(queue, found[queue.name]["arguments"])
            yield from _limit_faults(queue, in_force, topology.settings_of(queue.name))

    def _policy_faults(self, topology: Topology) -> Iterator[str]:
        found = {policy["name"]: policy for policy in self._list("policies")}
        for policy in topology.policies:
            if policy.name not in found:
                yield f"policy {policy.name} is missing"
            elif found[policy.name]["pattern"] != policy.pattern:
                yield f"policy {policy.name} is for {found[policy.name]['pattern']}, should be for {policy.pattern}"

    def _binding_faults(self, topology: Topology) -> Iterator[str]:
        found = {(b["source"], b["routing_key"], b["destination"]) for b in self._list("bindings")}
        for binding in topology.bindings:
            if (binding.exchange, binding.key, binding.queue) not in found:
                yield f"binding {binding.exchange} ─{binding.key}─▶ {binding.queue} is missing"
        for surplus in self._surplus(topology):
            one = surplus.binding
            yield f"binding {one.exchange} ─{one.key}─▶ {one.queue} is there, nothing grants it"

    def _surplus(self, topology: Topology) -> list["_Surplus"]:
        """Return what leads into our queues and is not described; other homes' registries are theirs to speak of."""
        wanted = {(one.exchange, one.key, one.queue) for one in topology.bindings}
        queues, ours = {queue.name for queue in topology.queues}, topology.registries
        return [
            _Surplus(Binding(b["source"], b["routing_key"], b["destination"]), b["properties_key"])
            for b in self._list("bindings")
            if b["source"] in _LETTERS and b["destination"] in queues
            if (b["source"], b["routing_key"], b["destination"]) not in wanted
            if {"*", *ours} & {*b["routing_key"].split(".")}
        ]

    def _user_faults(self, user: User) -> Iterator[str]:
        name = quote(user.name, safe="")
        if self._read(f"users/{name}") is None:
            yield f"user {user.name} is missing"
            return
        permissions = self._read(f"permissions/{self._host}/{name}") or {}
        for verb, pattern in _permission_body(user).items():
            if permissions.get(verb) != pattern:
                yield f"user {user.name} may {verb} {permissions.get(verb)!r}, should be {pattern!r}"
        topics = {t["exchange"]: t["write"] for t in self._read(f"topic-permissions/{self._host}/{name}") or []}
        for exchange, keys in user.topics.items():
            if topics.get(exchange) != keys:
                yield f"user {user.name} may write keys {topics.get(exchange)!r} to {exchange}, should be {keys!r}"

    # HTTP

    def _queues(self) -> dict[str, dict[str, Any]]:
        # Without statistics the answer is how things are now; with them, how they were up to ten seconds ago.
        return {queue["name"]: queue for queue in self._list("queues", "?disable_stats=true&enable_queue_totals=true")}

    def _list_of(self, what: str) -> list[dict[str, Any]]:
        """Return what there is of this in our virtual host, which may be missing."""
        answer = self._read(f"vhosts/{self._host}/{what}")
        return answer if isinstance(answer, list) else []

    def _list(self, what: str, query: str = "") -> list[dict[str, Any]]:
        answer = self._read(f"{what}/{self._host}{query}")
        return answer if isinstance(answer, list) else []

    def _read(self, path: str) -> Any:
        """Return what stands there, None when nothing does."""
        answer = self._send("GET", path)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _accepted(answer).json()

    def _put(self, path: str, body: Mapping[str, Any]) -> None:
        self._ask("PUT", path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        _accepted(self._send(method, path, body))

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        try:
            return self._client.request(method, path, json=body)
        except httpx.TransportError as e:
            raise BrokerUnreachable(f"the management API does not answer ({type(e).__name__})") from e


def _accepted(answer: httpx.Response) -> httpx.Response:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise BrokerRefused("the management API refuses this user or password, or the user is no administrator")
    if answer.is_error:
        reason = answer.text[:300]
        raise BrokerRefused(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {reason}")
    return answer


def _listener(one: Mapping[str, Any]) -> Listener:
    """A listener of HTTP says that it is everywhere, and where it is in its options."""
    options = one.get("socket_opts")
    place = options.get("ip") if isinstance(options, dict) else None
    return Listener(one["protocol"], place or one["ip_address"], one["port"])


def _argument_faults(queue: Queue, found: Mapping[str, Any]) -> Iterator[str]:
    for key, wanted in queue.arguments.items():
        if found.get(key) != wanted:
            yield f"queue {queue.name} has {key} {found.get(key)!r}, should be {wanted!r}: delete it when empty, apply again"


def _limit_faults(queue: Queue, in_force: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[str]:
    for key, limit in wanted.items():
        if in_force.get(key) != limit:
            yield f"queue {queue.name} has {key} {in_force.get(key)!r}, should be {limit!r}"


def _policy_body(policy: Policy) -> dict[str, Any]:
    return {"pattern": policy.pattern, "definition": dict(policy.definition), "apply-to": "queues", "priority": 10}


def _permission_body(user: User) -> dict[str, str]:
    return {"configure": _NOTHING, "write": user.write, "read": user.read}
