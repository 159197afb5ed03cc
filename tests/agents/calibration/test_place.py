"""The correction moves a verified page and changes nothing else of it."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from agents.calibration.correction import IDENTITY
from agents.pages import place, slice_pages
from tests.sealing import SPREAD, a_pdf

from .errors import SPREADS, an_error

ASKEW = an_error(SPREADS[1], 4, -5, 1.2, -0.7, 0.8)


@pytest.fixture(scope="module")
def document(booklet) -> bytes:
    return slice_pages(booklet, [1])


def test_identity_leaves_every_byte(document):
    """What goes to CUPS is what went there before anybody thought of calibration."""
    assert place(document, IDENTITY) is document


def test_all_of_the_page_but_its_place_is_unchanged(document):
    """The page's own streams, byte for byte, and its fonts and pictures; before them one matrix, after them its end."""
    before, after = page_of(document), page_of(place(document, ASKEW))

    first, *own, last = [piece.get_object() for piece in after["/Contents"]]
    assert [s.get_data() for s in own] == [s.get_data() for s in streams(before)]
    assert [s._data for s in own] == [s._data for s in streams(before)]
    assert last.get_data().strip() == b"Q"
    *matrix, operator = first.get_data().split()[1:]
    assert (first.get_data()[:2], operator) == (b"q ", b"cm")
    assert [float(n) for n in matrix] == pytest.approx(ASKEW.in_points(SPREAD[1] * 72 / 25.4), abs=1e-3)
    assert flat(after["/Resources"]) == flat(before["/Resources"])
    assert {k: after[k] for k in ("/MediaBox",)} == {k: before[k] for k in ("/MediaBox",)}


def test_it_still_reads_the_same(document):
    assert text_of(place(document, ASKEW)) == text_of(document) != ""


@settings(max_examples=20)
@given(st.floats(-6, 6), st.floats(-6, 6), st.floats(-1.5, 1.5), st.floats(-1, 1))
def test_a_point_lands_where_the_correction_says(right, down, wider, turn):
    """Millimetres from the top left corner, as a person measures; points from the bottom left, as a page draws."""
    side = SPREADS[0]
    correction = an_error(side, right, down, wider, 0, turn)
    height = side.height_mm * 72 / 25.4
    a, b, c, d, e, f = correction.in_points(height)

    for at in ((0, 0), (332, 0), (41.3, 24.7), (313.8, 220.6)):
        x, y = at[0] * 72 / 25.4, height - at[1] * 72 / 25.4
        drawn = (a * x + c * y + e, b * x + d * y + f)
        assert (drawn[0] * 25.4 / 72, (height - drawn[1]) * 25.4 / 72) == pytest.approx(correction(at), abs=1e-6)


def test_pages_in_several_streams_and_pages_without_any_are_moved_too():
    """/Contents may be an array, or be missing."""
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(*(mm * 72 / 25.4 for mm in SPREAD))
    writer.write(out)
    empty = place(out.getvalue(), ASKEW)
    twice = place(place(slice_pages(a_pdf(), [0]), ASKEW), ASKEW)

    assert len(page_of(empty)["/Contents"]) == 2
    assert len(page_of(twice)["/Contents"]) == 5
    assert text_of(twice) == text_of(a_pdf([SPREAD]))


def test_a_page_that_is_turned_is_not_guessed_at():
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100).rotate(90)
    writer.write(out)

    with pytest.raises(ValueError, match="not turned"):
        place(out.getvalue(), ASKEW)


def page_of(pdf):
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    return page


def text_of(pdf):
    return page_of(pdf).extract_text().strip()


def streams(page):
    content = page["/Contents"]
    return [piece.get_object() for piece in content] if isinstance(content, list) else [content]


def flat(thing):
    """Everything that hangs on it, as plain values."""
    found = thing.get_object() if hasattr(thing, "get_object") else thing
    if isinstance(found, dict):
        data = getattr(found, "_data", None)
        return ({key: flat(value) for key, value in found.items() if key != "/Parent"}, data)
    return [flat(one) for one in found] if isinstance(found, list) else found
