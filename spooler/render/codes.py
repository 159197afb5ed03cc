"""What rendering can find, as a closed list of words: all refuse, but the warnings, which only ask for a look."""

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
    ANNEX_GEOMETRY = "annex-geometry"  # no polygon, not closed, crossing itself, no area
    ANNEX_COORDINATES = "annex-coordinates"  # a system that is not known, or north before east
    ANNEX_NO_SCALE = "annex-no-scale"  # no round scale at which the parcel fits its room
    ANNEX_DISTORTED = "annex-distorted"  # the pixels of a picture are not square
    FONT_NOT_EMBEDDED = "font-not-embedded"
    # warnings
    FALLBACK_FACE = "fallback-face"
    ANNEX_ANNOTATIONS = "annex-annotations"  # they are not printed
    ANNEX_SMALL = "annex-small"  # lettering below 1.5 mm on paper
    ANNEX_NOT_TO_SCALE = "annex-not-to-scale"  # a scale was stated and could not be kept
    ANNEX_AREA = "annex-area"  # the stated area is not that of the coordinates
    ANNEX_SYSTEM_UNSURE = "annex-system-unsure"  # which coordinates these are
    ANNEX_THINNED = "annex-thinned"  # a parcel of so many points that not all are named
    ANNEX_OTHER_PARCEL = "annex-other-parcel"  # its code is not in the unit number


WARNINGS = frozenset(
    {
        RenderCode.FALLBACK_FACE,
        RenderCode.ANNEX_ANNOTATIONS,
        RenderCode.ANNEX_SMALL,
        RenderCode.ANNEX_NOT_TO_SCALE,
        RenderCode.ANNEX_AREA,
        RenderCode.ANNEX_SYSTEM_UNSURE,
        RenderCode.ANNEX_THINNED,
        RenderCode.ANNEX_OTHER_PARCEL,
    }
)
