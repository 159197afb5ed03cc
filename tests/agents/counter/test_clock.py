"""A clock that jumps or was never right ends no order and refuses none: it alarms, and is believed again when there is reason to."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from agents.clock_watch import ClockWatch, kernel_vouches, since_boot
from agents.verify import CLOCK_SKEW
from spooler.wire.messages import Hold
from tests.agents.counter.hall import Clock, Counter


@dataclass
class Machine:
    """A machine's two clocks: one that can be set, one that only counts; and what its NTP daemon says."""

    clock: Clock = field(default_factory=Clock)
    passed_seconds: float = 0.0
    is_synchronised: bool = False

    def watch(self) -> ClockWatch:
        return ClockWatch(self.clock, steady=lambda: self.passed_seconds, is_vouched=lambda: self.is_synchronised)

    def passes(self, **more: float) -> None:
        self.clock.forward(**more)
        self.passed_seconds += timedelta(**more).total_seconds()

    def is_set(self, **more: float) -> None:
        self.clock.forward(**more)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def counter(make_counter, machine) -> Counter:
    return make_counter(clock=machine.clock, clock_watch=machine.watch())


@pytest.mark.fault_row("F32")
def test_a_clock_that_jumps_ahead_ends_no_order(counter, machine):
    """Time passed ends it; the hands of a clock alone do not, and people are told."""
    order_id = counter.arrives(counter.booklet())

    machine.is_set(days=5)
    counter.hall.pipeline.look()

    assert counter.order(order_id).state == "waiting"
    assert counter.reports("heartbeat")[-1].clock_offset_seconds == timedelta(days=5).total_seconds()
    machine.is_set(days=-5)
    counter.hall.pipeline.look()
    assert not counter.hall.clock_watch.is_in_doubt
    machine.passes(days=5)
    counter.hall.pipeline.look()
    assert counter.order(order_id).state == "expired"


@pytest.mark.fault_row("F32")
def test_nothing_is_begun_while_its_time_seems_past(counter, machine):
    """In doubt no order is ended, and none printed after its time either."""
    order_id = counter.arrives(counter.booklet())
    machine.is_set(days=5)
    counter.hall.pipeline.look()

    with pytest.raises(Exception, match="expired"):
        counter.releases(order_id)


@pytest.mark.fault_row("F32")
@pytest.mark.parametrize("jump", [timedelta(days=5), timedelta(days=-1)])
def test_an_order_that_meets_a_wrong_clock_is_not_refused(counter, machine, jump):
    """The order was made a moment ago by the registry's clock, which did not jump."""
    order = counter.booklet()
    machine.is_set(seconds=jump.total_seconds())
    counter.hall.pipeline.look()

    order_id = counter.arrives(order)

    assert counter.order(order_id).state == "waiting"
    assert counter.reports("refused") == []
    assert counter.hall.clock_watch.is_in_doubt


@pytest.mark.fault_row("F32")
def test_a_clock_that_was_behind_from_the_start_is_found_by_a_word_from_the_future(counter, machine):
    """A registry signed it, so it was said: the clock is behind, not the order early."""
    now = machine.clock()

    order_id = counter.arrives(counter.booklet(issued_at=now + timedelta(hours=1), not_before=now + timedelta(hours=1)))

    assert counter.order(order_id).state == "waiting"
    assert counter.hall.clock_watch.offset_seconds == -3600


@pytest.mark.fault_row("F32")
def test_a_clock_that_is_synchronised_is_right_and_the_order_early(counter, machine):
    """S6: where NTP vouches, a ticket is judged by the clock, with a skew of five minutes."""
    machine.is_synchronised = True
    now = machine.clock()
    early = now + CLOCK_SKEW + timedelta(seconds=1)

    counter.arrives(counter.booklet(issued_at=early, not_before=early))
    counter.arrives(counter.booklet(not_after=now - timedelta(seconds=1), issued_at=now - timedelta(days=4)))
    in_time = counter.arrives(counter.booklet(issued_at=now + CLOCK_SKEW, not_before=now + CLOCK_SKEW))

    assert [report.code for report in counter.reports("refused")] == ["time", "time"]
    assert counter.order(in_time).state == "waiting"


@pytest.mark.fault_row("F32")
def test_a_registrys_fresh_word_ends_the_doubt(counter, machine):
    """The clock was set right by hand: nobody vouches, but what a registry says now was said now."""
    order_id = counter.arrives(counter.booklet())
    machine.is_set(hours=2)
    counter.hall.pipeline.look()
    assert counter.hall.clock_watch.is_in_doubt

    counter.control(Hold, order_id, reason="查封")

    assert not counter.hall.clock_watch.is_in_doubt


@pytest.mark.fault_row("F32")
def test_an_old_word_says_nothing_about_the_clock(machine):
    watch = machine.watch()
    machine.is_set(hours=2)
    watch.look()

    watch.hears(machine.clock() - timedelta(hours=2))

    assert watch.is_in_doubt


def test_the_kernel_is_asked():
    """Whatever it says here: it answers, and boot time counts on."""
    assert kernel_vouches() in (True, False)
    assert since_boot() <= since_boot()
