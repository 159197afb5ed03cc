"""Sandboxes for the journeys: started by the command line, as anybody starts one, once for the whole run."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.journeys.build import PLACES
from tests.journeys.drive import Driver

CERTSPOOL = Path(sys.executable).with_name("certspool")


@pytest.fixture(scope="session")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Two registries, two halls."""
    with a_sandbox(request.session) as driver:
        yield driver


@pytest.fixture(scope="session")
def county(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """All ten counties of Suihua, each with a hall, and one registry of another province."""
    registries = [*PLACES, "330212"]
    halls = [f"{code}-01" for code in PLACES]
    with a_sandbox(request.session, "--registries", ",".join(registries), "--halls", ",".join(halls)) as driver:
        yield driver


@contextmanager
def a_sandbox(session: pytest.Session, *options: str) -> Iterator[Driver]:
    """Bring a sandbox up and end it; what it wrote is kept only when a test failed. (/var/tmp is a real disk, as permits need.)"""
    failures = session.testsfailed
    directory = Path(tempfile.mkdtemp(prefix="certspool-", dir="/var/tmp"))
    try:
        run(["sandbox", "up", "--dir", str(directory), *options])
        driver = Driver(directory)
        with driver.http:
            yield driver
    finally:
        run(["sandbox", "down", "--dir", str(directory)])
        if session.testsfailed == failures:
            shutil.rmtree(directory)


def run(arguments: Sequence[str], expected: int = 0) -> str:
    """Run `certspool` and return what it says."""
    done = subprocess.run([CERTSPOOL, *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == expected, done.stderr
    return done.stdout
