"""Everything below templates/: print templates, running sheets, electronic faces; each in its versions, as one list.

What a home starts with is loaded where it is used; this is for whoever looks at all of them (`certspool templates`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from spooler.render.face import FACE, Face, load_face
from spooler.render.running.model import SheetTemplate
from spooler.render.running.read import SHEET, load_sheet
from spooler.render.running.what import DEMANDS
from spooler.render.template import BadTemplate, Template, load_template
from spooler.render.template.files import TEMPLATE, versions_of
from spooler.wire.messages import Stock

ELECTRONIC = "electronic"
Loaded = Template | SheetTemplate | Face


@dataclass(frozen=True)
class Side:
    """A side of the paper, or a page on the screen, in mm."""

    name: str
    width: float
    height: float


@dataclass(frozen=True)
class Entry:
    """One version, and what a list of all says of it."""

    name: str
    title: str
    stock: str  # what it is printed on; `electronic`: on nothing
    sides: tuple[Side, ...]
    fonts: tuple[str, ...]
    directory: Path
    loaded: Loaded

    @property
    def kind(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def version(self) -> int:
        return self.loaded.version


def load_library(directory: Path, own: Path | None = None) -> dict[str, Entry]:
    """Return every version by its name, or raise BadTemplate for all faults of all."""
    entries, found = {}, []
    for path in _files(directory, own):
        try:
            entry = load_version(path.parent)
            entries[entry.name] = entry
        except BadTemplate as e:
            found.append(str(e))
    if found or not entries:
        raise BadTemplate("\n".join(found) or f"{directory}: holds no templates")
    return entries


def load_version(directory: Path) -> Entry:
    """Return the checked version in this folder, or raise BadTemplate with all its faults."""
    for name, load in _LOADERS.items():
        if (directory / name).is_file():
            return load(directory / name)
    raise BadTemplate(f"{directory}: holds none of {', '.join(_LOADERS)}")


def newest(entries: Mapping[str, Entry], kind: str) -> Entry:
    return max((entry for entry in entries.values() if entry.kind == kind), key=lambda entry: entry.version)


def _files(directory: Path, own: Path | None) -> Iterator[Path]:
    for name in _LOADERS:
        yield from versions_of(name, directory, own)


def _print_template(path: Path) -> Entry:
    template = load_template(path)
    sides = tuple(Side(sheet.name, sheet.width, sheet.height) for sheet in template.passes)
    stock = str(template.passes[0].stock)
    return Entry(template.name, template.title, stock, sides, template.type.fonts, path.parent, template)


def _sheet(path: Path) -> Entry:
    sheet = load_sheet(path, DEMANDS)
    sides = (Side("1…", sheet.page.width, sheet.page.height),)
    return Entry(sheet.name, sheet.title, str(Stock.PLAIN), sides, sheet.type.fonts, path.parent, sheet)


def _face(path: Path) -> Entry:
    face = load_face(path)
    sides = (Side("1…", face.page.width, face.page.height),)
    return Entry(face.name, face.title.text, ELECTRONIC, sides, (), path.parent, face)


_LOADERS: Mapping[str, Callable[[Path], Entry]] = {TEMPLATE: _print_template, SHEET: _sheet, FACE: _face}
