"""Registration items (登记事项): which one yields which document. Data, read from a TOML file and checked when a home starts.

A request may name its `item`; where item and kind of document disagree, the request is refused (`intake.rules`).
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spooler.catalog import KINDS
from spooler.daemon.positions import told

SHIPPED = "items.toml"
NONE = "none"  # such an item is booked, and nothing is printed for it

IssuanceType = Literal["first", "renewal", "replacement", "correction"]
ItemCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Words = Annotated[str, Field(min_length=1, max_length=100)]


class BadItems(Exception):
    """The catalogue is not what it must be; the message names file, line and key of each fault."""


class Item(BaseModel):
    """One item, and what is issued for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Words
    english: Words
    yields: str
    source: Words
    issuance: IssuanceType | None = None


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    items: dict[ItemCode, Item] = Field(min_length=1)


@dataclass(frozen=True)
class _Fault:
    where: tuple[str | int, ...]
    message: str


def find_items() -> Path:
    """Return the catalogue that ships."""
    return Path(__file__).with_name(SHIPPED)


def load_items(path: Path) -> Mapping[str, Item]:
    """Return every item by its code, or raise BadItems for all faults of the file."""
    source, values = _read(path)
    try:
        items = _File.model_validate(values).items
    except ValidationError as e:
        faults = [_shape_fault(error) for error in e.errors()]
    else:
        faults = list(_faults(items))
        if not faults:
            return items
    raise BadItems("\n".join(told(path, source, fault.where, fault.message) for fault in faults))


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        source = path.read_text(encoding="utf-8")
        return source, tomllib.loads(source)
    except OSError as e:
        raise BadItems(f"{path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise BadItems(f"{path}: is not UTF-8") from e
    except tomllib.TOMLDecodeError as e:
        raise BadItems(f"{path}: {e}") from None


def _shape_fault(error: Any) -> _Fault:
    where = tuple(part for part in error["loc"] if part != "[key]")
    hint = "; nobody reads this key" if error["type"] == "extra_forbidden" else ""
    return _Fault(where, error["msg"] + hint)


def _faults(items: Mapping[str, Item]) -> Iterator[_Fault]:
    names: dict[str, str] = {}
    for code, item in items.items():
        if item.yields not in {*KINDS, NONE}:
            known = ", ".join((*KINDS, NONE))
            yield _Fault(("items", code, "yields"), f"there is no kind {item.yields}; known are {known}")
        if item.yields == NONE and item.issuance is not None:
            yield _Fault(("items", code, "issuance"), "nothing is issued for this item")
        if (first := names.setdefault(item.name, code)) != code:
            yield _Fault(("items", code, "name"), f"{first} has the same name")
