"""The hall's audit log: from an order's arrival to its blank, each entry hangs on the one before, and home vouches for the end."""

import json
import sqlite3
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from agents.cli import app
from agents.ledger.audit import AuditReader, View
from spooler.wire.chain import Anchor as Vouched
from spooler.wire.messages import Anchor, AuditHead
from tests.sealing import HALL, HOME

NOBODYS = AuditHead(log=uuid4(), sequence=3, sha256="0" * 64)


@pytest.fixture
def log(counter):
    """A hall that has printed, confirmed and closed its book."""
    order_id = counter.has_printed_booklet()
    counter.confirms(order_id)
    return counter


def verdict_of(counter, *statements, more=()):
    """What is said of the log after somebody had the file to himself."""
    with sqlite3.connect(counter.directory / "ledger.sqlite") as file:
        for trigger in ("audit_stays", "audit_remains"):
            file.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        for statement in statements:
            file.execute(statement)
    view = View(counter.directory / "ledger.sqlite")
    try:
        return AuditReader(view).verify(more)
    finally:
        view.close()


def test_a_log_that_nobody_touched_is_whole(log):
    verdict = verdict_of(log)

    assert verdict.fault is None
    assert verdict.entries == log.ledger.audit.head().sequence > 15


def test_the_serial_stands_in_the_log(log):
    """Events of the order and movements of its blank are in one order, that of writing."""
    with sqlite3.connect(log.directory / "ledger.sqlite") as file:
        what = {row[0] for row in file.execute("SELECT what FROM audit")}
        unlogged = file.execute("SELECT count(*) FROM movements").fetchone()[0] - _count(file, "movement")

    assert what == {"begin", "event", "movement"}
    assert unlogged == 0


def _count(file, what):
    return file.execute("SELECT count(*) FROM audit WHERE what = ?", (what,)).fetchone()[0]


@pytest.mark.parametrize("statement", ["UPDATE audit SET sha256 = ''", "DELETE FROM audit"])
def test_the_ledger_itself_forbids_it(log, statement):
    with sqlite3.connect(log.directory / "ledger.sqlite") as file, pytest.raises(sqlite3.IntegrityError):
        file.execute(statement)


@pytest.mark.attack_row("S39")
@pytest.mark.parametrize(
    "statement, code, entry",
    [
        ("UPDATE audit SET sha256 = 'x' WHERE sequence = 7", "edited", 7),
        ("UPDATE audit SET source = source + 1 WHERE sequence = 7", "edited", 7),
        ("DELETE FROM audit WHERE sequence = 7", "removed", 7),
        ("DELETE FROM audit WHERE sequence = 1", "removed", 1),
    ],
)
def test_an_edited_or_removed_entry_is_named(log, statement, code, entry):
    fault = verdict_of(log, statement).fault

    assert (fault.code, fault.entry) == (code, entry)


@pytest.mark.attack_row("S39")
@pytest.mark.parametrize("table, change", [("events", "actor_id = 'x'"), ("movements", "movement = 'void'")])
def test_an_edited_row_is_named_by_its_entry(log, table, change):
    what = table.removesuffix("s")
    with sqlite3.connect(log.directory / "ledger.sqlite") as file:
        entry, source = file.execute(
            "SELECT max(sequence), source FROM audit WHERE what = ? AND sequence < 12", (what,)
        ).fetchone()

    fault = verdict_of(log, f"UPDATE {table} SET {change} WHERE sequence = {source}").fault

    assert (fault.code, fault.entry) == ("edited", entry)


@pytest.mark.attack_row("S39")
def test_swapped_entries_are_named(log):
    fault = verdict_of(
        log,
        "UPDATE audit SET sequence = 1000 WHERE sequence = 6",
        "UPDATE audit SET sequence = 6 WHERE sequence = 9",
        "UPDATE audit SET sequence = 9 WHERE sequence = 1000",
    ).fault

    assert (fault.code, fault.entry) == ("swapped", 6)


