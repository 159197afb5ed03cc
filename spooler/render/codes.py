"""What rendering can find, as a closed list of words: all refuse, but the last two, which only ask for a look."""

from enum import StrEnum


class RenderCode(StrEnum):
    """Every `code` of a finding of this step."""

    UNKNOWN_KIND = "unknown-kind"  # there is no template for this kind
    UNKNOWN_FIELD = "unknown-field"  # the template has no such box
    DOES_NOT_FIT = "does-not-fit"  # even at the smallest size
    # characters
    CONTROL_CHARACTER = "control-character"
    NOT_UNICODE = "not-unicode"  # half of a surrogate pair
    INVISIBLE_CHARACTER = "invisible-character"  # also those that turn the writing direction
    PRIVATE_USE_CHARACTER = "private-use-character"
    COMBINING_CHARACTER = "combining-character"
    RIGHT_TO_LEFT_CHARACTER = "right-to-left-character"
    NO_GLYPH = "no-glyph"  # no face of the chain has it
    # annexes
    ROLE_NOT_ALLOWED = "role-not-allowed"  # no such role, no place for it on this document, or given twice
    ANNEX_TYPE = "annex-type"  # not a type that can be printed in this role
    ANNEX_TYPE_DIFFERS = "annex-type-differs"  # the bytes are something else
    ANNEX_UNREADABLE = "annex-unreadable"  # damaged
    ANNEX_ENCRYPTED = "annex-encrypted"
    ANNEX_PAGES = "annex-pages"  # a map or plan has one page, all lists together have 90
    ANNEX_PAGE_SIZE = "annex-page-size"
    ANNEX_TOO_LARGE = "annex-too-large"  # in pixels
    ANNEX_TOO_COMPLEX = "annex-too-complex"  # in objects or boundary points
    ANNEX_COLOURS = "annex-colours"
    ANNEX_HIDDEN_LAYERS = "annex-hidden-layers"
    ANNEX_ACTIVE = "annex-active"  # PostScript, or data kept in another file
    ANNEX_GEOMETRY = "annex-geometry"  # no polygon, not closed, no extent
    FONT_NOT_EMBEDDED = "font-not-embedded"
    # warnings
    FALLBACK_FACE = "fallback-face"
    ANNEX_ANNOTATIONS = "annex-annotations"  # they are not printed


WARNINGS = frozenset({RenderCode.FALLBACK_FACE, RenderCode.ANNEX_ANNOTATIONS})
