"""The simulated clerk does what people would: through the hall's API, and by what she sees on the paper."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from spooler.daemon.server import HttpServer
from spooler.sandbox.clerk import LONG_WAIT_SECONDS, Clerk
from spooler.sandbox.site import HallSite, PrinterSite
from spooler.sandbox.virtual_printer import Job, Printer, mark
from spooler.wire.messages import Cancel, Hold, Resume, Stock
from tests.agents.api.conftest import TOKENS, api_of
from tests.agents.counter.hall import CLERK, Counter
from tests.sealing import HALL, PROOF_SHEET, Office, a_pdf

BLANKS = {"booklet-1": "D23000000", "proof-1": "23000000"}
SECONDS = 60
WHOLE = a_pdf([PROOF_SHEET])


@pytest.fixture(scope="module")
def office(tmp_path_factory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


@dataclass
class Room:
    """A hall with virtual printers and a clerk; the printers' workers are played by the test."""

    counter: Counter
    directory: Path
    stop: threading.Event = field(default_factory=threading.Event)
    printers: dict[str, Printer] = field(default_factory=dict)
    clerk: threading.Thread | None = None

    def __post_init__(self) -> None:
        for section in self.counter.printers:
            printer = Printer(self.directory / section.name)
            start = BLANKS.get(section.name)
            printer.create(None if start is None else [f"{start}{number:03d}" for number in range(101, 111)])
            self.printers[section.name] = printer

    def site(self, port: int) -> HallSite:
        sites = [
            PrinterSite(name=p.name, stock=p.stock, first=None, last=None, directory=self.directory / p.name)
            for p in self.counter.printers
        ]
        tokens = {"token": TOKENS["clerk"], "approver_token": TOKENS["approver"]}
        return HallSite(hall=HALL, port=port, directory=self.directory, printers=tuple(sites), **tokens)

    def prints(self, name: str, outcome: str = "done", *, data: bytes = WHOLE) -> None:
        """Let the printer mark its next pass, once the clerk has released it, and the ledger hear of it."""
        until(lambda: self.counter.has_to_print(name) is not None)
        begun = self.counter.begins(name)
        if data:
            mark(self.printers[name], Job(begun.title, str(begun.id)), data, complete=data == WHOLE)
        getattr(self.counter.book, outcome)(begun.id, {"why": "test"})

    def reaches(self, order_id: UUID, state: str) -> Any:
        until(lambda: self.counter.order(order_id).state == state)
        return self.counter.order(order_id)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, "nobody did it"
        time.sleep(0.01)


@pytest.fixture
def room(office, tmp_path):
    room = Room(Counter(office, tmp_path / "hall"), tmp_path / "printers")
    server = HttpServer(api_of(room.counter), "127.0.0.1", 0)
    server.start()
    clerk = room.clerk = threading.Thread(target=Clerk(room.site(server.port), room.stop).work, daemon=True)
    clerk.start()
    yield room
    room.stop.set()
    room.counter.hall.changes.stop()
    clerk.join(SECONDS)
    server.stop()
    assert not clerk.is_alive()


def test_a_booklet_is_released_turned_confirmed_and_handed_over(room):
    """The serial is the one on the paper."""
    order_id = room.counter.arrives(room.counter.booklet())

    room.prints("booklet-1")
    room.prints("booklet-1")

    assert room.reaches(order_id, "issued").serial == "D23000000101"


def test_lists_on_plain_paper_come_with_their_proof(room):
    order_id = room.counter.arrives(room.counter.proof(lists=1))

    room.prints("proof-1")
    room.prints("plain-1")

    assert room.reaches(order_id, "issued").serial == "23000000101"


def test_a_list_that_was_lost_comes_again_and_the_certificate_is_still_the_same(room):
    """She reads the serial off the certificate of the attempt before: it was good, only its list was not."""
    order_id = room.counter.arrives(room.counter.proof(lists=1))
    room.prints("proof-1")
    begun = room.counter.begins("plain-1")
    room.counter.control(Hold, order_id, reason="")  # so that she does not hand it over meanwhile
    room.counter.book.done(begun.id, {"why": "test"})
    room.counter.acts.spoil(CLERK, order_id, attempt=1, blanks=[], reason="no list came out")
    until(lambda: room.counter.order(order_id).attempt == 2)

    room.counter.control(Resume, order_id, reason="")
    room.prints("plain-1")

    assert room.reaches(order_id, "issued").serial == "23000000101"


