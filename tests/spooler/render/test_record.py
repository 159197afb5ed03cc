"""The result of a query on plain paper: nothing is printed there before, so the whole face is ours."""

import shutil
from dataclasses import replace

import pytest

from spooler.render import BadTemplate, Unprintable, find_templates
from spooler.render.template import load_template, load_templates
from spooler.render.template.versions import begin_next
from spooler.wire.messages import Seal, Stock

from .builders import a_content, raster, squeezed, text_of


def test_it_is_one_page_of_plain_paper_with_its_whole_face(renderer):
    """Title, number, labels, values, who says so and when: whoever reads only the sheet knows what it says."""
    content = a_content("record")

    rendered = renderer.print_document(content)

    (side,) = rendered.passes
    assert (side.name, side.pages, side.stock, side.width_mm, side.height_mm) == ("P", (0,), Stock.PLAIN, 210, 297)
    read = squeezed(text_of(rendered.pdf))
    for text in (*content.fields.values(), "不动产登记档案查询结果证明", content.registry_name, "2025年03月10日"):
        assert squeezed(text) in read
    assert "黑（2025）望奎县不动产查询第0000301号" in read
    template = load_templates(find_templates())["record/1"]
    assert [box.label for box in template.boxes.values() if box.label not in read] == []


def test_a_stamped_slip_leaves_the_seal_s_place_empty(renderer):
    drawn = {seal: is_red(renderer.print_document(a_content("record", seal=seal)).pdf) for seal in Seal}

    assert drawn == {Seal.PRINTED: True, Seal.STAMPED: False}


def is_red(pdf: bytes) -> bool:
    """Say whether anything on the page is not black on white."""
    return raster(pdf, dpi=40, colour=True).convert("HSV").getextrema()[1][1] > 100


def test_a_query_that_found_nothing_has_empty_cells(renderer):
    content = a_content("record", location="", unit_number="", notes="")

    assert "不动产单元号" in squeezed(text_of(renderer.print_document(content).pdf))


@pytest.mark.parametrize(("field", "text"), [("result", "无" * 4000), ("applicant", "\ue0a1"), ("purpose", "甲" * 200)])
def test_what_does_not_print_is_refused_by_name(renderer, field, text):
    with pytest.raises(Unprintable) as refused:
        renderer.print_document(a_content("record", **{field: text}))

    assert {finding.field for finding in refused.value.findings} == {f"fields.{field}"}


def test_a_registry_s_name_that_does_not_fit_is_refused(renderer):
    with pytest.raises(Unprintable) as refused:
        renderer.print_document(replace(a_content("record"), registry_name="局" * 80))

    assert "registry_name" in {finding.field for finding in refused.value.findings}


def test_the_preview_is_marked_and_is_the_sheet_itself(renderer):
    content = a_content("record")

    shown = renderer.preview(content)

    assert text_of(shown) == text_of(renderer.print_document(content).pdf)


def test_the_next_version_has_no_blank_to_draw(tmp_path):
    template = begin_next("record", [find_templates()], tmp_path)

    assert sorted(path.name for path in template.directory.iterdir()) == ["sample.json", "template.toml"]


@pytest.mark.parametrize(
    ("kind", "old", "new", "key", "says"),
    [
        ("record", "[form]\nlabels", "[blank]\nserial = { on = 'P', x = 1, y = 1 }\nlabels", "form", "is missing"),
        (
            "record",
            "[form]\nlabels",
            "[blank]\nserial = { on = 'P', x = 1, y = 1 }\nlabels",
            "blank",
            "plain, which has a [form]",
        ),
        ("proof", '[blank]\nserial = { on = "P", x = 45, y = 183 }', "[form]", "blank", "is missing"),
        ("record", 'stock = "plain"', 'stock = "proof"', "passes.0.stock", "is printed on plain"),
        ("record", "number = {", "province = {", "lines.number", "is missing"),
        ("record", "number = {", "province = {", "lines.province", "no document on this paper"),
        ("record", "x = 25, y = 51, width = 35", "x = 195, y = 51, width = 35", "form.rules.0", "beyond the paper"),
        ("record", "x = 140\ny = 250", "x = 60\ny = 235", "seal", "lies over qr"),
    ],
)
def test_plain_kinds_have_demands_of_their_own(tmp_path, kind, old, new, key, says):
    shutil.copytree(find_templates() / kind / "1", tmp_path / kind / "1")
    path = tmp_path / kind / "1" / "template.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadTemplate) as refused:
        load_template(path)

    assert [line for line in str(refused.value).split("\n") if f": {key}: " in line and says in line]
