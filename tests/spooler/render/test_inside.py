"""Random Chinese in random boxes: every glyph inside, no forbidden line start or end, every character in its order; or refused."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spooler.render import RenderCode, Unprintable, find_templates
from spooler.render.fonts import shared_faces
from spooler.render.layout import MM, lay_out
from spooler.render.template import load_templates

from . import glyphs
from .builders import only, squeezed, text_of

TEMPLATE = load_templates(find_templates())["certificate/1"]
MARKS = TEMPLATE.line_rules.marks
FACES = shared_faces(TEMPLATE.type.fonts)
SPACES = " \u00a0\u3000"
# What a font cannot place to a thousandth of an em: PDF widths are whole thousandths.
SLACK_EM = 0.002
UNIT_NUMBER = "231221 001002 GB00034 F00050012"

words = st.one_of(
    st.text("不动产权登记证明望奎县号楼单元室张三李四王五赵六国有建设用地使用权房屋所有共有宗地面积", max_size=30),
    st.text("㛃䶮𬭎𬬭𫖯𣲗𡋾𬀩𠅤𫚖𠀀𪚥龘〇", min_size=1, max_size=6),
    st.text("，。、；：？！（）《》〈〉「」【】〔〕“”‘’…—·～％㎡℃", min_size=1, max_size=4),
    st.text("ABCXYZabcfjyqgÀéÑǙ0123456789", min_size=1, max_size=45),
    st.text("０１２３ＡＢｃ", min_size=1, max_size=8),
    st.sampled_from([UNIT_NUMBER, "104.61㎡", "1/12", "B1-0173号", "[4-24-99-82]", "A·B", "\n", " ", "\u00a0", "　　", "\n\n"]),
)  # fmt: skip
texts = st.lists(words, min_size=1, max_size=14).map("".join)
spoilt = st.tuples(texts, st.sampled_from("\ue5e5\u202e\u200b\u0301\u0627\ufffd\U000f0001"), texts).map("".join)
boxes = st.fixed_dictionaries(
    {
        "x": st.floats(0, 200),
        "y": st.floats(0, 150),
        "width": st.floats(6, 130),
        "height": st.floats(3, 88),
        "padding": st.sampled_from([0, 0.5, 1.25]),
        "size": st.sampled_from([7.5, 9, 10.5, 12, 16]),
        "align": st.sampled_from(["left", "center", "right"]),
        "vertical": st.sampled_from(["top", "middle"]),
    }
)


def laid_out(text, change):
    """Return the one field laid out in the changed box, and what it was refused for."""
    box = TEMPLATE.boxes["notes"].model_copy(update=change)
    template = TEMPLATE.model_copy(update={"boxes": {"notes": box}})
    layout = lay_out(only(notes=text), template, FACES)
    return [placed for placed in layout.texts if placed.field == "fields.notes"], layout.refused, box


# Taller than its line: by its advance alone it would fit at 11 pt, with its mark above the box.
TALL = {"x": 10, "y": 10, "width": 100, "height": 11 * 1.3 / MM, "padding": 0, "size": 11, "vertical": "middle"}


@settings(deadline=None, max_examples=80)
@given(texts, boxes)
@example("Ǚ", TALL)
def test_every_glyph_is_inside_its_box_or_the_text_is_refused(text, change):
    """By the outlines in the font files: not only the advance of a character is inside, its ink is."""
    placed, refused, box = laid_out(text, change)

    assert bool(placed) + bool(refused) == bool(text)
    for field in placed:
        slack = SLACK_EM * field.size
        for line in field.lines:
            for left, top, right, bottom in glyphs.ink_of(line.text, line.x, line.baseline, field.size):
                assert left >= box.x * MM - slack and right <= (box.x + box.width) * MM + slack
                assert top >= box.y * MM - slack and bottom <= (box.y + box.height) * MM + slack


@settings(deadline=None, max_examples=80)
@given(texts, boxes)
def test_all_characters_stand_in_their_order(text, change):
    """What comes out is what came in: only spaces at the ends of lines are gone."""
    placed, _, _ = laid_out(text, change)

    for field in placed:
        assert "".join("".join(line.text for line in field.lines).split()) == "".join(text.split())


@settings(deadline=None, max_examples=15)
@given(texts)
def test_what_is_read_off_the_paper_is_what_was_sent(renderer, text):
    """Through the whole of rendering, by pdftotext in the order in which it was drawn."""
    try:
        pdf = renderer.print_document(only(notes=text)).pdf
    except Unprintable as e:
        assert {finding.field for finding in e.findings} == {"fields.notes"}
        return

    assert text_of(pdf, "-f", "2", "-l", "2", "-raw") == "黑2024望奎县0001234" + squeezed(text)


@settings(deadline=None, max_examples=80)
@given(texts, boxes)
def test_lines_break_where_they_may(text, change):
    """避头尾, and runs whole: where we broke, not where the registry's own line feed did."""
    placed, _, box = laid_out(text, change)

    for field in placed:
        room = (box.width - 2 * box.padding) * MM / field.size
        for before, after, at in breaks_of_ours(text, [line.text for line in field.lines]):
            assert after.lstrip(SPACES)[:1] not in MARKS.never_first
            assert before.rstrip(SPACES)[-1:] not in MARKS.never_last
            assert not before.endswith("\u00a0") and not after.startswith("\u00a0")
            assert not is_cut(text, at, room), (before, after)


