"""Step 1b: from the caller's field names to ours.

Registration systems may write their field codes (`qlr`) where we write `holder`. Inside we know one name for each; towards the
caller an error names the field as the caller wrote it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spooler.catalog import COLLATERAL_FIELDS, HEADER_CODES, KINDS, FieldSpec
from spooler.errors import Code, Finding, finding


@dataclass
class Written:
    """How the caller wrote the paths that we name otherwise."""

    paths: dict[str, str] = field(default_factory=dict)

    def path(self, ours: str) -> str:
        return self.paths.get(ours, ours)


def to_our_names(request: dict[str, Any]) -> tuple[dict[str, Any], Written, list[Finding]]:
    """Return the request under our names, the caller's paths, and an error for each field under two names."""
    written, found = Written(), list[Finding]()
    document = request.get("document")
    if not isinstance(document, dict):
        return request, written, found
    renamed = dict(document)
    for part, ours_by_code in (("number", _ours(HEADER_CODES)), ("fields", _field_codes(document.get("kind")))):
        if isinstance(document.get(part), dict):
            renamed[part] = _rename(document[part], ours_by_code, f"document.{part}", written, found)
    if isinstance(document.get("collateral"), list):
        renamed["collateral"] = _rows(document["collateral"], written, found)
    return {**request, "document": renamed}, written, found


def _rows(rows: list[Any], written: Written, found: list[Finding]) -> list[Any]:
    codes = _codes_of(COLLATERAL_FIELDS)
    return [
        _rename(row, codes, f"document.collateral.{i}", written, found) if isinstance(row, dict) else row
        for i, row in enumerate(rows)
    ]


def _ours(codes: Mapping[str, str]) -> dict[str, str]:
    return {code: ours for ours, code in codes.items()}


def _field_codes(kind: Any) -> dict[str, str]:
    known = KINDS.get(kind) if isinstance(kind, str) else None
    return _codes_of(known.fields) if known else {}


def _codes_of(specs: Iterable[FieldSpec]) -> dict[str, str]:
    return {spec.code: spec.name for spec in specs}


def _rename(
    values: dict[str, Any], ours_by_code: dict[str, str], path: str, written: Written, found: list[Finding]
) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for key, value in values.items():
        ours = ours_by_code.get(key, key)
        if ours in renamed:
            names = f"{written.path(f'{path}.{ours}').rsplit('.', 1)[1]}, {key}"
            found.append(finding(path, Code.TWO_NAMES, names=names))
            continue
        renamed[ours] = value
        if ours != key:
            written.paths[f"{path}.{ours}"] = f"{path}.{key}"
    return renamed
