"""Reading sheet.toml: each is checked whole, and what is wrong is told with file, line and key."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from spooler.daemon.positions import told
from spooler.render.running.model import SheetTemplate, faults
from spooler.render.template import BadTemplate
from spooler.render.template.files import SAMPLE, read_toml, shape_fault, versions_of

SHEET = "sheet.toml"

# Of each kind: the columns of its table, and what stands on every page.
Demands = Mapping[str, tuple[tuple[str, ...], frozenset[str]]]


def sheet_files(directory: Path, own: Path | None = None) -> list[Path]:
    """Return all sheet files, kind by kind from one of the directories."""
    return versions_of(SHEET, directory, own)


def load_sheets(directory: Path, demands: Demands, own: Path | None = None) -> dict[str, SheetTemplate]:
    """Return every sheet by its name (`collateral-list/1`), or raise BadTemplate for all faults of all."""
    sheets, found = {}, []
    for path in sheet_files(directory, own):
        try:
            sheet = load_sheet(path, demands)
            sheets[sheet.name] = sheet
        except BadTemplate as e:
            found.append(str(e))
    if found:
        raise BadTemplate("\n".join(found))
    return sheets


def load_sheet(path: Path, demands: Demands) -> SheetTemplate:
    """Return the checked sheet of one file, or raise BadTemplate with all its faults."""
    source, values = read_toml(path)
    try:
        sheet = SheetTemplate.model_validate({**values, "directory": path.parent})
    except ValidationError as e:
        raise BadTemplate("\n".join(shape_fault(path, source, error) for error in e.errors())) from None
    found = []
    if sheet.kind in demands:
        columns, headings = demands[sheet.kind]
        wrong = faults(sheet, columns=columns, headings=headings)
        found += [told(path, source, fault.where, fault.message) for fault in wrong]
    else:
        found.append(told(path, source, ("kind",), f"there is no sheet {sheet.kind}; known are {', '.join(demands)}"))
    if path.parts[-3:-1] != (sheet.kind, str(sheet.version)):
        found.append(f"{path}: kind and version say {sheet.name}, the folder says {'/'.join(path.parts[-3:-1])}")
    if not (path.parent / SAMPLE).is_file():
        found.append(f"{path.parent / SAMPLE}: is missing")
    if found:
        raise BadTemplate("\n".join(found))
    return sheet
