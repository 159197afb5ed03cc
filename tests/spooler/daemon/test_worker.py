"""A part's thread: no wake is lost, a failed turn is told and tried again, a stop ends a rest at once and a turn in its own time."""

from collections.abc import Callable, Iterator
from threading import Event
from time import monotonic

import pytest
from structlog.testing import capture_logs

from spooler.daemon.worker import Worker

LONG = 60.0


class Counting(Worker):
    """Counts its turns; each waits until it is let go, where the test wants that."""

    def __init__(self, *, rest_seconds: float = LONG, pause: float = LONG, fails: int = 0) -> None:
        super().__init__("counting", trouble="could not count", rest_seconds=rest_seconds, longest_stop_seconds=10)
        self.pause, self.fails, self.turns = pause, fails, 0
        self.begun, self.let_go = Event(), Event()
        self.let_go.set()

    def turn(self) -> float:
        self.turns += 1
        self.begun.set()
        self.let_go.wait(10)
        if self.turns <= self.fails:
            raise OSError("no space left")
        return self.pause

    def took(self, turns: int) -> bool:
        """Say whether so many turns were taken within a few seconds."""
        until = monotonic() + 5
        while self.turns < turns and monotonic() < until:
            Event().wait(0.005)
        return self.turns == turns


@pytest.fixture
def counting() -> Iterator[Callable[..., Counting]]:
    made = []

    def make(**options: float) -> Counting:
        made.append(Counting(**options))
        return made[-1]

    yield make
    for one in made:
        one.let_go.set()
        one.stop()


def test_it_takes_a_turn_at_once_and_then_rests_until_woken(counting):
    one = counting()
    one.start()
    assert one.took(1)

    one.wake()

    assert one.took(2)


def test_it_looks_by_itself_when_the_rest_is_over(counting):
    one = counting(pause=0.01)
    one.start()

    until = monotonic() + 5
    while one.turns < 5 and monotonic() < until:
        Event().wait(0.005)
    assert one.turns >= 5


def test_whoever_wakes_during_a_turn_is_heard_after_it(counting):
    """What came then may not have been seen by the turn that was under way."""
    one = counting()
    one.let_go.clear()
    one.start()
    assert one.begun.wait(5)

    one.wake()
    one.let_go.set()

    assert one.took(2)


def test_many_wakes_are_one_turn(counting):
    one = counting()
    one.start()
    assert one.took(1)
    one.let_go.clear()
    one.begun.clear()
    one.wake()
    assert one.begun.wait(5)

    for _ in range(100):
        one.wake()
    one.let_go.set()

    assert one.took(3)
    Event().wait(0.05)
    assert one.turns == 3


def test_a_wake_before_the_start_is_the_first_turn(counting):
    one = counting()
    one.wake()
    one.start()

    assert one.took(1)


def test_a_turn_that_failed_is_told_and_tried_again(counting):
    one = counting(rest_seconds=0.01, fails=2)
    with capture_logs() as logged:
        one.start()
        assert one.took(3)

    told = [line for line in logged if line["event"] == "could not count"]
    assert [(line["log_level"], line["part"], str(line["exc_info"])) for line in told] == [
        ("error", "counting", "no space left")
    ] * 2
    assert one.is_alive


def test_a_stop_ends_a_rest_at_once(counting):
    one = counting()
    one.start()
    assert one.took(1)
    began = monotonic()

    one.stop()

    assert monotonic() - began < 5
    assert (one.is_alive, one.is_stopping, one.turns) == (False, True, 1)


def test_a_stop_during_a_turn_waits_for_its_end_and_takes_no_other(counting):
    one = counting(pause=0.0)
    one.let_go.clear()
    one.start()
    assert one.begun.wait(5)
    one.wake()
    one._stopping.set()  # a stop that came while the turn was under way, up to where it waits
    assert one.is_alive

    one.let_go.set()
    one.stop()

    assert (one.is_alive, one.turns) == (False, 1)


def test_one_that_was_never_started_is_stopped_all_the_same(counting):
    one = counting()
    one.stop()

    assert not one.is_alive
