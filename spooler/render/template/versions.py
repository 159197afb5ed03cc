"""Versions of a template: which folders there are, what they hold to the byte, and how the next one begins."""

import re
import shutil
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, overload

from spooler.render.template.files import BLANK, SAMPLE, TEMPLATE, BadTemplate, load_template
from spooler.render.template.model import Template

# What a version says itself with: a print template, a running sheet, an electronic face.
SAID_IN = (TEMPLATE, "sheet.toml", "face.toml")
FILES = (*SAID_IN, BLANK, SAMPLE)
T = TypeVar("T")
_VERSION = re.compile(r"^version = \d+$", re.MULTILINE)


class NoSuchTemplate(Exception):
    """There is none of this name."""


def fingerprint(directory: Path) -> str:
    """Return the hash of all files of a version; a released one keeps it for ever."""
    held = [name for name in FILES if (directory / name).is_file()]
    lines = [f"{sha256((directory / name).read_bytes()).hexdigest()}  {name}\n" for name in held]
    return sha256("".join(lines).encode()).hexdigest()


@overload
def begin_next(kind: str, sources: Sequence[Path], target: Path, version: int | None = None) -> Template: ...


@overload
def begin_next(
    kind: str, sources: Sequence[Path], target: Path, version: int | None = None, *, load: Callable[[Path], T]
) -> T: ...


def begin_next(
    kind: str,
    sources: Sequence[Path],
    target: Path,
    version: int | None = None,
    *,
    load: Callable[[Path], object] = lambda directory: load_template(directory / TEMPLATE),
) -> object:
    """Copy a version (the newest, if none is named) to the next number below `target`, and return it as `load` reads it.

    It is looked for in all sources; the next number is beyond those of all of them.
    """
    known = {
        int(path.name): path
        for source in reversed(sources)
        for path in (source / kind).glob("*")
        if path.name.isdigit()
    }
    if not known or (version is not None and version not in known):
        raise NoSuchTemplate(f"{kind}/{version}" if version is not None else kind)
    source = known[version or max(known)]
    load(source)
    directory = target / kind / str(max(known) + 1)
    _copy(source, directory)
    return load(directory)


def _copy(source: Path, directory: Path) -> None:
    """Write the copy aside, then rename it into its place: half a template is no template."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, aside / name)
    path = next(aside / name for name in SAID_IN if (aside / name).is_file())
    text, changed = _VERSION.subn(f"version = {directory.name}", path.read_text(encoding="utf-8"), count=1)
    if not changed:
        raise BadTemplate(f"{source / path.name}: no line `version = …` to change")
    path.write_text(text, encoding="utf-8")
    aside.rename(directory)
