"""Sheets of plain paper that go with a document: the list of what is mortgaged, and the one that is signed before."""

import pytest

from spooler.catalog import COLLATERAL_FIELDS, COUNTIES
from spooler.errors import RequestRefused
from spooler.intake import check
from spooler.intake.check import Checker
from spooler.intake.request import CollateralIn
from spooler.wire.messages import Check
from tests.spooler.intake.build import NOON, BlankLayout, changed, checker, findings, judge, places, sample, trust

LIST = "collateral-drawn"


class Recorder(BlankLayout):
    """Remembers what was to be drawn."""

    def print_document(self, content):
        self.content = content
        return super().print_document(content)


def drawn(request, **settings):
    layout = Recorder()
    judge(request, Checker(trust=trust(), served=frozenset(COUNTIES), layout=layout, clock=lambda: NOON, **settings))
    return layout.content


def test_the_columns_are_the_fields_of_a_row():
    """What may be sent is what is drawn."""
    assert list(CollateralIn.model_fields) == [spec.name for spec in COLLATERAL_FIELDS]


def test_field_codes_of_rows_are_taken_and_errors_name_them():
    request = sample(LIST)
    codes = {spec.name: spec.code for spec in COLLATERAL_FIELDS}
    rows = [{codes[name]: value for name, value in row.items()} for row in request["document"]["collateral"]]
    coded = changed(request, "document.collateral", rows)

    assert judge(coded, checker()).digest == judge(request, checker()).digest
    assert places(findings(changed(coded, "document.collateral.2.zl", ""))) == [("document.collateral.2.zl", "empty")]
    twice = changed(coded, "document.collateral.1.location", "绥化市")
    assert ("document.collateral.1", "two-names") in places(findings(twice))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("document.collateral", [], ("document.collateral", "empty")),
        ("document.collateral.0.price", "1", ("document.collateral.0.price", "unknown-field")),
        ("document.collateral.0.location", ..., ("document.collateral.0.location", "missing")),
        ("document.collateral.4.unit_number", "望奎县", ("document.collateral.4.unit_number", "does-not-match")),
        (
            "document.collateral.4.unit_number",
            "231221 003004 GB00133 F00060001",
            ("document.collateral.4.unit_number", "repeated"),
        ),
    ],
)
def test_what_a_list_must_not_say(path, value, expected):
    assert expected in places(findings(changed(sample(LIST), path, value)))


def test_a_query_has_no_list():
    request = changed(sample("query"), "document.collateral", [{"unit_number": "1", "location": "绥化市"}])

    assert ("document.collateral", "not-with-this") in places(findings(request))


def test_a_request_without_a_list_is_the_same_as_before_there_were_any():
    """A repeat of what was kept by an older version is answered, not refused as another."""
    dumped = judge(sample("house"), checker()).request.model_dump(mode="json")

    assert "collateral" not in dumped["document"]
    assert judge(changed(sample("house"), "document.collateral", None), checker()).digest == (
        judge(sample("house"), checker()).digest
    )


def test_a_list_alone_that_is_too_large_for_the_wire_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(check, "MAX_RENDERED_BYTES", 3)

    with pytest.raises(RequestRefused) as refused:
        judge(sample(LIST), checker())

    assert [(item.field, item.code) for item in refused.value.errors] == [("document", "too-large")]


@pytest.mark.parametrize("wanted", [None, Check.OFFERED, Check.REQUIRED])
def test_a_registry_says_whether_its_certificates_are_signed_for_before(wanted):
    """None by default: all that exists stays as it is."""
    settings = {} if wanted is None else {"check_sheets": {"231221": wanted}}

    content = drawn(sample("house"), **settings)

    assert (content.check, content.case) == (wanted, sample("house")["case"]["number"])
    assert drawn(sample("no-annex"), **settings).check is None, "of another registry"


def test_a_registry_s_own_versions_of_the_sheets_are_drawn():
    versions = {"proof": 1, "collateral-list": 2}

    assert drawn(sample(LIST), templates={"231221": versions}).sheet_versions == versions
