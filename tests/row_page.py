"""A page of rows, each with the tests that hold it, and the tests that are marked with a row: read from either side."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).parents[1]
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

Named = tuple[str, str, str]  # row, path, test


@dataclass(frozen=True)
class RowPage:
    """A page below docs/, whose rows begin with one of these letters and a number, and the marker that names a row on a test."""

    name: str
    letters: str
    marker: str

    def cells(self) -> list[tuple[str, str]]:
        """Return each row with what stands after its name, in the page's order."""
        row = re.compile(rf"^\| ([{self.letters}]\d+) \|(.*)$", re.MULTILINE)
        return row.findall((HOUSE / "docs" / self.name).read_text())

    def rows(self) -> list[str]:
        return [row for row, _ in self.cells()]

    def named(self) -> set[Named]:
        """Return what the page says."""
        return {(row, path, test) for row, rest in self.cells() for path, test in _TEST.findall(rest)}

    def marked(self) -> set[Named]:
        """Return what the tests say."""
        return set(self._marked())

    def without_a_test(self) -> list[str]:
        return sorted(set(self.rows()) - {row for row, _, _ in self.named()})

    def _marked(self) -> Iterator[Named]:
        for path in sorted((HOUSE / "tests").rglob("test_*.py")):
            text = path.read_text()
            if self.marker in text:
                name = path.relative_to(HOUSE).as_posix()
                for node in ast.walk(ast.parse(text)):
                    if isinstance(node, ast.FunctionDef):
                        yield from ((row, name, node.name) for row in self._rows_of(node))

    def _rows_of(self, test: ast.FunctionDef) -> Iterator[str]:
        for decorator in test.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == f"pytest.mark.{self.marker}":
                yield from (str(word.value) for word in decorator.args if isinstance(word, ast.Constant))
