"""docs/attack-rows.md and the tests that it names hold together: no row without a test, no marked test that the page forgets."""

import re

from tests.row_page import RowPage

PAGE = RowPage("attack-rows.md", "SP", "attack_row")
PDF_ATTACKS = 13
LAST_ROW = 45


def test_each_row_of_the_page_names_tests_that_are_marked_with_it():
    assert sorted(PAGE.named() - PAGE.marked()) == []


def test_each_marked_test_stands_in_its_row_of_the_page():
    assert sorted(PAGE.marked() - PAGE.named()) == []


def test_every_row_stands_once_and_in_order_and_none_without_a_test():
    numbers = {letter: [int(row[1:]) for row in PAGE.rows() if row[0] == letter] for letter in "SP"}

    assert numbers["P"] == list(range(1, PDF_ATTACKS + 1))
    assert numbers["S"] == sorted(set(numbers["S"])) and set(numbers["S"]) <= set(range(1, LAST_ROW + 1))
    assert PAGE.without_a_test() == []


def test_each_pdf_attack_has_a_code_of_its_own():
    codes = [re.findall(r"^ ?([^|]*)\| `([\w-]+)`", rest)[0][1] for row, rest in PAGE.cells() if row[0] == "P"]

    assert len(set(codes)) == PDF_ATTACKS
