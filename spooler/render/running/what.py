"""What the two running sheets say: from a document's content to headings and rows."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from spooler.catalog import COLLATERAL_FIELDS, KINDS
from spooler.render.content import Content, Number
from spooler.render.running.layout import PAGE, Row, Running, Said
from spooler.render.running.model import SheetTemplate
from spooler.wire.messages import Seal

COLLATERAL_LIST = "collateral-list"
CHECK_SHEET = "check-sheet"
ORDINAL = "ordinal"
SUMMED = ("area", "amount")
_COUNTED_IN = "unit_number"
_OF_THE_DOCUMENT = frozenset({"document", "number", "holder", "registry_name", "booked_on", PAGE})

# Of each kind: the columns of its table, and what stands on every page.
DEMANDS: Mapping[str, tuple[tuple[str, ...], frozenset[str]]] = {
    COLLATERAL_LIST: ((ORDINAL, *(spec.name for spec in COLLATERAL_FIELDS)), _OF_THE_DOCUMENT | {"obligor"}),
    CHECK_SHEET: (("label", "value"), _OF_THE_DOCUMENT - {"holder"} | {"case"}),
}
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(\D{0,4})")


def collateral_list_of(content: Content) -> Running:
    """Return the list of what is mortgaged: a row each, and under them how many they are and what they come to."""
    rows = [
        Row({ORDINAL: Said(f"collateral.{i}", str(i + 1)), **_cells(i, entry)})
        for i, entry in enumerate(content.collateral)
    ]
    return Running(_headings(content), [*rows, Row(_sums(content.collateral), keeps=True)])


def check_sheet_of(content: Content) -> Running:
    """Return all that the certificate will say, with the names of its fields, to be read over by who applied for it."""
    headings = _headings(content) | {"case": Said("case", content.case)}
    said = [*_fields(content), *_enclosed(content), *_listed(content)]
    rows = [Row({"label": Said("sheet", label), "value": value}) for label, value in said]
    return Running(headings, rows)


def _fields(content: Content) -> Iterator[tuple[str, Said]]:
    for spec in KINDS[content.kind].fields:
        yield spec.label, Said(f"fields.{spec.name}", content.fields.get(spec.name, ""))


def _enclosed(content: Content) -> Iterator[tuple[str, Said]]:
    """Yield what is printed beside the fields, by kind and number only: it is looked at itself."""
    counted = {label: sum(file.role == role for file in content.annexes) for role, label in _ENCLOSED.items()}
    parts = [f"{label} {count} 份" for label, count in counted.items() if count]
    parts += [f"抵押物清单 {len(content.collateral)} 项"] if content.collateral else []
    if parts:
        yield "附图附件", Said("annexes", "、".join(parts))


def _listed(content: Content) -> Iterator[tuple[str, Said]]:
    """Yield each row of the list that will be printed beside it: a wrong unit there is as wrong as a wrong name."""
    for i, entry in enumerate(content.collateral):
        said = [entry.get(spec.name, "") for spec in COLLATERAL_FIELDS]
        yield f"抵押物 {i + 1}", Said(f"collateral.{i}", "；".join(filter(None, said)))


_ENCLOSED = {
    "parcel_map": "宗地图",
    "unit_plan": "房产平面图",
    "collateral_list": "抵押物清单",
    "attachment": "附件",
}


def _headings(content: Content) -> dict[str, Said]:
    day = content.booked_on
    return {
        "document": Said("kind", KINDS[content.kind].label),
        "number": Said("number", content.number.text(content.kind)),
        "holder": Said("fields.holder", content.fields.get("holder", "")),
        "obligor": Said("fields.obligor", content.fields.get("obligor", "")),
        "registry_name": Said("registry_name", content.registry_name),
        "booked_on": Said("booked_on", f"{day:%Y年%m月%d日}"),
    }


def _cells(i: int, entry: Mapping[str, str]) -> dict[str, Said]:
    return {spec.name: Said(f"collateral.{i}.{spec.name}", entry.get(spec.name, "")) for spec in COLLATERAL_FIELDS}


def _sums(entries: Sequence[Mapping[str, str]]) -> dict[str, Said]:
    found = {name: sum_of([entry.get(name, "") for entry in entries]) for name in SUMMED}
    words = {ORDINAL: "合计", _COUNTED_IN: f"共 {len(entries)} 项", **found}
    return {name: Said("collateral", text) for name, text in words.items()}


def sum_of(values: Sequence[str]) -> str:
    """Return the exact sum of texts that are all a number and one and the same unit (or none); else nothing.

    What a county writes is its own: `共有宗地1000㎡/房屋80㎡` is no number, and a sum over part of the rows would be a wrong one.
    """
    read = [_AMOUNT.fullmatch(value.strip()) for value in values]
    if not read or any(found is None for found in read):
        return ""
    amounts = [(found[1], found[2].strip()) for found in read if found]
    units = {unit for _, unit in amounts}
    return f"{sum(Decimal(number) for number, _ in amounts)}{units.pop()}" if len(units) == 1 else ""


SAYS: Mapping[str, Callable[[Content], Running]] = {
    COLLATERAL_LIST: collateral_list_of,
    CHECK_SHEET: check_sheet_of,
}


def sample_of_sheet(sheet: SheetTemplate) -> Content:
    """Return the content of the sheet's sample.json; ValueError or KeyError if it is none."""
    values = json.loads((sheet.directory / "sample.json").read_text(encoding="utf-8"))
    return Content(
        kind=values["kind"],
        registry_name=values["registry_name"],
        number=Number(**values["number"]),
        booked_on=date.fromisoformat(values["booked_on"]),
        qr=values["qr"],
        fields=values["fields"],
        seal=Seal(values["seal"]),
        case=values["case"],
        collateral=tuple(values["collateral"]),
        sheet_versions={sheet.kind: sheet.version},
    )
