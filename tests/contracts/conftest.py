"""Every test of this room that asks for `make_carrier` runs twice: over RabbitMQ and in memory."""

from collections.abc import Iterator

import pytest

from spooler.wire.topology import describe
from tests.contracts.carriers import Carrier, MakeCarrier, MemoryCarrier, RabbitCarrier


@pytest.fixture(params=["rabbitmq", "memory"])
def make_carrier(request) -> Iterator[MakeCarrier]:
    made: list[Carrier] = []

    def make(topology) -> Carrier:
        if request.param == "memory":
            carrier = MemoryCarrier(topology)
        else:
            carrier = RabbitCarrier(request.getfixturevalue("make_virtual_host")(topology))
        made.append(carrier)
        return carrier

    yield make
    for carrier in made:
        carrier.close()


@pytest.fixture
def carrier(make_carrier) -> Carrier:
    """A carrier for one registry and two halls."""
    return make_carrier(describe(["231221"], ["231282-01", "231283-01"]))
