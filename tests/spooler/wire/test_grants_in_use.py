"""Signed grants as a daemon sees them: a change holds at the next look, what is no grant is named in an alarm, nothing comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from spooler.wire.grant_mode import are_signed
from spooler.wire.grants import Fault, Mark, Pair, Side
from spooler.wire.trust_directory import LOOK_SECONDS, TrustDirectory
from tests.granting import PAIR, People, a_signed_office
from tests.sealing import HALL, HOME, NOW, OTHER_HALL, Office

FIRST = f"{HOME}.{HALL}.1.json"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return a_signed_office(tmp_path_factory.mktemp("office") / "pki")


@pytest.fixture
def people(office: Office, tmp_path: Path) -> People:
    return People.with_a_copy(office, tmp_path / "trust")


@dataclass
class Daemon:
    """Who goes by the directory, its clock, its memory and its alarms."""

    people: People
    seconds: float = 0.0
    time: datetime = NOW
    memory: dict[Pair, Mark] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trust = self.started()

    def started(self) -> TrustDirectory:
        return TrustDirectory(
            self.people.trust,
            signed=True,
            clock=lambda: self.seconds,
            time=lambda: self.time,
            remembered=lambda: self.memory,
            on_fault=self.faults.append,
        )

    def later(self, **duration: float) -> None:
        self.seconds += LOOK_SECONDS
        self.time += timedelta(**duration)

    def may_print(self, hall: str = HALL, trust: TrustDirectory | None = None) -> bool:
        return (trust or self.trust).may_print(HOME, hall, "certificate")


@pytest.fixture
def daemon(people: People) -> Daemon:
    return Daemon(people)


@pytest.mark.parametrize("side", list(Side))
def test_a_withdrawal_holds_within_a_minute_and_for_nobody_else(daemon: Daemon, people: People, side: Side) -> None:
    assert daemon.may_print() and LOOK_SECONDS <= 60

    people.withdraws(side)
    daemon.later()

    assert (daemon.may_print(), daemon.may_print(OTHER_HALL)) == (False, True)
    assert daemon.trust.marks[PAIR] == Mark(agreed=1, withdrawn=1)


def test_a_grant_ends_by_itself(daemon: Daemon, people: People) -> None:
    people.agree_anew(not_after=NOW + timedelta(hours=1))
    daemon.later()
    assert daemon.may_print()

    daemon.later(hours=2)

    assert not daemon.may_print()


def test_an_old_file_put_back_revives_nothing_without_and_with_a_restart(daemon: Daemon, people: People) -> None:
    """What was seen is remembered: by the process at once, by what it wrote down after a restart."""
    kept = people.file(FIRST).read_bytes()
    people.withdraws(Side.HALL)
    daemon.later()
    assert not daemon.may_print()
    daemon.memory = dict(daemon.trust.marks)
    for file in people.trust.glob(f"grants/{HOME}.{HALL}.*"):
        file.unlink()
    people.file(FIRST).write_bytes(kept)
    daemon.later()

    assert not daemon.may_print()
    assert not daemon.may_print(trust=daemon.started())
    assert people.agree_anew(sequence=2).sequence == 2
    daemon.later()
    assert daemon.may_print(), "what both sign anew holds"


def test_what_came_by_wire_holds_at_once(daemon: Daemon) -> None:
    """The directory says nothing of it; whoever wrote it down says so, and the next question is asked anew."""
    assert daemon.may_print()

    daemon.memory = {PAIR: Mark(withdrawn=1)}
    daemon.trust.recall()

    assert not daemon.may_print()


def test_what_is_no_grant_is_named_once(daemon: Daemon, people: People) -> None:
    with capture_logs() as logged:
        people.file(FIRST).write_bytes(people.file(FIRST).read_bytes()[:-9])
        for _ in range(3):
            daemon.later()
            assert not daemon.may_print()

    named = [one for one in logged if one.get("alarm")]
    assert [(one["event"], one["file"], one["code"]) for one in named] == [
        ("grant not believed", FIRST, "not-believed")
    ]
    assert [(fault.code, fault.pair) for fault in daemon.faults] == [("not-believed", PAIR)]


def test_at_the_start_too(people: People) -> None:
    people.file(FIRST).unlink()
    people.offers(Side.HALL)

    assert [fault.code for fault in Daemon(people).faults] == ["one-signature"]


def test_pairs_of_others_are_not_even_read(people: People) -> None:
    """A hall of a province with ten thousand grants reads its own."""
    people.file(f"{HOME}.{OTHER_HALL}.1.json").write_bytes(b"torn")
    trust = TrustDirectory(people.trust, signed=True, wanted=lambda pair: pair[1] == HALL)

    assert {hall for _, hall in trust.marks} == {HALL}
    assert trust.may_print(HOME, HALL, "proof") and not trust.may_print(HOME, OTHER_HALL, "proof")


def test_a_plain_list_beside_signed_grants_grants_nothing(daemon: Daemon, people: People) -> None:
    people.withdraws(Side.HALL)
    (people.trust / "grants.json").write_text(f'[{{"registry":"{HOME}","hall":"{HALL}","kinds":["certificate"]}}]')
    daemon.later()

    assert not daemon.may_print()


@pytest.mark.parametrize(
    ("chosen", "has_folder", "has_list", "has_seen", "expected"),
    [
        (None, True, True, False, True),
        (None, False, True, False, False),
        (None, False, True, True, True),
        (None, False, False, False, True),
        ("signed", False, True, False, True),
        ("plain", True, True, True, False),
    ],
)
def test_which_grants_are_gone_by(tmp_path: Path, chosen, has_folder, has_list, has_seen, expected) -> None:
    """As the settings say, else as the directory is; who has seen signed ones does not go back because a folder was taken away.

    A hall that was just enrolled has neither folder nor list: it is granted nothing, and starts.
    """
    if has_folder:
        (tmp_path / "grants").mkdir()
    if has_list:
        (tmp_path / "grants.json").write_text("[]")

    with capture_logs() as logged:
        assert expected is are_signed(tmp_path, chosen, has_seen_signed=has_seen)

    assert [one["log_level"] for one in logged] == ([] if expected else ["warning"]), "told at each start"


def test_remembering_needs_no_file(people: People) -> None:
    """With the folder gone nothing is granted, and that is no accident of ours."""
    memory: Mapping[Pair, Mark] = {PAIR: Mark(agreed=1)}
    for file in people.trust.glob("grants/*"):
        file.unlink()
    (people.trust / "grants").rmdir()

    trust = TrustDirectory(people.trust, signed=True, remembered=lambda: memory)

    assert not trust.may_print(HOME, HALL, "certificate")
