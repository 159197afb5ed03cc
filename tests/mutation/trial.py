"""Trials: the tests run once as they are, and then, for each mutant, in a forked process those that reach its line, the quickest first."""

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from coverage import Coverage

from tests.mutation.mutants import Mutant
from tests.mutation.transplant import transplant

_QUIET = ("-q", "--tb=no", "-p", "no:cacheprovider", "--timeout=0", "-W", "ignore")
_LEAST_SECONDS = 10.0
_MOST_TESTS = 400
_SEEN, _UNSEEN = 0, 1


class Fate(Enum):
    """What became of a mutant."""

    SEEN = "a test failed"
    ENDLESS = "a test did not end in its time"
    UNSEEN = "not seen"


@dataclass
class Reached:
    """Which tests reach which line, and how long each takes."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[tuple[str, int], set[str]] = field(default_factory=dict)

    def of(self, mutant: Mutant) -> list[str]:
        """Return the tests that may see it; of a constant all of its module's."""
        path = str(mutant.path)
        found = self.lines.get((path, mutant.line)) or {
            test for (other, _), tests in self.lines.items() if other == path for test in tests
        }
        return sorted(found, key=lambda test: self.seconds[test])[:_MOST_TESTS]


class _Watch:
    """A pytest plugin that notes for each test how long it took; what it reached, coverage notes."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        self._coverage.switch_context(item.nodeid)
        began = monotonic()
        yield
        self.seconds[item.nodeid] = monotonic() - began


def reach(paths: Sequence[Path], tests: Sequence[str], deselected: str = "") -> Reached:
    """Run the tests as the code is: all must pass, and it stays imported for the forks."""
    coverage = Coverage(data_file=None, include=[str(path) for path in paths], config_file=False)
    watch = _Watch(coverage)
    coverage.start()
    code = pytest.main([*_QUIET, *(("-k", deselected) if deselected else ()), *tests], plugins=[watch])
    coverage.stop()
    if code != pytest.ExitCode.OK:
        raise SystemExit("the tests must pass before anything is changed")
    return Reached(watch.seconds, _lines(coverage, paths))


def _lines(coverage: Coverage, paths: Sequence[Path]) -> dict[tuple[str, int], set[str]]:
    data, found = coverage.get_data(), dict[tuple[str, int], set[str]]()
    for path in paths:
        for line, tests in data.contexts_by_lineno(str(path.resolve())).items():
            found[str(path), line] = {test for test in tests if test}
    return found


def fate_of(mutant: Mutant, reached: Reached) -> Fate:
    """Run in a fork what reaches it. One with which a test never ends is noticed, too."""
    tests = reached.of(mutant)
    if not tests:
        return Fate.UNSEEN
    patience = max(_LEAST_SECONDS, 5 * sum(reached.seconds[test] for test in tests))
    pid = os.fork()
    if pid == 0:
        _be_the_mutant(mutant, tests)
    return _ended(pid, patience)


def _be_the_mutant(mutant: Mutant, tests: Iterable[str]) -> None:
    code = _SEEN
    try:
        os.setsid()
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            transplant(mutant)
            code = _UNSEEN if pytest.main([*_QUIET, "-x", *tests]) == pytest.ExitCode.OK else _SEEN
    finally:
        os._exit(code)


def _ended(pid: int, patience: float) -> Fate:
    end = monotonic() + patience
    while monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return Fate.UNSEEN if os.waitstatus_to_exitcode(status) == _UNSEEN else Fate.SEEN
        sleep(0.01)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return Fate.ENDLESS


def say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
