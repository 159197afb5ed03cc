"""The promises hold in every seed; and each remedy that is switched off is noticed, so that this says something."""

import os
import time

import pytest

from tests.simulation.bindings import in_memory
from tests.simulation.county import run
from tests.simulation.mutations import MUTATIONS
from tests.simulation.series import CHUNK, Total, no_collection, run_all, run_chunk, run_safely

FEWEST_SEEDS, MOST_SEEDS, LONGEST_SECONDS = 500, 3000, 15.0  # a busy machine runs fewer
MOST_SEEDS_TO_NOTICE = 6000


def test_no_seed_breaks_a_promise():
    """Kills, power cuts, lies of CUPS and of the broker, operators, thieves, jams: nothing twice, nothing lost, nobody asked in vain."""
    total, until = Total(), time.monotonic() + LONGEST_SECONDS
    for part in run_all(first=0, seeds=MOST_SEEDS, jobs=min(2, os.cpu_count() or 1)):
        total.join(part)
        if total.seeds >= FEWEST_SEEDS and time.monotonic() > until:
            break

    assert total.violations == []
    assert total.fewest_steps >= 200
    assert total.sheets > total.seeds
    assert len(total.faults) >= 30  # each kind came to pass


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_remedy_that_is_missing_is_noticed(name):
    mutation = MUTATIONS[name]
    with in_memory(), mutation.applied() as remedies, no_collection():
        seeds = range(mutation.begin, mutation.begin + MOST_SEEDS_TO_NOTICE)
        found = (run_safely(seed, remedies=remedies).violation for seed in seeds)
        noticed = next((violation for violation in found if violation and violation[0] in mutation.invariants), None)

    assert noticed is not None


def test_a_seed_does_the_same_each_time():
    """Else no seed that breaks a promise could be looked into."""
    with in_memory():
        runs = [run(7, keeps_trace=True) for _ in range(2)]

    assert runs[0].trace == runs[1].trace
    assert runs[0].steps == runs[1].steps > 200


def test_a_seed_does_the_same_whether_it_is_looked_at_or_not():
    with in_memory():
        watched, alone = run(11, keeps_trace=True), run(11)

    assert (watched.steps, watched.faults, watched.sheets) == (alone.steps, alone.faults, alone.sheets)


def test_without_faults_nobody_is_asked():
    """The storm is left out: every pass comes out at its first try."""
    with in_memory():
        results = [run(seed, storm_steps=0) for seed in range(CHUNK)]

    assert [r.violation for r in results] == [None] * CHUNK
    assert sum(sum(r.asks.values()) for r in results) == 0
    assert {state for r in results for state in r.states} == {"issued"}


def test_what_was_put_in_place_for_a_run_is_taken_out_again():
    from spooler import hall_word

    before = dict(vars(hall_word))
    run_chunk(range(1))

    assert dict(vars(hall_word)) == before
