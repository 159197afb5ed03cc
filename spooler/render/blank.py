"""Draws templates/<kind>/<version>/blank.pdf, a neutral drawing of the blank: `python -m spooler.render.blank DIRECTORY…`.

Run when a new version of a template is made. The drawing serves previews and contact sheets; nothing of it is ever printed.
"""

import sys
from pathlib import Path

from spooler.render.fonts import Faces, shared_faces
from spooler.render.layout import MM, Placed, PlacedLine
from spooler.render.sheets import Pages
from spooler.render.template import Box, Label, Place, Rule, Sheet, Template, load_template

_INK = 0.45
_LABEL_SIZE = 10.0
_EM_MM = _LABEL_SIZE / MM


def draw_blank(template: Template, faces: Faces) -> bytes:
    """Return the drawing, one page a pass."""
    with faces.lock:
        pages = Pages(faces)
        for sheet in template.passes:
            pages.begin(sheet)
            _draw_sheet(pages, sheet, template, faces)
            pages.end()
        return pages.to_bytes()


def _draw_sheet(pages: Pages, sheet: Sheet, template: Template, faces: Faces) -> None:
    pages.grey(_INK)
    _draw_paper(pages, sheet)
    boxes = [box for box in template.boxes.values() if box.on == sheet.name]
    rules = [rule for rule in template.blank.rules if rule.on == sheet.name]
    framed = [template.frame] if template.frame and template.frame.on == sheet.name else []
    for place in (*boxes, *rules, *framed):
        cell = _cell_of(place, rules) or place
        pages.outline(place.x * MM, place.y * MM, place.width * MM, cell.height * MM)
    for label in template.blank.labels:
        if label.on == sheet.name:
            pages.write(_placed(label, faces))
    for box in boxes:
        for text in _row_label(box, rules, faces):
            pages.write(text)


def _draw_paper(pages: Pages, sheet: Sheet) -> None:
    """Draw the edge of the paper, and the fold of a spread."""
    width, height = sheet.width * MM, sheet.height * MM
    pages.outline(0.5, 0.5, width - 1, height - 1)
    if sheet.stock == "certificate":
        pages.outline(width / 2, 0, 0, height)


def _placed(label: Label, faces: Faces) -> Placed:
    return Placed("blank", label.on, label.size, (PlacedLine(label.text, label.x * MM, label.baseline * MM),))


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
    return Placed("blank", cell.on, _LABEL_SIZE, (PlacedLine(text, x, middle + 0.38 * _LABEL_SIZE),))


def main(directories: list[str]) -> None:
    for directory in map(Path, directories):
        template = load_template(directory / "template.toml")
        (directory / "blank.pdf").write_bytes(draw_blank(template, shared_faces(template.type.fonts)))


if __name__ == "__main__":
    main(sys.argv[1:])
