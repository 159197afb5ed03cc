"""换发, 补发 and 更正 as rules of the template: what a registry's own template asks for is asked, and nothing else."""

from pathlib import Path

import pytest

from spooler.catalog import COUNTIES
from spooler.intake.check import Checker
from spooler.render import BadTemplate, Renderer, find_templates
from spooler.render.template import load_templates
from spooler.render.template.issuance import LAW, ONCE, issuance_of
from spooler.render.template.versions import begin_next
from tests.spooler.intake.build import NOON, changed, checker, findings, judge, places, sample, trust

LOST, WORN = sample("replacement"), sample("renewal")
CORRECTED = changed(changed(WORN, "document.issuance.type", "correction"), "document.issuance.old_returned", ...)


@pytest.fixture
def own(tmp_path: Path):
    """Write a site's own version 2 of both kinds, with these tables; return its directory."""

    def write(tables: str, kind: str = "certificate") -> Path:
        begin_next(kind, [find_templates()], tmp_path)
        path = tmp_path / kind / "2" / "template.toml"
        path.write_text(path.read_text(encoding="utf-8") + tables, encoding="utf-8")
        return tmp_path

    return write


def at(directory: Path) -> Checker:
    layout = Renderer(find_templates(), own=directory)
    return Checker(trust=trust(), served=frozenset(COUNTIES), layout=layout, clock=lambda: NOON)


def test_a_template_that_says_nothing_asks_what_the_law_asks():
    """细则第二十二条, 第八十条; a query slip is issued once."""
    assert {kind: issuance_of(kind, None) for kind in ("certificate", "proof", "record")} == {
        "certificate": LAW,
        "proof": LAW,
        "record": ONCE,
    }
    assert (LAW.rule("replacement").needs, LAW.rule("replacement").notes_must_contain) == (("notice",), "补发")
    assert [type_ for type_ in LAW.offered if LAW.rule(type_).takes_back] == ["renewal", "correction"]


def test_another_word_for_the_notes(own):
    site = at(own('\n[issuance.replacement]\nneeds = ["notice"]\nnotes_must_contain = "遗失补发"\n'))

    (found,) = findings(LOST, site)
    assert (found.field, found.code) == ("document.fields.notes", "no-replacement-mark")
    assert "遗失补发" in found.message
    assert findings(changed(LOST, "document.fields.notes", "遗失补发"), site) == []


def test_a_template_that_wants_no_notice_is_content_without(own):
    site = at(own('\n[issuance.replacement]\nnotes_must_contain = "补发"\n'))

    assert findings(changed(LOST, "document.issuance.notice", ...), site) == []
    assert places(findings(changed(LOST, "document.issuance.notice", ...))) == [("document.issuance.notice", "missing")]


def test_a_way_that_the_template_leaves_out_is_not_offered(own):
    site = at(own('\n[issuance.replacement]\nneeds = ["notice"]\n'))

    assert places(findings(WORN, site)) == [("document.issuance.type", "not-with-this")]
    assert findings(changed(WORN, "document.issuance", {"type": "first"}), site) == []


def test_what_is_issued_anew_names_the_old_paper_whatever_the_template_says(own):
    site = at(own("\n[issuance.renewal]\n[issuance.correction]\n"))

    assert places(findings(changed(WORN, "document.issuance.replaces", ...), site)) == [
        ("document.issuance.replaces", "missing")
    ]


@pytest.mark.parametrize(
    ("request_", "takes_back"),
    [
        (WORN, False),
        (changed(WORN, "document.issuance.old_returned", False), True),
        (changed(WORN, "document.issuance.old_returned", None), True),
        (CORRECTED, True),
        (LOST, False),
        (changed(WORN, "document.issuance", ...), False),
    ],
    ids=["said", "denied", "not said", "correction", "lost", "first"],
)
def test_the_hall_takes_back_what_the_request_does_not_call_returned(request_, takes_back):
    assert judge(request_).takes_back_old is takes_back


def test_a_template_may_leave_the_old_paper_where_it_is(own):
    site = at(own("\n[issuance.renewal]\n"))

    assert judge(changed(WORN, "document.issuance.old_returned", None), site).takes_back_old is False


@pytest.mark.parametrize(
    ("tables", "kind", "key", "says"),
    [
        ('[issuance.renewal]\nneeds = ["photo"]\n', "certificate", "issuance.renewal.needs.0", "'notice'"),
        ("[issuance.copy]\n", "proof", "issuance.copy", "Extra inputs"),
        ("[issuance.renewal]\ncolour = 1\n", "proof", "issuance.renewal.colour", "Extra inputs"),
        ("[issuance.renewal]\n", "record", "issuance.renewal", "a record is printed on plain paper and issued once"),
    ],
)
def test_a_fault_is_told_with_file_line_and_key(own, tables, kind, key, says):
    directory = own(f"\n{tables}", kind)
    path = directory / kind / "2" / "template.toml"

    with pytest.raises(BadTemplate) as refused:
        load_templates(find_templates(), directory)

    source = path.read_text(encoding="utf-8")
    first = source[: source.index("[issuance.")].count("\n") + 1
    line = first + 1 if "=" in tables else first
    assert f"{path}:{line}: {key}: " in str(refused.value) and says in str(refused.value)


def test_the_checks_of_a_home_and_of_a_layout_that_finds_room_agree():
    """So that the tests of rules may do without fonts."""
    assert findings(CORRECTED) == findings(CORRECTED, checker(Renderer(find_templates())))
