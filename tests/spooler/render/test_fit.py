"""How a text is broken into lines: the promises of typesetting, over random texts too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spooler.render import find_templates
from spooler.render.fit import SPACES, DoesNotFit, Sizes, fit, fit_line
from spooler.render.template import load_templates

SIZES = Sizes(largest=12, floor=7.5, step=0.5, leading=1.3)
MARKS = load_templates(find_templates())["certificate/1"].line_rules.marks
NEVER_FIRST, NEVER_LAST = MARKS.never_first, MARKS.never_last


def em(character: str) -> float:
    """Latin is half as wide as an ideograph."""
    return 0.5 if character < "\u1100" else 1.0


def fitted(text: str, width: float = 120, height: float = 1000):
    return fit(text, width, height, SIZES, em, MARKS)


def width_of(line: str) -> float:
    return sum(map(em, line))


TEXTS = st.text(
    alphabet="不动产权登记证明望奎县号楼张三李四，。、；：！？（）《》“”‘’…—· 　\n()[],.;:%㎡/-12890ABXyz", max_size=160
)


@settings(deadline=None, max_examples=400)
@given(TEXTS, st.floats(40, 400), st.floats(10, 400))
def test_a_text_stays_in_its_box_or_is_refused(text, width, height):
    """No line is wider than the box, all lines are in its height, and nothing is lost or added."""
    try:
        result = fitted(text, width, height)
    except DoesNotFit:
        return
    assert "".join(text.split()) == "".join("".join(result.lines).split())
    assert all(width_of(line) * result.size <= width + 1e-6 for line in result.lines)
    assert len(result.lines) * result.size * SIZES.leading <= height + 1e-6


@settings(deadline=None, max_examples=400)
@given(TEXTS, st.floats(40, 400))
def test_no_line_starts_or_ends_with_a_forbidden_mark(text, width):
    """避头尾: unless the registry itself put the mark there with a line feed."""
    try:
        lines = fitted(text, width, 100_000).lines
    except DoesNotFit:
        return
    given_starts = {part.strip()[:1] for part in text.split("\n")}
    given_ends = {part.strip()[-1:] for part in text.split("\n")}
    for line in lines:
        visible = line.strip("".join(SPACES))
        assert not visible or visible[0] not in NEVER_FIRST - given_starts
        assert not visible or visible[-1] not in NEVER_LAST - given_ends


@pytest.mark.parametrize("mark", "，。、；：）》”’！？…%㎡")
def test_a_closing_mark_takes_the_character_before_it_along(mark):
    """Ten ideographs fill the line; the mark may not open the next one."""
    assert fitted("一二三四五六七八九十" + mark, 120).lines == ("一二三四五六七八九", "十" + mark)


@pytest.mark.parametrize("mark", "（《“‘")
def test_an_opening_mark_goes_with_what_it_opens(mark):
    assert fitted("一二三四五六七八九" + mark + "十", 120).lines == ("一二三四五六七八九", mark + "十")


def test_a_number_that_a_line_holds_is_never_cut():
    assert fitted("原证号一二三四00012345号", 120).lines == ("原证号一二三四", "00012345号")


def test_a_name_longer_than_a_line_is_cut():
    """Latin names of forty letters exist; they are printed, not refused."""
    assert fitted("Wolfeschlegelsteinhausenbergerdorff", 120).lines == ("Wolfeschlegelsteinha", "usenbergerdorff")


def test_a_unit_number_keeps_its_four_groups_on_one_line():
    number = "231221 003004 GB00001 F00050001"
    assert fitted("不动产单元号" + number + "等", 200).lines == ("不动产单元号", number + "等")


def test_an_explicit_line_feed_is_kept():
    assert fitted("一\n\n二").lines == ("一", "", "二")


def test_spaces_never_open_a_line_that_we_broke():
    assert fitted("一二三四五六七八九十 十一", 120).lines == ("一二三四五六七八九十", "十一")


def test_indentation_that_the_registry_wrote_is_kept():
    assert fitted("　　一二").lines == ("　　一二",)


def test_type_shrinks_by_half_points():
    assert fitted("一" * 10, 119, 16).size == 11.5


def test_type_never_shrinks_below_the_floor():
    """What is smaller than 7.5 pt cannot be read off the paper."""
    with pytest.raises(DoesNotFit) as refused:
        fitted("一" * 100, 75, 9.75 * 9)
    assert refused.value.height == pytest.approx(9.75 * 10)


def test_marks_that_fill_a_line_alone_are_refused():
    """There is no legal place to break them."""
    with pytest.raises(DoesNotFit) as refused:
        fitted("，" * 40, 75)
    assert refused.value.height is None


def test_a_short_string_stays_on_its_line():
    assert fit_line("望奎县", 33, SIZES, em).size == 11
    with pytest.raises(DoesNotFit):
        fit_line("望奎县", 22, SIZES, em)
