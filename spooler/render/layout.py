"""Step 2a: decide what stands where. Texts are fitted into their boxes; what cannot be is a finding that names the field."""

from dataclasses import dataclass
from datetime import date

from spooler.render.characters import check_characters
from spooler.render.codes import RenderCode
from spooler.render.content import Content, Finding
from spooler.render.fit import DoesNotFit, Fitted, Sizes, fit, fit_line
from spooler.render.fonts import Faces
from spooler.render.template import Align, Box, Line, Template

MM = 72 / 25.4
# Where the baseline of an ideographic em box lies, from its top.
ASCENT = 0.88


@dataclass(frozen=True)
class PlacedLine:
    """A line of text by the left end of its baseline, in points from the top left corner of the paper."""

    text: str
    x: float
    baseline: float


@dataclass(frozen=True)
class Placed:
    """One field as it is printed."""

    field: str
    on: str
    size: float
    lines: tuple[PlacedLine, ...]


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
    lines = _header(content) | _digits(content.booked_on)
    entries: list[tuple[str, str, Line | Box]] = [
        ("booked_on" if key.startswith("booked") else f"number.{key}", lines[key], line)
        for key, line in template.lines.items()
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


def _digits(day: date) -> dict[str, str]:
    return {"booked_year": f"{day:%Y}", "booked_month": f"{day:%m}", "booked_day": f"{day:%d}"}


def _place(field: str, text: str, place: Line | Box, template: Template, faces: Faces) -> Placed | list[Finding]:
    sizes = template.type.sizes(place.size)
    try:
        if isinstance(place, Line):
            return _place_line(field, text, place, sizes, faces)
        return _place_box(field, text, place, sizes, faces)
    except DoesNotFit as e:
        return [_overflow(field, place, sizes, e)]


def _place_line(field: str, text: str, line: Line, sizes: Sizes, faces: Faces) -> Placed:
    fitted = fit_line(text, line.width * MM, sizes, faces.width)
    x = _aligned(text, line.x * MM, line.width * MM, line.align, fitted.size, faces)
    return Placed(field, line.on, fitted.size, (PlacedLine(text, x, line.baseline * MM),))


def _place_box(field: str, text: str, box: Box, sizes: Sizes, faces: Faces) -> Placed:
    x, width = (box.x + box.padding) * MM, (box.width - 2 * box.padding) * MM
    height = (box.height - 2 * _inset(box)) * MM
    fitted = fit(text, width, height, sizes, faces.width)
    baseline = _first_baseline(box, fitted, sizes)
    lines = tuple(
        PlacedLine(
            line, _aligned(line, x, width, box.align, fitted.size, faces), baseline + i * fitted.size * sizes.leading
        )
        for i, line in enumerate(fitted.lines)
        if line.strip()
    )
    return Placed(field, box.on, fitted.size, lines)


def _inset(box: Box) -> float:
    """Return how far the text keeps off the upper and lower edge, in mm; in the middle of a row it need not."""
    return box.padding if box.vertical == "top" else 0.0


def _first_baseline(box: Box, fitted: Fitted, sizes: Sizes) -> float:
    free = box.height * MM - len(fitted.lines) * fitted.size * sizes.leading
    top = box.y * MM + (free / 2 if box.vertical == "middle" else _inset(box) * MM)
    return top + fitted.size * ((sizes.leading - 1) / 2 + ASCENT)


def _aligned(text: str, x: float, width: float, align: Align, size: float, faces: Faces) -> float:
    free = width - sum(map(faces.width, text)) * size
    return x + {"left": 0.0, "center": free / 2, "right": free}[align]


def _overflow(field: str, place: Line | Box, sizes: Sizes, fault: DoesNotFit) -> Finding:
    if isinstance(place, Line):
        chinese = f"{place.label}用最小字号 {sizes.floor:g} 磅仍超出 {place.width:g} 毫米宽。"
        english = f"Wider than its {place.width:g} mm even at {sizes.floor:g} pt."
    elif fault.height is None:
        chinese = f"{place.label}用最小字号 {sizes.floor:g} 磅仍无法合规断行。"
        english = f"Cannot be broken into lines of {place.width:g} mm even at {sizes.floor:g} pt."
    else:
        needed, room = fault.height / MM, place.height - 2 * _inset(place)
        chinese = f"{place.label}用最小字号 {sizes.floor:g} 磅需高 {needed:.1f} 毫米，格高只有 {room:g} 毫米。"
        english = f"Needs a height of {needed:.1f} mm even at {sizes.floor:g} pt; the box has {room:g} mm."
    return Finding(field, RenderCode.DOES_NOT_FIT, chinese + english)