@pytest.mark.attack_row("S39")
def test_an_end_that_was_cut_off_is_named_by_what_home_keeps(log):
    """Home was told the end by the heartbeat, and tells it back."""
    head = log.ledger.audit.head()
    anchored(log, hall_audit=head)

    fault = verdict_of(
        log,
        "DELETE FROM events WHERE sequence IN (SELECT source FROM audit WHERE what = 'event' AND sequence > 12)",
        "DELETE FROM movements WHERE sequence IN (SELECT source FROM audit WHERE what = 'movement' AND sequence > 12)",
        "DELETE FROM audit WHERE sequence > 12",
    ).fault

    assert (fault.code, fault.entry) == ("truncated", 13)
    assert HOME in fault.message and str(head.sequence) in fault.message


@pytest.mark.attack_row("S39")
def test_it_is_named_also_by_a_file_that_home_gives_out(log, tmp_path):
    """Whoever cuts the log off may cut off what is kept beside it as well."""
    head = log.ledger.audit.head()
    kept = Vouched("home", str(head.log), head.sequence + 4, "a" * 64, "2026-03-02T04:00:00+00:00")

    fault = verdict_of(log, more=[kept]).fault

    assert (fault.code, fault.entry) == ("truncated", head.sequence + 1)


def anchored(counter, *, audit=NOBODYS, hall_audit=None) -> UUID:
    return counter.control(Anchor, uuid4(), audit=audit, hall_audit=hall_audit)


def beats(counter):
    counter.hall.pipeline.look()


def test_a_heartbeat_tells_both_ends(log):
    anchored(log)
    beats(log)

    (said,) = [beat for beat in log.reports("heartbeat") if beat.registry == HOME]

    assert said.audit == log.ledger.audit.head()
    assert said.home_audit == NOBODYS


def test_an_entry_that_home_keeps_and_the_ledger_lacks_is_an_alarm(log, capsys):
    anchored(log, hall_audit=log.ledger.audit.head())
    assert "audit log broken" not in capsys.readouterr().err

    anchored(log, hall_audit=log.ledger.audit.head().model_copy(update={"sha256": "0" * 64}))

    assert "audit log broken" in "".join(capsys.readouterr())


def test_an_anchor_lengthens_no_log(log):
    """Else the two sides would tell each other of nothing but that, for ever."""
    log.hall.pipeline.look()  # reasons may settle
    before = log.ledger.audit.head()

    anchored(log)
    log.clock.forward(minutes=2)
    beats(log)

    assert log.ledger.audit.head() == before


def test_a_ledger_that_is_older_than_its_log_is_taken_on(log):
    _forget_log(log)

    log.arrives(log.proof())

    assert verdict_of(log).fault is None
    assert verdict_of(log, "DELETE FROM events WHERE sequence = 1").fault.code == "removed"


def _forget_log(counter):
    with sqlite3.connect(counter.directory / "ledger.sqlite") as file:
        file.execute("DROP TRIGGER audit_remains")
        file.execute("DELETE FROM audit")


def test_the_command_says_whether_the_log_is_whole(log, tmp_path):
    """Beside the agent that is at work on it."""
    config = tmp_path / "hall.toml"
    config.write_text(
        f'[hall]\nid = "{HALL}"\ndata_directory = "{log.directory}"\ntrust_directory = "{tmp_path}"\n'
        '[broker]\nuser = "hall"\npassword_credential = "broker"\n'
    )

    whole = CliRunner().invoke(app, ["audit", "verify", "--config", str(config), "--json"])
    verdict_of(log, "DELETE FROM audit WHERE sequence = 5")
    broken = CliRunner().invoke(app, ["audit", "verify", "--config", str(config)])

    assert (whole.exit_code, json.loads(whole.stdout)["ok"]) == (0, True)
    assert broken.exit_code == 1
    assert "removed: entry 5 is gone" in broken.stdout
