"""Step 1d: from plain values to the typed request, or to everything that is wrong with its shape."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from spooler.catalog import KINDS, FieldSpec, Kind
from spooler.errors import Code, Finding, finding
from spooler.intake.names import Written
from spooler.intake.reading import path_of
from spooler.intake.request import Request

_TYPES = {
    "string_type": ("字符串", "a string"),
    "int_type": ("整数", "an integer"),
    "int_parsing": ("整数", "an integer"),
    "bool_type": ("true 或 false", "true or false"),
    "bool_parsing": ("true 或 false", "true or false"),
    "model_type": ("对象", "an object"),
    "model_attributes_type": ("对象", "an object"),
    "dict_type": ("对象", "an object"),
    "tuple_type": ("数组", "an array"),
}
_RANGES = {"greater_than_equal": ("ge", "≥"), "less_than_equal": ("le", "≤")}


def shape(values: dict[str, Any], written: Written) -> tuple[Request | None, list[Finding]]:
    """Return the typed request, or None and what is wrong with it."""
    found = list(_printed_fields(values, written))
    try:
        request = Request.model_validate(values)
    except ValidationError as e:
        return None, [_finding(item, written) for item in e.errors(include_url=False, include_input=False)] + found
    return (None if found else request), found


def _finding(item: ErrorDetails, written: Written) -> Finding:
    """Translate one of pydantic's errors; its input is never looked at."""
    code, facts = code_of(item["type"], item.get("ctx", {}))
    return finding(written.path(path_of(item["loc"])), code, **facts)


def code_of(kind: str, context: Mapping[str, Any]) -> tuple[Code, dict[str, object]]:
    if kind in _TYPES:
        chinese, english = _TYPES[kind]
        return Code.WRONG_TYPE, {"chinese": chinese, "english": english}
    if kind in _RANGES:
        limit, sign = _RANGES[kind]
        return Code.OUT_OF_RANGE, {"expected": f"{sign} {context[limit]}"}
    match kind:
        case "missing":
            return Code.MISSING, {}
        case "extra_forbidden":
            return Code.UNKNOWN_FIELD, {}
        case "string_pattern_mismatch":
            return Code.BAD_FORMAT, {"expected": context["pattern"]}
        case "string_too_short" | "too_short":
            return Code.EMPTY, {}
        case "string_too_long":
            return Code.TOO_LONG, {"longest": context["max_length"]}
        case "too_long":
            return Code.TOO_MANY, {"longest": context["max_length"]}
        case "literal_error" | "enum":
            return Code.NOT_A_CHOICE, {"choices": str(context["expected"]).replace("'", "")}
        case "bad-format":
            return Code.BAD_FORMAT, {"expected": context["expected"]}
        case "json_invalid":
            return Code.MALFORMED, {}
    return Code.BAD_FORMAT, {"expected": kind.replace("_", " ")}


def _printed_fields(values: dict[str, Any], written: Written) -> Iterator[Finding]:
    """Check document.kind and document.fields against the catalog."""
    document = values.get("document")
    name = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(name, str):
        return
    kind = KINDS.get(name)
    if kind is None:
        yield finding("document.kind", Code.UNKNOWN_KIND, choices=", ".join(KINDS))
        return
    if document.get("units") == [] and not kind.may_lack_units:
        yield finding("document.units", Code.EMPTY)
    fields = document.get("fields")
    if isinstance(fields, dict):
        yield from _against_the_kind(kind, fields, written)


def _against_the_kind(kind: Kind, fields: dict[str, Any], written: Written) -> Iterator[Finding]:
    for name in fields:
        if kind.field(name) is None:
            yield finding(path_of(("document", "fields", name)), Code.UNKNOWN_FIELD)
    for spec in kind.fields:
        path = written.path(f"document.fields.{spec.name}")
        yield from _one_field(spec, fields, path)


def _one_field(spec: FieldSpec, fields: dict[str, Any], path: str) -> Iterator[Finding]:
    if spec.name not in fields:
        yield finding(path, Code.MISSING)
        return
    value = fields[spec.name]
    if not isinstance(value, str):
        return  # its type is already named
    if not spec.may_be_empty and not value.strip():
        yield finding(path, Code.EMPTY)
    if len(value) > spec.longest:
        yield finding(path, Code.TOO_LONG, longest=spec.longest)