@pytest.mark.bench
@settings(deadline=None, max_examples=2000)
@given(texts, boxes)
def test_the_long_form(text, change):
    """The same three promises over two thousand more."""
    for promise in (
        test_every_glyph_is_inside_its_box_or_the_text_is_refused,
        test_all_characters_stand_in_their_order,
        test_lines_break_where_they_may,
    ):
        promise.hypothesis.inner_test(text, change)


@settings(deadline=None, max_examples=40)
@given(spoilt, boxes)
def test_what_cannot_print_is_never_printed(text, change):
    """One such character refuses the field, however it is laid out."""
    placed, refused, _ = laid_out(text, change)

    assert not placed
    assert {finding.field for finding in refused} == {"fields.notes"}
    assert RenderCode.DOES_NOT_FIT not in {finding.code for finding in refused}


def breaks_of_ours(text, lines):
    """Yield what stands before and after each line end that the text does not have; a space that was there begins the latter."""
    at = 0
    for line, following in pairwise(lines):
        at = text.index(line, at) + len(line)
        gap = text[at : text.index(following, at)]
        if "\n" not in gap:
            yield line, gap + following, at


LETTER = r"[0-9A-Za-z\u00c0-\u024f０-９Ａ-Ｚａ-ｚ]"
RUN = re.compile(rf"{LETTER}(?:[.,:/+#&@'_-]*{LETTER})*")


def is_cut(text, at, room):
    """Say whether a run that a line could hold was cut there."""
    runs = (run for run in RUN.finditer(text) if run.start() < at < run.end())
    return any(sum(map(glyphs.advance, run[0])) <= room - SLACK_EM * len(run[0]) for run in runs)


@pytest.mark.parametrize("change", [{"width": 60.0}, {"width": 40.0}, {"width": 30.0}])
def test_a_unit_number_breaks_at_its_groups_only(change):
    """By the groups it is read aloud and compared (GB/T 37346)."""
    placed, refused, _ = laid_out(
        "单元号" + UNIT_NUMBER, {"x": 10, "y": 10, "height": 80, "size": 12, "padding": 0} | change
    )

    assert not refused
    groups = UNIT_NUMBER.split()
    for line in placed[0].lines:
        assert set(line.text.replace("单元号", "").split()) <= set(groups)


def test_a_group_of_a_unit_number_is_never_cut():
    """Where not even a group goes on a line the field is refused; another run of that length would be cut."""
    narrow = {"x": 10, "y": 10, "width": 12, "height": 80, "size": 12, "padding": 0}

    placed, refused, _ = laid_out(UNIT_NUMBER, narrow)
    assert not placed and [finding.code for finding in refused] == [RenderCode.DOES_NOT_FIT]
    assert laid_out("F00050012", narrow)[0]


def test_ink_that_reaches_beyond_is_set_smaller():
    """Ǚ is taller than its line: at 11 pt the full row would let its mark out, at 10.5 it does not."""
    plain, _, _ = laid_out("国", TALL)
    tall, _, _ = laid_out("Ǚ", TALL)

    assert (plain[0].size, tall[0].size) == (11, 10.5)
