"""What one field decides by itself."""

import pytest

from spooler.catalog import CERTIFICATE, KINDS, PROOF
from tests.spooler.intake.build import changed, findings, judge, places, sample

HOUSE, PROOF_OF_MORTGAGE, ALL = sample("no-annex"), sample("mortgage"), sample("all-fields")

WRONG = [
    # path, value (... is missing), code
    ("request_id", ..., "missing"),
    ("request_id", "", "bad-format"),
    ("request_id", "with space", "bad-format"),
    ("request_id", "x" * 101, "bad-format"),
    ("request_id", 7, "wrong-type"),
    ("registry", None, "wrong-type"),
    ("registry", "", "empty"),
    ("hall", ["231282-01"], "wrong-type"),
    ("case", "231202", "wrong-type"),
    ("case.number", "", "empty"),
    ("case.number", "9" * 65, "too-long"),
    ("case.ordinal", 0, "out-of-range"),
    ("case.ordinal", "1", "wrong-type"),
    ("case.ordinal", True, "wrong-type"),
    ("case.ordinal", 1.0, "wrong-type"),
    ("case.of", 10**30, "out-of-range"),
    ("document", ..., "missing"),
    ("document.kind", "deed", "unknown-kind"),
    ("document.kind", 1, "wrong-type"),
    ("document.number.province", "", "empty"),
    ("document.number.year", 1948, "out-of-range"),
    ("document.number.year", "24", "wrong-type"),
    ("document.number.year", True, "wrong-type"),
    ("document.number.sequence", "12345", "bad-format"),
    ("document.number.sequence", "1234567890", "bad-format"),
    ("document.number.sequence", "１２３４５６７", "bad-format"),
    ("document.number.sequence", 1234567, "wrong-type"),
    ("document.version", 0, "out-of-range"),
    ("document.booked_on", "2025-02-30", "bad-format"),
    ("document.booked_on", "2025-3-1", "bad-format"),
    ("document.booked_on", "20250310", "bad-format"),
    ("document.booked_on", 1741564800, "bad-format"),
    ("document.qr", "", "empty"),
    ("document.qr", "x" * 1001, "too-long"),
    ("document.units", [], "empty"),
    ("document.units", "231202003004GB00108F00050108", "wrong-type"),
    ("document.units.0", 5, "wrong-type"),
    ("document.fields", ["孙二"], "wrong-type"),
    ("document.fields.holder", ..., "missing"),
    ("document.fields.holder", "", "empty"),
    ("document.fields.holder", " \n　", "empty"),
    ("document.fields.holder", None, "wrong-type"),
    ("document.fields.area", 88.5, "wrong-type"),
    ("document.fields.notes", "长" * 4001, "too-long"),
    ("document.issuance", {"type": "copy"}, None),
    ("applied_at", "2025-03-10T09:05:00", "bad-format"),
    ("applied_at", "2025-03-10 09:05:00+08:00", "bad-format"),
    ("applied_at", "2025-03-10T24:05:00+08:00", "bad-format"),
    ("applied_at", "0001-01-01T00:00:00+08:00", "bad-format"),
    ("applied_at", 1741568700, "bad-format"),
    ("deadline", "tomorrow", "bad-format"),
    ("channel", "post", "not-a-choice"),
    ("window", "", "empty"),
    ("window", "x" * 33, "too-long"),
    ("seal", "wax", "not-a-choice"),
    ("seal", None, "not-a-choice"),
    ("booked_by", 5, "wrong-type"),
    ("parties", {}, "wrong-type"),
    ("annexes", None, "wrong-type"),
    ("annexes", [5], None),
    ("urgent", True, "unknown-field"),
    ("case.colour", "red", "unknown-field"),
    ("document.number.suffix", "号", "unknown-field"),
    ("document.fields.colour", "red", "unknown-field"),
    ("document.fields.obligor", "", "unknown-field"),
]


@pytest.mark.parametrize(("path", "value", "code"), WRONG, ids=[f"{p}={v!r:.24}" for p, v, _ in WRONG])
def test_a_wrong_field_is_named(path, value, code):
    found = findings(changed(HOUSE, path, value))

    assert any(item.field.startswith(path) and code in (None, item.code) for item in found), places(found)


PARTY = [
    ("role", "Holder!", "bad-format"),
    ("name", "", "empty"),
    ("id_type", "身份证", "bad-format"),
    ("id_number", ..., "missing"),
    ("mobile", "call me", "bad-format"),
    ("email", "a@b", "unknown-field"),
]


@pytest.mark.parametrize(("name", "value", "code"), PARTY)
def test_a_wrong_party_is_named(name, value, code):
    assert [(f"parties.0.{name}", code)] == places(findings(changed(ALL, f"parties.0.{name}", value)))


ANNEX = [
    ("role", "photo", "not-a-choice"),
    ("name", "../plan.png", "bad-format"),
    ("name", "图.png", "bad-format"),
    ("name", ".hidden", "bad-format"),
    ("name", "x" * 101, "bad-format"),
    ("media_type", "text/html", "not-a-choice"),
    ("sha256", "F" * 64, "bad-format"),
    ("bytes", 0, "out-of-range"),
    ("bytes", "12", "wrong-type"),
    ("url", "http://127.0.0.1/", "unknown-field"),
]


@pytest.mark.parametrize(("name", "value", "code"), ANNEX)
def test_a_wrong_annex_is_named(name, value, code):
    request = changed(sample("house"), f"annexes.0.{name}", value)

    assert [(f"annexes.0.{name}", code)] == places(findings(request, parts={}))


def test_everything_that_is_wrong_is_named_at_once():
    """A records office should not have to send it five times."""
    request = changed(changed(changed(HOUSE, "case", ...), "document.fields.usage", ""), "document.fields.x", "")

    assert {("case", "missing"), ("document.fields.usage", "empty"), ("document.fields.x", "unknown-field")} == set(
        places(findings(request))
    )


@pytest.mark.parametrize("kind", [CERTIFICATE, PROOF], ids=lambda kind: kind.id)
def test_each_field_of_a_kind_is_required_and_says_whether_it_may_be_empty(kind):
    request = HOUSE if kind is CERTIFICATE else PROOF_OF_MORTGAGE
    for spec in kind.fields:
        path = f"document.fields.{spec.name}"
        assert [(path, "missing")] == places(findings(changed(request, path, ...)))
        empty = findings(changed(request, path, ""))
        assert ([] if spec.may_be_empty else [(path, "empty")]) == places(empty)


def test_what_may_be_left_out_may_be_left_out():
    for name in ("annexes",):
        assert findings(changed(HOUSE, name, ...)) == []
    for name in ("applied_at", "deadline", "channel", "window", "booked_by"):
        assert findings(changed(ALL, name, None)) == []
        assert findings(changed(ALL, name, ...)) == []
    for name in ("seal", "parties"):
        assert findings(changed(ALL, name, ...)) == []


def test_the_year_may_be_text_as_registration_systems_send_it():
    as_text = changed(HOUSE, "document.number.year", "2025")

    assert judge(HOUSE).digest == judge(as_text).digest


def test_an_answer_never_repeats_a_value():
    """A name or an ID number in an error message would end in logs of the calling side."""
    secret = "9E7C2"
    for path in ("document.fields.holder", "document.qr", "case.number", "parties.0.id_number", "parties.0.name"):
        request = changed(ALL, path, secret * 1000)
        assert not any(secret in item.message for item in findings(request))


def test_all_kinds_are_told_to_who_names_another():
    (found,) = findings(changed(HOUSE, "document.kind", "licence"))

    assert all(kind in found.message for kind in KINDS)
