"""Sheets that we draw from data over as many pages as they need: the collateral list and the check-and-sign sheet."""

import re
import shutil
from dataclasses import replace
from io import BytesIO

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spooler.render import BadTemplate, Unprintable, find_templates
from spooler.render.annex.pdf import MOST_PAGES
from spooler.render.fonts import shared_faces
from spooler.render.running import Sheets, sheets
from spooler.render.running.layout import lay_out_sheet
from spooler.render.running.read import load_sheets
from spooler.render.running.what import DEMANDS, check_sheet_of, collateral_list_of, sample_of_sheet, sum_of
from spooler.render.typeset import ink_of
from spooler.wire.messages import Check, Stock
from spooler.wire.pages import _MAX_PAGES

from .builders import MM, a_content, a_pdf, an_annex, squeezed, text_of

SHEETS = load_sheets(find_templates(), DEMANDS)
LIST, CHECK = SHEETS["collateral-list/1"], SHEETS["check-sheet/1"]


def rows(count: int, **more: str) -> tuple[dict[str, str], ...]:
    return tuple(
        {"unit_number": f"231221 003004 GB00114 F0005{i:04d}", "location": f"望奎县中央大街{i}号", **more}
        for i in range(1, count + 1)
    )


def a_mortgage(count: int, **more: str):
    return replace(a_content("proof"), collateral=rows(count, **more))


def laid(content, sheet=LIST):
    says = collateral_list_of if sheet is LIST else check_sheet_of
    return lay_out_sheet(says(content), sheet, shared_faces(sheet.type.fonts))


def texts(leaf) -> list[str]:
    return ["".join(line.text for line in placed.lines) for placed in leaf.texts]


def of_field(leaf, field: str) -> list:
    return [placed for placed in leaf.texts if placed.field == field]


# The collateral list


def test_every_page_says_what_it_belongs_to_and_which_it_is():
    """A page that gets lost is missed, and one that is found is known."""
    content = a_mortgage(40)

    leaves = laid(content).leaves

    assert len(leaves) > 1
    for n, leaf in enumerate(leaves, 1):
        said = squeezed("".join(texts(leaf)))
        assert content.number.text("proof") in said
        assert content.fields["holder"] in said and content.fields["obligor"] in said
        assert f"第{n}页共{len(leaves)}页" in said
        assert all(column.label in said for column in LIST.table.columns)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=60))
def test_no_row_stands_on_two_pages_and_none_is_lost(lengths):
    """Whatever the texts: each row once, whole, within the table's room, and the sum under the last."""
    entries = tuple({**row, "location": "望" * n} for row, n in zip(rows(len(lengths)), lengths, strict=True))

    found = laid(replace(a_content("proof"), collateral=entries))

    assert found.refused == ()
    pages = [
        {p.field for p in leaf.texts if re.fullmatch(r"collateral.\d+.location", p.field)} for leaf in found.leaves
    ]
    assert sorted(field for page in pages for field in page) == sorted(
        f"collateral.{i}.location" for i in range(len(lengths))
    )
    for leaf in found.leaves:
        for cell in leaf.cells:
            assert LIST.table.y <= cell.y and cell.y + cell.height <= LIST.table.bottom + 1e-6
    *_, last = found.leaves
    assert "合计" in texts(last) and of_field(last, f"collateral.{len(lengths) - 1}.location")


def test_no_ink_leaves_its_cell():
    faces = shared_faces(LIST.type.fonts)
    for leaf in laid(
        a_mortgage(12, certificate="黑（2021）望奎县不动产权第0000401号", usage="商业服务", area="81.01㎡")
    ).leaves:
        for placed in (p for p in leaf.texts if p.field.startswith("collateral.")):
            left, top, right, bottom = (value / MM for value in ink_of(placed, faces))
            assert any(
                c.x - 0.01 <= left
                and right <= c.x + c.width + 0.01
                and c.y - 0.01 <= top
                and bottom <= c.y + c.height + 0.01
                for c in leaf.cells
            ), placed


def test_a_long_cell_grows_its_row_then_shrinks_then_is_refused():
    """Never shortened: down to the floor, and then the row and the field are named."""
    short, long, longest = (laid(a_mortgage(1, notes="附" * n)) for n in (4, 48, 120))

    assert [one.refused for one in (short, long)] == [(), ()]
    (notes,) = of_field(long.leaves[0], "collateral.0.notes")
    assert LIST.type.floor <= notes.size < LIST.table.size
    assert [(found.field, str(found.code)) for found in longest.refused] == [("collateral.0.notes", "does-not-fit")]


@pytest.mark.parametrize(("text", "code"), [("住\ue0a1", "private-use-character"), ("\u1b05", "no-glyph")])
def test_a_character_that_does_not_print_is_named_with_its_row(text, code):
    entries = (*rows(2), {**rows(3)[2], "usage": text})

    found = laid(replace(a_content("proof"), collateral=entries))

    assert [(item.field, str(item.code)) for item in found.refused] == [("collateral.2.usage", code)]


