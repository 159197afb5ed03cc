"""A home whose token is away: requests are taken and wait, whoever must act is told by a code, and all goes on when it is back."""

from pathlib import Path

import pytest

from spooler.job import JobState
from spooler.pipeline import Pipeline
from spooler.prepare import Preparer
from spooler.seal import rotation
from spooler.seal.authority import SealAlgorithm
from spooler.seal.rotation import KeyUse
from spooler.wire.messages import SealFile
from spooler.wire.trust import load_trust
from tests.sealing import HALL, HOME, NOW, Office
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall
from tests.spooler.seal.test_token import keys, seal_of, ticket_key_of

SEAL_FILE = SealFile.of(b"an electronic seal of another standard")


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office.create(tmp_path / "pki")


def a_home(office: Office, directory: Path, found, seconds) -> Home:
    """Its registry's keys lie in the token alone, and it has a seal file to carry."""
    for token in found.tokens:
        token._seconds = seconds
    directory.mkdir()
    home = Home(office, directory, Clock())
    home.open(load_trust(office.directory / "trust"))
    prepare = Preparer(
        store=home.store,
        documents=home.documents,
        trust=home.trust,
        seals={HOME: seal_of(office, found)},
        ticket_keys={HOME: ticket_key_of(office, found)},
        order_days=3,
        clock=home.clock,
        seal_files={HOME: SEAL_FILE},
    )
    home.pipeline = Pipeline(store=home.store, steps=home.steps({JobState.ACCEPTED: prepare}), clock=home.clock)
    return home


@pytest.mark.parametrize("is_away_from_the_start", [True, False])
def test_requests_wait_for_the_token_and_then_go(hsm, office, token, label, seconds, tmp_path, is_away_from_the_start):
    for use in (KeyUse.SEAL, KeyUse.TICKET):
        rotation.issue(office.directory, HOME, use, now=NOW, token=token, algorithm=SealAlgorithm.P_256)
        rotation.activate(office.directory, HOME, use)
    token.close()
    found = keys(office, label)
    home = a_home(office, tmp_path / "home", found, seconds)
    hall = FakeHall(Office(office.directory), HALL)
    if not is_away_from_the_start:
        home.accept(1)
        home.pipeline.work_off()
        home.send()
    hsm.take_out(label)

    waiting = home.accept(2)
    home.pipeline.work_off()
    assert home.job(waiting).state is JobState.ACCEPTED
    assert {alarm.code for alarm in home.alarms} <= {"token-absent", "token-failed"} and home.alarms
    assert not found.are_there()

    hsm.put_back(label)
    seconds.now += 600
    home.clock.advance(minutes=10)
    home.pipeline.work_off()
    assert found.are_there()
    assert home.job(waiting).state is JobState.SEALED
    (order,) = home.orders()
    assert hall.open(order)[0].seal_file == SEAL_FILE
    found.close()
    home.store.close()