def test_a_blank_that_a_stop_called_void_and_that_lies_in_the_tray_is_used_by_the_next_order(room):
    """The device swallowed the data; the next print comes out on the blank that the ledger calls void."""
    stopped = room.counter.arrives(room.counter.proof(lists=1))
    room.prints("proof-1", data=b"")
    room.counter.control(Cancel, stopped, reason="")
    order_id = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")

    assert room.reaches(order_id, "issued").serial == "23000000101"


def test_several_orders_each_get_their_own_serial(room):
    ids = [room.counter.arrives(room.counter.proof()) for _ in range(3)]

    for _ in ids:
        room.prints("proof-1")

    serials = {room.reaches(order_id, "issued").serial for order_id in ids}
    assert serials == {f"23000000{number}" for number in (101, 102, 103)}


def test_she_is_woken_and_does_not_look_at_her_watch(room):
    """Long polls, not a busy loop: the demo and the tests wait for printers, not for her."""
    order_id = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")
    start = time.monotonic()
    room.reaches(order_id, "issued")

    assert time.monotonic() - start < LONG_WAIT_SECONDS / 4


def test_a_whole_side_of_an_unknown_pass_is_printed(room):
    """Nobody knows whether it came out; she looks, and it is there."""
    order_id = room.counter.arrives(room.counter.proof())

    room.prints("proof-1", "unknown")

    assert room.reaches(order_id, "issued").attempt == 1


def test_half_a_side_is_spoiled_and_printed_on_another_blank(room):
    """Two logins agree; the blank is void."""
    order_id = room.counter.arrives(room.counter.proof())
    room.prints("proof-1", "unknown", data=WHOLE[:700])

    room.prints("proof-1")

    order = room.reaches(order_id, "issued")
    assert (order.attempt, order.serial) == (2, "23000000102")
    assert room.counter.ledger.blanks.counts()[(Stock.PROOF, "void")] == 1


def test_nothing_on_the_tray_is_released_again_on_the_same_blank(room):
    order_id = room.counter.arrives(room.counter.proof())
    room.prints("proof-1", "unknown", data=b"")

    room.prints("proof-1")

    order = room.reaches(order_id, "issued")
    assert (order.attempt, order.serial) == (1, "23000000101")


def test_two_blanks_stuck_together_are_both_named(room):
    """Double feed: the upper carries the print, the other is void, and the next order's proposal is right again."""
    room.printers["proof-1"].set_fault("double-feed")
    first = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")
    assert room.reaches(first, "issued").serial == "23000000101"

    room.printers["proof-1"].set_fault("clear")
    second = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")

    assert room.reaches(second, "issued").serial == "23000000103"
    assert room.counter.ledger.blanks.counts()[(Stock.PROOF, "void")] == 1


def test_another_blank_than_proposed_is_confirmed_by_two(room):
    """Wrong blank: the paper is right, whatever the screen says."""
    room.printers["proof-1"].set_fault("wrong-blank")
    first = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")
    assert room.reaches(first, "issued").serial == "23000000102"

    room.printers["proof-1"].set_fault("clear")
    second = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")

    assert room.reaches(second, "issued").serial == "23000000101"


def test_a_double_feed_of_the_last_two_blanks_is_seen(room):
    """The tray is empty then; the ledger still counts the lower one as loaded."""
    room.printers["proof-1"].load(["23000000101", "23000000102"])
    room.printers["proof-1"].set_fault("double-feed")
    order_id = room.counter.arrives(room.counter.proof())
    room.prints("proof-1")

    room.reaches(order_id, "issued")

    assert room.counter.ledger.blanks.counts()[(Stock.PROOF, "void")] == 1


def test_idle_she_costs_next_to_nothing(room):
    """She waits in the hall's API; ten halls' clerks must leave the machine to others."""
    own_time = time.pthread_getcpuclockid(room.clerk.ident)
    time.sleep(0.5)
    start = time.clock_gettime(own_time)
    time.sleep(1.5)

    assert time.clock_gettime(own_time) - start < 0.1
