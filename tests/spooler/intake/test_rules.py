"""What several fields, the trust records and the clock decide."""

from datetime import UTC, datetime, timedelta

import pytest
from stdnum.cn import uscc

from spooler.sandbox.samples.make import resident_id
from tests.spooler.intake.build import NOON, changed, checker, findings, judge, places, sample, trust

HOUSE, ALL = sample("no-annex"), sample("all-fields")
UNIT = HOUSE["document"]["units"][0]


def test_a_registry_that_this_home_does_not_serve_is_unknown():
    """It may be trusted elsewhere; its keys are not here."""
    elsewhere = checker(served={"231221"})

    assert places(findings(HOUSE, elsewhere)) == [("registry", "unknown-registry")]


def test_an_unknown_hall_is_named():
    assert places(findings(changed(HOUSE, "hall", "231282-77"))) == [("hall", "unknown-hall")]


def test_without_a_grant_the_hall_is_named():
    proofs_only = checker(trusted=trust(granted=("proof",)))

    assert places(findings(HOUSE, proofs_only)) == [("hall", "not-granted")]
    assert findings(sample("mortgage"), proofs_only) == []


@pytest.mark.parametrize(("name", "value"), [("province", "浙"), ("place", "北林区"), ("place", "绥化市 ")])
def test_province_and_place_are_the_registrys_own(name, value):
    (found,) = findings(changed(HOUSE, f"document.number.{name}", value))

    assert (f"document.number.{name}", "not-the-registrys") == (found.field, found.code)


UNITS = [
    ("231202003004GB00108F0005010", "unit-number"),
    ("231202003004GB00108F000501080", "unit-number"),
    ("231202003004KB00108F00050108", "unit-number"),
    ("231202003004GK00108F00050108", "unit-number"),
    ("231202003004GB00108W00000001", "unit-number"),
    ("231202003004GB00108K00050108", "unit-number"),
    ("231202 003004 GB00108 F00050108", "unit-number"),
    ("２３１２０２003004GB00108F00050108", "unit-number"),
    ("231221003004GB00108F00050108", "another-county"),
]


@pytest.mark.parametrize(("unit", "code"), UNITS)
def test_a_unit_number_has_28_characters_of_the_right_kinds(unit, code):
    found = findings(changed(HOUSE, "document.units", [UNIT, unit]))

    assert [("document.units.1", code)] == places(found)


@pytest.mark.parametrize("letter", "ABCDEFGHLNSWXY")
def test_all_kinds_of_land_and_fixture_are_known(letter):
    for fixture in ("W00000000", "F00010001", "L00010001", "Q00010001"):
        unit = f"231202003004J{letter}00108{fixture}"
        request = changed(changed(HOUSE, "document.units", [unit]), "document.fields.unit_number", unit)
        assert findings(request) == []


def test_a_unit_that_stands_twice_is_named():
    assert places(findings(changed(HOUSE, "document.units", [UNIT, UNIT]))) == [("document.units.1", "repeated")]


OTHERS = [f"231202003004GB00108F0005020{k}" for k in (1, 2)]
PRINTED = [
    (f"{UNIT}", 1, True),
    ("231202 003004 GB00108 F00050108", 1, True),
    ("231202　003004\nGB00108 F00050108", 1, True),
    (f"{UNIT}等", 3, True),
    (f"{UNIT}等3个", 3, True),
    (f"{UNIT} 等 3 个", 3, True),
    (f"{UNIT}等三个", 3, True),
    (f"{UNIT}、{OTHERS[0]}等3个", 3, True),
    (f"{UNIT}、{OTHERS[0]}\n{OTHERS[1]}", 3, True),
    (f"{UNIT}等4个", 3, False),
    (f"{UNIT}", 3, False),
    (f"{OTHERS[0]}", 1, False),
    ("等3个", 3, False),
    ("见附件", 1, False),
    (f"{UNIT}号", 1, False),
]


@pytest.mark.parametrize(("printed", "count", "fits"), PRINTED)
def test_the_printed_text_names_the_units(printed, count, fits):
    """A certificate must not carry another parcel's number than the register's."""
    request = changed(HOUSE, "document.units", [UNIT, *OTHERS][:count])

    found = findings(changed(request, "document.fields.unit_number", printed))

    assert ([] if fits else [("document.fields.unit_number", "does-not-match")]) == places(found)


def test_the_ordinal_lies_within_the_case():
    request = changed(HOUSE, "case", {"number": "1", "ordinal": 2, "of": 2})

    assert findings(request) == []
    assert places(findings(changed(request, "case.ordinal", 3))) == [("case.ordinal", "beyond-case")]


def test_today_is_the_day_in_shanghai():
    """At 17:00 UTC it is tomorrow already in China, and bookings of that day are good."""
    request = changed(HOUSE, "document.booked_on", "2025-06-03")
    before, after = (datetime(2025, 6, 2, hour, 59 if hour == 15 else 0, tzinfo=UTC) for hour in (15, 16))

    assert places(findings(request, checker(now=before))) == [("document.booked_on", "in-the-future")]
    assert findings(request, checker(now=after)) == []


