"""Clocks that are wrong, seen from home: a hall's is alarmed, and home's own set back holds nothing up."""

from datetime import datetime, timedelta

import pytest

from spooler.wire.errors import BrokerUnreachable, Unroutable
from spooler.wire.letters import Delivery
from spooler.wire.messages import Heartbeat
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall


def a_heartbeat(hall: FakeHall, at: datetime, offset_seconds: float | None = None) -> Delivery:
    return hall.says(Heartbeat, at=at, agent_version="1", clock_offset_seconds=offset_seconds)


def clock_alarms(home: Home) -> list[str | None]:
    return [alarm.hall for alarm in home.alarms if alarm.code == "clock"]


@pytest.mark.fault_row("F32")
@pytest.mark.parametrize("minutes", [6, -6, 60 * 24, -60 * 24])
def test_a_hall_whose_clock_is_more_than_five_minutes_off_is_alarmed(home: Home, hall: FakeHall, clock: Clock, minutes):
    """Ahead at once; behind at the second heartbeat, since one alone may have waited on its way."""
    for _ in range(3):
        home.collector.handle(a_heartbeat(hall, clock() + timedelta(minutes=minutes)))
        clock.advance(seconds=60)

    assert clock_alarms(home) == [hall.hall]
    assert home.store.halls.all()[0].clock_offset_seconds == 60 * minutes


@pytest.mark.fault_row("F32")
def test_a_hall_that_doubts_its_clock_itself_is_alarmed(home: Home, hall: FakeHall, clock: Clock):
    home.collector.handle(a_heartbeat(hall, clock(), offset_seconds=-86400))

    assert clock_alarms(home) == [hall.hall]


@pytest.mark.fault_row("F32")
def test_heartbeats_that_waited_for_hours_are_no_wrong_clock(home: Home, hall: FakeHall, clock: Clock):
    """A home that was away hears a day's heartbeats in one breath, then those of now."""
    start = clock()
    clock.advance(hours=24)
    for minute in range(0, 24 * 60, 7):
        home.collector.handle(a_heartbeat(hall, start + timedelta(minutes=minute)))
    for _ in range(3):
        clock.advance(seconds=60)
        home.collector.handle(a_heartbeat(hall, clock() - timedelta(seconds=2)))

    assert clock_alarms(home) == []


@pytest.mark.fault_row("F32")
def test_a_home_whose_clock_is_set_back_a_day_does_not_wait_for_a_day(home: Home, clock: Clock):
    """What was put off for seconds is due again; so is what was kept just before."""
    home.accept()
    home.pipeline.work_off()
    home.send(Unroutable("no queue"))
    home.accept(2)

    clock.advance(days=-1)
    home.pipeline.work_off()

    assert len(home.orders()) == 2
    home.send(BrokerUnreachable("away"))
    assert home.orders() == []
    assert len(home.store.callbacks.due("records", clock())) == 2
