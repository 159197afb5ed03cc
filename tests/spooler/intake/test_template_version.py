"""A registry prints the version of a template that its stock was measured for."""

import pytest

from spooler.catalog import COUNTIES
from spooler.intake.check import Checker

from .build import NOON, BlankLayout, judge, sample, trust


class Recorder(BlankLayout):
    """Remembers which version was asked for."""

    def print_document(self, content):
        self.version = content.template_version
        return super().print_document(content)


@pytest.mark.parametrize(
    ("templates", "expected"),
    [
        ({}, None),
        ({"231221": {"certificate": 3, "proof": 1}}, 3),
        ({"231221": {"proof": 2}}, None),
        ({"231202": {"certificate": 2}}, None),
    ],
)
def test_the_version_is_that_of_the_registry_and_kind(templates, expected):
    """None is the newest."""
    layout = Recorder()
    checker = Checker(trust=trust(), served=frozenset(COUNTIES), layout=layout, clock=lambda: NOON, templates=templates)

    judge(sample("house"), checker)

    assert layout.version == expected
