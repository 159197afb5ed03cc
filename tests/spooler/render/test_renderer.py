"""The print document as a whole: its passes, its pages, and what it is refused for."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
import zxingcpp

from spooler.render import WARNINGS, RenderCode, Unprintable
from spooler.wire.messages import Stock, Turn

from .builders import MM, a_content, a_pdf, an_annex, raster, squeezed, text_of


def page_sizes(pdf: bytes) -> list[tuple[float, float]]:
    with pikepdf.open(BytesIO(pdf)) as document:
        return [tuple(round(float(side) / MM, 2) for side in list(page.mediabox)[2:]) for page in document.pages]


def test_a_certificate_has_three_passes(renderer):
    """The booklet is opened at three spreads; without an annex the third stays empty and has no page."""
    rendered = renderer.print_document(a_content())

    assert [(side.name, side.pages, side.turn) for side in rendered.passes] == [
        ("A", (0,), Turn.NONE),
        ("B", (1,), Turn.PAGE),
        ("C", (), Turn.PAGE),
    ]
    assert page_sizes(rendered.pdf) == [(332, 239), (332, 239)]


def test_a_proof_has_one_pass(renderer):
    rendered = renderer.print_document(a_content("proof"))

    assert [(side.name, side.pages, side.stock) for side in rendered.passes] == [("P", (0,), Stock.PROOF)]
    assert page_sizes(rendered.pdf) == [(297, 210)]


def test_the_map_makes_the_third_pass(renderer):
    rendered = renderer.print_document(a_content("certificate", an_annex(a_pdf())))

    assert rendered.passes[2].pages == (2,)
    assert page_sizes(rendered.pdf) == [(332, 239)] * 3


def test_lists_follow_on_plain_paper(renderer):
    """One pass a page, numbered on after the document's own."""
    collateral = an_annex(a_pdf(pages=2), role="collateral_list")
    rendered = renderer.print_document(a_content("certificate", collateral))

    assert [(side.number, side.name, side.pages) for side in rendered.passes[2:]] == [
        (3, "C", ()),
        (4, "L1", (2,)),
        (5, "L2", (3,)),
    ]
    assert {side.stock for side in rendered.passes[3:]} == {Stock.PLAIN}
    assert page_sizes(rendered.pdf)[2:] == [(210, 297)] * 2


def test_all_findings_come_at_once(refusal):
    """The records office corrects everything in one go."""
    content = a_content("certificate", an_annex(b"%PDF-1.4 broken"), holder="张" * 400, area="\ue000")

    assert refusal(replace(content, qr="x" * 5000)) == [
        ("fields.holder", "does-not-fit"),
        ("fields.area", "private-use-character"),
        ("qr", "does-not-fit"),
        ("annexes.0", "annex-unreadable"),
    ]


def test_overflow_names_the_height_needed(renderer):
    with pytest.raises(Unprintable) as caught:
        renderer.print_document(a_content(holder="张" * 160))

    (finding,) = caught.value.findings
    assert "17.2 mm" in finding.message and "13.5 mm" in finding.message and "权利人" in finding.message


def test_a_header_part_that_is_too_wide_is_refused(refusal):
    content = a_content()
    assert refusal(replace(content, number=replace(content.number, place="很长的市县名称" * 3))) == [
        ("number.place", "does-not-fit")
    ]


def test_an_unknown_kind_is_refused(refusal):
    assert refusal(replace(a_content(), kind="licence")) == [("kind", "unknown-kind")]


def test_a_field_that_the_template_does_not_have_is_refused(refusal):
    assert refusal(a_content("proof", area="100㎡")) == [("fields.area", "unknown-field")]


@pytest.mark.parametrize("kind", ["certificate", "proof"])
def test_the_qr_code_can_be_read(renderer, kind):
    content = replace(a_content(kind), qr="https://bdc.example/查询?证=0001234&" + "x" * 60)
    page = raster(renderer.print_document(content).pdf, dpi=150)

    (code,) = zxingcpp.read_barcodes(page)
    assert code.text == content.qr


def test_the_same_content_gives_the_same_bytes(renderer):
    """A document is kept by its hash."""
    content = a_content("certificate", an_annex(a_pdf()), an_annex(a_pdf(pages=2), role="attachment"))

    assert renderer.print_document(content) == renderer.print_document(content)


def test_threads_share_a_renderer(renderer):
    contents = [a_content(holder=f"张三{i}𡋾", notes="记" * i) for i in range(12)]
    alone = [renderer.print_document(content).pdf for content in contents]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda content: renderer.print_document(content).pdf, contents))

    assert together == alone


def test_the_preview_shows_the_blank_and_the_text(renderer):
    """A clerk sees all three spreads before a numbered blank is used."""
    content = a_content("certificate", an_annex(a_pdf(pages=1), role="attachment"))
    preview = renderer.preview(content)

    assert page_sizes(preview) == [(332, 239)] * 3 + [(210, 297)]
    found = text_of(preview)
    assert "权利性质" in found and squeezed(content.fields["right_nature"]) in found


def test_the_preview_cannot_pass_for_a_print(renderer):
    """The watermark darkens what is white on the print."""
    content = a_content()
    shown, printed = raster(renderer.preview(content), dpi=30), raster(renderer.print_document(content).pdf, dpi=30)

    assert sum(value < 240 for value in shown.get_flattened_data()) > 1.5 * sum(
        value < 240 for value in printed.get_flattened_data()
    )


def test_a_preview_is_refused_as_printing_is(renderer):
    with pytest.raises(Unprintable):
        renderer.preview(a_content(holder="\ue000"))


def test_warnings_are_never_refusals(renderer):
    codes = {warning.code for warning in renderer.print_document(a_content(holder="𡋾")).warnings}
    assert codes == {RenderCode.FALLBACK_FACE} <= WARNINGS
