"""What the hall makes of the doctor's word: no release to an unsafe printer, and everyone who should know is told."""

import pytest
from prometheus_client import generate_latest

from agents.device import DeviceState
from agents.doctor.findings import Finding
from agents.doctor.rounds import Rounds
from agents.errors import DoesNotFit
from agents.metrics import make_registry
from tests.agents.counter.hall import CLERK, Counter
from tests.agents.doctor.test_judgement import JobFacts, sound
from tests.sealing import Office

COPIES = Finding("copies", "booklet-1", "2")
FOREIGN = Finding("foreign-job", "booklet-1", "7")


@pytest.fixture
def counter(tmp_path) -> Counter:
    return Counter(Office.create(tmp_path / "pki"), tmp_path)


def booklet_printer(counter):
    return next(p for p in counter.acts.printers(CLERK) if p.name == "booklet-1")


def test_an_order_waits_for_a_printer_that_is_unsafe_and_goes_when_it_is_safe(counter):
    counter.hall.board.diagnosed((COPIES,))
    order_id = counter.arrives(counter.booklet())

    assert counter.order(order_id).reasons == ("printer-offline", "waiting-release")
    with pytest.raises(DoesNotFit):
        counter.releases(order_id)

    counter.hall.board.diagnosed(())
    assert counter.releases(order_id).state == "printing"


def test_a_printer_says_what_is_wrong_and_so_does_the_heartbeat(counter):
    counter.stands("booklet-1", DeviceState.IDLE)
    counter.hall.board.diagnosed((COPIES,))
    counter.hall.pipeline.look()

    view = booklet_printer(counter)
    assert (view.state, view.reasons) == ("stopped", ("copies",))
    assert [(f.code, f.severity) for f in view.findings] == [("copies", "unsafe")]
    assert "doctor --fix" in view.findings[0].message
    beat = counter.reports("heartbeat")[0]
    assert [(p.state, p.reasons) for p in beat.printers if p.name == "booklet-1"] == [("stopped", ("copies",))]


def test_a_warning_is_told_and_stops_nothing(counter):
    counter.stands("booklet-1", DeviceState.IDLE)
    counter.hall.board.diagnosed((FOREIGN,))

    assert (booklet_printer(counter).state, booklet_printer(counter).reasons) == ("idle", ("foreign-job",))
    assert counter.releases(counter.arrives(counter.booklet())).state == "printing"


def test_each_foreign_job_is_counted_once():
    """The metric is of jobs, not of looks."""
    facts = sound(jobs=(JobFacts(7, "booklet-1", is_ours=False),))
    rounds = Rounds(lambda: facts)

    rounds.look()
    rounds.look()

    assert rounds.foreign == {"booklet-1": 1}


def test_findings_and_foreign_jobs_are_metrics(counter):
    counter.hall.board.diagnosed((COPIES,))
    registry = make_registry(
        hall="231282-01",
        ledger=counter.ledger,
        board=counter.hall.board,
        is_connected=lambda: True,
        clock=counter.clock,
        foreign_jobs=lambda: {"booklet-1": 3},
    )

    text = generate_latest(registry).decode()

    labels = 'code="copies",hall="231282-01",printer="booklet-1",severity="unsafe"'
    assert f"certspool_hall_findings{{{labels}}} 1.0" in text
    assert 'certspool_foreign_jobs_total{hall="231282-01",printer="booklet-1"} 3.0' in text


def test_without_an_answer_of_cups_nothing_begins():
    rounds = Rounds(lambda: sound(queues=None))

    rounds.look()
    rounds.stop()  # nobody looks again

    assert not rounds.may_begin("booklet-1")
