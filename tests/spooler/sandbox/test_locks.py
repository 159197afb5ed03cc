"""A part's lock says who runs it, and goes when it goes."""

import os
import subprocess
import sys

import pytest

from spooler.sandbox import locks

TAKE = "import os, sys; from pathlib import Path; from spooler.sandbox import locks; locks.take(Path(sys.argv[1]), 1);"


@pytest.fixture
def start():
    """Start a process that takes the lock, does `more`, and says so."""
    started = []

    def run(lock, more="print('has it', flush=True); import time; time.sleep(60)"):
        command = [sys.executable, "-c", TAKE + more, str(lock)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "has it\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_the_holder_is_named_by_its_pid(tmp_path, start):
    process = start(tmp_path / "part.lock")

    assert locks.holder(tmp_path / "part.lock") == process.pid


def test_nobody_holds_a_lock_that_was_never_taken(tmp_path):
    assert locks.holder(tmp_path / "part.lock") is None


def test_the_lock_stays_with_the_process_over_exec(tmp_path, start):
    """A part takes the lock, then becomes the daemon: the same process, the same lock."""
    process = start(tmp_path / "part.lock", "os.execv('/bin/sh', ['sh', '-c', 'echo has it; sleep 60; :'])")

    assert locks.holder(tmp_path / "part.lock") == process.pid


def test_a_child_that_outlives_the_part_does_not_hold_its_lock(tmp_path, start):
    """A print goes on after its cupsd was killed; the next cupsd must not wait for it."""
    process = start(tmp_path / "part.lock", "os.execv('/bin/sh', ['sh', '-c', 'sleep 5 >&- & echo has it; wait'])")

    process.kill()
    process.wait(10)

    assert locks.holder(tmp_path / "part.lock") is None


def test_a_successor_waits_until_the_predecessor_has_gone(tmp_path, start):
    process = start(tmp_path / "part.lock", "print('has it', flush=True); import time; time.sleep(0.5)")

    descriptor = locks.take(tmp_path / "part.lock", 10)

    assert process.wait(10) == 0
    os.close(descriptor)


def test_a_successor_gives_up_on_a_predecessor_that_stays(tmp_path, start):
    process = start(tmp_path / "part.lock")

    with pytest.raises(locks.StillHeld, match=str(process.pid)):
        locks.take(tmp_path / "part.lock", 0.1)
