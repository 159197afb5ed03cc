"""Step 2b: labels and cells around the fields: printed on plain paper, drawn only for a look where a blank already has them."""

from spooler.render.fonts import Faces
from spooler.render.layout import MM, Placed, PlacedLine
from spooler.render.sheets import Pages
from spooler.render.template import Box, Form, Label, Place, Rule, Sheet, Template

_LABEL_SIZE = 10.0
_EM_MM = _LABEL_SIZE / MM


def draw_form(pages: Pages, sheet: Sheet, template: Template, form: Form, faces: Faces) -> None:
    """Draw in the ink that is set: cells, labels, and each row's name in the cell left of it."""
    boxes = [box for box in template.boxes.values() if box.on == sheet.name]
    rules = [rule for rule in form.rules if rule.on == sheet.name]
    framed = [template.frame] if template.frame and template.frame.on == sheet.name else []
    for place in (*boxes, *rules, *framed):
        cell = _cell_of(place, rules) or place
        pages.outline(place.x * MM, place.y * MM, place.width * MM, cell.height * MM)
    for label in form.labels:
        if label.on == sheet.name:
            pages.write(placed_label(label, faces))
    for box in boxes:
        for text in _row_label(box, rules, faces):
            pages.write(text)


def placed_label(label: Label, faces: Faces) -> Placed:
    """Return a fixed text in its place."""
    width = sum(map(faces.width, label.text)) * label.size
    x = label.x * MM - {"left": 0.0, "center": width / 2, "right": width}[label.align]
    return Placed("form", label.on, label.size, (PlacedLine(label.text, x, label.baseline * MM),))


def _row_label(box: Box, rules: list[Rule], faces: Faces) -> list[Placed]:
    """Write the row's name in the cell left of it, in as many lines as it needs; a box without a cell has a label of its own."""
    cell = _cell_of(box, rules)
    if cell is None:
        return []
    per_line = max(int((cell.width - 2) / _EM_MM), 1)
    lines = [box.label[i : i + per_line] for i in range(0, len(box.label), per_line)]
    return [_centred(line, i, len(lines), cell, faces) for i, line in enumerate(lines)]


def _cell_of(box: Place, rules: list[Rule]) -> Rule | None:
    return next((rule for rule in rules if _stands_left(rule, box)), None)


def _stands_left(rule: Rule, box: Place) -> bool:
    return abs(rule.x + rule.width - box.x) < 0.1 and abs(rule.y - box.y) < 0.1


def _centred(text: str, nth: int, count: int, cell: Rule, faces: Faces) -> Placed:
    width = sum(map(faces.width, text)) * _LABEL_SIZE
    x = cell.x * MM + (cell.width * MM - width) / 2
    middle = (cell.y + cell.height / 2) * MM + (nth - (count - 1) / 2) * _LABEL_SIZE * 1.3
    return Placed("form", cell.on, _LABEL_SIZE, (PlacedLine(text, x, middle + 0.38 * _LABEL_SIZE),))
