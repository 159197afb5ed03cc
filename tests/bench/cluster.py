"""Three private RabbitMQ nodes as one cluster, each of which can be killed and started again on the same data."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from spooler.sandbox import broker
from spooler.sandbox.broker import EPMD, LOOPBACK, SERVER, PrivateBroker
from spooler.wire.errors import WireError
from spooler.wire.link import BrokerAddress, Node
from spooler.wire.management import Management
from spooler.wire.topology import Topology

NAMES = ("a", "b", "c")
READY_SECONDS = 120.0
# RabbitMQ looks for fallen nodes every 5 s, and so long a queue whose leader fell takes nothing (docs/broker-cluster.md).
ADVANCED = "[{aten, [{poll_interval, 1000}]}].\n"


@dataclass
class Member:
    """One node."""

    name: str
    private: PrivateBroker
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def node(self) -> Node:
        return LOOPBACK, self.private.amqp_port

    def environment(self) -> dict[str, str]:
        return {**self.private.environment(), "RABBITMQ_NODENAME": _node_name(self.name)}

    def start(self) -> None:
        place = Path(self.private.directory)
        with open(place / "start.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(SERVER)], cwd=place, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def is_ready(self) -> bool:
        return broker.is_ready(self.private)


class Cluster:
    """Up from `up` until `down`."""

    def __init__(self, directory: Path) -> None:
        self._epmd: subprocess.Popen[bytes] | None = None
        first, *more = (broker.prepare(directory / name) for name in NAMES)
        # One administrator and one name server for all.
        shared = {"password": first.password, "epmd_port": first.epmd_port}
        self.members = [Member(name, replace(p, **shared)) for name, p in zip(NAMES, (first, *more), strict=True)]
        cookie = secrets.token_hex(16)
        for member in self.members:
            _configure(member, cookie)

    def up(self) -> None:
        one = self.members[0].private
        self._epmd = subprocess.Popen(
            [str(EPMD), "-address", LOOPBACK, "-port", str(one.epmd_port)], env=one.environment()
        )
        for member in self.members:
            member.start()
        self.until(lambda: all(member.is_ready() for member in self.members), "the nodes are not ready")
        self.until(lambda: self._running() == len(NAMES), "the nodes have not found each other")

    def down(self) -> None:
        for process in (*(member.process for member in self.members), self._epmd):
            if process is not None:
                process.kill()
                process.wait(10)

    def apply(self, topology: Topology, passwords: Mapping[str, str], virtual_host: str = "certspool") -> None:
        with self.management(virtual_host) as management:
            management.apply(topology, passwords)

    def management(self, virtual_host: str = "certspool", member: Member | None = None) -> Management:
        return (member or self.members[0]).private.management(virtual_host)

    def address(self, user: str, password: str, virtual_host: str = "certspool") -> BrokerAddress:
        """Return all three nodes as home.toml's `nodes` would name them."""
        from spooler.daemon.broker import BrokerSection

        nodes = tuple(f"{host}:{port}" for host, port in (member.node for member in self.members))
        return BrokerSection(
            nodes=nodes, virtual_host=virtual_host, user=user, password_credential="broker.password"
        ).address(password)

    def at(self, node: Node) -> Member:
        return next(member for member in self.members if member.node == node)

    def bring_back(self, member: Member, queue: str, virtual_host: str = "certspool") -> None:
        """Start a killed node, and return once each member of this queue is at work again: only then may the next one fall."""
        member.start()
        self.until(member.is_ready, f"node {member.name} is not ready again")
        self.until(lambda: self._is_whole(member, queue, virtual_host), f"{queue} has not all its members again")

    def until(self, true, otherwise: str, seconds: float = READY_SECONDS) -> None:  # type: ignore[no-untyped-def]
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, otherwise
            time.sleep(0.1)

    def _running(self) -> int:
        nodes = self.members[0].private.management("/")._send("GET", "nodes").json()
        return sum(bool(node["running"]) for node in nodes)

    def _is_whole(self, member: Member, queue: str, virtual_host: str) -> bool:
        try:
            with self.management(virtual_host, member) as management:
                found = management._read(f"queues/{virtual_host}/{queue}")
        except WireError:
            return False
        return len(found.get("online", ())) == len(NAMES)


def _node_name(name: str) -> str:
    return f"certspool-{name}@{LOOPBACK}"


def _configure(member: Member, cookie: str) -> None:
    place = Path(member.private.directory)
    with open(place / "rabbitmq.conf", "a") as file:
        file.write("cluster_formation.peer_discovery_backend = classic_config\n")
        for number, name in enumerate(NAMES, 1):
            file.write(f"cluster_formation.classic_config.nodes.{number} = {_node_name(name)}\n")
    (place / "advanced.config").write_text(ADVANCED)
    text = (place / "rabbitmq.conf").read_text()
    own, shared = broker.prepare(place).password, member.private.password
    (place / "rabbitmq.conf").write_text(text.replace(own, shared))
    secret = place / ".erlang.cookie"
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "w") as file:
        file.write(cookie)
