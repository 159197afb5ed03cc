"""The tables in docs/requests.md, errors.md and items.md, from the model and the catalogues: `python -m spooler.intake.reference`.

Between two marker lines of a page the table is written anew; the prose around it is written by hand.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from spooler.catalog import HEADER_CODES, KINDS
from spooler.errors import SENTENCES
from spooler.intake.request import Request
from spooler.items import find_items, load_items

BEGIN, END = "<!-- begin generated: {name} -->", "<!-- end generated: {name} -->"
_HEADER = ("field", "type", "required", "may be empty", "longest", "pattern, range or values")


def main(docs: Path) -> None:
    """Write the tables into the pages."""
    for page, tables in PAGES.items():
        path = docs / page
        path.write_text(renewed(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


def renewed(text: str, tables: Iterable[str]) -> str:
    """Return the page with its tables as they are today."""
    for name in tables:
        begin, end = BEGIN.format(name=name), END.format(name=name)
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = f"{before}{begin}\n{TABLES[name]()}{end}{after}"
    return text


def request_table() -> str:
    schema = Request.model_json_schema()
    return _table(_HEADER, _model_rows(schema, schema["$defs"], ""))


def kind_tables() -> str:
    parts = []
    for kind in KINDS.values():
        rows = (
            (f"`{spec.name}`", f"`{spec.code}`", spec.label, "yes", "yes" if spec.may_be_empty else "no", spec.longest)
            for spec in kind.fields
        )
        header = ("field", "code", "label", "required", "may be empty", "longest")
        roles = ", ".join(f"`{role}`" for role in sorted(kind.annex_roles)) or "none"
        parts.append(f"### `{kind.id}` {kind.label}\n\n{_table(header, rows)}\nAnnex roles: {roles}.\n")
    return "\n".join(parts)


def header_table() -> str:
    return _table(("field", "code"), ((f"`{ours}`", f"`{code}`") for ours, code in HEADER_CODES.items()))


def code_table() -> str:
    return _table(("code", "中文", "English"), ((f"`{code}`", *said) for code, said in SENTENCES.items()))


def item_table() -> str:
    rows = (
        (f"`{code}`", item.name, f"{item.english}", f"`{item.yields}`", item.source)
        for code, item in load_items(find_items()).items()
    )
    return _table(("code", "登记事项", "English", "yields", "source"), rows)


def _model_rows(model: dict[str, Any], models: dict[str, Any], path: str) -> Iterator[tuple[object, ...]]:
    required = model.get("required", [])
    for name, schema in model["properties"].items():
        yield from _field_rows(f"{path}{name}", schema, name in required, models)


def _field_rows(
    path: str, schema: dict[str, Any], required: bool, models: dict[str, Any]
) -> Iterator[tuple[object, ...]]:
    schema = _without_null(schema)
    below = models.get(schema.get("$ref", "").rsplit("/", 1)[-1])
    if below is not None and "properties" in below:
        yield _row(path, {"type": "object"}, required)
        yield from _model_rows(below, models, f"{path}.")
    elif schema.get("type") == "array":
        yield _row(path, schema, required)
        yield from _field_rows(f"{path}.N", schema["items"], True, models)
    else:
        yield _row(path, {**schema, **(below or {})}, required)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    others = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    return {**schema, **others[0]} if others else schema


def _row(path: str, schema: dict[str, Any], required: bool) -> tuple[object, ...]:
    kind = schema.get("format", schema.get("type", ""))
    longest = schema.get("maxLength", schema.get("maxItems", ""))
    is_text = kind == "string" and "enum" not in schema
    may_be_empty = "" if not is_text else "no" if schema.get("minLength") or "pattern" in schema else "yes"
    return f"`{path}`", kind, "yes" if required else "no", may_be_empty, longest, _limits(schema)


def _limits(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " ".join(f"`{value}`" for value in schema["enum"])
    if "pattern" in schema:
        return "`{}`".format(schema["pattern"].replace("|", "\\|"))
    sides = [f"{sign} {schema[key]}" for key, sign in (("minimum", "≥"), ("maximum", "≤")) if key in schema]
    return ", ".join(sides)


def _table(header: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    header = list(header)
    lines: list[Iterable[object]] = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


TABLES = {
    "request": request_table,
    "kinds": kind_tables,
    "header": header_table,
    "codes": code_table,
    "items": item_table,
}
PAGES = {"requests.md": ("request", "header", "kinds"), "errors.md": ("codes",), "items.md": ("items",)}

if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs"))
