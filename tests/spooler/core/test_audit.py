"""Home and hall keep the end of each other's audit log, and whoever finds his own missing says so."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from spooler.ask_hall import HallAsker
from spooler.audit import AuditAnchors, heard
from spooler.cli import command
from spooler.store import tables as t
from spooler.wire import signed
from spooler.wire.messages import CONTROL_TYPE, REPORT_TYPE, Anchor, AuditHead, Heartbeat, read_control, read_report
from spooler.wire.topology import CONTROLS
from tests.sealing import HALL, HOME
from tests.spooler.core.conftest import Clock, Home
from tests.spooler.core.hall import FakeHall

THEIRS = AuditHead(log=uuid4(), sequence=100, sha256="a" * 64)


@pytest.fixture
def anchors(home: Home, clock: Clock) -> AuditAnchors:
    asker = HallAsker({HOME: home.office.ticket_key()})
    return AuditAnchors(store=home.store, asker=asker, registries={HOME}, clock=clock)


def beats(home: Home, hall: FakeHall, clock: Clock, **says: object) -> list[str]:
    """The hall's heartbeat comes in; return the alarms so far."""
    home.collector.handle(hall.says(Heartbeat, agent_version="1", at=clock(), **says))
    return [alarm.code for alarm in home.alarms]


def told(home: Home) -> list[Anchor]:
    keys = home.office.trust.registries[HOME].ticket_keys
    letters = [letter for letter in home.store.outbox.pending(100) if letter.exchange == CONTROLS]
    opened = [signed.open_signed(one.body, CONTROL_TYPE, keys=keys, use="ticket", at=home.clock()) for one in letters]
    return [read_control(payload) for payload in opened]


def test_a_hall_that_speaks_is_told_the_end_once_an_hour(
    home: Home, hall: FakeHall, clock: Clock, anchors: AuditAnchors
) -> None:
    home.accept()
    anchors.look()
    assert told(home) == []  # nobody is there

    beats(home, hall, clock, audit=THEIRS)
    anchors.look()
    clock.advance(minutes=59)
    beats(home, hall, clock, audit=THEIRS)
    anchors.look()
    (once,) = told(home)
    assert (once.audit, once.hall_audit) == (home.store.audit.head(), THEIRS)

    clock.advance(minutes=1)
    anchors.look()
    assert len(told(home)) == 2


def test_what_the_hall_keeps_of_our_log_vouches_for_it(home: Home, hall: FakeHall, clock: Clock) -> None:
    home.accept()

    assert beats(home, hall, clock, home_audit=home.store.audit.head()) == []
    assert home.store.audit.verify().anchored == home.store.audit.entries() == 2
    assert home.store.audit.vouched() == {HALL: clock()}


@pytest.mark.attack_row("S39")
def test_an_end_that_was_cut_off_is_an_alarm_at_the_next_heartbeat(home: Home, hall: FakeHall, clock: Clock) -> None:
    """Also when what the halls keep was cut off here with it."""
    home.accept()
    head = home.store.audit.head()
    home.pipeline.work_off()
    with home.store.database.engine.begin() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.sequence >= head.sequence))

    assert beats(home, hall, clock, home_audit=head) == ["audit-broken"]
    assert home.store.audit.verify().fault.code == "truncated"


@pytest.mark.attack_row("S39")
def test_a_hall_whose_log_ends_earlier_than_before_is_an_alarm(home: Home, hall: FakeHall, clock: Clock) -> None:
    beats(home, hall, clock, audit=THEIRS)

    assert beats(home, hall, clock, audit=THEIRS.model_copy(update={"sequence": 99})) == ["audit-broken"]

    (newest, *_) = home.store.audit.anchors("hall", HALL)
    assert newest.sequence == 100


def test_a_heartbeat_to_another_registry_that_came_late_is_no_alarm(home: Home, hall: FakeHall, clock: Clock) -> None:
    """They come by queues of their own; one may have waited."""
    beats(home, hall, clock, audit=THEIRS)
    late = hall.says(Heartbeat, agent_version="1", at=clock())
    keys = home.office.trust.halls[HALL].report_keys
    beat = read_report(signed.open_signed(late.body, REPORT_TYPE, keys=keys, use="report", at=clock()))
    earlier = THEIRS.model_copy(update={"sequence": 90})
    with home.store.changing() as change:
        heard(change, beat.model_copy(update={"registry": "231202", "audit": earlier}))

    assert home.alarms == []


def test_the_command_says_whether_the_log_is_whole(home: Home, clock: Clock) -> None:
    home.accept()
    url = f"sqlite:///{home.directory}/home.db"

    whole = CliRunner().invoke(command("audit"), ["audit", "verify", "--database", url, "--json"])
    with home.store.database.engine.begin() as connection:
        connection.execute(delete(t.audit).where(t.audit.c.sequence == 1))
    broken = CliRunner().invoke(command("audit"), ["audit", "verify", "--database", url])

    assert (whole.exit_code, json.loads(whole.stdout)["entries"]) == (0, 2)
    assert (broken.exit_code, "removed: entry 1 is gone" in broken.stdout) == (1, True)


def test_what_home_keeps_of_a_hall_is_written_for_the_hall_to_verify_with(
    home: Home, hall: FakeHall, clock: Clock
) -> None:
    beats(home, hall, clock, audit=THEIRS)
    url = f"sqlite:///{home.directory}/home.db"

    said = CliRunner().invoke(command("audit"), ["audit", "anchors", "--hall", HALL, "--database", url, "--json"])

    assert {anchor["sequence"] for anchor in json.loads(said.stdout)["anchors"]} == {100}
