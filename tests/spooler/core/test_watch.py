"""What only time says: late jobs, silent halls."""

from spooler.job import JobState, Reason
from spooler.watch import Watch
from spooler.wire.messages import Heartbeat
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall


def test_a_job_past_its_deadline_is_late_and_lives_on(home: Home, hall: FakeHall, clock: Clock) -> None:
    ticket = home.sent(hall)
    clock.advance(minutes=16)
    home.collector.handle(hall.says(Heartbeat, agent_version="0.1"))

    _watch(home).look()
    assert home.job(ticket).reasons == (Reason.LATE,)

    for report in (hall.received(ticket), hall.released(ticket), hall.printed(ticket), hall.issued(ticket)):
        home.collector.handle(report)
    assert (home.job(ticket).state, home.job(ticket).reasons) == (JobState.ISSUED, ())


def test_it_is_called_late_once(home: Home, hall: FakeHall, clock: Clock) -> None:
    ticket = home.sent(hall)
    clock.advance(minutes=16)
    home.collector.handle(hall.says(Heartbeat, agent_version="0.1"))

    for _ in range(3):
        _watch(home).look()

    assert home.callbacks(ticket).count("job.reasons") == 1


def test_a_job_in_time_is_not_late(home: Home, hall: FakeHall, clock: Clock) -> None:
    ticket = home.sent(hall)
    clock.advance(minutes=14)
    home.collector.handle(hall.says(Heartbeat, agent_version="0.1"))

    _watch(home).look()

    assert home.job(ticket).reasons == ()


def test_a_hall_that_missed_three_heartbeats_is_silent_until_it_speaks(
    home: Home, hall: FakeHall, clock: Clock
) -> None:
    ticket = home.sent(hall, deadline=clock().replace(year=2030))
    home.collector.handle(hall.received(ticket))
    clock.advance(seconds=181)

    _watch(home).look()
    assert Reason.HALL_SILENT in home.job(ticket).reasons
    assert [alarm.code for alarm in home.alarms] == ["hall-silent"]

    home.collector.handle(hall.says(Heartbeat, agent_version="0.1"))
    _watch(home).look()
    assert Reason.HALL_SILENT not in home.job(ticket).reasons


def test_a_hall_that_never_spoke_is_silent_too(home: Home, hall: FakeHall, clock: Clock) -> None:
    """A hall that was never set up, or whose queue nobody reads, must not keep a job for ever without a word."""
    ticket = home.sent(hall, deadline=clock().replace(year=2030))
    clock.advance(seconds=179)
    _watch(home).look()
    assert home.job(ticket).reasons == ()

    clock.advance(seconds=2)
    for _ in range(2):
        _watch(home).look()
    assert home.job(ticket).reasons == (Reason.HALL_SILENT,)
    assert [alarm.code for alarm in home.alarms] == ["hall-silent"]

    home.collector.handle(hall.received(ticket))
    _watch(home).look()
    assert home.job(ticket).reasons == (Reason.WAITING_RELEASE,)


def test_a_job_sent_to_a_hall_that_is_silent_already_says_so(home: Home, hall: FakeHall, clock: Clock) -> None:
    home.collector.handle(hall.says(Heartbeat, agent_version="0.1"))
    clock.advance(seconds=181)
    _watch(home).look()

    ticket = home.sent(hall, deadline=clock().replace(year=2030))
    _watch(home).look()

    assert home.job(ticket).reasons == (Reason.HALL_SILENT,)


def _watch(home: Home) -> Watch:
    return Watch(store=home.store, clock=home.clock)