def test_an_application_is_not_made_in_the_future():
    """Clocks may differ by five minutes."""
    for minutes, expected in ((4, []), (6, [("applied_at", "in-the-future")])):
        request = changed(HOUSE, "applied_at", (NOON + timedelta(minutes=minutes)).isoformat())
        assert expected == places(findings(request))


def test_a_deadline_lies_after_the_application():
    request = changed(ALL, "deadline", "2025-03-10T09:04:59+08:00")

    assert places(findings(request)) == [("deadline", "before-application")]


def test_the_hour_runs_from_the_application():
    applied = changed(HOUSE, "applied_at", "2025-06-02T11:30:00+08:00")

    assert datetime(2025, 6, 2, 4, 30, tzinfo=UTC) == judge(applied).deadline
    assert NOON + timedelta(minutes=15) == judge(HOUSE).deadline
    assert datetime(2025, 3, 10, 2, 5, tzinfo=UTC) == judge(ALL).deadline


GOOD_ID = resident_id("23232419900307401")
ID_NUMBERS = [
    ("1", GOOD_ID, None),
    ("1", "11010519491231002X", None),
    ("1", "11010519491231002x", None),
    ("1", "110105194912310020", "check-digit"),
    ("1", resident_id("11010519490231002"), "no-such-date"),
    ("1", resident_id("11010529490131002"), "no-such-date"),
    ("1", "1101051949123100", "bad-format"),
    ("1", "１１０１０５19491231002X", "bad-format"),
    ("1", "110105491231002", None),
    ("1", "110105491331002", "no-such-date"),
    ("7", "91110000600037341L", None),
    ("8", "91110000600037341M", "check-digit"),
    ("7", "9111000060003734IL", "bad-format"),
    ("8", "91110000600037341l", "bad-format"),
    ("7", "230000000012345", None),
    ("3", "E12345678", None),
]


@pytest.mark.parametrize(("id_type", "number", "code"), ID_NUMBERS)
def test_check_digits_and_dates_of_id_numbers_are_checked(id_type, number, code):
    party = {"role": "holder", "name": "孙二", "id_type": id_type, "id_number": number}

    found = findings(changed(ALL, "parties", [party]))

    assert ([(("parties.0.id_number"), code)] if code else []) == places(found)


def test_a_village_cooperatives_code_may_begin_with_letters():
    """N2 … is the 统一社会信用代码 of a rural collective; the library would want digits there."""
    code = "N2231221MF0123456"
    party = {
        "role": "holder",
        "name": "某村股份经济合作社",
        "id_type": "8",
        "id_number": code + uscc.calc_check_digit(code),
    }

    assert findings(changed(ALL, "parties", [party])) == []


@pytest.mark.parametrize(
    ("number", "code"), [(resident_id("99010519491231002"), "unknown-area"), ("110105491231002", "old-id-number")]
)
def test_what_is_strange_in_a_register_is_only_a_warning(number, code):
    """Real registers hold people whose area code was given up, and numbers of the first generation."""
    request = changed(ALL, "parties.0.id_number", number)

    assert [("parties.0.id_number", code)] == places(list(judge(request).warnings))


def test_a_year_that_is_not_the_booking_year_is_a_warning():
    request = changed(sample("field-codes"), "document.number.nf", 2024)

    assert places(list(judge(request).warnings)) == [("document.number.nf", "year-differs")]


LOST = sample("replacement")
ISSUANCES = [
    ("document.issuance.replaces", ..., ("document.issuance.replaces", "missing")),
    ("document.issuance.notice", ..., ("document.issuance.notice", "missing")),
    ("document.issuance.notice.published_on", "2025-06-03", ("document.issuance.notice.published_on", "in-the-future")),
    ("document.issuance.replaces.serial", "123", ("document.issuance.replaces.serial", "bad-format")),
    ("document.issuance.replaces.serial", None, None),
    ("document.issuance.type", "first", ("document.issuance.replaces", "not-with-this")),
    ("document.issuance.type", "renewal", None),
    ("document.issuance.old_returned", "yes", ("document.issuance.old_returned", "wrong-type")),
    ("document.fields.notes", "业务编号：1", ("document.fields.notes", "no-replacement-mark")),
    ("document.issuance", {"type": "first"}, None),
    ("document.issuance", {"type": "correction"}, ("document.issuance.replaces", "missing")),
]


@pytest.mark.parametrize(("path", "value", "expected"), ISSUANCES)
def test_what_an_issuance_needs(path, value, expected):
    found = places(findings(changed(LOST, path, value)))

    assert expected in found if expected else found == []


def test_a_certificate_does_not_replace_itself():
    """Brackets of either width are the same number."""
    for number in ("黑（2025）望奎县不动产权第0000122号", "黑(2025)望奎县不动产权第0000122号"):
        request = changed(LOST, "document.issuance.replaces.number", number)
        assert places(findings(request)) == [("document.issuance.replaces", "replaces-itself")]


def test_a_map_belongs_to_certificates_and_stands_once():
    both = sample("house")
    twice = changed(both, "annexes", [both["annexes"][0], {**both["annexes"][0]}])

    assert {("annexes.1.role", "role-not-allowed"), ("annexes.1.name", "repeated")} == set(places(findings(twice)))
    with_map = changed(sample("collateral-list"), "annexes.0.role", "parcel_map")
    assert places(findings(with_map)) == [("annexes.0.role", "role-not-allowed")]
