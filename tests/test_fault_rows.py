"""docs/fault-rows.md and the tests that it names hold together: no row without a test, no marked test that the page forgets."""

from tests.row_page import RowPage

PAGE = RowPage("fault-rows.md", "F", "fault_row")
LAST_ROW = 46


def test_each_row_of_the_page_names_tests_that_are_marked_with_it():
    assert sorted(PAGE.named() - PAGE.marked()) == []


def test_each_marked_test_stands_in_its_row_of_the_page():
    assert sorted(PAGE.marked() - PAGE.named()) == []


def test_every_row_stands_once_and_none_without_a_test():
    assert PAGE.rows() == [f"F{number}" for number in range(1, LAST_ROW + 1)]
    assert PAGE.without_a_test() == []
