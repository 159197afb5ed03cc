"""F29: the disk is full at the hall's journal, the home's store, the CUPS spool: refused with its reason, nothing broken, on by itself."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents.accounts import MACHINE
from agents.errors import HallError
from agents.order import PassState
from spooler.wire.letters import Letter
from spooler.wire.memory import MemoryBroker, MemoryLink
from spooler.wire.topology import ORDER_TYPE, ORDERS, describe, hall_queue, to_hall
from tests.agents.counter.conftest import make_counter, office
from tests.agents.counter.hall import HALL, HOME, Counter
from tests.agents.counter.test_over_the_wire import Wired
from tests.agents.paper.conftest import open_directory
from tests.agents.paper.hall import a_hall
from tests.agents.paper.test_spool import Desk
from tests.disk.small import SmallDisk, a_small_disk
from tests.journeys.build import a_proof
from tests.sealing import OTHER_HALL, OTHER_HOME, Office
from tests.spooler.api.conftest import a_home, layout

__all__ = ["layout", "make_counter", "office", "open_directory"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with a_small_disk(tmp_path / "small", 3000) as found:
        yield found


def until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.fault_row("F29")
def test_a_hall_without_room_takes_no_delivery_and_goes_on_when_there_is_some(office: Office, disk: SmallDisk) -> None:
    """Nothing is acked that is not on disk: the broker keeps it."""
    broker = MemoryBroker(describe([HOME, OTHER_HOME], [HALL, OTHER_HALL]))
    counter = Counter(office, disk.path / "hall")
    waiting = counter.arrives(counter.proof())
    order = counter.proof()
    wired = Wired(counter, broker)
    try:
        # With a report still to be noted as sent the courier would not come as far as the delivery.
        until(lambda: counter.ledger.outbox.depth() == 0)
        disk.fill()
        publish(broker, counter, order)
        time.sleep(0.5)
        assert counter.ledger.orders.get(order.ticket.order_id) is None
        until(lambda: len(broker.letters(hall_queue(HALL))) == 1)
        assert wired.courier.is_alive and counter.hall.pipeline.is_alive
        with pytest.raises(Exception, match=r"full|No space") as refused:
            fill_the_journal(counter, waiting)
        assert not isinstance(refused.value, HallError)

        disk.free()

        until(lambda: counter.ledger.orders.get(order.ticket.order_id))
        until(lambda: not broker.letters(hall_queue(HALL)))
        assert counter.ledger._db.value("PRAGMA integrity_check") == "ok"
        # A report whose sending could not be noted is sent again; home knows it by its sequence.
        until(lambda: len({r.sequence for r in wired.told() if r.kind == "received"}) == 2)
    finally:
        wired.stop()
        counter.ledger.close()


def publish(broker: MemoryBroker, counter: Counter, order: object) -> None:
    wrapped = counter.wrapped(order)  # type: ignore[arg-type]
    link = MemoryLink(broker)
    link.open()
    link.publish(Letter(wrapped.id, ORDERS, to_hall(HOME, HALL), ORDER_TYPE, wrapped.body, wrapped.headers))
    link.close()


def fill_the_journal(counter: Counter, order_id: object) -> None:
    """The log of SQLite has room for a few more pages; then every act is refused."""
    for _ in range(500):
        with counter.ledger.transaction():
            counter.hall.journal.change(counter.hall.journal.order(order_id), by=MACHINE, detail="x" * 3000)  # type: ignore[arg-type]


def test_a_home_without_room_says_when_to_come_again(disk: SmallDisk, layout: object) -> None:
    """503 with Retry-After; afterwards the same request is taken, once."""
    home = a_home(disk.path, layout)
    try:
        with home.client() as client:
            first, second = a_proof(), a_proof()
            assert client.post("/v1/jobs", json=first).status_code == 201
            disk.fill()
            refused = client.post("/v1/jobs", json=second)
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
            assert int(refused.headers["Retry-After"]) > 0
            assert client.get("/v1/jobs").is_success

            disk.free()

            assert client.post("/v1/jobs", json=second).status_code == 201
            assert client.post("/v1/jobs", json=second).status_code == 200
            assert len(client.get("/v1/jobs").json()["jobs"]) == 2
        with home.store.transactions.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    finally:
        home.close()


def test_a_pass_that_cups_has_no_room_for_is_not_released_and_tried_again(open_directory: Path) -> None:
    """No permit, no sheet, nobody asked; when there is room it is printed once."""
    with a_small_disk(open_directory / "cups" / "spool", 400) as spool_disk, a_hall(open_directory) as hall:
        desk = Desk(hall)
        spool_disk.fill()
        entry = desk.release()
        desk.start()
        try:
            until(lambda: len(entry.whys) >= 2, 120)
            assert hall.sheets() == []
            assert entry.state is not PassState.UNKNOWN

            spool_disk.free()

            desk.wait_for(entry, PassState.DONE)
            assert len(hall.sheets()) == 1
            assert set(entry.whys[:-1]) == {"not-released"}
        finally:
            desk.stop()
