"""`once` before the stock `ipp` backend, with another cupsd as the IPP printer: its own word on its own job is needed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.device import DeviceState, look
from agents.permit import Claim
from agents.printers import JobState
from spooler.sandbox.cups import PrivateCups, Queue
from spooler.sandbox.ports import free_ports
from spooler.sandbox.virtual_printer import Printer
from tests.agents.paper.hall import SIZES, PaperHall, until


@pytest.fixture
def peer(hall: PaperHall, open_directory: Path) -> Iterator[PaperHall]:
    """An IPP printer that nobody here wrote: a second cupsd, before a virtual device without `once`."""
    (port,) = free_ports(1)
    peer = PaperHall(open_directory, hall.permits, PrivateCups(open_directory / "peer", hall.permits.path))
    peer.cups.prepare()
    with peer.cups.configuration.open("a") as configuration:
        configuration.write(f"Listen 127.0.0.1:{port}\n")
    peer.start_cups()
    printer = peer.printers["paper"] = Printer(open_directory / "paper")
    printer.create(None, "lp" if os.geteuid() == 0 else None)
    peer.command(
        "/usr/sbin/lpadmin", "-p", "paper", "-E", "-v", printer.device, "-m", "raw", "-o", "printer-is-shared=true"
    )
    hall.cups.add_queue(Queue("ipp-1", f"ipp://127.0.0.1:{port}/printers/paper", SIZES))
    yield peer
    peer.clear_up()


def begin(hall: PaperHall, peer: PaperHall):
    device = hall.command("lpstat", "-v", "ipp-1").split("once:")[1].strip()
    uuid, job = hall.spool(queue="ipp-1")
    hall.permit(uuid, job, queue="ipp-1", device=device)
    hall.connection.release(job)
    return uuid, job


def test_a_pass_that_the_printer_itself_calls_completed_is_good(hall, peer):
    uuid, job = begin(hall, peer)
    hall.wait_until_ended(job)

    done = hall.permits.fate(uuid).done
    assert (done["exit"], done["remote_state"], done["bytes"]) == (0, "completed", done["length"])
    assert len(peer.sheets("paper")) == 1


def test_a_pass_that_the_printer_gave_up_is_not_good_although_the_backend_says_so(hall, peer):
    """Exit 0 of the stock backend is no proof: it is the same for a job that the printer dropped."""
    peer.printers["paper"].set_fault("stall")
    uuid, job = begin(hall, peer)
    hall.wait_until_claimed(uuid)
    (remote,) = until(lambda: [j for j in peer.connection.waiting_jobs() if j.state is JobState.PROCESSING])
    until(lambda: peer.processes("virtual"))
    peer.connection.cancel_job(remote.number)
    hall.wait_until_sent(uuid)

    done = hall.permits.fate(uuid).done
    assert done["remote_state"] != "completed"
    assert hall.connection.job(job).state is not JobState.COMPLETED


def test_a_stopped_or_missing_ipp_printer_is_not_ready(hall, peer):
    peer.command("cupsdisable", "paper")
    uuid, job = begin(hall, peer)
    hall.wait_until_ended(job)

    assert hall.permits.fate(uuid).claim is Claim.NONE
    assert peer.sheets("paper") == []
    device = hall.command("lpstat", "-v", "ipp-1").split("once:")[1].strip()
    assert look(device, None).state is DeviceState.STOPPED
    peer.command("cupsenable", "paper")
    assert look(device, None).state is DeviceState.IDLE
    peer.kill_cups()
    assert look(device, None).order_reasons == ("printer-offline",)
