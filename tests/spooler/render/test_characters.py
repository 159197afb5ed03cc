"""A box, a blank or another character in a name makes a certificate void: refused before the seal, or printed right."""

from dataclasses import replace

import pytest

from spooler.render import Unprintable

from .builders import a_content


@pytest.mark.parametrize(
    ("character", "code"),
    [
        ("\ue5e5", "private-use-character"),
        ("\U000f0001", "private-use-character"),
        ("\u1b13", "no-glyph"),
        ("\ua000", "no-glyph"),
        ("\u202e", "invisible-character"),
        ("\u2066", "invisible-character"),
        ("\u200b", "invisible-character"),
        ("\ufeff", "invisible-character"),
        ("\u00ad", "invisible-character"),
        ("\u2028", "invisible-character"),
        ("\u2003", "invisible-character"),
        ("\u3164", "no-glyph"),
        ("\U000e0100", "combining-character"),
        ("\u0301", "combining-character"),
        ("\u05d0", "right-to-left-character"),
        ("\u0627", "right-to-left-character"),
        ("\u0007", "control-character"),
        ("\t", "control-character"),
        ("\r", "control-character"),
        ("\ud800", "not-unicode"),
        ("\ufffd", "not-unicode"),
        ("\ufffc", "not-unicode"),
        ("\u115f", "combining-character"),
        ("\u1100", "combining-character"),
        ("\ua700", "no-glyph"),
    ],
)
def test_a_character_that_would_not_print_is_refused(refusal, character, code):
    assert refusal(a_content(holder="张" + character)) == [("fields.holder", code)]


@pytest.mark.parametrize("field", ["holder", "notes", "unit_number"])
@pytest.mark.parametrize(
    "characters",
    [
        [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C],  # turn the writing direction
        [*range(0x200B, 0x200E), 0x2060, 0xFEFF, 0x00AD, 0x180E, 0x3164, 0xFFA0, 0x2800, 0x034F],  # leave no ink
        [0xE000, 0xF8FF, 0xF0000, 0xFFFFD, 0x100000, 0x10FFFD, 0xE5E5, 0xE78D],  # private use
        [*range(0xFE00, 0xFE10), 0xE0100, 0xE0150, 0xE01EF],  # variation selectors
    ],
    ids=["bidirectional", "invisible", "private", "variation"],
)
def test_each_such_character_is_refused_by_name(renderer, field, characters):
    """Field and code point: nobody can see these on a screen."""
    for code in characters:
        with pytest.raises(Unprintable) as caught:
            renderer.print_document(a_content(**{field: f"张{chr(code)}三"}))

        (finding,) = caught.value.findings
        assert finding.field == f"fields.{field}" and f"U+{code:04X}" in finding.message


def test_the_refusal_names_field_and_character(renderer):
    """The records office must find it: by the character and by its code point."""
    with pytest.raises(Unprintable) as caught:
        renderer.print_document(a_content(location="望奎县\U0001d400", notes="\ue5e5"))

    first, second = caught.value.findings
    assert (first.field, second.field) == ("fields.location", "fields.notes")
    assert "U+1D400" in first.message and "\U0001d400" in first.message
    assert "U+E5E5" in second.message


def test_header_strings_are_checked_too(refusal):
    content = a_content()
    odd = replace(content, number=replace(content.number, place="望\ue5e5"))

    assert refusal(odd) == [("number.place", "private-use-character")]


def test_a_fallback_face_is_said(renderer):
    """𡋾 is not in the first face: it prints, and a person may look at its shape."""
    warnings = renderer.print_document(a_content(holder="𡋾𬀩")).warnings

    assert [(warning.field, str(warning.code)) for warning in warnings] == [("fields.holder", "fallback-face")]
    assert "BabelStone Han" in warnings[0].message and "U+212FE" in warnings[0].message


def test_the_name_in_the_seal_is_checked(refusal):
    """It is drawn in outlines: a character without one would be a gap that nobody sees."""
    assert refusal(replace(a_content(), registry_name="望\ue5e5县")) == [("registry_name", "private-use-character")]
