"""What `[broker]` says in home.toml and in hall.toml: one node of RabbitMQ, or the nodes of a cluster."""

from dataclasses import replace

from pydantic import Field, field_validator

from spooler.daemon.server import split_listen
from spooler.daemon.settings import Section
from spooler.wire.link import BrokerAddress, Node


class BrokerSection(Section):
    """`nodes` names a cluster's nodes, each `host:port`; `host` and `port`, when given beside them, come first."""

    host: str = "127.0.0.1"
    port: int = Field(default=5672, gt=0, le=65535)
    nodes: tuple[str, ...] = ()
    virtual_host: str = "/"
    user: str
    password_credential: str

    @field_validator("nodes")
    @classmethod
    def _each_is_one(cls, nodes: tuple[str, ...]) -> tuple[str, ...]:
        for node in nodes:
            split_listen(node)
        return nodes

    @property
    def ways_in(self) -> tuple[Node, ...]:
        """Return where to connect, in the order of the file, none twice."""
        named = [split_listen(node) for node in self.nodes]
        if not named or self.model_fields_set & {"host", "port"}:
            named.insert(0, (self.host, self.port))
        return tuple(dict.fromkeys(named))

    def address(self, password: str) -> BrokerAddress:
        """Return the address of whoever has this password. Where another node can be asked, none is waited for long."""
        first, *others = self.ways_in
        address = BrokerAddress(*first, self.virtual_host, self.user, password, others=tuple(others))
        return replace(address, connect_seconds=2.0, confirm_seconds=4.0) if others else address