def test_what_is_set_in_a_fallback_face_is_for_a_look(renderer):
    """As everywhere: it prints, and somebody is told to look."""
    content = a_mortgage(1, notes="𠀀")

    assert [str(item.code) for item in laid(content).noted] == ["fallback-face"]
    assert "collateral.0.notes" in {item.field for item in renderer.print_document(content).warnings}


@pytest.mark.parametrize(
    ("values", "total"),
    [
        (["81.01㎡", "9.5㎡"], "90.51㎡"),
        (["0.10万元", "0.20万元"], "0.30万元"),
        (["100", "200"], "300"),
        (["30.00", ""], ""),
        (["30万元", "300000元"], ""),
        (["宗地1000㎡/房屋80㎡", "90㎡"], ""),
        (["1,000元", "1元"], ""),
        ([], ""),
    ],
)
def test_a_sum_is_exact_or_not_there(values, total):
    """A sum over some of the rows, or over two units, would be a wrong one."""
    assert sum_of(values) == total


def test_the_list_s_pages_are_further_passes_on_plain_paper(renderer):
    """Drawn ones first, then the annexes'; every page of the document belongs to one pass, in order."""
    attachment = an_annex(a_pdf(pages=2), role="attachment")
    content = replace(a_mortgage(30), annexes=(attachment,))

    rendered = renderer.print_document(content)

    drawn = len(laid(content).leaves)
    names = [one.name for one in rendered.passes]
    assert names == ["P", *(f"L{n}" for n in range(1, drawn + 3))]
    assert [page for one in rendered.passes for page in one.pages] == list(range(len(names)))
    assert {(p.stock, p.width_mm, p.height_mm) for p in rendered.passes[1:]} == {(Stock.PLAIN, 210, 297)}
    pages = [squeezed(page.extract_text()) for page in pypdf.PdfReader(BytesIO(rendered.pdf)).pages]
    assert "抵押物清单" in pages[1] and "Parcel" in pages[-1] and "抵押物清单" not in pages[-1]


def test_a_certificate_has_its_list_behind_pass_c(renderer):
    rendered = renderer.print_document(replace(a_content("certificate"), collateral=rows(3)))

    assert [(one.name, one.pages) for one in rendered.passes] == [("A", (0,)), ("B", (1,)), ("C", ()), ("L1", (2,))]


def test_more_pages_than_a_document_has_are_refused(renderer):
    """Said of the list, with both figures."""
    with pytest.raises(Unprintable) as refused:
        renderer.print_document(a_mortgage(2000, certificate="黑（2021）望奎县不动产权第0000401号"))

    (finding,) = refused.value.findings
    assert finding.field == "collateral" and re.search(r"\d+ 页，最多 90 页", finding.message)


def test_a_check_sheet_of_more_pages_than_a_hall_reads_is_refused(renderer, monkeypatch):
    """Whatever is accepted is printed: a hall refuses a document of more than 200 pages."""
    assert 3 + MOST_PAGES + sheets.MOST_CHECK_PAGES <= _MAX_PAGES
    monkeypatch.setattr(sheets, "MOST_CHECK_PAGES", 2)

    with pytest.raises(Unprintable) as refused:
        renderer.print_document(replace(a_mortgage(60), check=Check.REQUIRED))

    assert [finding.field for finding in refused.value.findings] == ["collateral"]
    assert "最多 2 页" in refused.value.findings[0].message


def test_the_electronic_certificate_has_the_list_too():
    from spooler.render.electronic import ElectronicRenderer

    drawn = ElectronicRenderer(find_templates()).draw(a_mortgage(20))

    read = text_of(drawn)
    assert "抵押物清单" in read and all(squeezed(row["unit_number"]) in read for row in rows(20))


# The check-and-sign sheet


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_the_check_sheet_says_all_that_the_certificate_will(kind):
    """零填表: nothing is left to be filled in but the signature."""
    content = replace(a_content(kind), case="23122120250310114")

    said = squeezed("".join("".join(texts(leaf)) for leaf in laid(content, CHECK).leaves))

    for text in (*content.fields.values(), content.number.text(kind), content.case, "签字", "同意打印"):
        assert squeezed(text) in said


def test_the_check_sheet_says_every_row_of_the_list():
    """A wrong unit in the list is as wrong as a wrong name."""
    content = a_mortgage(30, area="81.01㎡")

    said = squeezed("".join("".join(texts(leaf)) for leaf in laid(content, CHECK).leaves))

    for i, row in enumerate(content.collateral, 1):
        assert squeezed(f"抵押物{i}{row['unit_number']}；{row['location']}；81.01㎡") in said
    assert "抵押物清单30项" in said


@pytest.mark.parametrize("length", [10, 400, 1500, 2400])
def test_notes_that_fit_a_certificate_fit_its_check_sheet(renderer, length):
    """A sheet that is only read must not refuse what prints."""
    content = a_content("certificate", notes="附" * length)
    renderer.print_document(content)

    assert laid(content, CHECK).refused == ()


