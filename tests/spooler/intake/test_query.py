"""A request for the result of a query: what it needs not say, and what it must not."""

import pytest

from spooler.intake.keep import _private
from tests.spooler.intake.build import changed, checker, findings, judge, sample


def judged(request):
    return [(item.field, item.code) for item in findings(request, checker())]


def test_a_query_may_find_nothing():
    """Whoever owns nothing here has no unit to be named."""
    checked = judge(sample("query-nothing"), checker())

    assert (checked.request.document.units, checked.number) == ((), "黑（2025）绥化市不动产查询第0000132号")


def test_a_certificate_is_about_a_unit():
    assert ("document.units", "empty") in judged(changed(sample("no-annex"), "document.units", []))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("document.units", [], ("document.fields.unit_number", "does-not-match")),
        ("document.fields.unit_number", "", ("document.fields.unit_number", "does-not-match")),
        ("document.fields.applicant", "", ("document.fields.applicant", "empty")),
        ("document.fields.holder", "孙二", ("document.fields.holder", "unknown-field")),
        (
            "document.issuance",
            {"type": "renewal", "replaces": {"number": "黑（2025）望奎县不动产查询第0000001号"}},
            ("document.issuance.type", "not-with-this"),
        ),
    ],
)
def test_what_a_query_must_not_say(path, value, expected):
    assert expected in judged(changed(sample("query"), path, value))


def test_field_codes_are_taken_as_our_names():
    request = sample("query")
    fields = request["document"]["fields"]
    codes = {"applicant": "cxr", "purpose": "cxmd", "content": "cxnr", "result": "cxjg", "notes": "bz"}
    coded = {codes.get(name, name): value for name, value in fields.items()}

    assert judge(changed(request, "document.fields", coded), checker()).digest == judge(request, checker()).digest


def test_the_hall_searches_for_the_applicant():
    """The ticket names one person: of a certificate its holder, of a query who asked."""
    assert _private(judge(sample("query"), checker()).request).holder == "孙二"
