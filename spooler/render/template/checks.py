"""What a template's parts must be together: on existing passes, on the paper, apart from each other, large enough to print in."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import combinations

from spooler.catalog import KINDS
from spooler.render.fit import NO_BREAK_SPACE, SPACES
from spooler.render.fonts import KNOWN
from spooler.render.template.issuance import issuance_faults
from spooler.render.template.model import MM, Box, Line, Place, Template
from spooler.wire.messages import Turn

# How far a line of type reaches above and below its baseline, in em.
ABOVE, BELOW = 0.88, 0.12
# Boxes of a printed table share an edge, and edges are given to the tenth of a millimetre.
TOUCHING_MM = 0.11

# The strings that every document has beside its fields: in pieces between what a blank already says, else whole.
HEADER_LINES = frozenset({"province", "year", "place", "sequence", "booked_year", "booked_month", "booked_day"})
PLAIN_LINES = frozenset({"number", "registry_name", "booked_on"})
# A seal is set over who set it and when.
UNDER_THE_SEAL = frozenset({"booked_year", "booked_month", "booked_day", "booked_on", "registry_name"})
# The sides of each kind's stock (design §4): halls, consoles and reports know them by these names.
PASSES = {"certificate": ("A", "B", "C"), "proof": ("P",), "record": ("P",)}

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """Something wrong, at a key."""

    where: Key
    message: str


@dataclass(frozen=True)
class Area:
    """A rectangle of a pass that something stands in."""

    where: Key
    on: str
    left: float
    top: float
    right: float
    bottom: float

    def __str__(self) -> str:
        return f"{self.left:g}, {self.top:g} to {self.right:g}, {self.bottom:g}"

    def overlaps(self, other: "Area") -> bool:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return self.on == other.on and across > TOUCHING_MM and down > TOUCHING_MM


def faults(template: Template) -> list[Fault]:
    """Return everything that is wrong with a template whose shape is right."""
    checks = (_type, _line_rules, _passes, _fields, _drawing, _issuance, _sizes, _on_paper, _apart, _used)
    return [fault for check in checks for fault in check(template)]


def _type(template: Template) -> Iterator[Fault]:
    fonts = template.type.fonts
    for i, name in enumerate(fonts):
        if name not in KNOWN:
            yield Fault(("type", "fonts", i), f"there is no font {name!r}; known are {', '.join(KNOWN)}")
        elif name in fonts[:i]:
            yield Fault(("type", "fonts", i), f"{name} stands twice")


def _line_rules(template: Template) -> Iterator[Fault]:
    rules = template.line_rules
    for key, marks in (("never_first", rules.never_first), ("never_last", rules.never_last)):
        wrong = sorted({mark for mark in marks if mark in SPACES or mark == NO_BREAK_SPACE or mark.isdigit()})
        if wrong:
            yield Fault(("line_rules", key), f"these are no punctuation marks: {' '.join(map(repr, wrong))}")


def _passes(template: Template) -> Iterator[Fault]:
    names = tuple(sheet.name for sheet in template.passes)
    for name, times in Counter(names).items():
        if times > 1:
            yield Fault(("passes", len(names) - 1 - names[::-1].index(name), "name"), f"two passes are named {name}")
    expected = PASSES.get(template.kind, names)
    if names != expected and len(set(names)) == len(names):
        yield Fault(("passes",), f"a {template.kind} has the passes {', '.join(expected)}, in this order")
    first = template.passes[0]
    if first.turn is not Turn.NONE:
        yield Fault(("passes", 0, "turn"), "nothing is turned before the first pass")
    for i, sheet in enumerate(template.passes):
        if sheet.stock is first.stock and (sheet.width, sheet.height) != (first.width, first.height):
            yield Fault(("passes", i), f"{sheet.stock} is {first.width:g} × {first.height:g} mm on pass {first.name}")


def _fields(template: Template) -> Iterator[Fault]:
    kind = KINDS.get(template.kind)
    if kind is None:
        yield Fault(("kind",), f"there is no kind {template.kind}; known are {', '.join(KINDS)}")
        return
    lines = PLAIN_LINES if kind.is_plain else HEADER_LINES
    yield from _exactly("lines", template.lines, lines, "no document on this paper has this string")
    yield from _exactly("boxes", template.boxes, {spec.name for spec in kind.fields}, f"a {kind.id} has no such field")
    for i, sheet in enumerate(template.passes):
        if sheet.stock != kind.stock:
            yield Fault(("passes", i, "stock"), f"a {kind.id} is printed on {kind.stock}")


def _drawing(template: Template) -> Iterator[Fault]:
    """Numbered stock has its labels before it is printed; what is on plain paper is all printed by us."""
    kind = KINDS.get(template.kind)
    if kind is None:
        return
    needed, other = ("form", "blank") if kind.is_plain else ("blank", "form")
    if getattr(template, needed) is None:
        yield Fault((needed,), f"is missing: a {kind.id} is printed on {kind.stock}")
    if getattr(template, other) is not None:
        yield Fault((other,), f"a {kind.id} is printed on {kind.stock}, which has a [{needed}] instead")


def _issuance(template: Template) -> Iterator[Fault]:
    for where, message in issuance_faults(template.kind, template.issuance):
        yield Fault(where, message)


def _exactly(table: str, has: Collection[str], must: Collection[str], strange: str) -> Iterator[Fault]:
    for name in sorted(set(must) ^ set(has)):
        yield Fault((table, name), strange if name in has else "is missing")


def _sizes(template: Template) -> Iterator[Fault]:
    floor, leading = template.type.floor, template.type.leading
    for key, line in template.lines.items():
        yield from _size_of(("lines", key), line, floor)
        if line.width * MM < floor:
            yield Fault(("lines", key, "width"), f"is less than one character of {floor:g} pt")
    for key, box in template.boxes.items():
        yield from _size_of(("boxes", key), box, floor)
        if (box.width - 2 * box.padding) * MM < floor:
            yield Fault(("boxes", key, "padding"), f"leaves no width for a character of {floor:g} pt")
        inset = 2 * box.padding if box.vertical == "top" else 0
        if (box.height - inset) * MM < floor * leading:
            needed = f"{floor * leading / MM:.1f} mm"
            yield Fault(("boxes", key, "height"), f"leaves no height for a line of {floor:g} pt, {needed}")


def _size_of(where: Key, place: Line | Box, floor: float) -> Iterator[Fault]:
    if place.size < floor:
        yield Fault((*where, "size"), f"{place.size:g} pt is below type.floor, {floor:g} pt")


def _on_paper(template: Template) -> Iterator[Fault]:
    for area in (*_printed(template), _seal(template), *_drawn(template)):
        sheet = template.sheets.get(area.on)
        if sheet is None:
            yield Fault(area.where, f"there is no pass {area.on}; there are {', '.join(template.sheets)}")
        elif area.left < 0 or area.top < 0 or area.right > sheet.width or area.bottom > sheet.height:
            paper = f"{sheet.width:g} × {sheet.height:g} mm"
            yield Fault(area.where, f"{area} reaches beyond the paper of pass {area.on}, {paper}")


def _apart(template: Template) -> Iterator[Fault]:
    """Nothing that is printed stands on another thing; only the seal may lie over name and date, as seals do."""
    seal, printed = _seal(template), _printed(template)
    for one, other in combinations(printed, 2):
        if one.overlaps(other):
            yield Fault(other.where, f"{other} overlaps {_name(one)}, {one}")
    for area in printed:
        if seal.overlaps(area) and area.where[-1] not in UNDER_THE_SEAL:
            yield Fault(seal.where, f"{seal} lies over {_name(area)}, {area}")


def _used(template: Template) -> Iterator[Fault]:
    used = {area.on for area in (*_printed(template), _seal(template))}
    for i, sheet in enumerate(template.passes):
        if sheet.name not in used:
            yield Fault(("passes", i), f"nothing is printed on pass {sheet.name}")


def _printed(template: Template) -> list[Area]:
    """Return what is printed, the seal excepted."""
    areas = [_area(("boxes", key), box) for key, box in template.boxes.items()]
    areas += [_area((key,), place) for key, place in (("qr", template.qr), ("frame", template.frame)) if place]
    return [*areas, *(_line_area(key, line) for key, line in template.lines.items())]


def _drawn(template: Template) -> list[Area]:
    """Return what stands on the drawing of the blank, or on the form; of labels only where they are set."""
    areas: list[Area] = []
    for table, drawn in (("blank", template.blank), ("form", template.form)):
        if drawn is not None:
            areas += [_area((table, "rules", i), rule) for i, rule in enumerate(drawn.rules)]
            areas += [_point((table, "labels", i), at.on, at.x, at.baseline) for i, at in enumerate(drawn.labels)]
    if template.blank is not None:
        serial = template.blank.serial
        areas.append(_point(("blank", "serial"), serial.on, serial.x, serial.y))
    return areas


def _area(where: Key, place: Place) -> Area:
    return Area(where, place.on, place.x, place.y, place.x + place.width, place.y + place.height)


def _point(where: Key, on: str, x: float, y: float) -> Area:
    return Area(where, on, x, y, x, y)


def _line_area(key: str, line: Line) -> Area:
    top, bottom = line.baseline - ABOVE * line.size / MM, line.baseline + BELOW * line.size / MM
    return Area(("lines", key), line.on, line.x, round(top, 2), line.x + line.width, round(bottom, 2))


def _seal(template: Template) -> Area:
    seal, radius = template.seal, template.seal.diameter / 2
    return Area(("seal",), seal.on, seal.x - radius, seal.y - radius, seal.x + radius, seal.y + radius)


def _name(area: Area) -> str:
    return ".".join(map(str, area.where))
