"""Trust is what the directory says now: a change is seen without a restart, a broken file changes nothing and is told."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from spooler.wire.trust import Trust
from spooler.wire.trust_directory import LOOK_SECONDS, TrustDirectory, Unfit
from tests.sealing import HALL, HOME, OTHER_HALL, Office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office.create(tmp_path_factory.mktemp("office") / "pki")


class Beside:
    """A trust directory that an operator works on, and the time that passes."""

    def __init__(self, office: Office, path: Path) -> None:
        self.path = path / "trust"
        shutil.copytree(office.directory / "trust", self.path)
        self.time = 0.0
        self.troubles = 0

    def used(self, check: Callable[[Trust], None] = lambda trust: None) -> TrustDirectory:
        return TrustDirectory(self.path, check=check, on_trouble=self._note, clock=lambda: self.time)

    def withdraw(self, hall: str) -> None:
        grants = json.loads((self.path / "grants.json").read_bytes())
        self.write(json.dumps([one for one in grants if one["hall"] != hall]))

    def write(self, grants: str) -> None:
        aside = self.path / ".grants"
        aside.write_text(grants)
        aside.rename(self.path / "grants.json")

    def later(self) -> None:
        self.time += LOOK_SECONDS

    def _note(self) -> None:
        self.troubles += 1


@pytest.fixture
def beside(office: Office, tmp_path: Path) -> Beside:
    return Beside(office, tmp_path)


def may_print(trust: Trust, hall: str = HALL) -> bool:
    return trust.may_print(HOME, hall, "certificate")


def test_a_withdrawn_grant_is_withdrawn_within_a_minute(beside: Beside) -> None:
    trust = beside.used()
    assert may_print(trust) and LOOK_SECONDS <= 60

    beside.withdraw(HALL)
    beside.later()

    assert (may_print(trust), may_print(trust, OTHER_HALL)) == (False, True)


def test_every_part_of_it_is_that_of_now(beside: Beside) -> None:
    trust = beside.used()
    (beside.path / "halls" / f"{OTHER_HALL}.json").unlink()
    (beside.path / "ca.pem").write_bytes(b"another")
    beside.later()

    assert set(trust.halls) == {HALL}
    assert trust.roots_pem == b"another"
    assert HOME in trust.registries


def test_between_two_looks_no_file_is_touched(beside: Beside) -> None:
    trust = beside.used()
    shutil.rmtree(beside.path)

    assert may_print(trust)
    assert beside.troubles == 0


@pytest.mark.parametrize("broken", ["[", '[{"registry": 1}]', ""], ids=["torn", "of another form", "empty"])
def test_a_broken_file_keeps_the_last_good_and_alarms_until_it_is_mended(beside: Beside, broken: str) -> None:
    trust = beside.used()
    good = (beside.path / "grants.json").read_text()
    with capture_logs() as logged:
        beside.write(broken)
        beside.later()
        assert may_print(trust)
        beside.later()
        assert may_print(trust)

    assert beside.troubles == 2
    assert [one["alarm"] for one in logged] == [True, True]
    beside.write(good)
    beside.withdraw(HALL)
    beside.later()
    assert not may_print(trust)


def test_a_directory_that_is_gone_keeps_the_last_good(beside: Beside) -> None:
    trust = beside.used()
    shutil.rmtree(beside.path)
    beside.later()

    assert may_print(trust)
    assert beside.troubles == 1


def test_what_cannot_be_used_here_is_not_taken(beside: Beside) -> None:
    """A home goes on serving a registry whose record somebody took away by mistake."""

    def serves_home(trust: Trust) -> None:
        if HOME not in trust.registries:
            raise Unfit("no record of home")

    trust = beside.used(check=serves_home)
    (beside.path / "registries" / f"{HOME}.json").unlink()
    beside.withdraw(HALL)
    beside.later()

    assert HOME in trust.registries and may_print(trust)
    assert beside.troubles == 1


def test_at_start_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        TrustDirectory(tmp_path)
