"""Two operators at once: each act names what it saw, so one of them wins and the other is told that things have moved."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from agents.errors import DoesNotFit, HallError
from tests.agents.counter.hall import BOTH, CLERK


def at_once(*acts):
    """Return what became of each: an answer, or the error that it raised."""
    together = Barrier(len(acts))

    def one(act):
        together.wait()
        try:
            return act()
        except HallError as e:
            return e

    with ThreadPoolExecutor(len(acts)) as pool:
        return [answer.result() for answer in [pool.submit(one, act) for act in acts]]


@pytest.mark.fault_row("F33")
def test_an_unknown_pass_is_answered_by_one_of_two_who_look_at_once(counter):
    """One says that it came out, the other that nothing did: one of them counts, 409 for the other, and paper as the first said."""
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    asked = counter.goes_unknown("booklet-1")

    def answers(by, outcome):
        return lambda: counter.acts.resolve(by, order_id, attempt=1, number=1, try_id=asked.id, outcome=outcome)

    answered = at_once(answers(CLERK, "printed"), answers(BOTH, "nothing_printed"), answers(BOTH, "printed"))

    refused = [one for one in answered if isinstance(one, DoesNotFit)]
    assert len(refused) == 2
    assert len(counter.reports("ask")) + len(counter.reports("approval")) == 2


@pytest.mark.fault_row("F33")
def test_an_order_is_released_once_by_two_who_press_at_once(counter):
    order_id = counter.arrives(counter.booklet())

    at_once(*[lambda: counter.acts.release(CLERK, order_id, attempt=1) for _ in range(4)])

    assert counter.prints("booklet-1").sequence == 1
    assert counter.has_to_print("booklet-1") is None
