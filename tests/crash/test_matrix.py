"""Killed at every point and started again, on real parts: nothing lost, no sheet twice, nothing called done that is not."""

import pytest

from tests.crash.matrix import a_place
from tests.crash.tour import ALL, Tour, broken


@pytest.mark.fault_row("F15")
@pytest.mark.timeout(900)  # 100 s alone; beside another worker and a busy neighbour it was seen to take five minutes
def test_a_crash_at_every_point_loses_nothing_and_prints_nothing_twice():
    """Each point once, by SIGKILL. A person is asked only where the backend had started and left no result, or tore a sheet."""
    keep: list[str] = []
    with a_place(300, keep=keep) as place:
        keep.append("not judged yet")
        tour = Tour(place)
        history = tour.through(ALL)
        violations = broken(history, ALL, tour.scenes)
        print("slowest:", sorted(tour.seconds.items(), key=lambda item: -item[1])[:12])
        keep[:] = [*tour.unreached, *map(str, violations)]

    assert tour.unreached == []
    assert violations == []
