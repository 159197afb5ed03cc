"""What only the first work needs is loaded after the start, and by then: a restart is not to wait for it, nor the first order."""

import gc
import subprocess
import sys
from threading import Event
from time import monotonic, sleep

import pytest

from spooler.daemon import late
from spooler.daemon.late import Late


@pytest.mark.parametrize(
    ("daemon", "later"),
    [("agents.app", {"pyhanko", "pypdf", "aiohttp"}), ("spooler.app", {"pyhanko", "pypdf", "aiohttp"})],
)
def test_a_daemon_starts_without_what_only_its_first_work_needs(daemon, later):
    """Half a second of each start: the figures of docs/figures-measured.md hang on it."""
    program = f"import sys, {daemon}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert later.isdisjoint(loaded)


@pytest.fixture
def loaded(monkeypatch):
    """What was loaded, instead of loading it."""
    names: list[str] = []
    monkeypatch.setattr(late, "import_module", names.append)
    return names


def test_it_is_loaded_once_the_daemon_is_ready(loaded):
    ready = Event()
    part = Late(["one", "two"], is_ready=ready.is_set)
    part.start()
    sleep(0.2)
    assert loaded == []

    ready.set()
    end = monotonic() + 10
    while len(loaded) < 2 and monotonic() < end:
        sleep(0.01)

    assert loaded == ["one", "two"]
    part.stop()


def test_a_daemon_that_never_becomes_ready_stops_all_the_same(loaded):
    part = Late(["one"], is_ready=lambda: False)
    part.start()
    began = monotonic()

    part.stop()

    assert monotonic() - began < 5
    assert loaded == []


def test_what_is_loaded_is_not_looked_through_for_garbage_again(loaded):
    """A collection over all libraries stops every thread for up to half a second."""
    before = gc.get_freeze_count()
    try:
        part = Late(["one"], is_ready=lambda: True)
        part.start()
        end = monotonic() + 10
        while gc.get_freeze_count() <= before and monotonic() < end:
            sleep(0.01)
        part.stop()

        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
