"""A field may be written under our name or under its code, and errors name it as it was written."""

import pytest

from spooler.catalog import HEADER_CODES, KINDS
from tests.spooler.intake.build import changed, findings, judge, places, sample


def in_codes(request):
    """Write every printed field and the number's strings under their codes."""
    document = request["document"]
    codes = {spec.name: spec.code for spec in KINDS[document["kind"]].fields}
    fields = {codes[name]: value for name, value in document["fields"].items()}
    number = {HEADER_CODES[name]: value for name, value in document["number"].items()}
    return {**request, "document": {**document, "fields": fields, "number": number}}


@pytest.mark.parametrize("name", ["house", "mortgage"])
def test_codes_and_our_names_say_the_same(name):
    """They are the same content, so a repeat in the other spelling is the same request."""
    ours, coded = judge(sample(name)), judge(in_codes(sample(name)))

    assert (ours.digest, ours.number) == (coded.digest, coded.number)


def test_an_error_names_the_code_that_was_written():
    request = in_codes(sample("house"))

    assert places(findings(changed(request, "document.fields.qlr", ""))) == [("document.fields.qlr", "empty")]
    assert places(findings(changed(request, "document.number.zhlsh", "12"))) == [
        ("document.number.zhlsh", "bad-format")
    ]
    assert places(findings(changed(request, "document.number.sqsjc", "吉"))) == [
        ("document.number.sqsjc", "not-the-registrys")
    ]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("document.fields.qlr", "李四", "document.fields"),
        ("document.fields.fj", "", "document.fields"),
        ("document.number.nf", 2025, "document.number"),
    ],
)
def test_one_field_under_two_names_is_refused(path, value, field):
    """Which of the two would be printed must not be left to us."""
    assert (field, "two-names") in places(findings(changed(sample("house"), path, value)))


def test_the_codes_of_the_other_kind_are_unknown():
    """`ywr` is a proof's field, and `mj` a certificate's."""
    assert places(findings(changed(sample("house"), "document.fields.ywr", "李四"))) == [
        ("document.fields.ywr", "unknown-field")
    ]
    assert places(findings(changed(sample("mortgage"), "document.fields.mj", "100㎡"))) == [
        ("document.fields.mj", "unknown-field")
    ]


def test_every_code_stands_once_in_its_kind():
    for kind in KINDS.values():
        names = [spec.name for spec in kind.fields] + [spec.code for spec in kind.fields]
        assert len(set(names)) == len(names)
