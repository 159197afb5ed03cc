"""Reading template files: each is checked whole, and what is wrong is told with file, line and key."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spooler.daemon.positions import told
from spooler.render.template.checks import faults
from spooler.render.template.model import Template

TEMPLATE = "template.toml"
BLANK = "blank.pdf"
SAMPLE = "sample.json"


class BadTemplate(Exception):
    """Templates are not what they must be; the message names file, line and key of each fault."""


def load_templates(directory: Path, own: Path | None = None) -> dict[str, Template]:
    """Return every template by its name (`certificate/1`), or raise BadTemplate for all faults of all.

    A kind that has a folder below `own` is taken from there alone: an upgrade never changes what a site measured itself.
    """
    templates, found = {}, []
    for path in template_files(directory, own):
        try:
            template = load_template(path)
            templates[template.name] = template
        except BadTemplate as e:
            found.append(str(e))
    if not templates and not found:
        raise BadTemplate(f"{directory}: holds no <kind>/<version>/{TEMPLATE}")
    if found:
        raise BadTemplate("\n".join(found))
    return templates


def template_files(directory: Path, own: Path | None = None) -> list[Path]:
    """Return all template files, kind by kind from one of the directories."""
    return versions_of(TEMPLATE, directory, own)


def versions_of(name: str, directory: Path, own: Path | None = None) -> list[Path]:
    """Return `<kind>/<version>/<name>` of all versions, kind by kind from one of the directories."""
    if own is not None and not own.is_dir():
        raise BadTemplate(f"{own}: is no directory")
    kinds = {
        path.parents[1].name: path.parents[1]
        for source in (directory, own)
        if source is not None
        for path in source.glob(f"*/*/{name}")
    }
    found = [path for kind in sorted(kinds) for path in sorted(kinds[kind].glob(f"*/{name}"), key=_number)]
    return [path for path in found if not path.parent.name.startswith(".")]


def _number(path: Path) -> tuple[int, str]:
    name = path.parent.name
    return (int(name) if name.isdigit() else 0, name)


def load_template(path: Path) -> Template:
    """Return the checked template of one file, or raise BadTemplate with all its faults."""
    source, values = read_toml(path)
    try:
        template = Template.model_validate({**values, "directory": path.parent})
    except ValidationError as e:
        raise BadTemplate("\n".join(shape_fault(path, source, error) for error in e.errors())) from None
    found = [told(path, source, fault.where, fault.message) for fault in faults(template)]
    if path.parts[-3:-1] != (template.kind, str(template.version)):
        found.append(f"{path}: kind and version say {template.name}, the folder says {'/'.join(path.parts[-3:-1])}")
    needed = (SAMPLE,) if template.blank is None else (BLANK, SAMPLE)
    found += [f"{path.parent / name}: is missing" for name in needed if not (path.parent / name).is_file()]
    if found:
        raise BadTemplate("\n".join(found))
    return template


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the file's text and what it says, or raise BadTemplate."""
    try:
        source = path.read_text(encoding="utf-8")
        return source, tomllib.loads(source)
    except OSError as e:
        raise BadTemplate(f"{path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise BadTemplate(f"{path}: is not UTF-8") from e
    except tomllib.TOMLDecodeError as e:
        raise BadTemplate(f"{path}: {e}") from None


def shape_fault(path: Path, source: str, error: Any) -> str:
    """Return what is said of one of pydantic's errors."""
    hint = "; nobody reads this key" if error["type"] == "extra_forbidden" else ""
    return told(path, source, error["loc"], error["msg"] + hint)