def test_where_to_sign_is_on_the_last_page_with_the_last_field():
    """Whoever signs has something before her eyes."""
    for length in range(600, 1500, 60):
        leaves = laid(a_content("certificate", notes="附" * length), CHECK).leaves
        signed = [any("签字：" in text for text in texts(leaf)) for leaf in leaves]
        assert signed == [*[False] * (len(leaves) - 1), True]


def test_whoever_signs_sees_the_last_field_beside_it():
    """The signature does not stand alone on a page while a field could stand with it."""
    for lines in range(10, 40):
        leaves = laid(a_content("certificate", other="\n".join("其" * lines), notes="业务编号"), CHECK).leaves
        assert of_field(leaves[-1], "fields.notes"), lines


# Their templates


@pytest.mark.parametrize(
    ("kind", "old", "new", "key", "says"),
    [
        ("collateral-list", "holder = {", "owner = {", "headings.holder", "is missing"),
        ("collateral-list", "holder = {", "owner = {", "headings.owner", "has the headings"),
        ("collateral-list", 'field = "usage"', 'field = "use"', "table.columns.4.field", "has the columns"),
        ("collateral-list", 'field = "usage"', 'field = "area"', "table.columns.5.field", "stands twice"),
        ("collateral-list", "width = 39", "width = 390", "table", "beyond the paper"),
        ("collateral-list", "width = 9,", "width = 3,", "table.columns.0.width", "no width"),
        ("collateral-list", "bottom = 278", "bottom = 282", "headings.page", "table's room"),
        ("collateral-list", "most = 60", "most = 400", "table.most", "mm for rows"),
        ("collateral-list", "least = 10", "least = 61", "table.least", "more than"),
        ("collateral-list", "\nsize = 9\n", "\nsize = 6\n", "table.size", "below type.floor"),
        ("collateral-list", '"HanaMinB"]', '"HanaMinC"]', "type.fonts.3", "no font"),
        ("collateral-list", "padding = 1\n", "padding = 1\ncolour = 1\n", "table.colour", "nobody reads"),
        ("check-sheet", "height = 60", "height = 260", "closing.height", "mm for rows"),
        ("check-sheet", 'kind = "check-sheet"', 'kind = "licence"', "kind", "no sheet licence"),
        ("check-sheet", "baseline = 291", "baseline = 391", "labels.1", "beyond the paper"),
    ],
)
def test_a_fault_is_named_with_file_line_and_key(tmp_path, kind, old, new, key, says):
    shutil.copytree(find_templates() / kind / "1", tmp_path / kind / "1")
    path = tmp_path / kind / "1" / "sheet.toml"
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadTemplate) as refused:
        load_sheets(tmp_path, DEMANDS)

    told = [line for line in str(refused.value).split("\n") if f": {key}: " in line and says in line]
    assert told and re.match(rf"{re.escape(str(path))}:\d+: ", told[0])


def test_a_site_s_own_sheet_stands_in_for_ours(tmp_path):
    shutil.copytree(find_templates() / "check-sheet/1", tmp_path / "check-sheet/2")
    path = tmp_path / "check-sheet/2/sheet.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("version = 1", "version = 2"), encoding="utf-8")

    assert Sheets(find_templates(), own=tmp_path).names == {"collateral-list/1", "check-sheet/2"}


def test_the_samples_are_sound():
    ours = Sheets(find_templates())

    assert [ours.of_sample(sheet, sample_of_sheet(sheet)).refused for sheet in SHEETS.values()] == [(), ()]


def test_a_check_sheet_is_the_last_pass_whatever_else_there_is(renderer):
    """Drawn lists, then annexes, then the sheet: every page once, in the order of the passes; a preview shows each."""
    content = replace(a_mortgage(30), annexes=(an_annex(a_pdf(pages=2), role="attachment"),), check=Check.REQUIRED)
    long = replace(content, fields={**content.fields, "notes": "\n".join("附" * 9), "other": "\n".join("其" * 11)})

    rendered = renderer.print_document(content)

    count = len(laid(content, CHECK).leaves)
    assert [(one.name, len(one.pages)) for one in rendered.passes] == [
        *((name, 1) for name in ("P", "L1", "L2", "L3", "L4")),
        ("K", count),
    ]
    assert [page for one in rendered.passes for page in one.pages] == list(range(5 + count))
    assert [one.check for one in rendered.passes] == [*[None] * 5, Check.REQUIRED]
    read = [squeezed(page.extract_text()) for page in pypdf.PdfReader(BytesIO(rendered.pdf)).pages]
    assert ["核对签收单" in text for text in read] == [*[False] * 5, *[True] * count] and "Parcel" in read[4]
    *_, sheet = renderer.print_document(long).passes
    assert len(sheet.pages) > 2
    assert len(pypdf.PdfReader(BytesIO(renderer.preview(long))).pages) == sheet.pages[-1] + 1


def test_a_query_result_has_no_check_sheet(renderer):
    assert [one.name for one in renderer.print_document(replace(a_content("record"), check=Check.REQUIRED)).passes] == [
        "P"
    ]
