"""The tables in docs are those of the code, and the list of codes is closed."""

import ast
import re
from pathlib import Path

import pytest

from spooler.errors import SENTENCES, Code
from spooler.intake.reference import PAGES, renewed

HOUSE = Path(__file__).parents[3]
KEBAB = re.compile(r"[a-z]+(-[a-z]+)+")


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_in_docs_are_current(page):
    """After a change of the model: python -m spooler.intake.reference."""
    text = (HOUSE / "docs" / page).read_text(encoding="utf-8")

    assert renewed(text, PAGES[page]) == text


def test_every_code_has_its_sentence():
    assert set(SENTENCES) == set(Code)


def test_what_layout_says_is_in_the_list():
    """Layout words its own sentences; their codes are part of the same closed list."""
    unknown = {code for path in (HOUSE / "spooler" / "render").rglob("*.py") for code in codes_in(path)}

    assert unknown - {code.value for code in Code} == set()


def codes_in(path: Path) -> set[str]:
    """Return what looks like a code among the arguments of calls and in tuples."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        below = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        found |= {item.value for item in below if isinstance(item, ast.Constant) and isinstance(item.value, str)}
    return {text for text in found if KEBAB.fullmatch(text) and not text.startswith("fonts-")}
