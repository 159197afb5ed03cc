"""`once` before real ways to a device, `socket` and the stock `ipp` backend: printed once; cut in mid-job asked about, never sent again.

(`socket://` is sent by `once` itself, so that the connection stands before the claim.)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from agents.order import PassState
from agents.printers import Cups
from agents.spool import PrinterLine, ReleasedPass, Spool, SpoolSettings
from spooler.sandbox.cups import Queue
from tests.agents.paper.book import Entry, PaperBook
from tests.agents.paper.conftest import hall, open_directory
from tests.agents.paper.hall import A4, PaperHall, a_document, until
from tests.storm.devices import EvePrinter, Sink, a_bus, hindrance

__all__ = ["hall", "open_directory"]
QUEUE = "window-1"


class Window:
    """One printer of a hall, and the spool that works on it."""

    def __init__(self, hall: PaperHall, device: str) -> None:
        self._hall, self._device = hall, device
        self._book = PaperBook(a_document(A4))
        hall.cups.add_queue(Queue(QUEUE, device, {"A4": A4}))
        model = hall.cups.directory / f"{QUEUE}.ppd"
        # A printer that checks what it is asked compares sizes to the hundredth of a millimetre.
        model.write_text(model.read_text().replace("595.3", "595.276").replace("841.9", "841.890"))
        hall.command("/usr/sbin/lpadmin", "-p", QUEUE, "-P", str(model))

    def be_raw(self) -> None:
        """No filter and no description: the backend gets the very bytes."""
        self._hall.command("/usr/sbin/lpadmin", "-p", QUEUE, "-m", "raw")

    @contextmanager
    def staffed(self) -> Iterator[None]:
        spool = Spool(
            printers=[PrinterLine(QUEUE, self._device)],
            book=self._book,
            permits=self._hall.permits,
            settings=SpoolSettings(self._hall.cups.socket, quiet_seconds=0.5, look_seconds=0.1, limit_seconds=20),
            connect=Cups,
        )
        spool.start()
        try:
            yield
        finally:
            spool.stop()

    def release(self) -> Entry:
        self._book.entries.append(Entry(ReleasedPass(uuid4(), 1, 1, QUEUE, (0,), *A4, None)))
        return self._book.entries[-1]

    def everybody_tries_again(self, entry: Entry) -> None:
        """An operator asks CUPS again in every way, cupsd is killed, the agent starts anew."""
        job = str(entry.tries[-1].cups_job)
        for words in (("lp", "-i", job, "-H", "restart"), ("lp", "-i", job, "-H", "resume"), ("cupsdisable", QUEUE)):
            self._hall.command(*words)
        self._hall.kill_cups()
        self._hall.start_cups()
        self._hall.command("cupsenable", QUEUE)
        with self.staffed():
            until(lambda: not self._hall.connection.waiting_jobs())


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture
def eve(open_directory: Path) -> Iterator[EvePrinter]:
    if why := hindrance():
        pytest.skip(why)
    folder = open_directory / "eve"
    folder.mkdir()
    with a_bus(folder) as bus:
        eve = EvePrinter(folder, bus)
        yield eve
        eve.pull_the_plug()


def test_a_raw_port_is_sent_a_pass_once(hall, sink):
    window = Window(hall, sink.device)
    with window.staffed():
        entry = window.release()
        until(lambda: entry.state in (PassState.DONE, PassState.UNKNOWN))
    assert entry.state is PassState.DONE
    window.everybody_tries_again(entry)

    (received,) = sink.received
    assert received.startswith(b"%PDF-") and received.rstrip().endswith(b"%%EOF")


def test_a_raw_port_cut_in_mid_job_is_asked_about_and_sees_no_second_connection_with_data(hall, sink):
    sink.switch_off_after(100)
    window = Window(hall, sink.device)
    with window.staffed():
        entry = window.release()
        until(lambda: entry.state is PassState.UNKNOWN)
    sink.switch_off_after(None)
    window.everybody_tries_again(entry)

    assert len(sink.received) == len(entry.tries) == 1
    assert entry.state is PassState.UNKNOWN


@pytest.mark.parametrize("is_raw", [False, True])
def test_an_ipp_printer_prints_a_pass_once(hall, eve, is_raw):
    """Done is said when the printer itself calls its job completed. It checks what it is asked, and refuses what it does not know."""
    window = Window(hall, eve.device)
    eve.plug_in()
    if is_raw:
        window.be_raw()
    with window.staffed():
        entry = window.release()
        until(lambda: entry.state in (PassState.DONE, PassState.UNKNOWN))
    assert entry.state is PassState.DONE
    assert entry.evidence["permit"]["done"]["remote_state"] == "completed"
    window.everybody_tries_again(entry)

    assert len(eve.sheets) == len(eve.documents) == 1


def test_an_ipp_printer_that_loses_power_in_mid_job_is_asked_about_and_is_given_nothing_again(hall, eve):
    """It comes back with an empty memory; the stock backend takes that for completed."""
    window = Window(hall, eve.device)
    eve.plug_in()
    eve.jam()
    with window.staffed():
        entry = window.release()
        until(lambda: eve.documents)
        eve.pull_the_plug()
        eve.plug_in()
        until(lambda: entry.state is PassState.UNKNOWN)
    window.everybody_tries_again(entry)

    assert (eve.sheets, len(eve.documents), len(entry.tries)) == ([], 1, 1)
    assert entry.evidence["permit"]["done"]["remote_state"] != "completed"
