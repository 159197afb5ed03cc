"""Draws templates/<kind>/<version>/blank.pdf, a neutral drawing of the blank: `python -m spooler.render.blank DIRECTORY…`.

Run when a new version of a template is made. The drawing serves previews and contact sheets; nothing of it is ever printed.
"""

import sys
from pathlib import Path

from spooler.render.fonts import Faces, shared_faces
from spooler.render.forms import draw_form
from spooler.render.layout import MM
from spooler.render.sheets import Pages
from spooler.render.template import Form, Sheet, Template, load_template

_INK = 0.45


def draw_blank(template: Template, faces: Faces) -> bytes:
    """Return the drawing, one page a pass. Plain paper is a white sheet."""
    drawing = template.blank or Form()
    with faces.lock:
        pages = Pages(faces)
        for sheet in template.passes:
            pages.begin(sheet)
            pages.grey(_INK)
            _draw_paper(pages, sheet)
            draw_form(pages, sheet, template, drawing, faces)
            pages.end()
        return pages.to_bytes()


def _draw_paper(pages: Pages, sheet: Sheet) -> None:
    """Draw the edge of the paper, and the fold of a spread."""
    width, height = sheet.width * MM, sheet.height * MM
    pages.outline(0.5, 0.5, width - 1, height - 1)
    if sheet.stock == "certificate":
        pages.outline(width / 2, 0, 0, height)


def main(directories: list[str]) -> None:
    for directory in map(Path, directories):
        template = load_template(directory / "template.toml")
        if template.blank is not None:
            drawn = draw_blank(template, shared_faces(template.type.fonts))
            (directory / "blank.pdf").write_bytes(drawn)


if __name__ == "__main__":
    main(sys.argv[1:])
