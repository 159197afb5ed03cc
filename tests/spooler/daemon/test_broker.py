"""`[broker]` in home.toml and hall.toml: one node, or the nodes of a cluster."""

import pytest
from pydantic import ValidationError

from spooler.daemon.broker import BrokerSection


def a_section(**more) -> BrokerSection:
    return BrokerSection(user="home", password_credential="broker.password", **more)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [("127.0.0.1", 5672)]),
        ({"host": "mq", "port": 5673}, [("mq", 5673)]),
        ({"nodes": ["mq-1:5672", "mq-2:5672"]}, [("mq-1", 5672), ("mq-2", 5672)]),
        ({"host": "mq-0", "nodes": ["mq-1:5672", "[::1]:5673"]}, [("mq-0", 5672), ("mq-1", 5672), ("::1", 5673)]),
        ({"host": "mq-1", "nodes": ["mq-1:5672", "mq-2:5672"]}, [("mq-1", 5672), ("mq-2", 5672)]),
    ],
    ids=["nothing said", "one node", "a cluster", "host beside nodes comes first", "none twice"],
)
def test_where_the_broker_is(given, expected):
    address = a_section(**given).address("secret")

    assert list(address.nodes) == expected


def test_a_node_that_is_none_is_a_mistake_to_be_told():
    with pytest.raises(ValidationError, match="mq-1"):
        a_section(nodes=["mq-1"])


def test_where_another_node_can_be_asked_none_is_waited_for_long():
    """F8: connected again within five seconds. A broker alone is waited for, slow as it may be."""
    alone, among_others = a_section().address("x"), a_section(nodes=["a:1", "b:2"]).address("x")

    assert among_others.connect_seconds + among_others.confirm_seconds < alone.confirm_seconds
    assert among_others.connect_seconds <= 2
