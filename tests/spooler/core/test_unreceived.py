"""What the broker took and never arrives, though its hall speaks: an alarm, and it is sent again (S24; controls: tests/acts too)."""

from dataclasses import replace

import pytest

from spooler.ask_hall import HallAsker
from spooler.job import JobState
from spooler.store.halls import note_silence
from spooler.unreceived import Unreceived
from spooler.wire.keys import SigningKey
from spooler.wire.messages import Actor, Heartbeat, Ticket
from tests.sealing import HALL, HOME
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall


@pytest.fixture
def watch(home: Home, clock: Clock) -> Unreceived:
    return watch_of(home, clock)


def watch_of(home: Home, clock: Clock, keys: dict[str, SigningKey] | None = None, **changes: object) -> Unreceived:
    asker = HallAsker({HOME: home.office.ticket_key()} if keys is None else keys)
    trust = replace(home.trust, **changes)
    return Unreceived(store=home.store, documents=home.documents, trust=trust, asker=asker, clock=clock)


def missed(home: Home) -> list[str | None]:
    return [alarm.order_id for alarm in home.alarms if alarm.code == "not-received"]


def heartbeat(home: Home, hall: FakeHall) -> None:
    home.collector.handle(hall.says(Heartbeat, agent_version="1"))


def minutes(watch: Unreceived, clock: Clock, count: int) -> None:
    """Let the home look once a minute, for so long."""
    for _ in range(count):
        watch.look()
        clock.advance(minutes=1)
    watch.look()


@pytest.mark.attack_row("S24")
def test_an_order_that_never_arrives_is_alarmed_and_sent_again(home, hall, watch, clock):
    """S24: a hall's user emptied its queue. After five minutes home says so, and what it sends is the same order."""
    ticket = home.sent(hall)
    heartbeat(home, hall)

    minutes(watch, clock, 4)
    assert (missed(home), home.orders()) == ([], [])
    minutes(watch, clock, 1)

    assert missed(home) == [str(ticket.order_id)]
    (again,) = home.orders()
    assert hall.open(again)[0] == ticket
    home.send()
    home.collector.handle(hall.received(ticket))
    assert home.job(ticket).state is JobState.RECEIVED


@pytest.mark.attack_row("S24")
def test_what_stays_away_is_sent_again_ever_more_rarely(home, hall, watch, clock):
    """S24: after 5, 10, 20, 40 minutes, then every hour, each with its alarm: an operator must act."""
    home.sent(hall)
    heartbeat(home, hall)

    at = []
    for minute in range(200):
        watch.look()
        at += [minute] * len(home.orders())
        home.send()
        clock.advance(minutes=1)

    assert at == [5, 15, 35, 75, 135, 195]
    assert len(missed(home)) == len(at)


def test_an_order_that_arrived_is_left_alone(home, hall, watch, clock):
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))

    minutes(watch, clock, 10)

    assert (missed(home), home.orders()) == ([], [])


def test_a_silent_hall_is_not_sent_everything_again(home, hall, watch, clock):
    """What waits at the broker for a hall that is off is there when it comes back: it has five minutes then."""
    home.sent(hall)
    heartbeat(home, hall)
    with home.store.changing() as change:
        note_silence(change, HALL)

    minutes(watch, clock, 60)
    assert (missed(home), home.orders()) == ([], [])
    clock.advance(minutes=1)
    heartbeat(home, hall)
    minutes(watch, clock, 4)
    assert missed(home) == []
    minutes(watch, clock, 1)
    assert len(missed(home)) == 1


def test_a_hall_that_never_spoke_is_anothers_business(home, hall, watch, clock):
    home.sent(hall)

    minutes(watch, clock, 10)

    assert missed(home) == []


def test_what_the_courier_is_sending_is_not_kept_twice(home, hall, watch, clock):
    """The broker is away: the letter waits in the outbox, and a second one would be too many."""
    home.sent(hall)
    heartbeat(home, hall)

    minutes(watch, clock, 20)

    assert len(home.orders()) == 1
    assert len(missed(home)) == 1


def test_nothing_is_sent_that_the_hall_would_refuse(home, hall, watch, clock):
    """The grant was withdrawn meanwhile."""
    home.sent(hall)
    heartbeat(home, hall)

    minutes(watch_of(home, clock, grants=frozenset()), clock, 10)

    assert (missed(home), home.orders()) == ([], [])


def asked(home: Home, hall: FakeHall) -> Ticket:
    """Bring a job to a hall and let its end be asked for; the broker has both letters."""
    ticket = home.sent(hall)
    home.collector.handle(hall.received(ticket))
    home.controls.cancel(str(ticket.job_id), "", Actor(id="office-1", role="operate"))
    home.send()
    return ticket


def controls(home: Home) -> list[str]:
    return [letter.id for letter in home.store.outbox.pending(100) if letter.type == "control"]


def unanswered(home: Home) -> list[str | None]:
    return [alarm.detail for alarm in home.alarms if alarm.code == "not-answered"]


@pytest.mark.attack_row("S24")
def test_what_a_hall_was_asked_is_asked_again_ever_more_rarely(home, hall, watch, clock):
    """S24: the same control, by its id, at the pace of orders."""
    ticket = asked(home, hall)
    heartbeat(home, hall)
    (control,) = home.store.orders.controls(str(ticket.job_id))

    at = []
    for minute in range(200):
        watch.look()
        at += [(minute, letter) for letter in controls(home)]
        home.send()
        clock.advance(minutes=1)

    assert at == [(minute, control.control_id) for minute in (5, 15, 35, 75, 135, 195)]
    assert unanswered(home) == ["cancel"] * len(at)


def test_a_control_that_the_courier_still_has_is_not_kept_twice(home, hall, watch, clock):
    asked(home, hall)
    heartbeat(home, hall)

    minutes(watch, clock, 40)

    assert (len(controls(home)), unanswered(home)) == (1, ["cancel"])


def test_a_silent_hall_is_not_asked_everything_again(home, hall, watch, clock):
    asked(home, hall)
    heartbeat(home, hall)
    with home.store.changing() as change:
        note_silence(change, HALL)

    minutes(watch, clock, 60)

    assert (controls(home), unanswered(home)) == ([], [])


@pytest.mark.parametrize("without", [{"grants": frozenset()}, {"keys": {}}], ids=["no grant", "no key"])
def test_nobody_is_asked_where_no_way_leads_any_more(home, hall, clock, without):
    """The grant was withdrawn, or the registry is another home's now: the letter would lie in the outbox for ever."""
    asked(home, hall)
    heartbeat(home, hall)

    minutes(watch_of(home, clock, **without), clock, 60)

    assert (controls(home), unanswered(home)) == ([], [])
