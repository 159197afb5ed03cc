"""docs/fault-rows.md and the tests that it names hold together: no row without a test, no marked test that the page forgets."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[1]
LAST_ROW = 46
PAGE = HOUSE / "docs" / "fault-rows.md"
_ROW = re.compile(r"^\| (F\d+) \|(.*)$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

Named = tuple[str, str, str]  # row, path, test


def named_by_the_page() -> set[Named]:
    return {(row, path, test) for row, rest in _ROW.findall(PAGE.read_text()) for path, test in _TEST.findall(rest)}


def marked_in_the_tests() -> set[Named]:
    return set(_marked())


def _marked() -> Iterator[Named]:
    for path in sorted((HOUSE / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "fault_row" in text:
            name = path.relative_to(HOUSE).as_posix()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    yield from ((row, name, node.name) for row in _rows_of(node))


def _rows_of(test: ast.FunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault_row":
            yield from (str(word.value) for word in decorator.args if isinstance(word, ast.Constant))


def test_each_row_of_the_page_names_tests_that_are_marked_with_it():
    assert sorted(named_by_the_page() - marked_in_the_tests()) == []


def test_each_marked_test_stands_in_its_row_of_the_page():
    assert sorted(marked_in_the_tests() - named_by_the_page()) == []


def test_every_row_stands_once_and_none_without_a_test():
    rows = [row for row, _ in _ROW.findall(PAGE.read_text())]

    assert rows == [f"F{number}" for number in range(1, LAST_ROW + 1)]
    assert sorted(set(rows) - {row for row, _, _ in named_by_the_page()}) == []
