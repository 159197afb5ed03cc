"""Home sees from a hall's reports alone that its journal was restored or runs twice, and tells a hall that forgot what it had."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from spooler.ask_hall import HallAsker
from spooler.job import JobState, Reason
from spooler.restore import Restorer
from spooler.wire import signed
from spooler.wire.errors import NotTrusted
from spooler.wire.letters import Letter
from spooler.wire.messages import CONTROL_TYPE, Actor, Halt, Heartbeat, Reconcile, Restore, read_control
from spooler.wire.topology import CONTROLS
from tests.sealing import HALL, HOME
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall

BEAT = {"agent_version": "0.1"}


@pytest.fixture
def restorer(home: Home) -> Restorer:
    keys = {HOME: home.office.ticket_key()}
    return Restorer(
        store=home.store, documents=home.documents, trust=home.trust, asker=HallAsker(keys), clock=home.clock
    )


def beats(home: Home, hall: FakeHall, times: int = 1) -> None:
    for _ in range(times):
        home.collector.handle(hall.says(Heartbeat, **BEAT))


def asks(home: Home, hall: FakeHall, *, actor: Actor | None = None, has: tuple[UUID, ...] = ()) -> None:
    home.collector.handle(hall.says(Reconcile, phase="asked", ask=uuid4(), why="rolled-back", actor=actor, orders=has))


def leaves(home: Home, hall: FakeHall) -> None:
    home.collector.handle(hall.says(Reconcile, phase="left", ask=uuid4(), why="rolled-back"))


def copy_of(hall: FakeHall) -> FakeHall:
    """The same journal a second time, with an agent of its own."""
    twin = FakeHall.__new__(FakeHall)
    twin.__dict__.update(hall.__dict__)
    twin.instance = uuid4()
    return twin


def standing(home: Home) -> tuple[str, str | None]:
    (hall,) = home.store.halls.all()
    return hall.standing, hall.standing_why


def told(home: Home) -> list[Any]:
    """Every control that goes to the hall now; the courier takes all that may go."""
    return [read_control(opened(home, letter)) for letter in home.send() if letter.exchange == CONTROLS]


def opened(home: Home, letter: Letter) -> bytes:
    keys = home.trust.registries[HOME].ticket_keys
    return signed.open_signed(letter.body, CONTROL_TYPE, keys=keys, use="ticket", at=home.clock())


def codes(home: Home) -> list[str]:
    return [alarm.code for alarm in home.alarms]


def test_a_restarted_agent_is_the_same_hall(home: Home, hall: FakeHall, restorer: Restorer) -> None:
    beats(home, hall, 3)
    hall.start_again()
    beats(home, hall, 3)
    restorer.look()

    assert standing(home) == ("ok", None)
    assert told(home) == [] and codes(home) == []


def test_reports_that_come_again_accuse_nobody(home: Home, hall: FakeHall) -> None:
    """The broker may deliver twice, also what an earlier run of the agent said."""
    sent = [hall.says(Heartbeat, **BEAT) for _ in range(2)]
    hall.start_again()
    sent.append(hall.says(Heartbeat, **BEAT))
    for delivery in [*sent, *sent]:
        home.collector.handle(replace(delivery, redelivered=True))

    assert standing(home) == ("ok", None)


@pytest.mark.fault_row("F27")
def test_a_journal_that_was_set_back_shows_at_its_first_report(home: Home, hall: FakeHall, restorer: Restorer) -> None:
    """F27: the sequence begins again below what was told, in a new run; even where heartbeats are no longer known by hash."""
    restored = copy_of(hall)
    beats(home, hall, 3)

    beats(home, restored)
    restorer.look()

    assert standing(home) == ("reconcile", "rolled-back")
    assert [control.reason for control in told(home)] == ["rolled-back"]
    assert codes(home) == ["rolled-back"]


@pytest.mark.fault_row("F28")
def test_two_agents_that_take_turns_show_within_one_heartbeat(home: Home, hall: FakeHall, restorer: Restorer) -> None:
    """F28: whoever spoke before the other speaks again, above where the other began."""
    beats(home, hall)
    twin = copy_of(hall)
    beats(home, twin, 2)

    beats(home, hall)
    restorer.look()

    assert standing(home) == ("cloned", "two-agents")
    assert [control.reason for control in told(home)] == ["two-agents"]
    assert codes(home) == ["two-agents"]


def test_an_epoch_that_had_ended_and_speaks_again_is_a_second_agent(home: Home, hall: FakeHall) -> None:
    beats(home, hall)
    moved = copy_of(hall)
    moved.start_again(epoch=uuid4())
    asks(home, moved)
    assert standing(home) == ("reconcile", "new-epoch")

    beats(home, hall)

    assert standing(home) == ("cloned", "two-agents")


def test_whoever_is_told_and_goes_on_is_told_again_after_a_while(
    home: Home, hall: FakeHall, restorer: Restorer, clock: Clock
) -> None:
    """One control reaches one agent only; so the other is told when it speaks next."""
    restored = copy_of(hall)
    beats(home, hall, 5)
    counts = []
    for _ in range(3):
        beats(home, restored)
        restorer.look()
        counts.append(len(told(home)))
        clock.advance(seconds=6)

    assert counts == [1, 0, 1]


def test_a_report_that_contradicts_another_is_refused_and_noted(home: Home, hall: FakeHall) -> None:
    ticket = home.sent(hall)
    twin = FakeHall.__new__(FakeHall)
    twin.__dict__.update(hall.__dict__)
    home.collector.handle(hall.received(ticket))

    with pytest.raises(NotTrusted):
        home.collector.handle(twin.stands(ticket, "cancelled"))

    assert standing(home)[0] == "reconcile"


def test_nothing_new_is_sent_to_a_hall_in_doubt_and_all_of_it_afterwards(
    home: Home, hall: FakeHall, restorer: Restorer
) -> None:
    beats(home, hall)
    hall.start_again(epoch=uuid4())
    asks(home, hall)
    job = home.accept(7)
    home.pipeline.work_off()
    restorer.look()

    assert home.orders() == []
    assert home.job(job).reasons == (Reason.UNDELIVERABLE,)
    leaves(home, hall)
    assert [order.type for order in home.orders()] == ["order"]
    home.send()
    assert (home.job(job).state, home.job(job).reasons) == (JobState.SENT, ())


def test_a_hall_is_told_each_order_and_gets_back_what_it_lacks(home: Home, hall: FakeHall, restorer: Restorer) -> None:
    """What home saw printing is named pass by pass; what has ended is told if the hall still has it."""
    waiting, printing, ended = (home.sent(hall, n) for n in (1, 2, 3))
    for ticket in (waiting, printing, ended):
        home.collector.handle(hall.received(ticket))
    for report in (hall.released(printing), hall.released(ended), hall.printed(ended), hall.issued(ended)):
        home.collector.handle(report)
    hall.start_again(epoch=uuid4())
    stranger = uuid4()

    asks(home, hall, has=(waiting.order_id, ended.order_id, stranger))
    restorer.look()

    letters = home.send()
    (restore,) = [read_control(opened(home, letter)) for letter in letters if letter.exchange == CONTROLS]
    assert isinstance(restore, Restore) and not restore.is_first
    said = {order.order_id: (order.state, order.begun, order.serial) for order in restore.orders}
    assert said == {
        waiting.order_id: ("waiting", (), None),
        printing.order_id: ("printing", (1,), None),
        ended.order_id: ("issued", (), "23100000001"),
        stranger: ("unknown", (), None),
    }
    again = [letter for letter in letters if letter.type == "order"]
    assert [hall.open(letter)[0].order_id for letter in again] == [printing.order_id]
    assert letters.index(again[0]) > 0
    assert home.job(printing).state is JobState.PRINTING
    restorer.look()
    assert home.send() == []


def test_a_new_hall_hears_that_nobody_knows_it(home: Home, hall: FakeHall, restorer: Restorer) -> None:
    asks(home, hall)
    restorer.look()

    (restore,) = told(home)
    assert (restore.is_first, restore.orders, restore.parts) == (True, (), 1)
    assert standing(home) == ("ok", None)


def test_a_cloned_hall_is_answered_once_a_person_asks(home: Home, hall: FakeHall, restorer: Restorer) -> None:
    """Before, nobody knows which of the two would read the answer."""
    beats(home, hall)
    twin = copy_of(hall)
    beats(home, twin, 2)
    beats(home, hall)
    restorer.look()
    told(home)
    for one in (hall, twin):
        one.start_again(epoch=uuid4(), instance=one.instance)
        asks(home, one)
    restorer.look()
    assert [c for c in told(home) if isinstance(c, Restore)] == []
    assert standing(home)[0] == "cloned"

    hall.start_again(epoch=uuid4(), instance=hall.instance)
    asks(home, hall, actor=Actor(id="chief-1", role="approve"))
    restorer.look()

    assert [type(c) for c in told(home) if not isinstance(c, Halt)] == [Restore]
    leaves(home, hall)
    assert standing(home) == ("ok", None)
    beats(home, hall, 2)
    assert standing(home) == ("ok", None)


def test_the_standing_is_a_metric(home: Home, hall: FakeHall) -> None:
    from spooler.metrics import StoreFigures

    beats(home, hall)
    hall.start_again(epoch=uuid4())
    asks(home, hall)

    figures = StoreFigures(store=home.store, clock=home.clock)
    found = {
        sample.labels["standing"]: sample.value
        for metric in figures.collect()
        for sample in metric.samples
        if sample.name == "certspool_hall_standing" and sample.labels["hall"] == HALL
    }
    assert found == {"ok": 0, "reconcile": 1, "cloned": 0}
