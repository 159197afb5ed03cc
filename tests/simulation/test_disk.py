"""A disk that forgets: what the agent has concluded something from is there after a power cut, whoever wrote it."""

from uuid import UUID

import pytest

from agents.permit import Claim
from tests.simulation.disk import Disk, SimulatedPermits
from tests.simulation.hall import PERMITS
from tests.simulation.world import Process, World

NAME = "00000000-0000-4000-8000-000000000007"


def a_disk(seed: int) -> tuple[Disk, SimulatedPermits]:
    world = World(seed, switches=0)
    disk = Disk(world, PERMITS)
    return disk, SimulatedPermits(world, disk, PERMITS, Process("agent"))


@pytest.mark.parametrize(("by", "claim"), [("once", Claim.FREE), ("agent", Claim.REVOKED)])
def test_a_claim_that_the_agent_has_seen_outlives_a_power_cut(by, claim):
    """A sender killed between its link and its fsync, a revocation by another thread: a new try follows, so the old permit stays spent."""
    for seed in range(20):
        disk, permits = a_disk(seed)
        disk.link(f"spent/{NAME}", f'{{"by": "{by}"}}'.encode())
        uuid = UUID(NAME)
        assert permits.fate(uuid).claim is claim
        disk.power_cut()
        assert permits.fate(uuid).claim is claim


def test_what_nobody_synced_may_be_gone_after_a_power_cut():
    lost = 0
    for seed in range(20):
        disk, _ = a_disk(seed)
        disk.link(f"spent/{NAME}", b"{}")
        lost += bool(disk.power_cut())
    assert 0 < lost < 20
