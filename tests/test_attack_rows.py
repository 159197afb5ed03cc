"""docs/attack-rows.md and the tests that it names hold together: no row without a test, no marked test that the page forgets."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "attack-rows.md"
PDF_ATTACKS = 13
LAST_ROW = 45
_ROW = re.compile(r"^\| ([SP]\d+) \|(.*)$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

Named = tuple[str, str, str]  # row, path, test


def named_by_the_page() -> set[Named]:
    return {(row, path, test) for row, rest in _ROW.findall(PAGE.read_text()) for path, test in _TEST.findall(rest)}


def marked_in_the_tests() -> set[Named]:
    return set(_marked())


def _marked() -> Iterator[Named]:
    for path in sorted((HOUSE / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "attack_row" in text:
            name = path.relative_to(HOUSE).as_posix()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    yield from ((row, name, node.name) for row in _rows_of(node))


def _rows_of(test: ast.FunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.attack_row":
            yield from (str(word.value) for word in decorator.args if isinstance(word, ast.Constant))


def rows() -> list[str]:
    return [row for row, _ in _ROW.findall(PAGE.read_text())]


def test_each_row_of_the_page_names_tests_that_are_marked_with_it():
    assert sorted(named_by_the_page() - marked_in_the_tests()) == []


def test_each_marked_test_stands_in_its_row_of_the_page():
    assert sorted(marked_in_the_tests() - named_by_the_page()) == []


def test_every_row_stands_once_and_in_order_and_none_without_a_test():
    numbers = {letter: [int(row[1:]) for row in rows() if row[0] == letter] for letter in "SP"}

    assert numbers["P"] == list(range(1, PDF_ATTACKS + 1))
    assert numbers["S"] == sorted(set(numbers["S"])) and set(numbers["S"]) <= set(range(1, LAST_ROW + 1))
    assert sorted(set(rows()) - {row for row, _, _ in named_by_the_page()}) == []


def test_each_pdf_attack_has_a_code_of_its_own():
    codes = [
        re.findall(r"^ ?([^|]*)\| `([\w-]+)`", rest)[0][1]
        for row, rest in _ROW.findall(PAGE.read_text())
        if row[0] == "P"
    ]

    assert len(set(codes)) == PDF_ATTACKS
