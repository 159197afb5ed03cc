"""The ledger: whole or not at all, bound to its place, and there again after SIGKILL."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import UUID

import pytest

from agents.errors import DoesNotFit
from agents.identity import OneAgent, is_unused, machine_of
from agents.ledger import Corrupt, Ledger
from spooler.daemon.settings import SettingsError
from tests.agents.counter.hall import CLERK, Counter

HERE = {"hall": "231282-01", "machine": "m", "permits": "p"}


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_an_act_that_fails_leaves_nothing_behind(counter, monkeypatch):
    """Move, event, blank and report stand in one transaction."""
    order_id = counter.arrives(counter.booklet())
    before = len(counter.reports())
    monkeypatch.setattr(counter.ledger.outbox, "add", _disk_full)

    with pytest.raises(OSError):
        counter.releases(order_id)

    monkeypatch.undo()
    assert counter.order(order_id).state == "waiting"
    assert counter.order(order_id).proposed_serial is None
    assert len(counter.reports()) == before
    assert counter.releases(order_id).proposed_serial == "D23000000101"


def _disk_full(*_: object, **__: object) -> None:
    raise OSError("no space left on device")


def test_what_must_not_be_lost_is_written_through(path):
    """synchronous=FULL: a commit has reached the disk when it returns."""
    ledger = Ledger(path)

    pragmas = [ledger._db.value(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert pragmas == ["wal", 2, 1]
    assert path.stat().st_mode & 0o077 == 0


def test_a_ledger_keeps_its_epoch_and_each_start_is_an_instance_of_its_own(path):
    first = Ledger(path).bind(**HERE, permits_are_new=True)
    second = Ledger(path).bind(**HERE, permits_are_new=False)

    assert (second.epoch, second.reconcile) == (first.epoch, None)
    assert second.instance != first.instance


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"machine": "another"}, "the ledger was written on another machine"),
        ({"permits": "another"}, "the ledger belongs to another permit directory"),
        ({"hall": "231283-01"}, "the ledger is another hall's"),
    ],
)
def test_a_ledger_that_finds_itself_elsewhere_starts_a_new_epoch_and_prints_nothing(path, changed, why):
    first = Ledger(path).bind(**HERE, permits_are_new=True)

    moved = Ledger(path).bind(**{**HERE, **changed}, permits_are_new=False)
    again = Ledger(path).bind(**{**HERE, **changed}, permits_are_new=False)

    assert moved.epoch != first.epoch
    assert (moved.reconcile, again.reconcile) == (why, why)


def test_a_new_ledger_beside_used_permits_prints_nothing(path):
    """The journal was lost, the paper was not."""
    assert Ledger(path).bind(**HERE, permits_are_new=False).reconcile is not None


def test_a_hall_that_is_to_be_reconciled_releases_and_begins_nothing(counter):
    order_id = counter.arrives(counter.booklet())
    counter.releases(order_id)
    waiting = counter.arrives(counter.proof())
    counter.ledger.close()

    stranger = Counter(counter.office, counter.directory, machine="another", is_new=False)

    assert stranger.has_to_print("booklet-1") is None
    with pytest.raises(DoesNotFit) as refused:
        stranger.releases(waiting)
    assert refused.value.code == "reconcile"


@pytest.mark.parametrize("damage", [b"", b"this is no database, and longer than a header of one would be" * 40])
@pytest.mark.fault_row("F30")
def test_a_damaged_ledger_is_never_printed_from(path, damage):
    ledger = Ledger(path)
    ledger.bind(**HERE, permits_are_new=True)
    ledger.close()
    content = path.read_bytes()
    path.write_bytes(damage or content[:4096] + b"\xff" * 4096 + content[8192:])

    with pytest.raises(Corrupt):
        Ledger(path)


@pytest.mark.fault_row("F28")
def test_only_one_agent_runs_for_a_hall(tmp_path):
    first = OneAgent(tmp_path)

    with pytest.raises(SettingsError):
        OneAgent(tmp_path)
    first.release()

    OneAgent(tmp_path).release()


def test_a_machine_without_an_id_gets_one_of_ours_for_good(tmp_path):
    nothing = tmp_path / "no-machine-id"
    own = machine_of(tmp_path, nothing)
    nothing.write_text("0123456789abcdef")

    assert machine_of(tmp_path, nothing) == own
    assert machine_of(tmp_path / ".", nothing) == own
    (tmp_path / "machine").unlink()
    assert machine_of(tmp_path, nothing) == "machine-id:0123456789abcdef"


def test_a_permit_directory_is_new_until_a_permit_was_issued(tmp_path):
    (tmp_path / "issued").mkdir()
    assert is_unused(tmp_path)

    (tmp_path / "issued" / "a-permit").touch()

    assert not is_unused(tmp_path)


WRITER = """
import os, sys
from pathlib import Path
from agents.stock import Movement
from spooler.wire.messages import Stock
from tests.agents.counter.hall import CLERK, Counter
from tests.sealing import Office

counter = Counter(Office(Path(sys.argv[1])), Path(sys.argv[2]))
many = {"stock": Stock.PROOF, "first": "23000001000", "last": "23000001999"}
counter.stock.move(CLERK, Movement.RECEIVE, **many)
counter.stock.move(CLERK, Movement.LOAD, **many, printer="proof-1")
while True:
    order_id = counter.arrives(counter.proof())
    counter.releases(order_id)
    begun = counter.prints("proof-1")
    counter.confirms(order_id)
    print(f"confirmed {order_id}", flush=True)
"""


def _confirmed(writer: subprocess.Popen[str]) -> Iterator[UUID]:
    """The whole lines that say so; logs are between them."""
    for line in writer.stdout:
        if line.startswith("confirmed ") and line.endswith("\n"):
            yield UUID(line.split()[1])


@pytest.mark.parametrize("after", [1, 4])
def test_killed_while_it_writes_it_has_all_that_it_said(office, tmp_path, after):
    """SIGKILL in the middle: each order said to be confirmed is, the blanks add up, and the chain of reports is whole."""
    argv = [sys.executable, "-c", WRITER, str(office.directory), str(tmp_path / "hall")]
    writer = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
    said = list(islice(_confirmed(writer), after))
    os.kill(writer.pid, signal.SIGKILL)
    said += _confirmed(writer)
    writer.wait(10)

    counter = Counter(office, tmp_path / "hall", is_new=False)

    assert {counter.order(order_id).state for order_id in said} == {"printed"}
    assert counter.stock.view(CLERK).balanced
    used = counter.ledger.blanks.counts()
    printed = len(counter.acts.orders(CLERK, state="printed"))
    assert sum(count for (_, status), count in used.items() if status == "used") == printed >= after
    assert len(counter.reports("printed")) == printed
    assert sqlite3.connect(tmp_path / "hall" / "ledger.sqlite").execute("PRAGMA integrity_check").fetchone() == ("ok",)
    for begun in counter.book.open_tries("proof-1"):
        counter.book.again(begun.id, "not-released", {})
