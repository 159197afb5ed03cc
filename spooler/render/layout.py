"""Step 2a: decide what stands where. Texts are fitted into their boxes; what cannot be is a finding that names the field."""

from dataclasses import dataclass
from datetime import date

from spooler.render.characters import check_characters
from spooler.render.codes import RenderCode
from spooler.render.content import Content, Finding
from spooler.render.fit import DoesNotFit, Sizes
from spooler.render.fonts import Faces
from spooler.render.template import MM, Box, Line, Template
from spooler.render.typeset import ASCENT, Placed, PlacedLine, inset, set_box, set_line

__all__ = ["ASCENT", "MM", "Layout", "Placed", "PlacedLine", "lay_out"]


_NUMBER_PARTS = frozenset({"province", "year", "place", "sequence"})


@dataclass(frozen=True)
class Layout:
    """Every text of a document in its place, in the order in which it is drawn; and what was found on the way."""

    texts: tuple[Placed, ...]
    refused: tuple[Finding, ...]
    noted: tuple[Finding, ...]


def lay_out(content: Content, template: Template, faces: Faces) -> Layout:
    """Return the layout of all texts; it may be printed only if nothing is refused."""
    texts: list[Placed] = []
    # The seal shows the registry's name in outlines, where a missing character would leave a gap.
    refused, _ = check_characters("registry_name", content.registry_name, faces)
    refused += _unknown_fields(content, template)
    noted: list[Finding] = []
    for field, text, place in _entries(content, template):
        faults, notes = check_characters(field, text, faces)
        noted += notes
        placed = faults or _place(field, text, place, template, faces)
        if isinstance(placed, Placed):
            texts.append(placed)
        else:
            refused += placed
    return Layout(tuple(texts), tuple(refused), tuple(noted))


def _unknown_fields(content: Content, template: Template) -> list[Finding]:
    message = f"{template.title}没有这一栏。{template.name} has no such field."
    return [
        Finding(f"fields.{key}", RenderCode.UNKNOWN_FIELD, message)
        for key in content.fields
        if key not in template.boxes
    ]


def _entries(content: Content, template: Template) -> list[tuple[str, str, Line | Box]]:
    """Return every text that is not empty with its field and place."""
    lines = _header(content) | _digits(content.booked_on) | _whole(content)
    entries: list[tuple[str, str, Line | Box]] = [
        (_field_of(key), lines[key], line) for key, line in template.lines.items()
    ]
    entries += [(f"fields.{key}", content.fields.get(key, ""), box) for key, box in template.boxes.items()]
    return [entry for entry in entries if entry[1]]


def _header(content: Content) -> dict[str, str]:
    number = content.number
    return {
        "province": number.province,
        "year": str(number.year),
        "place": number.place,
        "sequence": number.sequence,
    }


def _whole(content: Content) -> dict[str, str]:
    """Return what plain paper says in one piece."""
    return {
        "number": content.number.text(content.kind),
        "registry_name": content.registry_name,
        "booked_on": f"{content.booked_on:%Y年%m月%d日}",
    }


def _field_of(key: str) -> str:
    if key.startswith("booked"):
        return "booked_on"
    return f"number.{key}" if key in _NUMBER_PARTS else key


def _digits(day: date) -> dict[str, str]:
    return {"booked_year": f"{day:%Y}", "booked_month": f"{day:%m}", "booked_day": f"{day:%d}"}


def _place(field: str, text: str, place: Line | Box, template: Template, faces: Faces) -> Placed | list[Finding]:
    sizes = template.type.sizes(place.size)
    try:
        if isinstance(place, Line):
            return set_line(field, text, place, sizes, faces)
        return set_box(field, text, place, sizes, template.line_rules.marks, faces)
    except DoesNotFit as e:
        return [overflow(field, place, sizes, e)]


def overflow(field: str, place: Line | Box, sizes: Sizes, fault: DoesNotFit) -> Finding:
    """Return what is said of a text that fits at no size."""
    if isinstance(place, Line):
        chinese = f"{place.label}用最小字号 {sizes.floor:g} 磅仍超出 {place.width:g} 毫米宽。"
        english = f"Wider than its {place.width:g} mm even at {sizes.floor:g} pt."
    elif fault.height is None:
        chinese = f"{place.label}用最小字号 {sizes.floor:g} 磅仍无法在格内合规排开。"
        english = f"Cannot be set in lines of {place.width:g} mm inside its box even at {sizes.floor:g} pt."
    else:
        needed, room = fault.height / MM, place.height - 2 * inset(place)
        chinese = f"{place.label}用最小字号 {sizes.floor:g} 磅需高 {needed:.1f} 毫米，格高只有 {room:g} 毫米。"
        english = f"Needs a height of {needed:.1f} mm even at {sizes.floor:g} pt; the box has {room:g} mm."
    return Finding(field, RenderCode.DOES_NOT_FIT, chinese + english)
