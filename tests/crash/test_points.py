"""Crash points: one list of names, both hooks agree with it, and nothing kills without the interpreter's switch."""

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import once
from spooler.daemon import crash
from spooler.daemon.crash import ASKING, POINTS, SWITCH, VARIABLE
from tests.crash.page import PAGE, page

HOUSE = Path(__file__).parents[2]
SOURCES = sorted(p for package in ("spooler", "agents") for p in (HOUSE / package).rglob("*.py"))
NAME = re.compile(r"(home|callback|agent|once)\.[a-z]+(-[a-z]+)*")
DIES, LIVES = -signal.SIGKILL, 0


def names_in(path: Path) -> Iterator[str]:
    """Yield each name that a source file hands to a crash point, itself or through a helper."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if ast.unparse(node.func).endswith(("crash_point", "_write")):
                yield from (word for word in words if NAME.fullmatch(word))


def test_the_list_and_the_source_name_the_same_points():
    """Each name once in the source, each with its sentence in the list; the backend's names are in the same list."""
    found = [name for path in SOURCES for name in names_in(path)]

    assert sorted(found) == sorted(POINTS)
    assert len(found) >= 40
    assert {name for name in names_in(Path(once.__file__))} == {name for name in POINTS if name.startswith("once.")}
    assert all(sentence.endswith(".") for sentence in POINTS.values())
    assert set(POINTS) >= ASKING


def test_the_backend_listens_to_the_same_switch_and_variable():
    """It imports nothing of ours, so both write the names down."""
    assert (once.CRASH_SWITCH, once.CRASH_VARIABLE) == (SWITCH, VARIABLE)


def test_the_page_is_current():
    """docs/crash-points.md is written by `python -m tests.crash.page`."""
    assert PAGE.read_text() == page()


HOOKS = {"daemons": "spooler.daemon.crash", "backend": "agents.once"}


def run(hook: str, folder: Path, *options: str, times: int = 1, point: str = "home.after-seal") -> int:
    """Pass a point so often in a process of its own, and return its exit code."""
    program = f"from {HOOKS[hook]} import crash_point\nfor _ in range({times}): crash_point({point!r})"
    environment = {**os.environ, VARIABLE: str(folder)}
    return subprocess.run([sys.executable, *options, "-c", program], cwd=HOUSE, env=environment, timeout=60).returncode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "point").write_text("home.after-seal")
    return tmp_path


@pytest.mark.attack_row("S44")
@pytest.mark.parametrize("hook", HOOKS)
def test_a_point_kills_only_under_the_switch(folder, hook):
    """S44: without the interpreter's switch the variable is not looked at."""
    assert run(hook, folder) == LIVES
    assert run(hook, folder, "-X", "utf8", "-X", SWITCH + "es") == LIVES
    assert not list(folder.glob("hit.*"))
    assert run(hook, folder, "-X", SWITCH) == DIES


@pytest.mark.parametrize("hook", HOOKS)
def test_a_point_kills_at_the_nth_time_and_never_again(folder, hook):
    """Whichever process passes counts, so that what is started again does not die of the same."""
    (folder / "point").write_text("home.after-seal:3")

    assert run(hook, folder, "-X", SWITCH, times=2) == LIVES
    assert run(hook, folder, "-X", SWITCH, point="home.after-wrap", times=5) == LIVES
    assert run(hook, folder, "-X", SWITCH) == DIES
    assert run(hook, folder, "-X", SWITCH, times=5) == LIVES


@pytest.mark.parametrize("hook", HOOKS)
def test_without_a_folder_nothing_happens(tmp_path, hook):
    """A switch alone kills nothing either."""
    assert run(hook, tmp_path / "none", "-X", SWITCH) == LIVES


@pytest.mark.attack_row("S44")
def test_nothing_that_is_installed_carries_the_switch():
    """Neither units nor entry points nor the backend's first line; and the environment has no way to give `-X` names."""
    installed = [
        *(HOUSE / "systemd").iterdir(),
        *(Path(sys.executable).with_name(n) for n in ("certspool", "certspool-agent")),
    ]
    for file in installed:
        assert SWITCH not in file.read_text()
    assert SWITCH not in Path(once.__file__).read_text().splitlines()[0]
    assert [p for p in SOURCES if SWITCH in p.read_text()] == [Path(once.__file__), Path(crash.__file__)]


@pytest.mark.attack_row("S44")
def test_the_backend_as_cupsd_starts_it_ignores_the_variable(tmp_path):
    """Started by its own first line, with a point armed that it passes: it refuses the job as always, and lives."""
    (tmp_path / "point").write_text("once.after-read")
    backend = tmp_path / "once"
    backend.write_bytes(Path(once.__file__).read_bytes())
    backend.chmod(0o755)
    job = ["once:virtual:/x", "1", "user", "title", "1", "job-uuid=urn:uuid:00000000-0000-0000-0000-000000000001"]
    environment = {"DEVICE_URI": job[0], "PRINTER": "booklet-1", VARIABLE: str(tmp_path)}

    assert start(backend, job, environment) == once.EXIT_REFUSED
    armed = backend.read_text().split("\n", 1)[1]
    backend.write_text(f"#!/usr/bin/python3 -ISX{SWITCH}\n{armed}")
    assert start(backend, job, environment) == DIES


def start(backend: Path, arguments: list[str], environment: dict[str, str]) -> int:
    done = subprocess.run(
        arguments, executable=backend, env=environment, input=b"%PDF-", capture_output=True, timeout=60, check=False
    )
    return done.returncode
