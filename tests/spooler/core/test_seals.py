"""A seal that is not there, or whose certificate has ended: nothing leaves unsealed, requests wait, and then are not taken."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest

from spooler.daemon.settings import Credentials
from spooler.job import JobState
from spooler.prepare import Preparer
from spooler.seal import pki
from spooler.seal.ring import SealRing
from tests.sealing import HOME, Office
from tests.spooler.core.conftest import Clock, Home

SEAL = f"{HOME}.seal.p12"


@pytest.fixture
def credentials(office: Office, tmp_path: Path) -> Path:
    return Path(copytree(office.directory / "home" / "credentials", tmp_path / "credentials"))


@pytest.fixture
def ringed(home: Home, office: Office, credentials: Path, clock: Clock) -> Iterator[Home]:
    """A home that looks for its seal whenever it needs it, as the daemon does."""
    ring = SealRing({HOME: SEAL}, read=Credentials(credentials).traced, clock=clock)
    prepare = Preparer(
        store=home.store,
        documents=home.documents,
        trust=home.trust,
        seals=ring,
        ticket_keys={HOME: office.ticket_key()},
        order_days=3,
        clock=clock,
    )
    home.pipeline._steps = home.steps({JobState.ACCEPTED: prepare})
    return home


@pytest.mark.fault_row("F40")
def test_without_its_seal_nothing_leaves_and_with_it_everything_does(ringed: Home, credentials: Path, clock: Clock):
    """The key is taken away while the home runs, and comes back."""
    aside = credentials / "aside"
    (credentials / SEAL).rename(aside)
    jobs = [ringed.accept(number) for number in (1, 2)]
    ringed.pipeline.work_off()

    assert [ringed.job(job).state for job in jobs] == [JobState.ACCEPTED, JobState.ACCEPTED]
    assert [alarm.code for alarm in ringed.alarms] == ["seal-absent", "seal-absent"]
    assert ringed.orders() == []

    aside.rename(credentials / SEAL)
    clock.advance(minutes=10)
    ringed.pipeline.work_off()
    assert len(ringed.orders()) == 2


@pytest.mark.fault_row("F40")
@pytest.mark.parametrize("spoiled", [b"", b"no key at all"])
def test_a_seal_that_cannot_be_read_is_as_good_as_absent(ringed: Home, credentials: Path, spoiled: bytes):
    (credentials / SEAL).write_bytes(spoiled)
    ringed.accept()

    ringed.pipeline.work_off()

    assert [alarm.code for alarm in ringed.alarms] == ["seal-absent"]
    assert ringed.orders() == []


@pytest.mark.fault_row("F40")
def test_so_many_may_wait_for_their_seal_and_no_more(ringed: Home, credentials: Path):
    (credentials / SEAL).unlink()
    for number in (1, 2, 3):
        ringed.accept(number)
        ringed.pipeline.work_off()

    assert ringed.store.jobs.are_unsealed(3)
    assert not ringed.store.jobs.are_unsealed(4)


@pytest.mark.fault_row("F39")
def test_after_its_certificate_has_ended_a_seal_seals_nothing(ringed: Home, office: Office, clock: Clock):
    """A hall would refuse it, and the job with it: it waits here for the new certificate instead."""
    ends_at = office.seal_key().certificate.not_valid_after_utc
    clock.time = ends_at + timedelta(seconds=1)
    job = ringed.accept()

    ringed.pipeline.work_off()

    assert ringed.job(job).state is JobState.ACCEPTED
    assert [alarm.code for alarm in ringed.alarms] == ["seal-expired"]
    assert ringed.orders() == []


@pytest.mark.fault_row("F39")
def test_a_new_certificate_in_its_place_is_used_without_a_restart(
    ringed: Home, office: Office, credentials: Path, clock: Clock, tmp_path: Path
):
    clock.time = office.seal_key().certificate.not_valid_after_utc + timedelta(days=1)
    job = ringed.accept()
    ringed.pipeline.work_off()
    registry = pki.NewRegistry(HOME, "望奎县", "黑", "望奎县")
    pki.init(tmp_path / "new", [registry], [], now=clock(), algorithm=pki.SealAlgorithm.P_256)
    renewed = credentials / "renewed"
    renewed.write_bytes((tmp_path / "new/home/credentials" / SEAL).read_bytes())
    renewed.chmod(0o600)
    os.replace(renewed, credentials / SEAL)

    clock.advance(minutes=10)
    ringed.pipeline.work_off()

    assert ringed.job(job).state is JobState.SEALED
