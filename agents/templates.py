"""The templates as a hall reads them: which sides a stock has, where fields stand on them, what its blank looks like.

A hall renders nothing. It needs the sizes to calibrate, the fields to see that none is pushed off the paper, and the drawing of the
blank to lay under a preview. A file that cannot be read is as if it were not there: the home checks templates.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog

from agents.calibration.correction import Point, Side
from spooler.daemon.installed import find_templates
from spooler.wire.messages import Stock

TEMPLATE, BLANK = "template.toml", "blank.pdf"
MM_PER_POINT = 25.4 / 72
ABOVE, BELOW = 0.88, 0.12  # of a line's size, over and under its baseline

_log = structlog.get_logger()


@dataclass(frozen=True)
class Field:
    """A rectangle that something is printed in."""

    name: str
    x: float
    y: float
    width: float
    height: float

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        right, bottom = self.x + self.width, self.y + self.height
        return (self.x, self.y), (right, self.y), (right, bottom), (self.x, bottom)


@dataclass(frozen=True)
class PrintedSide:
    """A side of numbered stock as a template has it."""

    stock: Stock
    side: Side
    fields: tuple[Field, ...]


class Templates:
    """Those that are shipped, and a site's own, of which a kind counts alone."""

    def __init__(self, directory: Path | None = None, own: Path | None = None) -> None:
        self._directory = directory or find_templates()
        self._own = own

    def sides(self, stock: Stock) -> tuple[Side, ...]:
        """Return the sides of this stock that have to be calibrated; plain paper has none, nothing on it has to meet a frame."""
        found = {one.side.spread: one.side for one in self._printed() if one.stock is stock}
        return tuple(found.values())

    def fields(self, stock: Stock, side: Side) -> tuple[Field, ...]:
        """Return every field that any version prints on this side."""
        return tuple(f for one in self._printed() if one.stock is stock and one.side.is_like(side) for f in one.fields)

    def blank(self, template: str) -> bytes | None:
        """Return the drawing of a template's blank, a page a pass; None where this hall has none."""
        kind, _, version = template.partition("/")
        if not version.isdecimal() or "/" in kind or kind.startswith("."):
            return None
        source = self._own if self._own is not None and (self._own / kind).is_dir() else self._directory
        path = source / kind / version / BLANK
        return path.read_bytes() if path.is_file() else None

    def _printed(self) -> tuple[PrintedSide, ...]:
        return _read(self._directory, self._own)


@lru_cache(maxsize=8)
def _read(directory: Path, own: Path | None) -> tuple[PrintedSide, ...]:
    """Read all templates, of each kind the newest last: its sides are those that count."""
    kinds: dict[str, Path] = {}
    for source in filter(None, (directory, own)):
        kinds |= {path.parents[1].name: path.parents[1] for path in source.glob(f"*/*/{TEMPLATE}")}
    files = [path for name in sorted(kinds) for path in sorted(kinds[name].glob(f"*/{TEMPLATE}"), key=_version)]
    return tuple(side for path in files for side in _sides(path))


def _version(path: Path) -> int:
    return int(path.parent.name) if path.parent.name.isdecimal() else 0


def _sides(path: Path) -> list[PrintedSide]:
    try:
        template = tomllib.loads(path.read_text("utf-8"))
        return [_side(template, one) for one in template["passes"] if one["stock"] != Stock.PLAIN]
    except (OSError, ValueError, KeyError, TypeError) as e:
        _log.warning(
            "a template cannot be read", file=f"{path.parents[1].name}/{path.parent.name}", why=type(e).__name__
        )
        return []


def _side(template: Mapping[str, Any], one: Mapping[str, Any]) -> PrintedSide:
    side = Side(one["name"], float(one["width"]), float(one["height"]))
    return PrintedSide(Stock(one["stock"]), side, tuple(_fields(template, side.spread)))


def _fields(template: Mapping[str, Any], spread: str) -> Iterator[Field]:
    for name, line in template.get("lines", {}).items():
        if line["on"] == spread:
            size = line["size"] * MM_PER_POINT
            yield Field(name, line["x"], line["baseline"] - ABOVE * size, line["width"], (ABOVE + BELOW) * size)
    boxes = {**template.get("boxes", {}), **{name: template[name] for name in ("qr", "frame") if name in template}}
    for name, box in boxes.items():
        if box["on"] == spread:
            yield Field(name, box["x"], box["y"], box["width"], box["height"])
    seal = template.get("seal")
    if seal is not None and seal["on"] == spread:
        half = seal["diameter"] / 2
        yield Field("seal", seal["x"] - half, seal["y"] - half, 2 * half, 2 * half)
