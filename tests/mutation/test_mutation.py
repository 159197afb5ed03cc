"""The changes are really made, in the functions that others hold, and a test that sees one is told from a test that does not."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.mutation.__main__ import ROOMS
from tests.mutation.mutants import mutants_of
from tests.mutation.transplant import transplant

HOUSE = Path(__file__).parents[2]
SOURCE = '''
"""Words."""

LIMIT = 3


def is_small(number):
    """Say whether it is."""
    if number < LIMIT and not number == 0:
        return True
    raise ValueError("too large")


class Box:
    """A box."""

    size: int = 4

    def holds(self, number):
        return number <= self.size
'''


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of that source, imported under the name that its path has."""
    monkeypatch.chdir(tmp_path)
    path = Path("sample_of_mutation.py")
    path.write_text(SOURCE)
    made = ModuleType("sample_of_mutation")
    exec(compile(SOURCE, str(path), "exec"), vars(made))
    monkeypatch.setitem(sys.modules, "sample_of_mutation", made)
    return made, path


def test_every_decision_is_changed_and_no_word(module):
    _, path = module

    assert [(one.line, one.what) for one in mutants_of(path)] == [
        (4, "a number + 1"),
        (9, "if always"),
        (9, "if never"),
        (9, "And → Or"),
        (9, "operand 1 left out"),
        (9, "operand 2 left out"),
        (9, "Lt → LtE"),
        (9, "not left out"),
        (9, "Eq → NotEq"),
        (9, "a number + 1"),
        (10, "returns None"),
        (10, "True → False"),
        (11, "left out"),
        (20, "returns None"),
        (20, "LtE → Lt"),
    ]


def test_a_change_is_in_the_function_that_others_hold_already(module):
    made, path = module
    is_small, box = made.is_small, made.Box()
    by_what = {(one.line, one.what): one for one in mutants_of(path)}
    assert is_small(2) and box.holds(4)

    transplant(by_what[20, "LtE → Lt"])
    assert not box.holds(4)
    transplant(by_what[9, "if always"])
    assert is_small(9)
    transplant(by_what[4, "a number + 1"])
    assert made.LIMIT == 4


def test_each_mutant_is_other_code(module):
    _, path = module
    original = ast.unparse(ast.parse(SOURCE))
    trees = [ast.unparse(one.tree) for one in mutants_of(path)]

    assert original not in trees
    assert len(set(trees)) == len(trees)


def test_only_what_is_named_is_changed(module):
    _, path = module

    assert {one.line for one in mutants_of(path, frozenset({"holds"}))} == {20}


def test_every_room_is_there():
    """A module that was moved would be tried no more."""
    for room in ROOMS:
        names = {
            node.name
            for node in ast.walk(ast.parse((HOUSE / room.path).read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        assert all((HOUSE / test).exists() for test in room.tests)
        assert (room.only or frozenset()) <= names


@pytest.mark.soak
def test_of_the_changes_of_what_decides_85_of_100_are_seen():
    """All of them, in a process that runs no other tests: it forks for each."""
    done = subprocess.run([sys.executable, "-m", "tests.mutation"], cwd=HOUSE, stdout=subprocess.PIPE, text=True)

    print(done.stdout)
    assert done.returncode == 0
